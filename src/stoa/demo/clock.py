"""The story clock: the ledger's time while the story is told. It moves when the story does, and runs by itself after.

On one machine it is a number. Where several validators play, it is a file that each of them reads (``SharedClock``):
the list of jumps, each with the world's time of it. So the world's time of a log entry gives the same story time to
every reader, whenever he reads it, and what validators decide by time they decide alike.
"""

import os
import struct
from bisect import bisect_right
from pathlib import Path
from threading import Lock
from typing import Final, NamedTuple

from stoa.kernel.time import SECOND
from stoa.node.node import wall_clock

STEP: Final = 1 * SECOND  # between two transactions, so that no two blocks have one time
RECORD: Final = struct.Struct("<qqq")


class Jump(NamedTuple):
    """From this time of the world on the story stands, or starts to run, at this time of its own. Milliseconds."""

    world: int
    story: int
    runs: bool

    def at(self, world: int) -> int:
        """The story's time then."""
        return self.story + (world - self.world if self.runs else 0)


class StoryClock:
    """Milliseconds since 1970, UTC. Call it to read it; one thread moves it."""

    def __init__(self, start: int) -> None:
        self._jump = Jump(wall_clock(), start, False)

    def __call__(self) -> int:
        """The time now."""
        return self._last().at(wall_clock())

    def step(self) -> None:
        """One step on."""
        self._note(self() + STEP, self._last().runs)

    def until(self, moment: int) -> None:
        """On to the moment; a moment that is past changes nothing."""
        if moment > self():
            self._note(moment, self._last().runs)

    def run(self) -> None:
        """From now on keep pace with the world."""
        self._note(self(), True)

    def _last(self) -> Jump:
        return self._jump

    def _note(self, story: int, runs: bool) -> None:
        self._jump = Jump(wall_clock(), story, runs)


class SharedClock(StoryClock):
    """The clock in a file. Who made it with ``begin`` moves it; everybody else reads. Safe for threads."""

    def __init__(self, path: Path) -> None:
        """Read the clock in the file."""
        self._file = os.open(path, os.O_RDWR | os.O_APPEND)
        self._lock = Lock()
        self._jumps: list[Jump] = []

    @classmethod
    def begin(cls, path: Path, start: int) -> "SharedClock":
        """A new clock in a new file. It runs from the start: validators give one another time, and none may stand."""
        path.touch(0o600, exist_ok=False)
        clock = cls(path)
        clock._append(Jump(wall_clock(), start, True))
        return clock

    def story_time(self, world: int) -> int:
        """The story's time at a time of the world, such as that of a log entry."""
        with self._lock:
            self._read_on()
            after = bisect_right(self._jumps, world, key=lambda jump: jump.world)
            return self._jumps[max(0, after - 1)].at(world)

    def close(self) -> None:
        """Read no more."""
        os.close(self._file)

    def _last(self) -> Jump:
        with self._lock:
            self._read_on()
            return self._jumps[-1]

    def _note(self, story: int, runs: bool) -> None:
        self._append(Jump(max(wall_clock(), self._last().world), story, runs))

    def _append(self, jump: Jump) -> None:
        os.write(self._file, RECORD.pack(*jump))

    def _read_on(self) -> None:
        known = len(self._jumps) * RECORD.size
        fresh = os.pread(self._file, os.fstat(self._file).st_size - known, known)
        for world, story, runs in RECORD.iter_unpack(fresh[: len(fresh) // RECORD.size * RECORD.size]):
            self._jumps.append(Jump(world, story, bool(runs)))
