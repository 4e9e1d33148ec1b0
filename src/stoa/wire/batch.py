"""The batch: envelopes that one validator publishes together, numbered and signed.

(producer, number) names a batch: a repeated one is recognised and skipped, a missing one is noticed.
"""

from typing import Annotated

from msgspec import Meta

from stoa.kernel import limits, merkle, signing
from stoa.kernel.codec import Shape, decoder, encode, read
from stoa.kernel.hashing import tagged
from stoa.kernel.identifiers import Hash, InstitutionId
from stoa.kernel.time import Time


class BatchBody(Shape):
    """What a producer signs. ``time`` is its clock in milliseconds; the block's time is this, made monotone."""

    chain: str
    producer: InstitutionId
    number: Annotated[int, Meta(ge=1, le=limits.MAX_SEQUENCE)]
    time: Time
    envelopes: Annotated[tuple[bytes, ...], Meta(max_length=limits.MAX_BATCH_TRANSACTIONS)]


class Batch(Shape):
    """A batch with its producer's signature over ``batch_digest``."""

    body: BatchBody
    signature: bytes


class BatchHead(Shape):
    """A batch without its envelopes: enough to check its producer's signature."""

    chain: str
    producer: InstitutionId
    number: int
    time: Time
    envelopes_root: Hash
    count: int
    signature: bytes


_READER = decoder(Batch)


def batch_digest(body: BatchBody) -> bytes:
    """Over the fields and the envelopes' Merkle root: a batch's signature is checkable from a block's header."""
    return header_digest(
        body.chain, body.producer, body.number, body.time, merkle.root(body.envelopes), len(body.envelopes)
    )


def header_digest(chain: str, producer: str, number: int, time: int, envelopes_root: bytes, count: int) -> bytes:
    """The batch digest from the parts that a block's header keeps."""
    return tagged("stoa.batch", encode((chain, producer, number, time, envelopes_root, count)))


def head_of(batch: Batch, envelopes_root: bytes) -> BatchHead:
    """The batch without its envelopes, over which this is the root."""
    body = batch.body
    return BatchHead(
        body.chain, body.producer, body.number, body.time, envelopes_root, len(body.envelopes), batch.signature
    )


def head_signed(head: BatchHead, key: bytes) -> bool:
    """Whether the owner of the key signed the batch with this head."""
    digest = header_digest(head.chain, head.producer, head.number, head.time, head.envelopes_root, head.count)
    return signing.verify(key, digest, head.signature)


def sign_batch(body: BatchBody, secret: bytes) -> Batch:
    """The batch signed by its producer's key."""
    return Batch(body, signing.sign(secret, batch_digest(body)))


def read_batch(raw: bytes) -> Batch:
    """The batch behind received bytes. Raises Malformed."""
    return read(_READER, raw)
