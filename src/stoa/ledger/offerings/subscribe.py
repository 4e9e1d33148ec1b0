"""An investor asks for units of an offering and puts their cost under a hold."""

import msgspec

from stoa.kernel import limits
from stoa.kernel.base import Context, Instruction, Rejection, Rejections
from stoa.kernel.identifiers import AccountId
from stoa.kernel.money import Amount, Units
from stoa.ledger.holds.errors import TooManyHolds
from stoa.ledger.holds.liens import holds_of, place
from stoa.ledger.holds.model import Hold
from stoa.ledger.identity.authority import may_instruct
from stoa.ledger.identity.errors import AccountUnknown, NotAuthorised
from stoa.ledger.identity.model import ACCOUNTS
from stoa.ledger.offerings.allotment import allotment_rejections, delivery
from stoa.ledger.offerings.book import business
from stoa.ledger.offerings.errors import AboveLimit, BelowMinimum, CostDiffers, HardCapReached, OfferingUnknown
from stoa.ledger.offerings.events import Subscribed
from stoa.ledger.offerings.model import OFFERINGS, PERSONS, SUBSCRIPTIONS, Offering, OfferingId, Subscription
from stoa.ledger.offerings.window import window_rejections
from stoa.ledger.settlement.moves import apply_move
from stoa.ledger.state import State


class Subscribe(Instruction, tag="offerings.subscribe.v1"):
    """Signed by the account. ``cost`` is units times the price in force, so that a changed price binds nobody."""

    offering: OfferingId
    account: AccountId
    units: Units
    cost: Amount


def rejections(view: State, ctx: Context, ins: Subscribe) -> Rejections:
    """OfferingUnknown, AccountUnknown, NotAuthorised, OfferingNotOpen, OfferingNotYetOpen, OfferingOver, BelowMinimum,
    AboveLimit, HardCapReached, CostDiffers, the payment's and the delivery's own, TooManyHolds."""
    offering, account = view.get(OFFERINGS, ins.offering), view.get(ACCOUNTS, ins.account)
    if offering is None:
        yield OfferingUnknown(ins.offering)
    if account is None:
        yield AccountUnknown(ins.account)
    if offering is None or account is None:
        return
    if not may_instruct(view, ctx, ins.account):
        yield NotAuthorised("the account itself")
    yield from window_rejections(ctx, ins.offering, offering)
    before = view.get(PERSONS, (ins.offering, account.party)) or 0
    yield from _limit_rejections(ins, offering, account.party, before)
    if ins.units > offering.terms.hard_cap:
        return  # its cost may be beyond any amount, so nothing more can be said about it
    price = offering.terms.price_at(ctx.time)
    if ins.cost != ins.units * price:
        yield CostDiffers(ins.offering, price, ins.units * price, ins.cost)
    yield from _movement_rejections(view, ctx, ins, offering, before, price)
    if len(holds_of(view, offering.currency, ins.account)) >= limits.MAX_HOLDS:
        yield TooManyHolds(offering.currency, ins.account, limits.MAX_HOLDS)


def _limit_rejections(ins: Subscribe, offering: Offering, party: int, before: int) -> Rejections:
    terms = offering.terms
    if before + ins.units < terms.minimum:
        yield BelowMinimum(ins.offering, party, before + ins.units, terms.minimum)
    if before + ins.units > terms.limit:
        yield AboveLimit(ins.offering, party, before, ins.units, terms.limit)
    if offering.subscribed + ins.units > terms.hard_cap:
        yield HardCapReached(ins.offering, offering.subscribed, ins.units, terms.hard_cap)


def _movement_rejections(
    view: State, ctx: Context, ins: Subscribe, offering: Offering, before: int, price: int
) -> list[Rejection]:
    """What the allotment in full would meet, once the person has been allotted what he subscribed before.

    Leaves the state as it was.
    """
    mark = view.mark()
    try:
        if before:
            apply_move(view, msgspec.structs.replace(ctx, events=[]), delivery(offering, ins.account, before, 0))
        return allotment_rejections(view, ctx, offering, ins.account, ins.units, price)
    finally:
        view.rollback(mark)


def apply(view: State, ctx: Context, ins: Subscribe) -> None:
    """Hold the cash and enter the subscription in the book."""
    offering = view.need(OFFERINGS, ins.offering)
    party = view.need(ACCOUNTS, ins.account).party
    number, price = offering.count + 1, offering.terms.price_at(ctx.time)
    lien = Hold(ins.cost, b"", business(ins.offering, number), f"subscription of {ins.offering}", 0, ctx.time)
    hold = place(view, ctx, offering.currency, ins.account, lien)
    one = Subscription(ins.account, party, ins.units, price, hold, ctx.time, "open", 0)
    view.put(SUBSCRIPTIONS, (ins.offering, number), one)
    person = (ins.offering, party)
    view.put(PERSONS, person, (view.get(PERSONS, person) or 0) + ins.units)
    grown = msgspec.structs.replace(
        offering, count=number, subscribed=offering.subscribed + ins.units, held=offering.held + ins.cost
    )
    view.put(OFFERINGS, ins.offering, grown)
    ctx.emit(Subscribed(ins.offering, number, ins.account, party, ins.units, price, ins.cost, hold))
