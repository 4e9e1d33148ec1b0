"""The few things that the journal asks of a disk, and the real one.

Owns: the only system calls of this room. A write is kept for sure after ``sync`` of its file, a new or renamed name
after ``sync_folder`` of its folder; tests hold a simulated disk to the same promise and nothing more.
"""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final, Protocol

_ASIDE: Final = ".aside"


class File(Protocol):
    """An open file. All offsets and lengths in bytes; every method raises OSError, which names the file, when the disk
    says no."""

    def size(self) -> int: ...
    def read(self, offset: int, length: int) -> bytes:
        """The bytes there, fewer at the end of the file."""

    def write(self, offset: int, *parts: bytes) -> None:
        """Put all of the parts there, one after the other; when it raises, some of them may be there."""

    def truncate(self, size: int) -> None: ...
    def sync(self) -> None:
        """Return when all that was written is on the disk. After a failure, what is on the disk is unknown."""

    def forget(self, offset: int, length: int) -> None:
        """Have the next read of these bytes come from the disk rather than from memory, as far as they are synced."""

    def close(self) -> None: ...


class Lock(Protocol):
    """Held until released or until the process ends."""

    def release(self) -> None: ...


class Disk(Protocol):
    """Files and folders by path."""

    def open(self, path: Path, write: bool = False) -> File:
        """The file; with ``write`` it is created when absent, otherwise FileNotFoundError."""

    def names(self, folder: Path) -> list[str]:
        """The names in the folder, sorted; none when there is no such folder."""

    def make_folder(self, folder: Path) -> None: ...
    def rename(self, old: Path, new: Path) -> None:
        """One act: after a crash the file has the old name or the new one."""

    def sync_folder(self, folder: Path) -> None: ...
    def lock(self, path: Path) -> Lock:
        """Exclusive among processes. Raises BlockingIOError when somebody else holds it."""


@contextmanager
def named(path: Path) -> Iterator[None]:
    """An OSError of what is done within names this file: of a descriptor the system does not say whose it is."""
    try:
        yield
    except OSError as error:
        raise OSError(error.errno, error.strerror, str(path)) from error


class _RealFile:
    def __init__(self, descriptor: int, path: Path) -> None:
        self._descriptor, self._path = descriptor, path

    def size(self) -> int:
        return os.fstat(self._descriptor).st_size

    def read(self, offset: int, length: int) -> bytes:
        data = os.pread(self._descriptor, length, offset)
        while 0 < len(data) < length:  # one call returns at most 2 GiB
            more = os.pread(self._descriptor, length - len(data), offset + len(data))
            if not more:
                break
            data += more
        return data

    def write(self, offset: int, *parts: bytes) -> None:
        with named(self._path):
            written, length = os.pwritev(self._descriptor, parts, offset), sum(map(len, parts))
            while written < length:  # a short write comes before the error that tells why
                written += os.pwrite(self._descriptor, b"".join(parts)[written:], offset + written)

    def truncate(self, size: int) -> None:
        with named(self._path):
            os.ftruncate(self._descriptor, size)

    def sync(self) -> None:
        with named(self._path):
            os.fdatasync(self._descriptor)

    def forget(self, offset: int, length: int) -> None:
        os.posix_fadvise(self._descriptor, offset, length, os.POSIX_FADV_DONTNEED)

    def close(self) -> None:
        os.close(self._descriptor)


class _RealLock:
    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor

    def release(self) -> None:
        os.close(self._descriptor)


class _RealDisk:
    def open(self, path: Path, write: bool = False) -> File:
        flags = os.O_RDWR | os.O_CREAT if write else os.O_RDONLY
        return _RealFile(os.open(path, flags | os.O_CLOEXEC, 0o640), path)

    def names(self, folder: Path) -> list[str]:
        return sorted(os.listdir(folder)) if folder.is_dir() else []

    def make_folder(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)

    def rename(self, old: Path, new: Path) -> None:
        os.replace(old, new)

    def sync_folder(self, folder: Path) -> None:
        descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)

    def lock(self, path: Path) -> Lock:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o640)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(descriptor)
            raise
        return _RealLock(descriptor)


REAL_DISK: Final[Disk] = _RealDisk()


def read_part(disk: Disk, path: Path, start: int = 0, length: int | None = None) -> bytes:
    """The file's bytes from ``start`` on, all or at most ``length``. Raises FileNotFoundError."""
    file = disk.open(path)
    try:
        return file.read(start, max(0, file.size() - start) if length is None else length)
    finally:
        file.close()


def write_whole(disk: Disk, path: Path, data: bytes) -> None:
    """Make the file hold exactly this data, synced; a crash leaves the old file or the new one, never a part."""
    write_aside(disk, path, data)
    put_in_place(disk, path)


def write_aside(disk: Disk, path: Path, data: bytes) -> None:
    """The first half of ``write_whole``: synced under another name. When it fails, nothing has changed."""
    file = disk.open(aside(path), write=True)
    try:
        file.truncate(0)
        file.write(0, data)
        file.sync()
    finally:
        file.close()


def put_in_place(disk: Disk, path: Path) -> None:
    """The second half: the file gets its name. When it fails, it is unknown which file is there."""
    disk.rename(aside(path), path)
    disk.sync_folder(path.parent)


def aside(path: Path) -> Path:
    """Where a file is written before it gets its name."""
    return path.with_name(path.name + _ASIDE)
