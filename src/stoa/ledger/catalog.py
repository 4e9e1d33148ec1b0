"""The closed list of instructions, events and rejections: the one window of the ledger for other rooms.

A tag or number that is in this list stays decodable for ever; a new meaning gets a new version beside the old.
"""

from collections.abc import Callable
from typing import TYPE_CHECKING, Annotated, Any, Final, NamedTuple, TypeAlias, Union

from msgspec import Meta

from stoa.kernel import limits
from stoa.kernel.base import Context, Event, Instruction, Rejection, Rejections
from stoa.kernel.codec import Malformed, Shape, decoder, encode, read
from stoa.kernel.identifiers import AccountId
from stoa.kernel.time import Time
from stoa.ledger import errors as envelope_errors
from stoa.ledger.assets import create_security, pause, register_cash
from stoa.ledger.assets import errors as asset_errors
from stoa.ledger.assets import events as asset_events
from stoa.ledger.assets.model import HOLDINGS, Holding
from stoa.ledger.compliance import adopt_rules, attest, exempt, name_packs, revoke
from stoa.ledger.compliance import errors as compliance_errors
from stoa.ledger.compliance import events as compliance_events
from stoa.ledger.corporate_actions import announce_distribution, cancel_distribution, claim_income, pay, record
from stoa.ledger.corporate_actions import errors as income_errors
from stoa.ledger.corporate_actions import events as income_events
from stoa.ledger.corporate_actions import model as income_model
from stoa.ledger.due import DueWork, HeightWork
from stoa.ledger.errors import Expired, MalformedEnvelope, SignatureInvalid, ValidTooLong, WrongChain
from stoa.ledger.genesis import Genesis as Genesis
from stoa.ledger.genesis import read_genesis as read_genesis
from stoa.ledger.governance import enactment, propose, vote
from stoa.ledger.governance import errors as governance_errors
from stoa.ledger.governance import events as governance_events
from stoa.ledger.governance import model as governance_model
from stoa.ledger.governance.model import BOUNDS as BOUNDS
from stoa.ledger.holds import errors as hold_errors
from stoa.ledger.holds import events as hold_events
from stoa.ledger.holds import freeze_units, liens, place_hold, release_hold
from stoa.ledger.holds import model as hold_model
from stoa.ledger.identity import errors as identity_errors
from stoa.ledger.identity import events as identity_events
from stoa.ledger.identity import (
    freeze_account,
    open_account,
    register_institution,
    register_party,
    rotate_keys,
    set_institution,
)
from stoa.ledger.offerings import close_offering, closing, open_offering, subscribe, withdraw
from stoa.ledger.offerings import errors as offering_errors
from stoa.ledger.offerings import events as offering_events
from stoa.ledger.offerings import model as offering_model
from stoa.ledger.settlement import errors as settlement_errors
from stoa.ledger.settlement import events as settlement_events
from stoa.ledger.settlement import execute_hold, force_transfer, issue, recover, redeem, settle, transfer
from stoa.ledger.state import State


class Verb(NamedTuple):
    """What the machine calls for an instruction."""

    rejections: Callable[[State, Context, Any], Rejections]
    apply: Callable[[State, Context, Any], None]


_VERB_FILES: Final = (
    (register_institution.RegisterInstitution, register_institution),
    (set_institution.SetInstitution, set_institution),
    (register_party.RegisterParty, register_party),
    (open_account.OpenAccount, open_account),
    (rotate_keys.RotateKeys, rotate_keys),
    (freeze_account.FreezeAccount, freeze_account),
    (attest.Attest, attest),
    (revoke.Revoke, revoke),
    (adopt_rules.AdoptRules, adopt_rules),
    (name_packs.NamePacks, name_packs),
    (exempt.Exempt, exempt),
    (register_cash.RegisterCash, register_cash),
    (create_security.CreateSecurity, create_security),
    (pause.Pause, pause),
    (place_hold.PlaceHold, place_hold),
    (release_hold.ReleaseHold, release_hold),
    (freeze_units.FreezeUnits, freeze_units),
    (issue.Issue, issue),
    (redeem.Redeem, redeem),
    (transfer.Transfer, transfer),
    (settle.Settle, settle),
    (execute_hold.ExecuteHold, execute_hold),
    (force_transfer.ForceTransfer, force_transfer),
    (recover.Recover, recover),
    (open_offering.OpenOffering, open_offering),
    (subscribe.Subscribe, subscribe),
    (withdraw.Withdraw, withdraw),
    (close_offering.CloseOffering, close_offering),
    (announce_distribution.AnnounceDistribution, announce_distribution),
    (cancel_distribution.CancelDistribution, cancel_distribution),
    (claim_income.ClaimIncome, claim_income),
    (propose.Propose, propose),
    (vote.Vote, vote),
)

VERBS: Final[dict[type[Instruction], Verb]] = {kind: Verb(file.rejections, file.apply) for kind, file in _VERB_FILES}
INSTRUCTIONS: Final[tuple[type[Instruction], ...]] = tuple(VERBS)

DUE_WORK: Final[dict[str, DueWork]] = {
    hold_model.EXPIRY: liens.expire,
    income_model.RECORD: record.record,
    income_model.PAYMENT: pay.pay,
    offering_model.CLOSE: closing.close,
    governance_model.EXPIRE: enactment.expire,
}

AT_HEIGHT: Final[dict[str, HeightWork]] = {governance_model.ENACT: enactment.enact}

_EVENT_FILES: Final = (
    identity_events,
    compliance_events,
    asset_events,
    hold_events,
    settlement_events,
    income_events,
    offering_events,
    governance_events,
)
_ERROR_FILES: Final = (
    envelope_errors,
    identity_errors,
    asset_errors,
    compliance_errors,
    hold_errors,
    settlement_errors,
    income_errors,
    offering_errors,
    governance_errors,
)


def _subclasses(files: tuple[Any, ...], base: type[Shape]) -> tuple[Any, ...]:
    found = [
        value
        for file in files
        for value in vars(file).values()
        if isinstance(value, type) and issubclass(value, base) and value is not base
    ]
    return tuple(dict.fromkeys(found))


EVENTS: Final[tuple[type[Event], ...]] = _subclasses(_EVENT_FILES, Event)
REJECTIONS: Final[tuple[type[Rejection], ...]] = _subclasses(_ERROR_FILES, Rejection)

# a type checker sees the base, the decoder the closed list: the lists above are the only place where a kind is named
if TYPE_CHECKING:
    AnyInstruction: TypeAlias = Instruction
    AnyEvent: TypeAlias = Event
    AnyRejection: TypeAlias = Rejection
else:
    AnyInstruction = Union[INSTRUCTIONS]  # noqa: UP007
    AnyEvent = Union[EVENTS]  # noqa: UP007
    AnyRejection = Union[REJECTIONS]  # noqa: UP007


class Body(Shape):
    """One transaction: who asks (author, with lane and sequence), until when it is valid, and what for."""

    chain: Annotated[str, Meta(min_length=1, max_length=limits.MAX_CODE)]
    author: AccountId
    lane: Annotated[int, Meta(ge=0, le=limits.MAX_LANE)]
    sequence: Annotated[int, Meta(ge=1, le=limits.MAX_SEQUENCE)]
    valid_until: Time
    instructions: Annotated[
        tuple[AnyInstruction, ...],
        Meta(min_length=1, max_length=limits.MAX_INSTRUCTIONS),
    ]


class Receipt(Shape):
    """What became of a transaction, or what a piece of due work did.

    ``index`` is its place among the block's receipts. ``rejection`` is None if it was applied; else it is the gravest
    reason, and ``failed`` the place of the instruction refused (-1: the envelope itself).
    """

    transaction: bytes
    height: int
    index: int
    rejection: AnyRejection | None
    failed: int
    events: tuple[AnyEvent, ...]

    @property
    def applied(self) -> bool:
        """Whether it took effect."""
        return self.rejection is None


_BODY_READER: Final = decoder(Body)
_RECEIPT_READER: Final = decoder(Receipt)
_REJECTION_READER: Final = decoder(AnyRejection)
_HOLDING_READER: Final = decoder(Holding)


def read_body(raw: bytes) -> Body:
    """The body behind received bytes. Raises Malformed."""
    return read(_BODY_READER, raw)


def read_receipt(raw: bytes) -> Receipt:
    """The receipt behind its bytes. Raises Malformed."""
    return read(_RECEIPT_READER, raw)


def read_rejection(raw: bytes) -> Rejection:
    """The rejection behind its bytes, as an event keeps it in ``reasons``. Raises Malformed."""
    return read(_REJECTION_READER, raw)


def checked_body(body: Body) -> bytes:
    """The bytes of a body built by our own code. Raises Malformed where a field is out of its bounds: constraints are
    checked on decoding only, so what is built is decoded once before it is signed."""
    raw = encode(body)
    read_body(raw)
    return raw


class HoldingLine(Shape):
    """A line of the register as a proof of it shows: units, and how many of them liens and a freeze cover."""

    asset: str
    account: bytes
    units: int
    held: int
    frozen: int


def read_holding(key: bytes, value: bytes) -> HoldingLine:
    """The line behind the key and value of a state row. Raises Malformed when the row is of another kind."""
    if not key.startswith(HOLDINGS.prefix):
        raise Malformed("the row is not a line of the register")
    asset, account = HOLDINGS.unpack(key)
    held = read(_HOLDING_READER, value)
    return HoldingLine(asset, account, held.units, held.held, held.frozen)


def tag_of(kind: type[Shape]) -> str | int:
    """The permanent tag or number of an instruction, event or rejection."""
    tag = kind.__struct_config__.tag
    assert tag is not None
    return tag


INSTRUCTION_BY_TAG: Final[dict[str, type[Instruction]]] = {str(tag_of(kind)): kind for kind in INSTRUCTIONS}
EVENT_BY_TAG: Final[dict[str, type[Event]]] = {str(tag_of(kind)): kind for kind in EVENTS}

__all__ = [
    "AT_HEIGHT",
    "DUE_WORK",
    "EVENTS",
    "EVENT_BY_TAG",
    "INSTRUCTIONS",
    "INSTRUCTION_BY_TAG",
    "REJECTIONS",
    "VERBS",
    "Body",
    "Expired",
    "HoldingLine",
    "MalformedEnvelope",
    "Receipt",
    "SignatureInvalid",
    "ValidTooLong",
    "Verb",
    "WrongChain",
    "checked_body",
    "read_body",
    "read_holding",
    "read_receipt",
    "read_rejection",
    "tag_of",
]
