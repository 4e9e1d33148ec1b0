"""An engine that does everything an engine may do: it duplicates, delays, loses what nobody has read, and restarts.

One seed gives one history, whatever the machine: a delay is a number of reads that find nothing, not a time.
"""

import threading
from collections.abc import Callable
from random import Random

from stoa.ordering.condition import WELL, Condition
from stoa.ordering.engine import LogClosed, LogFull, Ordered

DUPLICATED = 0.2  # of the batches that are published
LOST = 0.1  # chance at each publish that the unread end of the log is cut off
LONGEST_DELAY = 3  # reads
RETRY_MS = 1


class SimulatedEngine:
    """Satisfies ``Engine``, at its worst."""

    def __init__(self, clock: Callable[[], int], seed: int, capacity: int = 64) -> None:
        self.random = Random(seed)
        self._clock, self._capacity = clock, capacity
        self._log: list[Ordered] = []
        self._shown = self._done = self._delay = 0
        self._changed = threading.Condition()
        self._closed = False

    def publish(self, batch: bytes) -> int:
        """Accept the batch, which promises little."""
        with self._changed:
            if self._closed:
                raise LogClosed("the simulated log is closed")
            if len(self._log) - self._done >= self._capacity:
                raise LogFull(RETRY_MS)
            position = self._append(batch)
            if self.random.random() < DUPLICATED and len(self._log) - self._done < self._capacity:
                self._append(batch)
            if self.random.random() < LOST:
                self._lose()
            self._changed.notify_all()
            return position

    def read(self, after: int, timeout: float) -> Ordered | None:
        """The first batch behind the position, often not at once."""
        with self._changed:
            self._done = max(self._done, after)
            self._changed.wait_for(lambda: len(self._log) > after or self._closed, timeout)
            if len(self._log) <= after:
                return None
            if self._delay and not self._closed:
                self._delay -= 1
                return None
            self._delay = self.random.randint(0, LONGEST_DELAY)
            self._shown = max(self._shown, after + 1)
            return self._log[after]

    def condition(self) -> Condition:
        """Well, as long as the process is."""
        return WELL

    def close(self) -> None:
        """Accept nothing more."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()

    def restart(self) -> "SimulatedEngine":
        """The engine after a crash of its own: what was shown is still there, of the rest what chance left."""
        self.close()
        self._lose()
        again = SimulatedEngine(self._clock, self.random.randrange(2**32), self._capacity)
        again._log, again._shown = self._log, self._shown
        return again

    def _append(self, batch: bytes) -> int:
        self._log.append(Ordered(len(self._log) + 1, self._clock(), batch))
        return len(self._log)

    def _lose(self) -> None:
        del self._log[self.random.randint(self._shown, len(self._log)) :]
