"""The book: how a subscription is carried, found after a recovery, and ended. Checks nothing; the verbs do."""

from typing import Final, Literal, NamedTuple

from msgspec.structs import replace

from stoa.kernel.base import Context, Rejection, kept
from stoa.ledger.holds.liens import holds_of, reduce
from stoa.ledger.holds.model import HOLDS
from stoa.ledger.identity.model import ACCOUNTS
from stoa.ledger.offerings.events import SubscriptionRefunded
from stoa.ledger.offerings.model import OFFERINGS, PERSONS, SUBSCRIPTIONS, Offering, Subscription
from stoa.ledger.state import State

BUSINESS: Final = "offering:"


class Cover(NamedTuple):
    """Where a subscription's cash lies now: whose it is, the hold's number (0: force took all of it), and how much."""

    account: bytes
    hold: int
    units: int


def business(code: str, number: int) -> str:
    """The name under which a subscription owns the hold on its cash."""
    return f"{BUSINESS}{code}:{number}"


def holder_of(view: State, account: bytes) -> bytes:
    """The account, or the one that recoveries led it to."""
    while successor := view.need(ACCOUNTS, account).successor:
        account = successor
    return account


def cover_of(view: State, offering: Offering, code: str, number: int, one: Subscription) -> Cover:
    """The cash behind an open subscription. A recovery places the hold anew, so then it is found by its business."""
    account = holder_of(view, one.account)
    hold = view.get(HOLDS, (offering.currency, account, one.hold))
    if hold is not None:
        return Cover(account, one.hold, hold.units)
    for found, hold in holds_of(view, offering.currency, account):
        if hold.business == business(code, number):
            return Cover(account, found, hold.units)
    return Cover(account, 0, 0)


def end(
    view: State,
    code: str,
    number: int,
    one: Subscription,
    state: Literal["withdrawn", "refunded", "settled"],
    allotted: int = 0,
) -> None:
    """Take an open subscription out of the book's totals; its row stays, with what became of it."""
    ended = replace(one, state=state, allotted=allotted)
    view.put(SUBSCRIPTIONS, (code, number), ended)
    view.put(PERSONS, (code, one.party), (view.need(PERSONS, (code, one.party)) - one.units) or None)
    offering = view.need(OFFERINGS, code)
    view.put(
        OFFERINGS,
        code,
        replace(
            offering,
            subscribed=offering.subscribed - one.units,
            held=offering.held - one.cost,
            sold=offering.sold + ended.allotted,
            paid=offering.paid + ended.payment,
        ),
    )


def free(view: State, ctx: Context, offering: Offering, cover: Cover, units: int, why: str) -> None:
    """Lift the hold from some of the cash."""
    if units:
        reduce(view, ctx, offering.currency, cover.account, cover.hold, units, why)


def refund(view: State, ctx: Context, code: str, number: int, one: Subscription, reasons: list[Rejection]) -> None:
    """End a subscription with nothing allotted, and free what is still held for it."""
    offering = view.need(OFFERINGS, code)
    cover = cover_of(view, offering, code, number, one)
    free(view, ctx, offering, cover, cover.units, "refunded")
    end(view, code, number, one, "refunded")
    ctx.emit(SubscriptionRefunded(code, number, cover.account, one.units, cover.units, kept(reasons)))
