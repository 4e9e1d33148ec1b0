"""What the payloads of the journal's records hold: their shapes, and reading them back.

Bytes that we wrote and whose checksum matches are decoded without a check that they are canonical.
"""

from typing import Final

import msgspec
from msgspec import Raw

from stoa.journal.record import Kind, Record
from stoa.kernel.codec import Shape, decoder, encode
from stoa.wire.block import Block, Header
from stoa.wire.vote import Certificate, Checkpoint, Vote


class Opening(Shape):
    """Payload of the genesis record: the document as bytes, and the header at height 0."""

    document: bytes
    header: Header


class Kept(Shape):
    """Payload of a block's record: the block and the votes that this validator cast for it."""

    block: Block
    votes: tuple[Vote, ...]


class Dropped(Shape):
    """Payload of a block's record whose body was dropped: enough to check the chain, the producer's signature and
    the votes, and, with the number of receipts, any proof that somebody who has the body makes.
    """

    header: Header
    batch_signature: bytes
    receipts: int
    votes: tuple[Vote, ...]


class Closing(Shape):
    """Payload of the last record of a segment that was written anew."""

    height: int  # of the segment's last block
    checksum: int  # of the last record before that: the segment after it names it


Payload = Opening | Kept | Dropped | Closing | Certificate | Checkpoint

_OPENING: Final = decoder(Opening)
_KEPT: Final = decoder(Kept)
_DROPPED: Final = decoder(Dropped)
_CLOSING: Final = decoder(Closing)
_CERTIFICATE: Final = decoder(Certificate)
_CHECKPOINT: Final = decoder(Checkpoint)
_HEADER_ALONE: Final = decoder(tuple[tuple[Header, Raw, Raw, Raw], Raw])

read_opening = _OPENING.decode
read_kept = _KEPT.decode
read_dropped = _DROPPED.decode
read_closing = _CLOSING.decode
read_certificate = _CERTIFICATE.decode
read_checkpoint = _CHECKPOINT.decode


def read_kept_header(payload: bytes) -> Header:
    """The header of a block's record, without building the rest."""
    return _HEADER_ALONE.decode(payload)[0][0]


def read_dropped_header(payload: bytes) -> Header:
    """The header of a block's record without a body."""
    return read_dropped(payload).header


def without_body(payload: bytes) -> bytes:
    """The payload of a block's record once its body is dropped."""
    block, votes = (kept := read_kept(payload)).block, kept.votes
    return encode(Dropped(block.header, block.batch_signature, len(block.receipts), votes))


def read_payload(kind: Kind, payload: bytes) -> Payload:
    """The payload of a record of this kind. Raises msgspec.DecodeError, also for a kind that no journal holds."""
    match kind:
        case Kind.BLOCK:
            return read_kept(payload)
        case Kind.CERTIFICATE:
            return read_certificate(payload)
        case Kind.CHECKPOINT:
            return read_checkpoint(payload)
        case Kind.GENESIS:
            return read_opening(payload)
        case Kind.DROPPED:
            return read_dropped(payload)
        case Kind.CLOSE:
            return read_closing(payload)
    raise msgspec.DecodeError(f"a record of kind {kind} does not belong in a journal")


def passed_on(record: Record) -> int | None:
    """What the record after this one is chained to; after the last one of a segment that was written anew, what the
    segment after it was chained to before. None when that cannot be read.
    """
    if record.kind != Kind.CLOSE:
        return record.checksum
    try:
        return read_closing(record.payload).checksum
    except msgspec.DecodeError:
        return None


def guess_payload(payload: bytes) -> Payload | None:
    """The payload behind a damaged head, whose kind cannot be trusted, if it is one."""
    for kind in (Kind.BLOCK, Kind.CERTIFICATE, Kind.CHECKPOINT, Kind.GENESIS, Kind.DROPPED, Kind.CLOSE):
        try:
            return read_payload(kind, payload)
        except (msgspec.DecodeError, UnicodeDecodeError):
            continue
    return None


def height_of(payload: Payload) -> int:
    """The height that the payload itself names."""
    match payload:
        case Kept():
            return payload.block.header.height
        case Opening() | Dropped():
            return payload.header.height
    return payload.height
