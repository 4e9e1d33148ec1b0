"""The pace: how long to rest between batches, so that a slow validator slows intake and never falls behind for ever.

A validator that catches up is behind, too, and needs no rest: it makes blocks faster than the network does. How far
both came lately tells one from the other. One thread.
"""

from collections.abc import Mapping
from typing import Final, NamedTuple

LAG_BLOCKS: Final = 32  # how far behind a validator may be before the others rest for its sake
REST_A_BLOCK: Final = 0.01  # seconds for each block more
MOST_REST_SECONDS: Final = 1.0
WINDOW_SECONDS: Final = 5.0  # over which progress is compared; until one has passed, nobody is taken for slow
GAINING, AND_BLOCKS = 1.5, 2  # so many times the blocks that this validator made, and two more: that one catches up


class _Mark(NamedTuple):
    """Where a peer and this validator stood."""

    at: float
    theirs: int
    ours: int
    slow: bool = False  # by the window that ended then


class Pace:
    """Of one validator."""

    def __init__(self) -> None:
        self._marks: dict[str, _Mark] = {}  # of the peers that were there the last time

    def rest(self, now: float, height: int, peers: Mapping[str, int]) -> float:
        """Seconds: longer, the further the slowest of these peers lags behind. By their names, their heights."""
        self._marks = {name: self._mark(name, now, theirs, height) for name, theirs in peers.items()}
        lag = max((height - peers[name] for name, mark in self._marks.items() if mark.slow), default=0)
        return min(MOST_REST_SECONDS, max(0, lag - LAG_BLOCKS) * REST_A_BLOCK)

    def _mark(self, name: str, now: float, theirs: int, ours: int) -> _Mark:
        mark = self._marks.get(name, _Mark(now, theirs, ours))
        if now - mark.at < WINDOW_SECONDS:
            return mark
        return _Mark(now, theirs, ours, slow=theirs - mark.theirs < GAINING * (ours - mark.ours) + AND_BLOCKS)
