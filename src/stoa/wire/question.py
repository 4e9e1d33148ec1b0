"""What one validator asks another, and the answers: final blocks, checkpoints, snapshots, and why an epoch has
begun; and what one hands over to another.

An answer proves itself: blocks come with certificates, an opening with promises. Who answers need not be trusted.
"""

from typing import Annotated

from msgspec import Meta
from msgspec.msgpack import Decoder

from stoa.kernel import limits, signing
from stoa.kernel.codec import Shape, decoder, encode, read
from stoa.kernel.hashing import tagged
from stoa.kernel.identifiers import Hash
from stoa.wire.block import Block, Header
from stoa.wire.history import LogHead, Size
from stoa.wire.status import Opening
from stoa.wire.vote import Certificate, Checkpoint, Epoch


class BlocksWanted(Shape, tag="ask.blocks.v1"):
    """Final blocks from a height on, as many as fit in ``most_bytes`` but at least one if there is one."""

    start: Annotated[int, Meta(ge=1, le=limits.MAX_SEQUENCE)]
    most_bytes: Annotated[int, Meta(ge=1, le=limits.MAX_ANSWER_BYTES)]


class BodyWanted(Shape, tag="ask.body.v1"):
    """The final block of this height, if its body is kept by who is asked."""

    height: Annotated[int, Meta(ge=1, le=limits.MAX_SEQUENCE)]


class KeptWanted(Shape, tag="ask.kept.v1"):
    """The final block of this height, if who is asked keeps its whole range by these terms (their hash), and means to.

    Answered with ``BodyKept``.
    """

    height: Annotated[int, Meta(ge=1, le=limits.MAX_SEQUENCE)]
    terms: Hash


class CheckpointWanted(Shape, tag="ask.checkpoint.v1"):
    """The newest checkpoint at or below this height that is kept by who is asked."""

    height: Annotated[int, Meta(ge=0, le=limits.MAX_SEQUENCE)]


class SnapshotWanted(Shape, tag="ask.snapshot.v1"):
    """How far you are, and your newest snapshot."""


class SnapshotPartWanted(Shape, tag="ask.snapshot_part.v1"):
    """The next bytes of the file of a snapshot."""

    height: Annotated[int, Meta(ge=1, le=limits.MAX_SEQUENCE)]
    offset: Annotated[int, Meta(ge=0, le=limits.MAX_SEQUENCE)]


class HeadersWanted(Shape, tag="ask.headers.v1"):
    """Final blocks without their bodies from a height on, as many as fit in ``most_bytes``."""

    start: Annotated[int, Meta(ge=1, le=limits.MAX_SEQUENCE)]
    most_bytes: Annotated[int, Meta(ge=1, le=limits.MAX_ANSWER_BYTES)]


class LogHeadWanted(Shape, tag="ask.log_head.v1"):
    """Your signature under the root over the hashes of blocks 1 to ``size``."""

    chain: str
    size: Size


class HandedOver(Shape, tag="ask.hand_over.v1"):
    """Envelopes that the asker's gate let in, for the batches of who is asked; void when it comes later than ``until``,
    in milliseconds: the asker has made another plan then. Answered with ``TakenOver``."""

    until: Annotated[int, Meta(ge=0, le=limits.MAX_TIME)]
    envelopes: Annotated[tuple[bytes, ...], Meta(min_length=1, max_length=limits.MAX_BULK)]


class OpeningWanted(Shape, tag="ask.opening.v1"):
    """Why the epoch that you are in has begun."""


class LeaveWanted(Shape, tag="ask.leave.v1"):
    """The operator of the asked validator, by its voting key: promise to leave the epochs before this one."""

    chain: str
    epoch: Epoch
    signature: bytes


Question = (
    BlocksWanted | BodyWanted | KeptWanted | CheckpointWanted | SnapshotWanted | SnapshotPartWanted | HeadersWanted
    | LogHeadWanted | HandedOver | OpeningWanted | LeaveWanted
)  # fmt: skip
_QUESTION: Decoder[Question] = Decoder(Question)


class Blocks(Shape):
    """Final blocks, oldest first, each with its certificate."""

    blocks: tuple[tuple[Block, Certificate], ...]


class BodyKept(Shape):
    """The block and its own certificate; None: it is not kept."""

    block: Block | None
    certificate: Certificate | None


class CheckpointKept(Shape):
    """The checkpoint; None: there is none."""

    checkpoint: Checkpoint | None


class SnapshotOffered(Shape):
    """The last final height, and the checkpoint and size in bytes of the newest snapshot, if there is one."""

    height: int
    checkpoint: Checkpoint | None
    size: int


class SnapshotPart(Shape):
    """Bytes of the file; none: it has no more, or is not there any more."""

    raw: bytes


class Bare(Shape):
    """A final block without its body: header, the producer's signature, the number of receipts, the certificate."""

    header: Header
    batch_signature: bytes
    receipts: int
    certificate: Certificate


class Headers(Shape):
    """Blocks without bodies, oldest first."""

    headers: tuple[Bare, ...]


class LogHeadShown(Shape):
    """The head with the signature of who answers; None: it is not that far, or still reads."""

    head: LogHead | None


class TakenOver(Shape):
    """How many of the envelopes, from the first on, go into batches of who answers."""

    count: Annotated[int, Meta(ge=0, le=limits.MAX_BULK)]


class OpeningKnown(Shape):
    """The opening of the epoch that the answering validator is in; None in the first."""

    opening: Opening | None


_BLOCKS = decoder(Blocks)
_BODY = decoder(BodyKept)
_CHECKPOINT = decoder(CheckpointKept)
_OFFERED = decoder(SnapshotOffered)
_PART = decoder(SnapshotPart)
_HEADERS = decoder(Headers)
_LOG_HEAD = decoder(LogHeadShown)
_TAKEN_OVER = decoder(TakenOver)
_OPENING = decoder(OpeningKnown)


def read_question(raw: bytes) -> Question:
    """The question behind received bytes. Raises Malformed."""
    return read(_QUESTION, raw)


def read_blocks(raw: bytes) -> Blocks:
    """The answer to ``BlocksWanted``. Raises Malformed."""
    return read(_BLOCKS, raw)


def read_body_kept(raw: bytes) -> BodyKept:
    """The answer to ``BodyWanted``. Raises Malformed."""
    return read(_BODY, raw)


def read_checkpoint_kept(raw: bytes) -> CheckpointKept:
    """The answer to ``CheckpointWanted``. Raises Malformed."""
    return read(_CHECKPOINT, raw)


def read_snapshot_offered(raw: bytes) -> SnapshotOffered:
    """The answer to ``SnapshotWanted``. Raises Malformed."""
    return read(_OFFERED, raw)


def read_snapshot_part(raw: bytes) -> SnapshotPart:
    """The answer to ``SnapshotPartWanted``. Raises Malformed."""
    return read(_PART, raw)


def read_headers(raw: bytes) -> Headers:
    """The answer to ``HeadersWanted``. Raises Malformed."""
    return read(_HEADERS, raw)


def read_log_head_shown(raw: bytes) -> LogHeadShown:
    """The answer to ``LogHeadWanted``. Raises Malformed."""
    return read(_LOG_HEAD, raw)


def read_taken_over(raw: bytes) -> TakenOver:
    """The answer to ``HandedOver``. Raises Malformed."""
    return read(_TAKEN_OVER, raw)


def read_opening_known(raw: bytes) -> OpeningKnown:
    """The answer to ``OpeningWanted``. Raises Malformed."""
    return read(_OPENING, raw)


def leave_digest(chain: str, epoch: int) -> bytes:
    """What the operator signs to have its validator leave the epochs before this one."""
    return tagged("stoa.leave", encode((chain, epoch)))


def leave_wanted(chain: str, epoch: int, secret: bytes) -> LeaveWanted:
    """The operator's signed wish."""
    return LeaveWanted(chain, epoch, signing.sign(secret, leave_digest(chain, epoch)))
