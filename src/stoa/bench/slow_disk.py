"""A real disk whose fsync takes longer: what a slower machine would feel like."""

from pathlib import Path
from time import sleep

from stoa.journal.disk import REAL_DISK, File, Lock


class _SlowFile:
    def __init__(self, file: File, seconds: float) -> None:
        self._file, self._seconds = file, seconds
        self.size, self.read, self.write = file.size, file.read, file.write
        self.truncate, self.forget, self.close = file.truncate, file.forget, file.close

    def sync(self) -> None:
        """Sync, after the delay."""
        sleep(self._seconds)
        self._file.sync()


class SlowDisk:
    """The real disk with a delay before every sync of a file, in seconds."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self.names, self.make_folder = REAL_DISK.names, REAL_DISK.make_folder
        self.rename, self.sync_folder = REAL_DISK.rename, REAL_DISK.sync_folder

    def open(self, path: Path, write: bool = False) -> File:
        """Open a file of the real disk."""
        return _SlowFile(REAL_DISK.open(path, write), self._seconds)

    def lock(self, path: Path) -> Lock:
        """Take a lock of the real disk."""
        return REAL_DISK.lock(path)
