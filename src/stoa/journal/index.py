"""Where the records lie: by height for blocks and certificates, in order of writing for checkpoints.

A *place* is one integer, the segment's ordinal and the offset in it, so that a million blocks cost eight megabytes.
"""

from array import array
from bisect import bisect_left
from typing import Final

from stoa.journal.record import BLOCKS, Kind
from stoa.journal.segment import Row

_OFFSET_BITS: Final = 32
_OFFSET_MASK: Final = (1 << _OFFSET_BITS) - 1


def place_of(ordinal: int, start: int) -> int:
    """The place of a record at an offset of the segment with this ordinal."""
    return ordinal << _OFFSET_BITS | start


def split_place(place: int) -> tuple[int, int]:
    """The segment's ordinal and the offset in it."""
    return place >> _OFFSET_BITS, place & _OFFSET_MASK


class OutOfPlace(ValueError):
    """A record that cannot come here; the message says why."""


class Index:
    """The places of all records."""

    def __init__(self) -> None:
        self.genesis = 0
        self._checkpointed = 0  # greatest height with a checkpoint
        self.blocks = array("Q")  # block h at h - 1
        self.certificates = array("Q")  # certificate h at h - 1; 0 is none, since no record starts at byte 0
        self.checkpoints: list[tuple[int, int]] = []  # (height, place)
        self.replaced: list[int] = []  # places of the blocks that stood where the last block stands, oldest first

    @property
    def height(self) -> int:
        """Of the last block; 0 when there is only genesis."""
        return len(self.blocks)

    @property
    def certified(self) -> int:
        """The greatest height that has a certificate; 0 when none has."""
        return len(self.certificates)

    @property
    def settled(self) -> int:
        """The height up to which no block can be replaced any more: a certificate or a checkpoint covers it."""
        return max(self.certified, self._checkpointed)

    def add(self, kind: int, height: int, place: int) -> None:
        """Note a record. Raises OutOfPlace when it cannot follow those before it."""
        if kind in BLOCKS and height == self.height + 1:
            self.blocks.append(place)
            self.replaced.clear()
        elif kind in BLOCKS and self.settled < height == self.height:
            self.replaced.append(self.blocks[-1])
            self.blocks[-1] = place
        elif kind == Kind.CERTIFICATE and 1 <= height <= self.height:
            self.certificates.extend([0] * (height - self.certified))
            self.certificates[height - 1] = place
        elif kind == Kind.CHECKPOINT and 0 <= height <= self.height:
            self.checkpoints.append((height, place))
            self._checkpointed = max(self._checkpointed, height)
        elif kind == Kind.GENESIS and not self.genesis and not self.blocks:
            self.genesis = place
        elif kind == Kind.CLOSE:
            pass
        else:
            raise OutOfPlace(f"a record of kind {kind} for block {height} cannot follow block {self.height}")

    def move(self, ordinal: int, rows: list[Row]) -> None:
        """Note that the records of this segment lie elsewhere in it now; they are those that were there before."""
        now: dict[tuple[int, int], list[int]] = {}
        for kind, height, start in rows:
            now.setdefault((Kind.BLOCK if kind in BLOCKS else kind, height), []).append(place_of(ordinal, start))
        for (kind, height), places in now.items():
            if kind == Kind.BLOCK and self.blocks[height - 1] >> _OFFSET_BITS == ordinal:
                self.blocks[height - 1] = places[-1]
            elif kind == Kind.CERTIFICATE:
                self.certificates[height - 1] = places[-1]
            elif kind == Kind.GENESIS:
                self.genesis = places[0]
        checkpoints = iter([(row[1], place_of(ordinal, row[2])) for row in rows if row[0] == Kind.CHECKPOINT])
        self.checkpoints = [
            next(checkpoints) if place >> _OFFSET_BITS == ordinal else (height, place)
            for height, place in self.checkpoints
        ]
        others = iter(now.get((Kind.BLOCK, self.height), []))
        moved = [next(others, 0) if place >> _OFFSET_BITS == ordinal else place for place in self.replaced]
        self.replaced = [place for place in moved if place not in (0, self.blocks[-1])]

    def rows(self, ordinal: int) -> list[Row]:
        """Where the records of this segment start, in order, without those that another one replaced."""
        low, high = place_of(ordinal, 0), place_of(ordinal + 1, 0)
        found = [(Kind.GENESIS, 0, self.genesis)] if low < self.genesis < high else []
        start, end = bisect_left(self.blocks, low), bisect_left(self.blocks, high)
        found += [(Kind.BLOCK, at + 1, self.blocks[at]) for at in range(start, end)]
        found += [(Kind.CERTIFICATE, at + 1, p) for at, p in enumerate(self.certificates) if low < p < high]
        found += [(Kind.CHECKPOINT, height, p) for height, p in self.checkpoints if low < p < high]
        rows = [(int(kind), height, split_place(place)[1]) for kind, height, place in found]
        return sorted(rows, key=lambda row: row[2])

    def certificate(self, height: int) -> int:
        """The place of the certificate for the block, 0 when there is none."""
        return self.certificates[height - 1] if 0 < height <= self.certified else 0
