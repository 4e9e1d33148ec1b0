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


class Pace:
    """Of one validator."""

    def __init__(self) -> None:
        self._marks: dict[str, _Mark] = {}
        self._slow: dict[str, bool] = {}

    def rest(self, now: float, height: int, peers: Mapping[str, int]) -> float:
        """Seconds: longer, the further the slowest of these peers lags behind. By their names, their heights."""
        for gone in self._marks.keys() - peers.keys():
            del self._marks[gone]
            self._slow.pop(gone, None)
        for name, theirs in peers.items():
            mark = self._marks.setdefault(name, _Mark(now, theirs, height))
            if now - mark.at >= WINDOW_SECONDS:
                self._slow[name] = theirs - mark.theirs < GAINING * (height - mark.ours) + AND_BLOCKS
                self._marks[name] = _Mark(now, theirs, height)
        lag = max((height - theirs for name, theirs in peers.items() if self._slow.get(name)), default=0)
        return min(MOST_REST_SECONDS, max(0, lag - LAG_BLOCKS) * REST_A_BLOCK)
