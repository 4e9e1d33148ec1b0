"""What the ledger remembers of corporate actions: terms, progress, and entitlements that wait for their owner."""

from typing import Annotated, Final, Literal

from msgspec import Meta

from stoa.kernel import limits
from stoa.kernel.codec import Shape
from stoa.kernel.identifiers import CODE_PATTERN, AccountId, AssetId, Country, Hash
from stoa.kernel.money import Rate, Units
from stoa.kernel.time import Time
from stoa.ledger.compliance.model import ClaimValue
from stoa.ledger.state import ACCOUNT, TEXT, Table

DistributionId = Annotated[str, Meta(pattern=CODE_PATTERN)]  # chosen by who announces it, e.g. HBT-2026Q1
Status = Literal["announced", "cancelled", "underfunded", "recorded", "complete"]
Residue = Literal["return"]  # what the rounding leaves goes back to the paying account

PRO_RATA: Final = Rate(0, 1)  # ``per_unit`` of a distribution that shares out its whole pool
RECORD: Final = "corporate_actions.record"  # kinds of due work
PAYMENT: Final = "corporate_actions.payment"


class TaxRate(Shape):
    """Withholding for residents of a country; for one investor category of them, unless ``category`` is empty."""

    country: Country
    category: ClaimValue
    rate: Rate


class Distribution(Shape):
    """The terms. ``pays`` is a cash token, or a security for income in kind; ``pool`` is in its smallest unit.

    ``per_unit`` is what one unit of ``asset`` gets, in the smallest unit of ``pays``; 0: the whole pool pro rata.
    """

    asset: AssetId
    pays: AssetId
    payer: AccountId
    pool: Units
    per_unit: Rate
    record: Time
    payment: Time
    default_rate: Rate
    rates: Annotated[tuple[TaxRate, ...], Meta(max_length=limits.MAX_COUNTRIES)]
    tax_account: AccountId
    residue: Residue
    document: Hash  # SHA-256 of the resolution

    @property
    def pro_rata(self) -> bool:
        """Whether the whole pool is shared out by units."""
        return self.per_unit.over == 0


class Progress(Shape):
    """How far a distribution is. ``pool`` is what lay under the hold at the record, ``units`` the supply then.

    ``net`` is paid, ``tax`` withheld (``waiting`` of it not yet with the tax account), ``unclaimed`` are refused nets.
    """

    status: Status
    pool: int
    snapshot: int = 0
    units: int = 0
    cursor: bytes = b""  # the last account that was dealt with
    holders: int = 0
    net: int = 0
    tax: int = 0
    waiting: int = 0
    unclaimed: int = 0
    residue: int = 0

    @property
    def owed(self) -> int:
        """What is still to leave the hold, the residue included while it is not known."""
        return self.pool - self.net - self.tax + self.waiting - self.residue


class Entitlement(Shape):
    """What one line gets: gross == net + tax. ``country`` is empty if no residence is attested."""

    units: int
    gross: int
    tax: int
    net: int
    rate: Rate
    country: str


class Unclaimed(Shape):
    """A net that could not be paid, and the numbers of the rejections that stood against it."""

    entitlement: Entitlement
    reasons: tuple[int, ...]


DISTRIBUTIONS: Final = Table[str, Distribution](
    72, "corporate_actions.distribution", (TEXT,), Distribution, scanned=True
)
PROGRESS: Final = Table[str, Progress](73, "corporate_actions.progress", (TEXT,), Progress)
UNCLAIMED: Final = Table[tuple[str, bytes], Unclaimed](
    74, "corporate_actions.unclaimed", (TEXT, ACCOUNT), Unclaimed, scanned=True
)
