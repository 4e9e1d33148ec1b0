"""A ledger small enough for a thousand universes: a block's hash follows from the block before and the batch.

It admits by the rules of ``node/commit.py`` (member, next number, clock, signature) and changes its members and quorum
when a batch says so, from the next block on. Words, blocks and certificates are the real ones; signatures are keyed
hashes, a hundred times faster than the real curve and as hard to forge for the liars here, who do not try.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache
from hashlib import blake2b
from typing import Final, NamedTuple

import pytest

from stoa.agreement.model import Seats, Signer
from stoa.kernel import merkle, signing
from stoa.kernel.codec import encode
from stoa.kernel.hashing import tagged
from stoa.wire.batch import Batch, BatchBody, header_digest, read_batch, sign_batch
from stoa.wire.block import Block, Header, genesis_header
from stoa.wire.status import Promise, sign_promise
from stoa.wire.vote import Vote, byzantine, liars_borne, majority, sign_vote

CHAIN: Final = "toy"
TOLERANCE_MS: Final = 5_000


@contextmanager
def toy_signatures() -> Iterator[None]:
    """Within it, every signature is a keyed hash."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(signing, "sign", _sign)
        patch.setattr(signing, "verify", lambda key, digest, signature: signature == _sign(key, digest))
        patch.setattr(signing, "public_key", lambda secret: secret)
        yield


def _sign(secret: bytes, digest: bytes) -> bytes:
    return blake2b(digest, key=secret).digest()


@lru_cache(maxsize=64)
def key_of(name: str) -> bytes:
    return blake2b(name.encode(), digest_size=32).digest()


def signer(name: str) -> Signer:
    """Signs for the validator."""

    def vote(height: int, block_hash: bytes, epoch: int) -> Vote:
        return sign_vote(CHAIN, height, block_hash, name, key_of(name), epoch)

    def promise(bare: Promise) -> Promise:
        return sign_promise(bare, key_of(name))

    return Signer(name, vote, promise)


class Rules(NamedTuple):
    """The members, and which quorum."""

    members: tuple[str, ...]
    byzantine: bool

    def seats(self) -> Seats:
        keys, count = {name: key_of(name) for name in self.members}, len(self.members)
        return Seats(keys, byzantine(count), liars_borne(count)) if self.byzantine else Seats(keys, majority(count), 0)


class Toy(NamedTuple):
    """The state behind a block."""

    head: Header
    head_hash: bytes
    produced: dict[str, int]
    rules: Rules
    broken: bool = False  # gives wrong hashes, until built again

    @classmethod
    def genesis(cls, rules: Rules) -> "Toy":
        head = genesis_header(CHAIN, 0, merkle.EMPTY, merkle.EMPTY)
        return cls(head, head.hash(), {}, rules)

    def admit(self, time: int, batch: Batch, timely: bool) -> tuple[bool, bool]:
        """Whether it makes the next block, and if not whether it is early."""
        body, expected = batch.body, self.produced.get(batch.body.producer, 0) + 1
        if body.chain != CHAIN or body.producer not in self.rules.members or body.number != expected:
            return False, body.number > expected
        if timely and abs(body.time - time) > TOLERANCE_MS:
            return False, False
        digest = header_digest(
            body.chain, body.producer, body.number, body.time, merkle.root(body.envelopes), len(body.envelopes)
        )
        return signing.verify(key_of(body.producer), digest, batch.signature), False

    def execute(self, batch: Batch) -> tuple[Block, "Toy"]:
        """The block that the batch makes here, and the state behind it."""
        body, head = batch.body, self.head
        writes = tagged("toy", encode((self.head_hash, body.envelopes, self.broken)))
        header = Header(
            CHAIN, head.height + 1, self.head_hash, max(head.time, body.time), body.producer, body.number, body.time,
            len(body.envelopes), merkle.root(body.envelopes), merkle.EMPTY, writes,
        )  # fmt: skip
        produced = {**self.produced, body.producer: body.number}
        rules = self.rules
        for envelope in body.envelopes:
            rules = changed(rules, envelope)
        after = Toy(header, header.hash(), produced, rules, self.broken)
        return Block(header, batch.signature, body.envelopes, ()), after


def changed(rules: Rules, envelope: bytes) -> Rules:
    """The rules after ``+F`` (F is a member now), ``-B`` (B is none), ``!`` (the other quorum)."""
    verb, name = envelope[:1], envelope[1:].decode()
    if verb == b"+" and name not in rules.members:
        return rules._replace(members=tuple(sorted((*rules.members, name))))
    if verb == b"-" and name in rules.members:
        return rules._replace(members=tuple(one for one in rules.members if one != name))
    return rules._replace(byzantine=not rules.byzantine) if verb == b"!" else rules


def batch_of(block: Block) -> Batch:
    header = block.header
    body = BatchBody(header.chain, header.producer, header.number, header.batch_time, block.envelopes)
    return Batch(body, block.batch_signature)


@lru_cache(maxsize=4096)
def decoded(raw: bytes) -> Batch:
    return read_batch(raw)


def make_batch(producer: str, number: int, time: int, envelopes: tuple[bytes, ...]) -> bytes:
    return encode(sign_batch(BatchBody(CHAIN, producer, number, time, envelopes), key_of(producer)))
