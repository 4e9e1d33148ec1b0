"""A disk in memory that keeps its promises and not one more: what was not synced may be lost or torn at a power cut.

It holds each file twice, as the page cache has it and as the platter has it. ``sync`` carries dirty sectors over; a
power cut picks, by the seed, what of the rest got there too: nothing, a prefix, or any sectors in any order, with holes
of zeros or of noise. Names work alike; a rename is one act. A sync can be made to fail (its pages then read well and
never reach the platter by themselves, as on Linux), room can run out, and the power can go at the n-th operation.
"""

import errno
from dataclasses import dataclass, field
from pathlib import Path
from random import Random

SECTOR = 64  # small, so that small records have torn middles


class PowerCut(BaseException):
    """The machine stopped. Not an Exception: nothing that runs on the machine can catch it."""


@dataclass(eq=False)
class Inode:
    """One file's bytes as cached and as on the platter, and the sectors that the cache means to carry over."""

    cached: bytearray = field(default_factory=bytearray)
    durable: bytearray = field(default_factory=bytearray)
    dirty: set[int] = field(default_factory=set)

    def touch(self, start: int, end: int) -> None:
        """Mark the sectors of these bytes as dirty."""
        self.dirty.update(range(start // SECTOR, -(-end // SECTOR)))

    def carry(self, sector: int, size: int) -> None:
        """Put a sector on the platter, up to the size that the file has there."""
        start, end = sector * SECTOR, min((sector + 1) * SECTOR, size)
        if start < end:
            self.durable[start:end] = self.cached[start:end]

    def resize(self, size: int, filler: bytes) -> None:
        """Give the file this size on the platter; what is new there is the filler, repeated."""
        grown = max(0, size - len(self.durable))
        self.durable.extend((filler * (grown // len(filler) + 1))[:grown])
        del self.durable[size:]

    def tear(self, random: Random) -> None:
        """The power goes: what of the unsynced bytes is on the platter is up to chance."""
        fate = random.choice(("nothing", "prefix", "scattered", "everything"))
        shorter, size = min(len(self.cached), len(self.durable)), len(self.cached)
        if fate != "nothing":
            size = random.randint(shorter, size) if fate == "prefix" else size
            self.resize(size, random.choice((bytes(1), random.randbytes(97))))
            for sector in sorted(self.dirty):
                if fate != "scattered" or random.random() < 0.5:
                    self.carry(sector, size)
        self.cached = bytearray(self.durable)
        self.dirty.clear()


class SimulatedDisk:
    """A Disk. One seed gives one history."""

    def __init__(self, seed: int = 0, capacity: int | None = None) -> None:
        self.random = Random(seed)
        self.capacity = capacity
        self.cut_in: int | None = None  # operations until the power goes
        self.fail_sync_in: int | None = None  # syncs until one fails
        self.operations = 0
        self.cached_names: dict[Path, Inode] = {}
        self.durable_names: dict[Path, Inode] = {}
        self.renamed: list[tuple[Path, Path]] = []  # since the start; a rename is one act
        self.locked: set[Path] = set()

    # ---- what the tests do to it

    def power_cut(self) -> None:
        """Lose what the seed says, and start again with what is on the platter."""
        paths = sorted(self.cached_names.keys() | self.durable_names.keys())
        for pair in self.renamed:
            if self.random.random() < 0.5:
                for path in pair:
                    self._settle_name(path)
            paths = [path for path in paths if path not in pair]
        self.renamed.clear()
        for path in paths:
            if self.cached_names.get(path) is not self.durable_names.get(path) and self.random.random() < 0.5:
                self._settle_name(path)
        for inode in self.durable_names.values():
            inode.tear(self.random)
        self.cached_names = dict(self.durable_names)
        self.process_killed()

    def process_killed(self) -> None:
        """The process ended, the machine did not: everything written is still in the cache."""
        self.locked.clear()
        self.cut_in = self.fail_sync_in = None

    def flip(self, path: Path, offset: int, mask: int) -> None:
        """Change the bits of the mask in one byte, in cache and on the platter."""
        inode = self.cached_names[path]
        inode.cached[offset] ^= mask
        inode.durable[:] = inode.cached

    def cut(self, path: Path, size: int) -> None:
        """Shorten a file, in cache and on the platter."""
        inode = self.cached_names[path]
        del inode.cached[size:]
        inode.durable[:] = inode.cached

    def delete(self, path: Path) -> None:
        """Remove a file for good."""
        del self.cached_names[path]
        self.durable_names.pop(path, None)

    def content(self, path: Path) -> bytes:
        """What a read of the whole file gives."""
        return bytes(self.cached_names[path].cached)

    # ---- the Disk

    def open(self, path: Path, write: bool = False) -> "SimulatedFile":
        if path not in self.cached_names:
            if not write:
                raise FileNotFoundError(path)
            self.step()
            self.cached_names[path] = Inode()
        return SimulatedFile(self, self.cached_names[path])

    def names(self, folder: Path) -> list[str]:
        return sorted(path.name for path in self.cached_names if path.parent == folder)

    def make_folder(self, folder: Path) -> None:
        self.step()

    def rename(self, old: Path, new: Path) -> None:
        self.step()
        self.renamed.append((old, new))
        self.cached_names[new] = self.cached_names.pop(old)

    def sync_folder(self, folder: Path) -> None:
        self.step()
        for path in {*self.cached_names, *self.durable_names}:
            if path.parent == folder:
                self._settle_name(path)

    def lock(self, path: Path) -> "SimulatedLock":
        if path in self.locked:
            raise BlockingIOError(path)
        self.locked.add(path)
        return SimulatedLock(self, path)

    def step(self) -> None:
        """One operation that changes something; the power may go instead."""
        self.operations += 1
        if self.cut_in is not None:
            self.cut_in -= 1
            if self.cut_in < 0:
                raise PowerCut

    def room(self) -> int:
        """Bytes that still fit."""
        used = sum(len(inode.cached) for inode in self.cached_names.values())
        return 2**62 if self.capacity is None else max(0, self.capacity - used)

    def _settle_name(self, path: Path) -> None:
        if path in self.cached_names:
            self.durable_names[path] = self.cached_names[path]
        else:
            self.durable_names.pop(path, None)


class SimulatedFile:
    """A File on a simulated disk."""

    def __init__(self, disk: SimulatedDisk, inode: Inode) -> None:
        self._disk, self._inode = disk, inode

    def size(self) -> int:
        return len(self._inode.cached)

    def read(self, offset: int, length: int) -> bytes:
        return bytes(self._inode.cached[offset : offset + length])

    def write(self, offset: int, *parts: bytes) -> None:
        inode, data = self._inode, b"".join(parts)
        fits = max(0, len(inode.cached) - offset) + self._disk.room()
        part = data[:fits]
        inode.cached.extend(bytes(max(0, offset - len(inode.cached))))
        inode.cached[offset : offset + len(part)] = part
        inode.touch(offset, offset + len(part))
        self._disk.step()
        if len(part) < len(data):
            raise OSError(errno.ENOSPC, "No space left on device")

    def truncate(self, size: int) -> None:
        inode = self._inode
        inode.touch(min(size, len(inode.cached)), max(size, len(inode.cached)))
        del inode.cached[size:]
        self._disk.step()

    def sync(self) -> None:
        self._disk.step()
        inode, disk = self._inode, self._disk
        if disk.fail_sync_in is not None:
            disk.fail_sync_in -= 1
            if disk.fail_sync_in < 0:
                inode.dirty.clear()  # as Linux does: the pages count as clean from now on
                raise OSError(errno.EIO, "Input/output error")
        inode.resize(len(inode.cached), bytes(1))
        for sector in inode.dirty:
            inode.carry(sector, len(inode.cached))
        inode.dirty.clear()

    def forget(self, offset: int, length: int) -> None:
        pass

    def close(self) -> None:
        pass


class SimulatedLock:
    """A lock on a simulated disk; it goes with the process."""

    def __init__(self, disk: SimulatedDisk, path: Path) -> None:
        self._disk, self._path = disk, path

    def release(self) -> None:
        self._disk.locked.discard(self._path)
