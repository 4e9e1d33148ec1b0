"""What a peer shows as final, judged: the certified next block, something useless, or the proof of a fork."""

from enum import Enum
from typing import NamedTuple

from stoa.agreement.model import Seats
from stoa.wire.block import Block, is_whole
from stoa.wire.vote import Certificate, certificate_valid


class Fetched(NamedTuple):
    """A block from a peer, not yet judged."""

    block: Block
    certificate: Certificate
    peer: str


class Shown(Enum):
    """What a block with a certificate is to somebody who stands behind another block."""

    NEXT = "the certified next block, whole"
    FORK = "a certified block that does not follow the one that is final here"
    USELESS = "neither, or not as it was made"


def judged(chain: str, seats: Seats, height: int, head: bytes, block: Block, certificate: Certificate) -> Shown:
    """What the block is behind the final one of this height and hash, by the members who vote on the next."""
    if not certifies(chain, seats, height + 1, block, certificate):
        return Shown.USELESS
    if block.header.previous != head:
        return Shown.FORK
    return Shown.NEXT if is_whole(block, seats.keys) else Shown.USELESS


def certifies(chain: str, seats: Seats, height: int, block: Block, certificate: Certificate) -> bool:
    """Whether it is a valid certificate of this block, of this height."""
    return (certificate.height, certificate.block_hash) == (height, block.header.hash()) and certificate_valid(
        chain, certificate, seats.keys, seats.quorum
    )
