"""What the ledger remembers of offerings: their terms, how far each has come, the book of subscriptions."""

from typing import Annotated, Final, Literal

from msgspec import Meta

from stoa.kernel import limits
from stoa.kernel.codec import Shape
from stoa.kernel.identifiers import CODE_PATTERN, AccountId
from stoa.kernel.money import Amount, Units
from stoa.kernel.time import Time
from stoa.ledger.state import NUMBER, TEXT, Table

OfferingId = Annotated[str, Meta(pattern=CODE_PATTERN)]
SubscriptionNumber = Annotated[int, Meta(ge=1)]
AllotmentRule = Literal["pro_rata", "time"]
Stage = Literal["open", "judging", "allotting", "rounding", "settling", "refunding", "settled", "refunded"]

ENDED: Final = ("settled", "refunded")
CLOSE: Final = "offerings.close"  # the kind of due work that closes an offering


class Tier(Shape):
    """A price of one unit, in the smallest unit of the currency, for subscriptions made before ``until``."""

    until: Time
    price: Units


class OfferingTerms(Shape):
    """What is on offer, to the package's rules. ``locked`` ends the lock-up of allotted lots (0: none).

    ``revocable``: investors may withdraw before the close. ``closable``: the agent may close at any time.
    """

    units: Units
    soft_cap: Amount
    hard_cap: Units
    minimum: Units
    limit: Units
    tiers: Annotated[tuple[Tier, ...], Meta(min_length=1, max_length=limits.MAX_TIERS)]
    opens: Time
    closes: Time
    locked: Time
    allotment: AllotmentRule
    revocable: bool
    closable: bool
    proceeds: AccountId

    def price_at(self, time: int) -> int:
        """The price in force, the last one after all tiers."""
        return next((tier.price for tier in self.tiers if time < tier.until), self.tiers[-1].price)


class Offering(Shape):
    """An offering and how far it has come. Cash is in the smallest unit of ``currency``.

    ``cursor`` is the last subscription that the pass at hand has dealt with, ``count`` the last one made;
    ``subscribed`` and ``held`` are units and cost of the open subscriptions; ``book`` is ``subscribed`` when judging
    ended; ``allotted`` units are given a place, ``sold`` are delivered, for ``paid``.
    """

    asset: str
    currency: str
    terms: OfferingTerms
    stage: Stage
    cursor: int
    count: int
    subscribed: int
    held: int
    book: int
    allotted: int
    sold: int
    paid: int


class Subscription(Shape):
    """Units asked for, at the price when they were. ``hold`` is the lien on the cash when it was placed.

    ``allotted`` is a share while the offering settles, and what was delivered when the subscription is ``settled``.
    """

    account: bytes
    party: int
    units: int
    price: int
    hold: int
    made: Time
    state: Literal["open", "withdrawn", "refunded", "settled"]
    allotted: int

    @property
    def cost(self) -> int:
        """What all the units would cost: the cash to hold."""
        return self.units * self.price

    @property
    def payment(self) -> int:
        """What the allotted units cost."""
        return self.allotted * self.price


OFFERINGS: Final = Table[str, Offering](64, "offerings.offering", (TEXT,), Offering, scanned=True)
SUBSCRIPTIONS: Final = Table[tuple[str, int], Subscription](
    65, "offerings.subscription", (TEXT, NUMBER), Subscription, scanned=True
)
PERSONS: Final = Table[tuple[str, int], int](66, "offerings.person", (TEXT, NUMBER), int, scanned=True)  # open units
# (offering, units subscribed less remainder, subscription): the order of the table is that of the largest remainder
REMAINDERS: Final = Table[tuple[str, int, int], int](
    67, "offerings.remainder", (TEXT, NUMBER, NUMBER), int, scanned=True
)
RESERVED: Final = Table[str, int](68, "offerings.reserved", (TEXT,), int, scanned=True)  # asset → units on offer
