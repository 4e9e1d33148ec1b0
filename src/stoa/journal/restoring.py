"""Restoring: what a journal dropped, or what of it was damaged, put back from what somebody else kept.

Promises: a block goes in only with the hash that the journal itself holds for its height (its certificate's, or the one
that the next header names, or its own header's), and with a body that its header commits to. The segment is written
anew beside itself and put in place by one rename. Does not own: where the pieces come from; and signatures under a
certificate or checkpoint that comes back are the caller's to check.
"""

from collections.abc import Sequence
from typing import Final

from stoa.journal.faults import Damage, Damaged, NotNext
from stoa.journal.flaws import block_flaws
from stoa.journal.index import split_place
from stoa.journal.journal import Journal
from stoa.journal.payloads import Kept, read_dropped, read_kept
from stoa.journal.record import BLOCKS, Kind, Record
from stoa.journal.rewriting import Piece, Rewriting
from stoa.journal.segment import SEGMENT_BYTES, name_of
from stoa.journal.walking import Stretch
from stoa.journal.writer import Writer
from stoa.kernel.codec import encode
from stoa.wire.block import Block
from stoa.wire.vote import Certificate, Checkpoint, Vote

_SUFFIX: Final = ".restoring"

Restored = Block | Certificate | Checkpoint


def restore(journal: Journal, pieces: Sequence[Restored]) -> None:
    """Put blocks back whose body was dropped or whose record is damaged, and certificates and checkpoints whose record
    is damaged. Several of one segment cost as much as one. Of a damaged block the votes kept with it are lost.

    In the last segment it holds up whoever appends for as long as that takes. Raises NotNext when a piece does not
    belong there, Damaged when no hash to judge it by is left or the whole segment is missing (then only a cut helps),
    DiskFull, Fatal, and ValueError when the journal is open for reading only.
    """
    writer = journal.writer()
    for piece in pieces:
        _check(journal, piece)
    with writer.rewriting:
        for ordinal in sorted({ordinal for piece in pieces for ordinal in _ordinals(journal, piece)}):
            if writer.head(ordinal + 1) is None:
                with journal.writing():
                    _restore(journal, writer, ordinal, pieces)
            else:
                _restore(journal, writer, ordinal, pieces)


def _restore(journal: Journal, writer: Writer, ordinal: int, pieces: Sequence[Restored]) -> None:
    swapped = False
    while not swapped:  # once more when bodies were dropped from the same segment meanwhile
        with journal.still():
            made = Rewriting(writer, ordinal, _Change(writer, ordinal, pieces), _SUFFIX)
        try:
            while not made.step(SEGMENT_BYTES):
                pass
        except FileNotFoundError:
            name = name_of(made.old.first)
            raise Damaged(Damage(name, 0, made.old.first, "segment", "it is missing")) from None
        except OSError as error:
            raise writer.fault(error) from error
        finally:
            made.close()
        swapped = journal.swap(made)


class _Change:
    """What comes in the place of each record of one segment."""

    def __init__(self, writer: Writer, ordinal: int, pieces: Sequence[Restored]) -> None:
        self._blocks = {piece.header.height: piece for piece in pieces if isinstance(piece, Block)}
        self._certificates = {piece.height: piece for piece in pieces if isinstance(piece, Certificate)}
        self._checkpoints = {piece.height: piece for piece in pieces if isinstance(piece, Checkpoint)}
        places = {height: split_place(writer.index.blocks[height - 1]) for height in self._blocks}
        self._starts = {height: start for height, (where, start) in places.items() if where == ordinal}

    def __call__(self, piece: Stretch) -> list[Piece] | None:
        kind, height, start = piece.row or (0, 0, 0)
        whole = isinstance(piece.found, Record)
        if kind in BLOCKS and height in self._blocks:
            if start == self._starts.get(height):
                return self._block(piece, self._blocks[height])
            return None if whole else []  # of a block that was replaced nothing can be had
        if not whole and kind == Kind.CERTIFICATE and height in self._certificates:
            return [(Kind.CERTIFICATE, encode(self._certificates[height]))]
        if not whole and kind == Kind.CHECKPOINT and height in self._checkpoints:
            return [(Kind.CHECKPOINT, encode(self._checkpoints[height]))]
        return None

    def _block(self, piece: Stretch, block: Block) -> list[Piece]:
        found, votes = piece.found, tuple[Vote, ...]()
        if isinstance(found, Record):
            if found.kind == Kind.DROPPED:
                header, votes = (dropped := read_dropped(found.payload)).header, dropped.votes
            else:
                header, votes = (kept := read_kept(found.payload)).block.header, kept.votes
            votes = votes if header == block.header else ()
        return [(Kind.BLOCK, encode(Kept(block, votes)))]


def _check(journal: Journal, piece: Restored) -> None:
    height = piece.header.height if isinstance(piece, Block) else piece.height
    found = piece.header.hash() if isinstance(piece, Block) else piece.block_hash
    if not 1 <= height <= journal.height or found != hash_at(journal, height):
        raise NotNext(f"block {height} with hash {found.hex()} is not in this journal")
    if isinstance(piece, Block) and (flaw := next(block_flaws(None, piece), None)):
        raise NotNext(f"block {height} is not what its header says: {flaw[0]}: {flaw[1]}")


def hash_at(journal: Journal, height: int) -> bytes:
    """The hash that the journal itself holds for the block, from the best witness that is whole. Raises Damaged."""
    try:
        if certificate := journal.certificate(height):
            return certificate.block_hash
    except Damaged:
        pass
    try:
        if height < journal.height:
            return journal.header(height + 1).previous
    except Damaged:
        pass
    return journal.header(height).hash()


def _ordinals(journal: Journal, piece: Restored) -> list[int]:
    """The segments in which the records of this piece stand."""
    with journal.still():
        index = journal.log.index
        match piece:
            case Block():
                places = [index.blocks[piece.header.height - 1]]
            case Certificate():
                places = [index.certificate(piece.height)]
            case Checkpoint():
                places = [place for height, place in index.checkpoints if height == piece.height]
    return [split_place(place)[0] for place in places if place]
