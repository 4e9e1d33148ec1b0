"""An investor takes a subscription back before the close, where the terms let him."""

from stoa.kernel.base import Context, Instruction, Rejections
from stoa.ledger.identity.authority import may_instruct
from stoa.ledger.identity.errors import NotAuthorised
from stoa.ledger.offerings.book import cover_of, end, free, holder_of
from stoa.ledger.offerings.errors import (
    BelowMinimum,
    NotRevocable,
    OfferingUnknown,
    SubscriptionEnded,
    SubscriptionUnknown,
)
from stoa.ledger.offerings.events import SubscriptionWithdrawn
from stoa.ledger.offerings.model import OFFERINGS, PERSONS, SUBSCRIPTIONS, OfferingId, SubscriptionNumber
from stoa.ledger.offerings.window import window_rejections
from stoa.ledger.state import State


class Withdraw(Instruction, tag="offerings.withdraw.v1"):
    """Signed by the account that subscribed, or the one that it was recovered to."""

    offering: OfferingId
    number: SubscriptionNumber


def rejections(view: State, ctx: Context, ins: Withdraw) -> Rejections:
    """OfferingUnknown, SubscriptionUnknown, NotAuthorised, OfferingNotOpen, OfferingNotYetOpen, OfferingOver,
    SubscriptionEnded, NotRevocable, BelowMinimum (by what the person would leave in the book)."""
    offering, one = view.get(OFFERINGS, ins.offering), view.get(SUBSCRIPTIONS, (ins.offering, ins.number))
    if offering is None:
        yield OfferingUnknown(ins.offering)
        return
    if one is None:
        yield SubscriptionUnknown(ins.offering, ins.number)
        return
    if not may_instruct(view, ctx, holder_of(view, one.account)):
        yield NotAuthorised("the account itself")
    yield from window_rejections(ctx, ins.offering, offering)
    if one.state != "open":
        yield SubscriptionEnded(ins.offering, ins.number, one.state)
        return
    if not offering.terms.revocable:
        yield NotRevocable(ins.offering)
    left = view.need(PERSONS, (ins.offering, one.party)) - one.units
    if 0 < left < offering.terms.minimum:
        yield BelowMinimum(ins.offering, one.party, left, offering.terms.minimum)


def apply(view: State, ctx: Context, ins: Withdraw) -> None:
    """Free the cash and end the subscription."""
    offering, one = view.need(OFFERINGS, ins.offering), view.need(SUBSCRIPTIONS, (ins.offering, ins.number))
    cover = cover_of(view, offering, ins.offering, ins.number, one)
    free(view, ctx, offering, cover, cover.units, "withdrawn")
    end(view, ins.offering, ins.number, one, "withdrawn")
    ctx.emit(SubscriptionWithdrawn(ins.offering, ins.number, cover.account, one.units, cover.units))
