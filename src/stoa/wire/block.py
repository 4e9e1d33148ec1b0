"""The block: a batch in its place, and what executing it gave.

The header's hash is what validators vote on. It commits to the envelopes, to their receipts, to every row the block
wrote, and to the block before it.
"""

from collections.abc import Mapping

from stoa.kernel import merkle
from stoa.kernel.codec import Shape, encode
from stoa.kernel.hashing import tagged
from stoa.kernel.identifiers import Hash
from stoa.kernel.merkle import EMPTY
from stoa.wire.batch import BatchHead, head_signed

GENESIS_PREVIOUS = bytes(32)


class Header(Shape):
    """One block in 32-byte commitments. Heights start at 1; the block at height 0 is genesis, which has no batch."""

    chain: str
    height: int
    previous: Hash
    time: int  # milliseconds, never less than the block before
    producer: str  # the institution whose batch this is; empty for genesis
    number: int  # the producer's batch number; 0 for genesis
    batch_time: int  # what the producer claimed
    count: int  # transactions
    envelopes_root: Hash
    receipts_root: Hash  # over the receipts of the transactions, then of the work that fell due
    writes_hash: Hash

    def hash(self) -> bytes:
        """The block's hash."""
        return tagged("stoa.block", encode(self))


class Block(Shape):
    """The whole block as kept in the journal: enough to execute it again and to compare every byte."""

    header: Header
    batch_signature: bytes
    envelopes: tuple[bytes, ...]
    receipts: tuple[bytes, ...]


def batch_head(block: Block) -> BatchHead:
    """The head of the batch that the block was made of."""
    one = block.header
    return BatchHead(
        one.chain, one.producer, one.number, one.batch_time, one.envelopes_root, one.count, block.batch_signature
    )


def is_whole(block: Block, keys: Mapping[str, bytes]) -> bool:
    """Whether the envelopes, and the producer's signature by one of these keys, are those of the header."""
    header, key = block.header, keys.get(block.header.producer)
    return (
        key is not None
        and len(block.envelopes) == header.count
        and merkle.root(block.envelopes) == header.envelopes_root
        and head_signed(batch_head(block), key)
    )


def genesis_header(chain: str, time: int, genesis_hash: bytes, writes_hash: bytes) -> Header:
    """The header at height 0: its ``envelopes_root`` is the hash of the genesis document."""
    return Header(chain, 0, GENESIS_PREVIOUS, time, "", 0, time, 0, genesis_hash, EMPTY, writes_hash)
