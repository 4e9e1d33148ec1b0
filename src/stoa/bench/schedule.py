"""When the transfers of an open load are due. Nothing that becomes of them changes it."""

from collections.abc import Callable
from math import inf


class Schedule:
    """So many a second, one after another at even distances, until the end. Times by the monotonic clock."""

    def __init__(self, rate: Callable[[], float], start: float, seconds: float = inf) -> None:
        """``rate`` is asked each time, and holds for what was due since the time before."""
        self._rate, self._at, self._end = rate, start, start + seconds
        self._passed = 0.0  # transfers, with the part of the next one
        self._due = 0

    @property
    def over(self) -> bool:
        """Whether nothing more will be due."""
        return self._at >= self._end

    def until(self, now: float, most: int) -> list[float]:
        """When those are due that are since it was last asked, the first of all at the start; not more than so many."""
        now = min(now, self._end)
        if now <= self._at:
            return []
        rate, before, since = self._rate(), self._passed, self._at
        self._passed, self._at = before + (now - since) * rate, now
        first, self._due = self._due, min(int(self._passed) + 1, self._due + most)
        return [since + (number - before) / rate for number in range(first, self._due)]
