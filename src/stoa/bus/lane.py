"""A lane: one handler, its bounded queue and its thread.

What arrives faster than the handler works waits; beyond the bounds the oldest goes, since of what is said at most once
the newest is worth most. A handler that raises loses that message alone. Each handler has a lane of its own, so that a
slow one (an answer of megabytes from disk) keeps nobody else waiting.
"""

import threading
from collections import deque
from collections.abc import Callable
from typing import NamedTuple

from stoa.bus.settings import MAX_QUEUED, MAX_QUEUED_BYTES

JOIN_S = 5.0  # for a handler at work to come to its end


class Arrived(NamedTuple):
    """A message as it came. ``reply`` is where an answer goes, or empty."""

    subject: str
    payload: bytes
    reply: str


class Lane:
    """Give ``handle`` one message after another, on a thread of its own."""

    def __init__(self, name: str, handle: Callable[[Arrived], None]) -> None:
        self._handle = handle
        self._waiting: deque[Arrived] = deque()
        self._bytes = 0
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
            self._waiting.append(arrived)
            self._bytes += len(arrived.payload)
            while len(self._waiting) > MAX_QUEUED or self._bytes > MAX_QUEUED_BYTES:
                self._bytes -= len(self._waiting.popleft().payload)
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
            arrived = self._waiting.popleft()
            self._bytes -= len(arrived.payload)
            return arrived
