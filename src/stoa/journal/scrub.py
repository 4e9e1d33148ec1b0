"""The scrub: the journal's files read again in the background, a little at a time, to find what went bad in silence.

Owns where it is and what it has seen. Each step reads about as many bytes as it was allowed, from the disk and not from
memory where the system can tell the two apart, and compares each record's checksums and its chain to the record before,
across segments too. Does not own: repairing (``Journal.restore``), pace, or anything that is not synced yet.
"""

from bisect import bisect_right
from contextlib import closing
from dataclasses import dataclass

from stoa.journal import segment
from stoa.journal.disk import File
from stoa.journal.faults import Damage, Damaged
from stoa.journal.journal import Journal
from stoa.journal.log import Log
from stoa.journal.record import Unreadable, read_record
from stoa.journal.segment import BadHead, Head, Row, name_of


@dataclass
class _Segment:
    """The segment at hand, as the journal knew it when its turn came."""

    log: Log
    generation: int
    head: Head
    rows: list[Row]
    end: int  # what lies beyond is not known to be synced
    at: int = 0  # the next byte to be read; 0 is the file's head


class Scrub:
    """One endless pass over an open journal, of this process's own or of another's. One thread."""

    def __init__(self, journal: Journal) -> None:
        self.rounds = 0  # how often it came to the end and started over
        self._journal = journal
        self._ordinal = 0
        self._segment: _Segment | None = None
        self._checksum: int | None = 0  # of the record before, None after damage
        self._height = 0  # of the record before

    def step(self, most_bytes: int) -> list[Damage]:
        """Check the next records, at most so many bytes but at least one record, and return what is wrong with them.

        The step at the end of the journal stops there, and the next one starts over. Damage is found again in each
        round until it is repaired. Raises Fatal once the journal's disk has failed.
        """
        try:
            return self._step(most_bytes)
        except Damaged as damaged:  # the journal as a whole, as another process left it
            self._start_over()
            return [damaged.damage]

    def _step(self, most_bytes: int) -> list[Damage]:
        here = self._segment or self._enter()
        if here is None:
            return []
        path = here.log.folder / name_of(here.head.first)
        try:
            with closing(here.log.disk.open(path)) as file:
                damages = self._check(file, here, min(here.at + most_bytes, here.end))
        except FileNotFoundError:
            damages = [Damage(path.name, 0, here.head.first, "segment", "it is missing")]
            here.at, self._checksum = here.end, None
        if damages and self._journal.moved(here.log, here.generation):
            self._segment, self._checksum = None, None  # it was written anew under our eyes, and is begun again
            return []
        if here.at >= here.end:
            self._segment, self._ordinal = None, self._ordinal + 1
        return damages

    def _enter(self) -> _Segment | None:
        """Begin with the next segment; None at the end of the journal."""
        self._journal.refresh()
        with self._journal.still():
            log = self._journal.log
            head = log.head(self._ordinal)
            if head is not None:
                self._segment = _Segment(log, log.generation, head, *log.extent(self._ordinal))
                return self._segment
        self._start_over()
        return None

    def _start_over(self) -> None:
        self.rounds += 1
        self._segment, self._ordinal, self._checksum, self._height = None, 0, 0, 0

    def _check(self, file: File, here: _Segment, until: int) -> list[Damage]:
        damages: list[Damage] = []
        file.forget(here.at, max(until, here.at) - here.at)
        if here.at == 0:
            damages += self._head(file, here)
        while here.at < until:
            damages += self._record(file, here)
        return damages

    def _head(self, file: File, here: _Segment) -> list[Damage]:
        here.at, previous, self._checksum = segment.HEAD_BYTES, self._checksum, here.head.checksum
        name, first = name_of(here.head.first), here.head.first
        try:
            found = segment.read_head(file.read(0, segment.HEAD_BYTES))
        except BadHead as bad:
            return [Damage(name, 0, first, "head", str(bad))]
        if found != here.head:
            return [Damage(name, 0, first, "head", "the file is another one")]
        if previous not in (None, found.previous):
            return [Damage(name, 0, first, "previous", "the segment does not follow the one before it")]
        return []

    def _record(self, file: File, here: _Segment) -> list[Damage]:
        start = here.at
        try:
            record = read_record(file, start, here.head.marker)
            if self._checksum not in (None, record.previous):
                raise Unreadable(start, "previous", "the record does not follow the one before it", record.height)
        except Unreadable as flaw:
            row = self._row_from(here, start)
            known = row[1] if row and row[2] == start else self._height
            self._checksum = None
            following = self._row_from(here, start + 1)
            here.at = following[2] if following else here.end
            return [Damage(name_of(here.head.first), start, known, flaw.field, flaw.why)]
        here.at, self._height, self._checksum = record.end, record.height, record.checksum
        return []

    def _row_from(self, here: _Segment, at: int) -> Row | None:
        """The first record that is known to start there or later."""
        number = bisect_right(here.rows, at - 1, key=lambda row: row[2])
        return here.rows[number] if number < len(here.rows) else None
