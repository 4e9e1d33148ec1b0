"""What happened in offerings. Holds and movements report themselves beside these."""

from stoa.kernel.base import Event, Reasons
from stoa.ledger.offerings.model import OfferingTerms


class OfferingOpened(Event, tag="offerings.opened.v1"):
    """Units of a class are on offer, in its security's currency."""

    offering: str
    asset: str
    currency: str
    terms: OfferingTerms


class Subscribed(Event, tag="offerings.subscribed.v1"):
    """An investor asked for units; their cost is under a hold on his cash."""

    offering: str
    number: int
    account: bytes
    party: int
    units: int
    price: int
    cost: int
    hold: int


class SubscriptionWithdrawn(Event, tag="offerings.withdrawn.v1"):
    """An investor took his subscription back; ``freed`` of his cash is free again."""

    offering: str
    number: int
    account: bytes
    units: int
    freed: int


class OfferingClosing(Event, tag="offerings.closing.v1"):
    """The book is closed. ``why``: deadline, or early by the agent."""

    offering: str
    why: str
    subscribed: int
    held: int


class AllotmentDecided(Event, tag="offerings.allotment_decided.v1"):
    """How ``units`` on offer go to ``subscribed`` eligible ones: in_full, pro_rata (by largest remainder, ties to the
    earlier subscription) or time (in the order of subscription)."""

    offering: str
    rule: str
    units: int
    subscribed: int


class SubscriptionSettled(Event, tag="offerings.subscription_settled.v1"):
    """An allotment was delivered against payment; ``freed`` is the cash of what was not allotted."""

    offering: str
    number: int
    account: bytes
    units: int
    allotted: int
    paid: int
    freed: int


class SubscriptionRefunded(Event, tag="offerings.subscription_refunded.v1"):
    """A subscription came to nothing, for these reasons; all that was held for it is free again."""

    offering: str
    number: int
    account: bytes
    units: int
    freed: int
    reasons: Reasons


class OfferingEnded(Event, tag="offerings.ended.v1"):
    """The close is done. ``stage``: settled or refunded; ``unsold`` units of the offer exist no more."""

    offering: str
    stage: str
    sold: int
    unsold: int
    paid: int
