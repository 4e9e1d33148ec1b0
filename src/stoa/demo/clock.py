"""The story clock: the node's time while the story is told. It moves when the story does, and runs by itself after."""

import time
from typing import Final

from stoa.kernel.time import SECOND

STEP: Final = 1 * SECOND  # between two transactions, so that no two blocks have one time


class StoryClock:
    """Milliseconds since 1970, UTC. Call it to read it; one thread moves it."""

    def __init__(self, start: int) -> None:
        self._at, self._since = start, 0

    def __call__(self) -> int:
        """The time now."""
        return self._at + ((time.monotonic_ns() - self._since) // 1_000_000 if self._since else 0)

    def step(self) -> None:
        """One step on."""
        self._at += STEP

    def until(self, moment: int) -> None:
        """On to the moment; a moment that is past changes nothing."""
        self._at = max(self._at, moment)

    def run(self) -> None:
        """From now on keep pace with the world."""
        self._since = time.monotonic_ns()
