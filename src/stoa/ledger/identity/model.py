"""What the ledger remembers of identities."""

from typing import Annotated, Final, Literal

from msgspec import Meta

from stoa.kernel import limits
from stoa.kernel.codec import Shape
from stoa.kernel.identifiers import AccountId, InstitutionId, PartyId, PublicKey
from stoa.kernel.time import Time
from stoa.ledger.state import ACCOUNT, NUMBER, TEXT, Table

Role = Literal[
    "registrar",
    "broker",
    "issuer_agent",
    "settlement_bank",
    "venue_operator",
    "identity_provider",
    "supervisor",
]
ROLES: Final = (
    "registrar", "broker", "issuer_agent", "settlement_bank", "venue_operator", "identity_provider", "supervisor",
)  # fmt: skip

Name = Annotated[str, Meta(min_length=1, max_length=limits.MAX_NAME)]
Reason = Annotated[str, Meta(min_length=1, max_length=limits.MAX_TEXT)]
Keys = Annotated[tuple[PublicKey, ...], Meta(min_length=1, max_length=limits.MAX_KEYS)]
Threshold = Annotated[int, Meta(ge=1, le=limits.MAX_KEYS)]


class Institution(Shape):
    """A member with roles. ``account`` is its operating account: who signs for it speaks for the institution."""

    name: Name
    country: str
    roles: tuple[Role, ...]
    account: AccountId
    active: bool


class Party(Shape):
    """A person (``entity`` false) or firm, known by number to the ledger and by name to its keeper."""

    entity: bool
    keeper: InstitutionId
    registered: Time


class Account(Shape):
    """A line in the register with m-of-n keys. ``successor`` is the account that a recovery moved it to, or empty."""

    party: PartyId
    custodian: InstitutionId
    threshold: int
    keys: tuple[bytes, ...]
    frozen: bool
    successor: bytes
    opened: Time


INSTITUTIONS: Final = Table[str, Institution](1, "identity.institution", (TEXT,), Institution, scanned=True)
PARTIES: Final = Table[int, Party](2, "identity.party", (NUMBER,), Party)
ACCOUNTS: Final = Table[bytes, Account](3, "identity.account", (ACCOUNT,), Account)
LANES: Final = Table[tuple[bytes, int], int](5, "identity.lane", (ACCOUNT, NUMBER), int)
OPERATORS: Final = Table[bytes, str](6, "identity.operator", (ACCOUNT,), str)  # operating account → institution
