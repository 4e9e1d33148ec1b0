"""What the agreement asks of whoever drives it, and the few things it is told. All of them are values."""

from typing import NamedTuple

from stoa.agreement.details import AnotherHash, Detail
from stoa.wire.batch import BatchHead
from stoa.wire.block import Block
from stoa.wire.status import Opening, Promise, Word
from stoa.wire.vote import Certificate, Checkpoint, Vote


class Entry(NamedTuple):
    """A batch in its place in the log. ``time`` is the log's own, in milliseconds; ``publisher`` put it there."""

    position: int
    time: int
    batch: bytes
    publisher: str = ""


class Execute(NamedTuple):
    """Try the batch as the next block, over the final state; answer ``executed``. With ``forced`` its time is not
    judged: members have agreed that the block with this hash comes next."""

    entry: Entry
    forced: bytes


class Redo(NamedTuple):
    """Execute a certified block from a peer, whose signatures the certificate vouches for; answer ``executed``."""

    block: Block


class Keep(NamedTuple):
    """Write the executed block with this vote to the journal and sync it; answer ``kept``. None: keep it unvoted."""

    vote: Vote | None


class TakeBack(NamedTuple):
    """Undo the executed block in memory. In the journal its place is taken by the next one that is kept."""


class Finalise(NamedTuple):
    """Keep the certificate, write the kept block's rows to the state, tell everyone; answer ``finalised``."""

    certificate: Certificate


class Say(NamedTuple):
    """Tell all other validators: where this one stands, what it has promised, why an epoch has begun."""

    word: Word


class Fetch(NamedTuple):
    """Ask a peer for final blocks with their certificates from this height on; answer ``fetched`` or ``silent``."""

    peer: str
    start: int


class AskOpening(NamedTuple):
    """Ask a peer why its epoch has begun; answer ``opened``."""

    peer: str


class KeepPromise(NamedTuple):
    """Make the promise durable. It is told afterwards."""

    promise: Promise


class Enter(NamedTuple):
    """Make durable that the epoch was entered behind this height, and why (None: a certificate of it was seen), and
    read its log from the beginning; what was read of an older one and not executed is void."""

    epoch: int
    opening: Opening | None
    height: int


class Heal(NamedTuple):
    """This node's state gives another block than the one certified: rebuild the state, then go on from the start."""

    why: AnotherHash


class Republish(NamedTuple):
    """Publish the batch of the tail, which must come first in the new epoch, for those who do not have it."""


Proof = (
    tuple[Vote, Vote] | tuple[Vote, Certificate] | tuple[BatchHead, BatchHead] | tuple[Checkpoint, Checkpoint]
)  # fmt: skip


class Evidence(NamedTuple):
    """Something that a validator signed, and what it contradicts.

    ``two_votes``: two votes at one height in one epoch; only a liar signs that. ``two_batches``: two contents under one
    number; only a liar signs that. ``dissent``: a vote for another block than the certified one; a log that showed two
    prefixes explains it, and so does a broken machine. ``wrong_state``: a signature under another root over the state
    after a block than a quorum has signed; a liar signs that, or a broken machine.
    """

    kind: str
    validator: str
    height: int
    proof: Proof


class Alarm(NamedTuple):
    """Something for people. ``kind`` is one word; without a detail it is over."""

    kind: str
    detail: Detail | None


class Halt(NamedTuple):
    """Safety is broken beyond what this node may decide: stop, keep everything, and call people."""

    why: str


Effect = (
    Execute | Redo | Keep | TakeBack | Finalise | Say | Fetch | AskOpening | KeepPromise | Enter | Heal | Republish
    | Evidence
    | Alarm | Halt
)  # fmt: skip
