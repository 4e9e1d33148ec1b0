"""What can be wrong with one block, vote, certificate or checkpoint, judged without executing anything.

Owns the checks that ``inspect`` and whoever replays a journal share. Each yields (field, why), and nothing when all is
well. Does not own: who has authority at a height; the caller says so.
"""

from collections.abc import Callable, Iterator, Mapping
from typing import NamedTuple

from stoa.kernel import merkle, signing
from stoa.wire.batch import header_digest
from stoa.wire.block import Block, Header
from stoa.wire.vote import Certificate, Checkpoint, Vote, certificate_valid, checkpoint_valid, vote_valid

Flaw = tuple[str, str]  # the field and why it is wrong


class Authority(NamedTuple):
    """Whose signatures count at a height: public keys by institution, and how many votes make a certificate."""

    producers: Mapping[str, bytes]
    validators: Mapping[str, bytes]
    quorum: int


Authorities = Callable[[int], Authority]


def block_flaws(previous: Header | None, block: Block, authority: Authority | None = None) -> Iterator[Flaw]:
    """What is wrong with a block after the given header, or with it alone. Without an authority no signature counts."""
    yield from header_flaws(previous, block.header, block.batch_signature, authority)
    yield from _content_flaws(block)


def header_flaws(
    previous: Header | None, header: Header, batch_signature: bytes, authority: Authority | None = None
) -> Iterator[Flaw]:
    """What of that can be said without the block's body."""
    if previous:
        yield from _sequence_flaws(previous, header)
    if authority:
        yield from _producer_flaws(header, batch_signature, authority)


def vote_flaws(header: Header, vote: Vote, authority: Authority | None = None) -> Iterator[Flaw]:
    """What is wrong with a vote that was kept with the block of this header."""
    block_hash = header.hash()
    if (vote.height, vote.block_hash) != (header.height, block_hash):
        yield "votes", f"{vote.validator} voted for another block"
    elif authority and not vote_valid(header.chain, vote, authority.validators):
        yield "votes", f"{vote.validator} did not sign this vote"


def certificate_flaws(
    chain: str, block_hash: bytes | None, certificate: Certificate, authority: Authority | None = None
) -> Iterator[Flaw]:
    """What is wrong with the certificate of the block with this hash (None when the block is not known)."""
    if block_hash and certificate.block_hash != block_hash:
        yield (
            "block_hash",
            f"the certificate is for {certificate.block_hash.hex()}, the block is {block_hash.hex()}",
        )
    if authority and not certificate_valid(chain, certificate, authority.validators, authority.quorum):
        yield "votes", f"fewer than {authority.quorum} validators signed"


def checkpoint_flaws(
    chain: str, block_hash: bytes | None, checkpoint: Checkpoint, authority: Authority | None = None
) -> Iterator[Flaw]:
    """What is wrong with a checkpoint after the block with this hash (None when the block is not known)."""
    if block_hash and checkpoint.block_hash != block_hash:
        yield (
            "block_hash",
            f"the checkpoint is for {checkpoint.block_hash.hex()}, the block is {block_hash.hex()}",
        )
    signed = max(1, len(checkpoint.votes))  # its keeper's own word is enough: the root is computed again on replay
    if authority and not checkpoint_valid(chain, checkpoint, authority.validators, signed):
        yield "votes", "a signature is missing, or is no validator's"


def _sequence_flaws(previous: Header, header: Header) -> Iterator[Flaw]:
    if header.chain != previous.chain:
        yield "chain", f"it is {header.chain!r}, before it {previous.chain!r}"
    if header.height != previous.height + 1:
        yield "height", f"block {header.height} follows block {previous.height}"
    if header.previous != previous.hash():
        yield (
            "previous",
            f"it names another block than the one before it, whose hash is {previous.hash().hex()}",
        )
    if header.time < previous.time:
        yield "time", f"{header.time} is before {previous.time} of the block before"


def _content_flaws(block: Block) -> Iterator[Flaw]:
    header = block.header
    if header.count != len(block.envelopes):
        yield "count", f"it says {header.count}, and there are {len(block.envelopes)} transactions"
    if header.envelopes_root != merkle.root(block.envelopes):
        yield "envelopes_root", "the envelopes have another root"
    if header.receipts_root != merkle.root(block.receipts):
        yield "receipts_root", "the receipts have another root"


def _producer_flaws(header: Header, batch_signature: bytes, authority: Authority) -> Iterator[Flaw]:
    key = authority.producers.get(header.producer)
    if key is None:
        yield "producer", f"{header.producer} may not produce"
        return
    signed = header_digest(
        header.chain, header.producer, header.number, header.batch_time, header.envelopes_root, header.count
    )
    if not signing.verify(key, signed, batch_signature):
        yield "batch_signature", f"{header.producer} did not sign this batch"
