"""What may be wrong with a validator's machine, told to it by a file while it runs: a disk that is slow, full or fails
its syncs, and a clock that is off.

The disk below is the real one; that the system refuses something is all that is made up. Who wants the real thing
mounts a small disk (``site.py``); a sync that fails cannot be had otherwise.
"""

import errno
import os
import time
from pathlib import Path
from typing import Final

import msgspec

from stoa.journal.disk import REAL_DISK, File, Lock

FILE: Final = "trouble.json"  # in the validator's folder; none: all is well
GLANCE: Final = 0.05  # seconds until it is looked for again


class Trouble(msgspec.Struct, frozen=True, omit_defaults=True):
    """``sync_ms`` is added to every sync, ``clock_ms`` to the clock."""

    sync_ms: float = 0.0
    sync_fails: bool = False
    full: bool = False
    clock_ms: int = 0


class Troubles:
    """Of the validator of a folder, as they are now."""

    def __init__(self, folder: Path, usual: Trouble) -> None:
        self._path, self._usual, self._found = folder / FILE, usual, usual
        self._looked = -GLANCE

    @property
    def now(self) -> Trouble:
        """What is wrong."""
        if (moment := time.monotonic()) - self._looked >= GLANCE:
            self._looked = moment
            try:
                self._found = msgspec.json.decode(self._path.read_bytes(), type=Trouble)
            except FileNotFoundError:
                self._found = self._usual
        return self._found

    def clock(self) -> int:
        """Milliseconds since 1970 as this machine has them."""
        return time.time_ns() // 1_000_000 + self.now.clock_ms


class _TroubledFile:
    def __init__(self, file: File, path: Path, troubles: Troubles) -> None:
        self._file, self._path, self._troubles = file, path, troubles
        self.size, self.read, self.truncate = file.size, file.read, file.truncate
        self.forget, self.close = file.forget, file.close

    def write(self, offset: int, *parts: bytes) -> None:
        """Write, if there is room."""
        if self._troubles.now.full:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(self._path))
        self._file.write(offset, *parts)

    def sync(self) -> None:
        """Sync, after the delay, or fail."""
        trouble = self._troubles.now
        if trouble.sync_fails:
            raise OSError(errno.EIO, os.strerror(errno.EIO), str(self._path))
        if trouble.sync_ms:
            time.sleep(trouble.sync_ms / 1_000)
        self._file.sync()


class TroubledDisk:
    """The real disk of a machine with troubles."""

    def __init__(self, troubles: Troubles) -> None:
        self._troubles = troubles
        self.names, self.make_folder = REAL_DISK.names, REAL_DISK.make_folder
        self.rename, self.sync_folder = REAL_DISK.rename, REAL_DISK.sync_folder

    def open(self, path: Path, write: bool = False) -> File:
        """Open a file of the real disk."""
        return _TroubledFile(REAL_DISK.open(path, write), path, self._troubles)

    def lock(self, path: Path) -> Lock:
        """Take a lock of the real disk."""
        return REAL_DISK.lock(path)
