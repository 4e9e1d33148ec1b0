"""Dropping bodies: of old blocks that others keep, only header, signatures, votes and the number of receipts stay.

Owns the walk over the full segments, a bounded number of bytes at a time, beside whoever appends and reads. Promises:
certificates, checkpoints and the chain of hashes stay as they are, and a crash leaves each segment as it was before or
after. Does not own: which validator keeps what; and nothing tells that the others still have it, the caller must know.
"""

from collections.abc import Callable
from itertools import count
from typing import Final

from stoa.journal.faults import Damage, Damaged
from stoa.journal.journal import Journal
from stoa.journal.payloads import without_body
from stoa.journal.record import Kind, Record
from stoa.journal.rewriting import Piece, Rewriting
from stoa.journal.segment import name_of
from stoa.journal.walking import Stretch

_SUFFIX: Final = ".dropping"


def dropped(journal: Journal) -> list[int]:
    """The heights of all blocks whose body is not kept here, rising."""
    heights: list[int] = []
    with journal.still():
        for ordinal in count():
            if journal.log.head(ordinal) is None:
                return heights
            rows, _ = journal.log.extent(ordinal)
            heights += [height for kind, height, _ in rows if kind == Kind.DROPPED]
    raise AssertionError


class Dropping:
    """One pass over the journal. One thread, which may be another one than that which appends."""

    def __init__(self, journal: Journal, keep: Callable[[int], bool], below: int) -> None:
        """Drop the bodies for whose height ``keep`` says no, in segments whose blocks are all final and below a height.

        Raises ValueError when the journal is open for reading only.
        """
        self.dropped = 0  # bodies, of the segments that are done
        self._journal, self._keep, self._below = journal, keep, below
        self._writer = journal.writer()
        self._ordinal = 0
        self._here: Rewriting | None = None
        self._count = 0  # of the segment at hand

    def step(self, most_bytes: int) -> bool:
        """Do the next part, about so many bytes; True while there is more to do.

        Raises Damaged when a record that it comes to is not whole (repair it, and go on), DiskFull, Fatal, and
        ValueError once the journal is closed.
        """
        try:
            if self._here is None:
                return self._begin()
            if self._here.step(most_bytes):
                if self._journal.swap(self._here):
                    self.dropped += self._count
                    self._ordinal += 1
                self._here = None  # of a segment that was repaired meanwhile, begun again
        except FileNotFoundError as missing:
            self._give_up()
            raise self._damaged(0, self._first_height(), "segment", "it is missing") from missing
        except OSError as error:
            self._give_up()
            raise self._writer.fault(error) from error
        except (Damaged, ValueError):
            self._give_up()
            raise
        return True

    def _begin(self) -> bool:
        """Look at the next segment, and begin with it if there is something to drop; False when there is none."""
        with self._journal.still():
            below = min(self._below, self._journal.final + 1)
            after = self._writer.head(self._ordinal + 1)
            if after is None or after.first > below:
                return False
            rows, _ = self._writer.extent(self._ordinal)
            self._count = 0
            if any(kind == Kind.BLOCK and not self._keep(height) for kind, height, _ in rows):
                self._here = Rewriting(self._writer, self._ordinal, self._change, _SUFFIX)
            else:
                self._ordinal += 1
        return True

    def _change(self, piece: Stretch) -> list[Piece] | None:
        found = piece.found
        if not isinstance(found, Record):
            height = piece.row[1] if piece.row else found.height or 0
            raise self._damaged(piece.start, height, found.field, found.why)
        if found.kind != Kind.BLOCK or self._keep(found.height):
            return None
        self._count += 1
        return [(Kind.DROPPED, without_body(found.payload))]

    def _first_height(self) -> int:
        head = self._writer.head(self._ordinal)
        return head.first if head else 0

    def _damaged(self, offset: int, height: int, field: str, why: str) -> Damaged:
        return Damaged(Damage(name_of(self._first_height()), offset, height, field, why))

    def _give_up(self) -> None:
        if self._here is not None:
            self._here.close()
        self._here = None
