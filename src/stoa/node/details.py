"""What a node has to tell people beside agreement, as values; why a batch makes no block, here as everywhere; what a
validator did against the rules; and why a door is not ready.

``DETAILS`` is the closed list of all details with agreement's own, ``ALARMS`` that of the alarms they belong to.
"""

from typing import Final

from stoa.agreement import details
from stoa.agreement.details import Detail

EVIDENCE: Final = "evidence"
READINESS: Final = "readiness"


class JournalCut(Detail, frozen=True):
    """The journal was damaged and ends before this block now."""

    kind = "journal"
    height: int
    segment: str
    offset: int
    field: str


class JournalEmpty(Detail, frozen=True):
    """The journal held genesis alone when the others had blocks."""

    kind = "journal"


class VotesLost(Detail, frozen=True):
    """The note says that votes may be lost and no more: of a folder that was restored, or written by hand."""

    kind = "journal"


class JournalDamaged(Detail, frozen=True):
    """A place in the journal is not what was written."""

    kind = "damage"
    height: int
    segment: str
    offset: int
    field: str


class AnotherRoot(Detail, frozen=True):
    """The state after the block has another root than so many validators signed."""

    kind = "state"
    height: int
    votes: int


class Objection(Detail, frozen=True):
    """Why a batch makes no block. The alarm is its own producer's."""

    kind = "batch"


class BatchTooLarge(Objection, frozen=True):
    """It has more bytes than any batch may have."""

    limit: int


class BatchUnreadable(Objection, frozen=True):
    """Its bytes are no batch, by this rule of the codec."""

    rule: str


class BatchElsewhere(Objection, frozen=True):
    """It is for another ledger."""

    chain: str


class ProducerUnknown(Objection, frozen=True):
    """Whom it names is no validator."""


class BatchNotNext(Objection, frozen=True):
    """It has another number than the next one of its producer."""

    number: int
    expected: int


class BatchClockOff(Objection, frozen=True):
    """Its time is so many milliseconds off the log's."""

    off: int
    allowed: int


class BatchNotSigned(Objection, frozen=True):
    """The signature is not its producer's."""


class Offence(Detail, frozen=True):
    """What a validator did against the rules. Its code is the kind of evidence."""

    kind = EVIDENCE


class TwoVotes(Offence, frozen=True):
    """It signed two votes at one height in one epoch."""


class TwoBatches(Offence, frozen=True):
    """It signed two contents under one batch number."""


class WrongState(Offence, frozen=True):
    """It signed another root over the state than a quorum has."""


class Dissent(Offence, frozen=True):
    """It voted for another block than the one that a quorum has voted for."""


class Unreadable(Offence, frozen=True, tag="malformed"):
    """It sent what is no word, by this rule of the codec."""

    rule: str


class FalseName(Offence, frozen=True):
    """It told how another one is."""

    name: str


class Unready(Detail, frozen=True):
    """Why a door's word on finality cannot be relied on, beside the alarms."""

    kind = READINESS


class NodeStopped(Unready, frozen=True):
    """Something has stopped the node."""

    failure: str


class ViewsStopped(Unready, frozen=True):
    """Something has stopped the views."""

    failure: str


class ViewsBehind(Unready, frozen=True):
    """The views are so many final blocks behind."""

    blocks: int


class TooFewHeard(Unready, frozen=True):
    """Fewer members than ``quorum`` of them were heard lately, this one counted. ``missing``: the others, by name."""

    quorum: int
    members: int
    heard: int
    seconds: int
    missing: str


class LeftQuorum(Unready, frozen=True):
    """The validator's state is being mended."""


class LogUnwell(Unready, frozen=True):
    """The ordering log is not reached, gone or replaced. What is wrong with it follows."""

    condition: str


DETAILS: Final[tuple[type[Detail], ...]] = (
    details.NoQuorum, details.AnotherHash, details.TooFewPromises, details.SeveralPossible, details.PromisesNothing,
    JournalCut, JournalEmpty, VotesLost, JournalDamaged, AnotherRoot,
    BatchTooLarge, BatchUnreadable, BatchElsewhere, ProducerUnknown, BatchNotNext, BatchClockOff, BatchNotSigned,
    TwoVotes, TwoBatches, WrongState, Dissent, Unreadable, FalseName,
    NodeStopped, ViewsStopped, ViewsBehind, TooFewHeard, LeftQuorum, LogUnwell,
)  # fmt: skip
ALARMS: Final = tuple(sorted({one.kind for one in DETAILS} - {EVIDENCE, READINESS}))
