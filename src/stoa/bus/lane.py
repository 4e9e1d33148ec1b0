"""A lane: one handler, its bounded queue and its thread.

What arrives faster than the handler works waits. Subjects take turns, and where there is no more room the oldest goes
of the subject that takes the most: who floods loses his own words and delays nobody else's, since a subject ends with
its sender's name. A handler that raises loses that message alone. Each handler has a lane of its own, so that a slow
one (an answer of megabytes from disk) keeps nobody else waiting.
"""

import threading
from collections import deque
from collections.abc import Callable
from typing import NamedTuple

from stoa.bus.settings import MAX_QUEUED_BYTES, MESSAGE_BYTES

JOIN_S = 5.0  # for a handler at work to come to its end


class Arrived(NamedTuple):
    """A message as it came. ``reply`` is where an answer goes, or empty."""

    subject: str
    payload: bytes
    reply: str

    @property
    def weight(self) -> int:
        """What it counts against the bound, in bytes."""
        return max(len(self.payload), MESSAGE_BYTES)


class _Queue:
    """What waits under one subject."""

    def __init__(self) -> None:
        self._messages: deque[Arrived] = deque()
        self.weight = 0

    def put(self, arrived: Arrived) -> None:
        self._messages.append(arrived)
        self.weight += arrived.weight

    def take(self) -> Arrived:
        arrived = self._messages.popleft()
        self.weight -= arrived.weight
        return arrived


class Lane:
    """Give ``handle`` one message after another, on a thread of its own."""

    def __init__(self, name: str, handle: Callable[[Arrived], None]) -> None:
        self._handle = handle
        self._waiting: dict[str, _Queue] = {}  # by subject, whose turn it is first; no queue is empty
        self._weight = 0
        self._changed = threading.Condition()
        self._closed = False
        self.overflowed = self.failed = 0
        self._thread = threading.Thread(target=self._work, name=f"bus {name}", daemon=True)
        self._thread.start()

    def put(self, arrived: Arrived) -> None:
        """Queue a message; never blocks."""
        with self._changed:
            if self._closed:
                return
            self._waiting.setdefault(arrived.subject, _Queue()).put(arrived)
            self._weight += arrived.weight
            while self._weight > MAX_QUEUED_BYTES:
                self._take(max(self._waiting, key=lambda subject: self._waiting[subject].weight))
                self.overflowed += 1
            self._changed.notify()

    def close(self) -> None:
        """Handle nothing more; what waits is dropped."""
        with self._changed:
            self._closed = True
            self._waiting.clear()
            self._changed.notify()
        if threading.current_thread() is not self._thread:
            self._thread.join(JOIN_S)

    def _work(self) -> None:
        while (arrived := self._next()) is not None:
            try:
                self._handle(arrived)
            except Exception:  # noqa: BLE001 - one bad message, whoever sent it, must not end the lane
                self.failed += 1

    def _next(self) -> Arrived | None:
        with self._changed:
            self._changed.wait_for(lambda: self._waiting or self._closed)
            if self._closed:
                return None
            return self._take(next(iter(self._waiting)))

    def _take(self, subject: str) -> Arrived:
        """The oldest under a subject, whose turn comes again after all others'."""
        queue = self._waiting.pop(subject)
        arrived = queue.take()
        self._weight -= arrived.weight
        if queue.weight:
            self._waiting[subject] = queue
        return arrived
