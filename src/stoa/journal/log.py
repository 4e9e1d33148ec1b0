"""The log: chained records in segment files, written by one process and read by many.

Owns reading: catching up with the files, telling a write that a crash cut short from damage, and fetching one record
by its place. Knows records and heights; what the payloads mean is the journal's business. Catching up reads the last
segment, and of the full ones their outlines where they have them; ``check.inspect`` reads everything.
"""

from collections.abc import Callable, Mapping
from contextlib import closing
from pathlib import Path
from typing import Final, TypeVar

from msgspec import DecodeError

from stoa.journal import segment
from stoa.journal.disk import Disk, read_part
from stoa.journal.faults import Damage, Damaged, Fatal, NoJournal
from stoa.journal.index import Index, OutOfPlace, place_of, split_place
from stoa.journal.payloads import passed_on
from stoa.journal.record import BLOCKS, Record, Unreadable, next_whole, read_record, scan
from stoa.journal.segment import Head, Mark, Row, name_of

T = TypeVar("T")

READS: Final = 10  # of what is written anew each time in between, before that counts as damage
Decoders = Mapping[int, Callable[[bytes], T]]  # by the kinds of record that may stand there


class Log:
    """One folder of segments. Not safe for several threads by itself: the journal sees to that."""

    _writes = False  # a writer looks past the mark, a reader does not

    def __init__(self, folder: Path, disk: Disk) -> None:
        self.folder = folder
        self.index = Index()
        self.generation = 0  # changes whenever records lie elsewhere than before
        self.disk = disk
        self._heads: list[Head] = []
        self._rows: list[Row] = []  # of the last segment, for its outline
        self._synced = Mark(0, 0)  # the mark as last read, or what is known of our own syncs
        self._end = 0  # of the last segment's last whole record
        self._checksum = 0  # of that record
        self._dead: Fatal | None = None

    @property
    def chain(self) -> str:
        """The chain whose journal this is."""
        return self._heads[0].chain

    def refresh(self) -> Mark | None:
        """Take in what has been written since, and return the mark. Raises NoJournal, Damaged.

        A reader does not take in blocks beyond the mark: they may yet be lost.
        """
        self._alive()
        kept = segment.read_mark(self.disk, self.folder)  # before the files, so that they hold what it claims
        firsts = segment.segments_in(self.disk, self.folder)
        if not firsts:
            raise NoJournal(f"{self.folder} holds no journal")
        mark = segment.believed(self.disk, self.folder, kept, firsts[-1])
        self._synced = mark or self._synced
        for ordinal in range(max(0, len(self._heads) - 1), len(firsts)):
            if ordinal == len(self._heads):
                self._enter(firsts[ordinal])
            if ordinal + 1 < len(firsts):
                self._take_in_full()
            else:
                self._take_in_last(mark)
        if mark and mark > (firsts[-1], self._end):
            why = f"it ends here, and was synced up to byte {mark.offset} of {name_of(mark.first)}"
            raise self._damaged(self._end, "end", why)
        return mark

    def read(self, place: int, height: int, decode: Decoders[T]) -> T:
        """What the record holds that the index has at this place. Raises Damaged."""
        self._alive()
        ordinal, start = split_place(place)
        head = self._heads[ordinal]
        try:
            with closing(self.disk.open(self._path(head.first))) as file:
                record = read_record(file, start, head.marker)
            if record.kind not in decode or record.height != height:
                raise Unreadable(start, "head", "another record stands here")
            return decode[record.kind](record.payload)
        except Unreadable as flaw:
            raise Damaged(Damage(name_of(head.first), start, height, flaw.field, flaw.why)) from None
        except DecodeError as error:
            raise Damaged(Damage(name_of(head.first), start, height, "payload", str(error))) from None
        except FileNotFoundError:
            raise Damaged(Damage(name_of(head.first), start, height, "segment", "it is missing")) from None

    def head(self, ordinal: int) -> Head | None:
        """The head of a segment as this log knows it; None when there are not so many segments."""
        return self._heads[ordinal] if ordinal < len(self._heads) else None

    def extent(self, ordinal: int, synced: bool = False) -> tuple[list[Row], int]:
        """Where the records of a segment start, and where the last one ends, of those that are known to be synced.

        Of a full segment without its outline the records that others replaced are left out.
        """
        first = self._heads[ordinal].first
        if ordinal == len(self._heads) - 1:
            durable = self._synced.offset if self._synced.first == first else segment.HEAD_BYTES
            return list(self._rows), min(durable, self._end) if synced else self._end
        outline = self._outline_of(self._heads[ordinal])
        return list(outline.rows) if outline else self.index.rows(ordinal), self._size(first)

    def stale(self, last_only: bool = False) -> bool:
        """Whether a segment was since written anew, or taken away, by the process that writes."""
        return any(map(self._is_stale, self._heads[-1:] if last_only else self._heads))

    def _is_stale(self, known: Head) -> bool:
        try:
            return segment.read_head(read_part(self.disk, self._path(known.first), 0, segment.HEAD_BYTES)) != known
        except segment.BadHead:
            return False  # that is damage
        except FileNotFoundError:
            return True

    def close(self) -> None:
        """Let go of the files."""

    def _enter(self, first: int) -> None:
        """Begin with a segment that is not known yet."""
        try:
            head = segment.read_head(read_part(self.disk, self._path(first), 0, segment.HEAD_BYTES))
        except segment.BadHead as bad:
            raise Damaged(Damage(name_of(first), 0, first, "head", str(bad))) from None
        chain = self.chain if self._heads else head.chain
        if head[:3] != (chain, first, self._checksum) or first != self.index.height + 1:
            why = "the segment does not follow the one before it"
            raise Damaged(Damage(name_of(first), 0, first, "head", why))
        self._begin(head)

    def _begin(self, head: Head) -> None:
        self._heads.append(head)
        self._end, self._checksum, self._rows = segment.HEAD_BYTES, head.checksum, []

    def _take_in_full(self) -> None:
        """The rest of a segment that has a successor: from its outline when nothing of it is known yet."""
        head = self._heads[-1]
        outline = self._outline_of(head)
        if outline and not self._rows:
            for kind, height, start in outline.rows:
                self._note(kind, height, start)
            self._end, self._checksum = outline.size, outline.checksum
            return
        data = read_part(self.disk, self._path(head.first), self._end)
        try:
            for record in scan(data, head.marker, self._checksum, self._end):
                self._take_in(record)
        except Unreadable as flaw:
            raise self._damaged(flaw.offset, flaw.field, flaw.why, flaw.height) from None
        self._keep_outline()

    def _outline_of(self, head: Head) -> segment.Outline | None:
        outline = segment.read_outline(self.disk, self.folder, head.first)
        fits = outline and (outline.marker, outline.size) == (head.marker, self._size(head.first))
        return outline if fits else None

    def _keep_outline(self) -> None:
        """Called when a segment is full and has no outline. Only a writer may add one."""

    def _take_in_last(self, mark: Mark | None) -> None:
        """The rest of the last segment, up to what a crash cut short or what the writer is just writing."""
        head, base = self._heads[-1], self._end
        data = read_part(self.disk, self._path(head.first), base)
        try:
            for record in scan(data, head.marker, self._checksum, base):
                if mark and not self._writes and record.kind in BLOCKS and (head.first, record.end) > mark:
                    return
                self._take_in(record)
        except Unreadable as flaw:
            synced = mark is not None and (head.first, flaw.offset) < mark
            if synced or _claimed(data, flaw.offset, head.marker, base):
                raise self._damaged(flaw.offset, flaw.field, flaw.why, flaw.height) from None

    def _take_in(self, record: Record) -> None:
        self._note(record.kind, record.height, record.start)
        self._end, self._checksum = record.end, passed_on(record) or 0

    def _note(self, kind: int, height: int, start: int) -> None:
        try:
            self.index.add(kind, height, place_of(len(self._heads) - 1, start))
        except OutOfPlace as wrong:
            raise self._damaged(start, "height", str(wrong), height) from None
        self._rows.append((kind, height, start))

    def _path(self, first: int) -> Path:
        return self.folder / name_of(first)

    def _size(self, first: int) -> int:
        with closing(self.disk.open(self._path(first))) as file:
            return file.size()

    def _alive(self) -> None:
        if self._dead:
            raise self._dead

    def _damaged(self, offset: int, field: str, why: str, height: int | None = None) -> Damaged:
        at = self.index.height + 1 if height is None else height
        return Damaged(Damage(name_of(self._heads[-1].first), offset, at, field, why))


def caught_up(folder: Path, disk: Disk) -> Log:
    """A log for reading that has taken in what is there. Raises NoJournal, Damaged."""
    for left in reversed(range(READS)):
        log = Log(folder, disk)
        try:
            log.refresh()
            return log
        except Damaged:
            if not left or not log.stale():  # a segment was written anew while it was read
                raise
    raise AssertionError


def _claimed(data: bytes, offset: int, marker: bytes, base: int) -> bool:
    """Whether a whole record further on was written when the bytes at this offset had been synced."""
    at = offset - base + 1
    while record := next_whole(data, at, marker, base):
        if record.durable > offset:
            return True
        at = record.end - base
    return False
