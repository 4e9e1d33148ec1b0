"""What the payloads of the journal's records hold: their shapes, and reading them back.

Bytes that we wrote and whose checksum matches are decoded without a check that they are canonical.
"""

from typing import Final

import msgspec
from msgspec import Raw

from stoa.journal.record import Kind
from stoa.kernel.codec import Shape, decoder
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


Payload = Opening | Kept | Certificate | Checkpoint

_OPENING: Final = decoder(Opening)
_KEPT: Final = decoder(Kept)
_CERTIFICATE: Final = decoder(Certificate)
_CHECKPOINT: Final = decoder(Checkpoint)
_HEADER_ALONE: Final = decoder(tuple[tuple[Header, Raw, Raw, Raw], Raw])

read_opening = _OPENING.decode
read_kept = _KEPT.decode
read_certificate = _CERTIFICATE.decode
read_checkpoint = _CHECKPOINT.decode


def read_kept_header(payload: bytes) -> Header:
    """The header of a block's record, without building the rest."""
    return _HEADER_ALONE.decode(payload)[0][0]


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
    raise msgspec.DecodeError(f"a record of kind {kind} does not belong in a journal")


def guess_payload(payload: bytes) -> Payload | None:
    """The payload behind a damaged head, whose kind cannot be trusted, if it is one."""
    for kind in (Kind.BLOCK, Kind.CERTIFICATE, Kind.CHECKPOINT, Kind.GENESIS):
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
        case Opening():
            return payload.header.height
    return payload.height
