"""The engine of one machine: a bounded queue in memory.

What was accepted and is not yet in the journal is lost with the process, as the promise allows: nobody was told that it
is final.
"""

import threading
from collections import deque
from collections.abc import Callable
from typing import Final

from stoa.ordering.condition import WELL, Condition
from stoa.ordering.engine import LogClosed, LogFull, Ordered

MAX_IN_FLIGHT: Final = 64  # batches accepted and not yet forgotten
RETRY_MS: Final = 50


class EmbeddedEngine:
    """Satisfies ``Engine`` in one process. ``clock`` gives milliseconds."""

    def __init__(self, clock: Callable[[], int], capacity: int = MAX_IN_FLIGHT) -> None:
        self._clock, self._capacity = clock, capacity
        self._next = 1
        self._log: deque[Ordered] = deque()
        self._changed = threading.Condition()
        self._closed = False

    def publish(self, batch: bytes) -> int:
        """Give the batch the next position."""
        with self._changed:
            if self._closed:
                raise LogClosed("the embedded log is closed")
            if len(self._log) >= self._capacity:
                raise LogFull(RETRY_MS)
            ordered = Ordered(self._next, self._clock(), batch)
            self._next += 1
            self._log.append(ordered)
            self._changed.notify_all()
            return ordered.position

    def read(self, after: int, timeout: float) -> Ordered | None:
        """The first batch behind the position; what lies before it is forgotten."""
        with self._changed:
            self._forget(after)
            self._changed.wait_for(lambda: self._log or self._closed, timeout)
            return self._log[0] if self._log else None

    def _forget(self, upto: int) -> None:
        while self._log and self._log[0].position <= upto:
            self._log.popleft()

    def condition(self) -> Condition:
        """Well, as long as the process is."""
        return WELL

    def close(self) -> None:
        """Accept nothing more."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()
