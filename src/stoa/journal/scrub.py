"""The scrub: the journal's files read again in the background, a little at a time, to find what went bad in silence.

Owns where it is and what it has seen. Each step reads about as many bytes as it was allowed, from the disk and not from
memory where the system can tell the two apart, and compares each record's checksums and its chain to the record before,
across segments too. Does not own: repairing (``restore``), pace, or anything that is not synced yet.
"""

from contextlib import closing
from dataclasses import dataclass

from stoa.journal import segment
from stoa.journal.disk import File
from stoa.journal.faults import Damage, Damaged
from stoa.journal.journal import Journal
from stoa.journal.log import Log
from stoa.journal.payloads import passed_on
from stoa.journal.record import Record
from stoa.journal.segment import BadHead, Head, Row, name_of
from stoa.journal.walking import stretch


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
        here = self._segment
        if here is None or here.at >= here.end:
            here = self._enter()
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
        return damages

    def _enter(self) -> _Segment | None:
        """Go on with the segment at hand where more of it is synced by now, else begin with the next one, at one moment
        of the journal: a segment that grew and was closed meanwhile is not left half read. None at the journal's end.
        """
        self._journal.refresh()
        with self._journal.still():
            log, here = self._journal.log, self._segment
            if here is not None:
                if (log, log.generation) == (here.log, here.generation):
                    here.rows, here.end = log.extent(self._ordinal, synced=True)
                    if here.at < here.end:
                        return here
                else:
                    self._checksum = None  # it may have been written anew: nothing is known of its end
                self._segment, self._ordinal = None, self._ordinal + 1
            head = log.head(self._ordinal)
            if head is not None:
                self._segment = _Segment(log, log.generation, head, *log.extent(self._ordinal, synced=True))
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
        piece = stretch(file, here.at, here.head.marker, here.rows, here.end)
        found, name, before = piece.found, name_of(here.head.first), self._checksum
        here.at = piece.end
        if not isinstance(found, Record):
            self._checksum = None
            return [Damage(name, piece.start, piece.row[1] if piece.row else self._height, found.field, found.why)]
        self._height, self._checksum = found.height, passed_on(found)
        if before in (None, found.previous):
            return []
        return [Damage(name, piece.start, found.height, "previous", "the record does not follow the one before it")]
