"""The one who writes the log: appends, syncs, rolls to the next segment, and settles what a crash left behind.

Promises: what was written before a ``sync`` that returned is there after any crash. A sync that failed is never tried
again, because what the disk then holds is unknown; a disk that is full keeps nothing of the record it had no room for.
"""

import os
from contextlib import suppress
from pathlib import Path
from threading import Lock as ThreadLock

from stoa.journal import segment
from stoa.journal.disk import Disk, File, Lock, put_in_place, write_aside, write_whole
from stoa.journal.faults import DiskFull, Fatal, NoJournal, Occupied, disk_full
from stoa.journal.log import Log
from stoa.journal.record import MARKER_BYTES, Kind, pack
from stoa.journal.rewriting import Rewriting
from stoa.journal.segment import Head, Mark, Outline, name_of, outline_name


class Writer(Log):
    """The log with a pen. One at a time among all processes."""

    _writes = True

    def __init__(self, folder: Path, disk: Disk, segment_bytes: int) -> None:
        super().__init__(folder, disk)
        self.rewriting = ThreadLock()  # held by whoever restores; taken before all others
        self.trimmed = 0  # bytes of a write cut short by a crash, taken away when this writer opened
        self._segment_bytes = segment_bytes
        self._lock: Lock | None = None
        self._file: File | None = None  # the last segment
        self._mark: File | None = None

    def open(self) -> None:
        """Catch up, cut off a torn end, and make the rest durable. Raises Occupied, NoJournal, Damaged, Fatal."""
        self._lock = lock_of(self.disk, self.folder)
        try:
            self.disk.sync_folder(self.folder)  # the last segment may have its name in the cache only
            self.refresh()
            self._settle()
        except OSError as error:
            raise self.fault(error) from error
        finally:
            if self._mark is None:
                self.close()

    def write(self, kind: Kind, height: int, payload: bytes) -> None:
        """Append a record; it is durable after the next ``sync``. Raises DiskFull (nothing is kept), Fatal."""
        self._alive()
        # neither a block that replaces the last one begins a segment, nor the first one after a large genesis: the
        # segment of that name is there already
        free = height > max(self.index.height, self._heads[-1].first)
        if kind == Kind.BLOCK and free and self._end >= self._segment_bytes:
            self._roll(height)
        head, file = self._heads[-1], self._pen()
        durable = self._synced.offset if self._synced.first == head.first else segment.HEAD_BYTES
        top, checksum = pack(head.marker, kind, height, durable, self._checksum, payload)
        try:
            file.write(self._end, top, payload)
        except OSError as error:
            raise self._taken_back(file, error) from error
        self._note(kind, height, self._end)
        self._end, self._checksum = self._end + len(top) + len(payload), checksum

    def sync(self) -> None:
        """Make everything written durable. Raises Fatal, after which this object refuses any use."""
        self._alive()
        try:
            self._pen().sync()
        except OSError as error:
            raise self._died(error) from error
        self._synced = Mark(self._heads[-1].first, self._end)
        with suppress(OSError):  # only a hint: an old mark claims less than is true
            if self._mark:
                self._mark.write(0, self._synced.pack(self._heads[-1].marker))

    def swap(self, made: Rewriting) -> bool:
        """Put a segment that was written anew in the place of the old one; False when that is not there any more.

        Nobody may append to the last segment since it was begun. Raises Fatal, and ValueError once it is closed.
        """
        self._alive()
        self._pen()
        first = made.old.first
        if self._heads[made.ordinal] is not made.old:
            return False
        try:
            self.disk.rename(made.path, self._path(first))
            self.disk.sync_folder(self.folder)
            file = None if made.full else self.disk.open(self._path(first), write=True)
        except OSError as error:
            raise self._died(error) from error
        self._heads[made.ordinal] = made.head
        self.index.move(made.ordinal, made.rows)
        self.generation += 1
        if file is None:
            self._put_outline(Outline(first, made.head.marker, made.end, made.chained, made.rows))
            return True
        self._pen().close()
        self._file, self._rows, self._end, self._checksum = file, made.rows, made.end, made.chained
        self._synced = Mark(first, made.end)
        with suppress(OSError):  # only a hint
            if self._mark:
                self._mark.write(0, self._synced.pack(self._heads[-1].marker))
        return True

    def close(self) -> None:
        """Sync what is not yet synced, close the files and let another process write. Raises Fatal."""
        try:
            if self._mark and not self._dead and self._synced != (self._heads[-1].first, self._end):
                self.sync()
        finally:
            for held in (self._file, self._mark):
                if held:
                    held.close()
            if self._lock:
                self._lock.release()
            self._file = self._mark = self._lock = None

    def _settle(self) -> None:
        """Cut off the torn end; write again and sync what is not known to be synced.

        It is written again because a sync that failed may have left pages that read well and are not on the disk.
        """
        first = self._heads[-1].first
        self._file = file = self.disk.open(self._path(first), write=True)
        self.trimmed = file.size() - self._end
        if self.trimmed:
            file.truncate(self._end)
        start = self._synced.offset if self._synced.first == first else segment.HEAD_BYTES
        file.write(start, file.read(start, self._end - start))
        file.sync()
        self._synced = Mark(first, self._end)
        path = self.folder / segment.MARK_NAME
        write_whole(self.disk, path, self._synced.pack(self._heads[-1].marker))
        self._mark = self.disk.open(path, write=True)

    def _roll(self, height: int) -> None:
        """Start the next segment. The full one is synced first, so only the last segment can be cut short."""
        self.sync()
        head = Head(self.chain, height, self._checksum, os.urandom(MARKER_BYTES))
        path = self._path(height)
        try:
            write_aside(self.disk, path, head.pack())
        except OSError as error:
            raise self.fault(error) from error
        try:
            put_in_place(self.disk, path)
            file = self.disk.open(path, write=True)
        except OSError as error:
            raise self._died(error) from error
        self._keep_outline()
        self._pen().close()
        self._file = file
        self._begin(head)

    def _keep_outline(self) -> None:
        first = self._heads[-1].first
        self._put_outline(Outline(first, self._heads[-1].marker, self._end, self._checksum, self._rows))

    def _put_outline(self, outline: Outline) -> None:
        with suppress(OSError):  # only a hint: without it the next opening reads the segment
            write_whole(self.disk, self.folder / outline_name(outline.first), outline.pack())

    def _pen(self) -> File:
        if self._file is None:
            raise ValueError(f"the journal in {self.folder} is closed")
        return self._file

    def _taken_back(self, file: File, error: OSError) -> Fatal | DiskFull:
        try:
            file.truncate(self._end)
        except OSError as second:
            return self._died(second)
        return self.fault(error)

    def fault(self, error: OSError) -> Fatal | DiskFull:
        """What the error means; unless the disk was full, this object refuses any use from now on."""
        return disk_full(error) or self._died(error)

    def _died(self, error: OSError) -> Fatal:
        self._dead = Fatal(f"the disk under {self.folder} failed: {error}")
        return self._dead


def create(folder: Path, disk: Disk, chain: str, genesis: bytes) -> None:
    """Start a log whose first record is genesis, at once or not at all. Raises Occupied, DiskFull, Fatal."""
    head = Head(chain, 1, 0, os.urandom(MARKER_BYTES))
    top, _ = pack(head.marker, Kind.GENESIS, 0, segment.HEAD_BYTES, head.checksum, genesis)
    try:
        disk.make_folder(folder)
        disk.sync_folder(folder.parent)
        lock = lock_of(disk, folder)
        try:
            if segment.segments_in(disk, folder):
                raise Occupied(f"{folder} already holds a journal")
            write_whole(disk, folder / name_of(1), head.pack() + top + genesis)
        finally:
            lock.release()
    except OSError as error:
        raise disk_full(error) or Fatal(f"the disk under {folder} failed: {error}") from error


def lock_of(disk: Disk, folder: Path) -> Lock:
    """The writer's lock on the folder. Raises Occupied, NoJournal."""
    try:
        return disk.lock(folder / segment.LOCK_NAME)
    except BlockingIOError:
        raise Occupied(f"another process is writing to the journal in {folder}") from None
    except FileNotFoundError:
        raise NoJournal(f"{folder} holds no journal") from None
