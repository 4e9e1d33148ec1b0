"""What the ledger remembers of assets: terms, lines of the register, lots."""

from typing import Annotated, Final, Literal

from msgspec import Meta

from stoa.kernel import limits
from stoa.kernel.codec import Shape
from stoa.kernel.identifiers import END, AssetId, Hash, InstitutionId
from stoa.kernel.money import Amount, Units
from stoa.kernel.time import Time
from stoa.ledger.identity.model import Name
from stoa.ledger.state import ACCOUNT, NUMBER, TEXT, Table

Decimals = Annotated[int, Meta(ge=0, le=limits.MAX_DECIMALS)]
Code = Annotated[str, Meta(max_length=limits.MAX_CODE)]
DocumentKind = Literal["offering_document", "compliance_statement", "term_sheet", "report", "other"]

OFFERING_DOCUMENT: Final = "offering_document"
COMPLIANCE_STATEMENT: Final = "compliance_statement"


class Document(Shape):
    """A document by its SHA-256; the text itself is published elsewhere and anyone can compare."""

    kind: DocumentKind
    title: Name
    sha256: Hash


class Issuer(Shape):
    """Who owes the right. ``lei`` may be empty; name and country may not."""

    name: Annotated[str, Meta(max_length=limits.MAX_NAME)]
    country: Annotated[str, Meta(max_length=2)]
    lei: Annotated[str, Meta(max_length=20)]


class ClassTerms(Shape):
    """One class of a security. A single class has an empty suffix; several are ``SECURITY.SUFFIX`` each."""

    suffix: Annotated[str, Meta(pattern=r"^[A-Z0-9]{0,8}" + END)]
    name: Name
    authorised: Units


class Security(Shape):
    """A security's terms. ``price`` is the nominal price of one unit in the smallest unit of the currency."""

    name: Name
    form: Name  # the right in market words, e.g. "property share", "corporate bond"
    issuer: Issuer
    agent: InstitutionId
    registrar: InstitutionId
    currency: AssetId
    price: Amount
    isin: Code
    documents: tuple[Document, ...]
    classes: tuple[str, ...]  # asset codes
    created: Time


class Asset(Shape):
    """Anything that a line of the register can be in. ``scopes``: the class, and its security where that differs.

    ``snapshot`` counts record dates so far; a line written under an older count is copied before it changes.
    """

    kind: Literal["security", "cash"]
    security: str  # empty for cash
    scopes: tuple[str, ...]
    name: Name
    decimals: Decimals
    controllers: tuple[InstitutionId, ...]
    authorised: Units
    paused: bool
    snapshot: int


class Holding(Shape):
    """A line of the register, in units of the asset. Free units: what neither a hold nor the freeze covers.

    ``head`` and ``tail`` number the first lot and the next one to come; ``frozen_since`` orders the freeze among holds;
    ``written`` is the asset's snapshot count when the line last changed.
    """

    units: int
    held: int
    frozen: int
    frozen_since: int
    head: int
    tail: int
    written: int

    @property
    def free(self) -> int:
        """Units that the owner may dispose of."""
        return max(0, self.units - self.held - self.frozen)


class Lot(Shape):
    """An acquisition. ``cost`` is for all its units; ``source`` is the account it came from, or empty if issued."""

    units: int
    acquired: Time
    source: bytes
    cost: int
    locked: Time  # the first millisecond at which the lot may move by its owner's will


class LotPick(Shape):
    """The holder's own choice: units out of the lot of this number."""

    lot: Annotated[int, Meta(ge=0)]
    units: Units


LotPicks = Annotated[tuple[LotPick, ...], Meta(max_length=limits.MAX_LOT_PICKS)]

EMPTY_LINE: Final = Holding(0, 0, 0, 0, 0, 0, 0)

SECURITIES: Final = Table[str, Security](32, "assets.security", (TEXT,), Security, scanned=True)
ASSETS: Final = Table[str, Asset](33, "assets.asset", (TEXT,), Asset, scanned=True)
SUPPLY: Final = Table[str, int](34, "assets.supply", (TEXT,), int)
HOLDINGS: Final = Table[tuple[str, bytes], Holding](35, "assets.holding", (TEXT, ACCOUNT), Holding, scanned=True)
LOTS: Final = Table[tuple[str, bytes, int], Lot](36, "assets.lot", (TEXT, ACCOUNT, NUMBER), Lot, scanned=True)
PORTFOLIO: Final = Table[bytes, tuple[str, ...]](  # of each account, the assets it has lines in, in order
    37, "assets.portfolio", (ACCOUNT,), tuple[str, ...], scanned=True
)
AS_OF: Final = Table[tuple[str, bytes, int], int](38, "assets.as_of", (TEXT, ACCOUNT, NUMBER), int, scanned=True)
