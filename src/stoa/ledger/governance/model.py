"""What the ledger remembers of its own government: validators, parameters, proposals, votes, and who voted when."""

from typing import Annotated, Final, Literal, NamedTuple

from msgspec import Meta

from stoa.kernel import limits
from stoa.kernel.codec import Shape
from stoa.kernel.identifiers import InstitutionId, PublicKey
from stoa.kernel.time import DAY, SECOND, Time
from stoa.ledger.compliance.model import PackCode, Rule, Sentence
from stoa.ledger.state import NUMBER, TEXT, State, Table

QUORUM: Final = "quorum"  # 0: majority, survives crashes; 1: Byzantine, survives liars
BATCH_TRANSACTIONS: Final = "batch_transactions"
BATCH_BYTES: Final = "batch_bytes"
BATCH_LINGER_MS: Final = "batch_linger_ms"
CLOCK_TOLERANCE_MS: Final = "clock_tolerance_ms"  # how far a batch's time may be from the log's
CHECKPOINT_BLOCKS: Final = "checkpoint_blocks"  # every so many blocks the root over all rows is signed; 0: never
BODY_REPLICAS: Final = "replicas_of_bodies"  # how many validators keep the body of an old block; 0: all

DEFAULTS: Final[dict[str, int]] = {
    QUORUM: 0,
    BATCH_TRANSACTIONS: 2_000,
    BATCH_BYTES: 1_048_576,
    BATCH_LINGER_MS: 20,
    CLOCK_TOLERANCE_MS: 5_000,
    CHECKPOINT_BLOCKS: 10_000,
    BODY_REPLICAS: 0,
}

# Rows of every genesis. A later parameter has a row once it is set, so that older ledgers keep their roots.
FOUNDING: Final = (QUORUM, BATCH_TRANSACTIONS, BATCH_BYTES, BATCH_LINGER_MS, CLOCK_TOLERANCE_MS)

FRAMING_BYTES: Final = 5 * limits.MAX_BATCH_TRANSACTIONS + 1_024  # around the envelopes: their lengths, and the head
MAX_VOTING_MS: Final = 90 * DAY  # how far ahead a proposal may expire
MAX_OPEN_PROPOSALS: Final = 8  # of one institution
MAX_PACKS_AT_HEIGHT: Final = 16  # adoptions proposed for one block: each is told whole, up to an envelope's bytes
MAX_SETTINGS: Final = 16  # parameters in one change
MAX_HEIGHT: Final = 2**53

EXPIRE: Final = "governance.expire"  # the kind of due work that lets a proposal lapse
ENACT: Final = "governance.enact"  # the kind of work at a height that decides proposals


class Bounds(NamedTuple):
    """The least and the greatest value of a parameter."""

    low: int
    high: int


BOUNDS: Final[dict[str, Bounds]] = {
    QUORUM: Bounds(0, 1),
    BATCH_TRANSACTIONS: Bounds(1, limits.MAX_BATCH_TRANSACTIONS),
    BATCH_BYTES: Bounds(1_048_576, limits.MAX_BATCH_BYTES - FRAMING_BYTES),
    BATCH_LINGER_MS: Bounds(1, limits.MAX_BATCH_LINGER_MS),
    CLOCK_TOLERANCE_MS: Bounds(SECOND // 10, 60 * SECOND),
    CHECKPOINT_BLOCKS: Bounds(0, 1_000_000),
    BODY_REPLICAS: Bounds(0, limits.MAX_VALIDATORS),
}

Height = Annotated[int, Meta(ge=1, le=MAX_HEIGHT)]
ProposalNumber = Annotated[int, Meta(ge=1, le=limits.MAX_SEQUENCE)]
Stage = Literal["open", "enacted", "lapsed"]


class Setting(Shape):
    """A parameter and the value that it is to have."""

    name: Annotated[str, Meta(min_length=1, max_length=64)]
    value: Annotated[int, Meta(ge=0, le=limits.MAX_UNITS)]


class SetParameters(Shape, tag="set"):
    """All of these parameters, or none."""

    settings: Annotated[tuple[Setting, ...], Meta(min_length=1, max_length=MAX_SETTINGS)]


class AdmitValidator(Shape, tag="admit"):
    """The institution becomes a validator, with this voting key for its batches and its votes on blocks."""

    institution: InstitutionId
    key: PublicKey


class RemoveValidator(Shape, tag="remove"):
    """The institution ceases to be a validator. It stays an institution."""

    institution: InstitutionId


class RotateVotingKey(Shape, tag="rotate"):
    """The validator has another voting key."""

    institution: InstitutionId
    key: PublicKey


class AdoptPack(Shape, tag="adopt_pack"):
    """A rule pack has these rules: a new pack, the next version of one, or the return of a retired one."""

    code: PackCode
    title_en: Annotated[Sentence, Meta(min_length=1)]
    title_ko: Annotated[Sentence, Meta(min_length=1)]
    rules: Annotated[tuple[Rule, ...], Meta(min_length=1, max_length=limits.MAX_PACK_RULES)]


class RetirePack(Shape, tag="retire_pack"):
    """A rule pack that nobody names any more is in force no longer."""

    code: PackCode


Change = SetParameters | AdmitValidator | RemoveValidator | RotateVotingKey | AdoptPack | RetirePack


class Proposal(Shape):
    """A change for the block of a height, and what has become of it. ``yes`` and ``no`` are all votes ever cast."""

    proposer: InstitutionId
    change: Change
    height: Height
    expires: Time
    made: Time
    stage: Stage
    yes: int
    no: int


class Seat(Shape):
    """A validator and its voting key."""

    institution: InstitutionId
    key: PublicKey


class Era(Shape):
    """Members that are members no more, or no more the same: sorted by institution, with the quorum of then."""

    seats: tuple[Seat, ...]
    quorum: int


VALIDATORS: Final = Table[str, bytes](112, "governance.validator", (TEXT,), bytes, scanned=True)
PARAMETERS: Final = Table[str, int](113, "governance.parameter", (TEXT,), int, scanned=True)
PROPOSALS: Final = Table[int, Proposal](114, "governance.proposal", (NUMBER,), Proposal, scanned=True)
VOTES: Final = Table[tuple[int, str], bool](115, "governance.vote", (NUMBER, TEXT), bool, scanned=True)
AGENDA: Final = Table[tuple[int, int], bool](  # (height, open proposal)
    116, "governance.agenda", (NUMBER, NUMBER), bool, scanned=True
)
ERAS: Final = Table[int, Era](117, "governance.era", (NUMBER,), Era, scanned=True)  # the last height it governed → era


def parameter(view: State, name: str) -> int:
    """The value that the view has for a parameter: the default where it was never set."""
    value = view.get(PARAMETERS, name)
    return DEFAULTS[name] if value is None else value
