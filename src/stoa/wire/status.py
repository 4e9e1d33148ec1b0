"""What validators tell each other besides votes: where one stands, its promise to leave an epoch, its
root over the state.

A status carries the vote that its sender waits on, so repeating one's status repeats one's vote. Nothing but the
votes in it is proof of anything; what is final is shown by certificates, which are asked for.
"""

from collections.abc import Mapping
from typing import Annotated, Final

from msgspec import Meta
from msgspec.msgpack import Decoder

from stoa.kernel import limits, signing
from stoa.kernel.codec import Malformed, Shape, decoded, encode
from stoa.kernel.hashing import tagged
from stoa.kernel.identifiers import Hash, InstitutionId
from stoa.wire.vote import Checkpoint, Epoch, Vote, vote_valid

MAX_VERSION: Final = 64  # letters of a program's version
_Height = Annotated[int, Meta(ge=0, le=limits.MAX_SEQUENCE)]


class Status(Shape, tag="peer.status.v1", forbid_unknown_fields=False):
    """Where a validator stands. ``height`` and ``block_hash`` are of its last final block; ``vote`` is its newest;
    ``version`` is that of its program, empty for one that does not say. A later version may add fields at the end."""

    chain: str
    validator: InstitutionId
    epoch: Epoch
    height: _Height
    block_hash: Hash
    vote: Vote | None
    version: Annotated[str, Meta(max_length=MAX_VERSION)] = ""


class Promise(Shape, tag="peer.promise.v1"):
    """A validator's word to cast no more votes in epochs before ``epoch``, and how it stood when it gave it.

    ``tail`` is its vote on the block behind the final one, if it has cast any.
    """

    chain: str
    epoch: Epoch
    validator: InstitutionId
    height: _Height
    block_hash: Hash
    tail: Vote | None
    signature: bytes


class Opening(Shape, tag="peer.opening.v1"):
    """Why an epoch may begin: the promises of a quorum. Anyone can compute from them what must come first in it."""

    chain: str
    epoch: Epoch
    promises: Annotated[tuple[Promise, ...], Meta(max_length=limits.MAX_VALIDATORS)]


class Rooted(Shape, tag="peer.checkpoint.v1"):
    """A validator's own signature, one vote, under the root over its state after a block. Equal ones make a quorum."""

    chain: str
    checkpoint: Checkpoint


class RootWanted(Shape, tag="peer.root_wanted.v1"):
    """Somebody needs the root over the state after this block, signed by a quorum: who stands just there signs it."""

    chain: str
    height: _Height


class Unknown(Malformed):
    """A word of a kind that this version does not know, as a later one may have: it means nothing here."""


Word = Status | Promise | Opening | Rooted | RootWanted
_READER: Decoder[Word] = Decoder(Word)
_KIND: Decoder[list[object]] = Decoder(list[object])
_KNOWN: Final = frozenset(one.__struct_config__.tag for one in (Status, Promise, Opening, Rooted, RootWanted))


def read_word(raw: bytes) -> Word:
    """What a validator said, from received bytes. Raises Malformed, and Unknown for what a later version may say.

    A status may lack what an older version does not say, and have what a later one adds: members upgrade one by one.
    """
    try:
        word = decoded(_READER, raw)
    except Malformed as malformed:
        raise _unknown(raw) or malformed from None
    if not isinstance(word, Status) and encode(word) != raw:
        raise Malformed("the bytes are not in canonical form")
    return word


def _unknown(raw: bytes) -> Unknown | None:
    try:
        kind = decoded(_KIND, raw)[0]
    except (Malformed, IndexError):
        return None
    later = isinstance(kind, str) and kind.startswith("peer.") and kind not in _KNOWN
    return Unknown("a word of a kind that is not known here", str(kind)) if later else None


def read_opening(raw: bytes) -> Opening | None:
    """The opening behind kept or received bytes, None for no bytes. Raises Malformed."""
    word = read_word(raw) if raw else None
    return word if isinstance(word, Opening) else None


def promise_digest(promise: Promise) -> bytes:
    """What a validator signs for a promise: everything in it but the signature."""
    parts = (promise.chain, promise.epoch, promise.validator, promise.height, promise.block_hash, promise.tail)
    return tagged("stoa.promise", encode(parts))


def sign_promise(promise: Promise, secret: bytes) -> Promise:
    """The promise with its validator's signature."""
    signature = signing.sign(secret, promise_digest(promise))
    return Promise(
        promise.chain, promise.epoch, promise.validator, promise.height, promise.block_hash, promise.tail, signature
    )


def promise_valid(promise: Promise, keys: Mapping[str, bytes]) -> bool:
    """Whether a member with one of these keys gave the promise, and its tail is its own vote behind its final block."""
    key, tail = keys.get(promise.validator), promise.tail
    if tail is not None and (
        (tail.validator, tail.height) != (promise.validator, promise.height + 1)
        or tail.epoch >= promise.epoch
        or not vote_valid(promise.chain, tail, keys)
    ):
        return False
    return key is not None and signing.verify(key, promise_digest(promise), promise.signature)
