"""The close as due work: passes over the book, each in the order of subscription, as many steps a block as it may do.

The stage and the cursor in the offering's row are its place: judging → allotting → rounding → settling → settled, or
judging → refunding → refunded. The rules are those of the package's docstring.
"""

from collections.abc import Callable
from typing import Final

from msgspec.structs import replace

from stoa.kernel.base import Context
from stoa.ledger.offerings.allotment import allotment_rejections, settle_allotment
from stoa.ledger.offerings.book import cover_of, end, free, refund
from stoa.ledger.offerings.errors import CoverLost, NothingAllotted, SoftCapMissed
from stoa.ledger.offerings.events import AllotmentDecided, OfferingClosing, OfferingEnded, SubscriptionSettled
from stoa.ledger.offerings.model import (
    ENDED,
    OFFERINGS,
    REMAINDERS,
    RESERVED,
    SUBSCRIPTIONS,
    Offering,
    Stage,
    Subscription,
)
from stoa.ledger.state import State

_Step = Callable[[State, Context, str, int, Subscription], None]


def begin(view: State, ctx: Context, code: str, why: str) -> None:
    """Close the book: from here on nothing enters or leaves it but by the close."""
    offering = view.need(OFFERINGS, code)
    view.put(OFFERINGS, code, replace(offering, stage="judging"))
    ctx.emit(OfferingClosing(code, why, offering.subscribed, offering.held))


def close(view: State, ctx: Context, ref: str, budget: int) -> tuple[int, bool]:
    """Due work: go on with the close of the offering. A step is one subscription in one pass."""
    if view.need(OFFERINGS, ref).stage == "open":
        begin(view, ctx, ref, "deadline")
    done = 0
    while done < budget and (stage := view.need(OFFERINGS, ref).stage) not in ENDED:
        done += (_round_off if stage == "rounding" else _walk)(view, ctx, ref, budget - done)
    return max(done, 1), view.need(OFFERINGS, ref).stage in ENDED


def _walk(view: State, ctx: Context, code: str, budget: int) -> int:
    """Up to ``budget`` subscriptions further in the pass at hand; at its end on to the next."""
    before = view.need(OFFERINGS, code)
    rows = view.scan(SUBSCRIPTIONS, (code,), budget, after=(code, before.cursor))
    for (_, number), one in rows:
        if one.state == "open":
            _STEPS[before.stage](view, ctx, code, number, one)
    if len(rows) < budget:
        _turn(view, ctx, code)
    else:
        view.put(OFFERINGS, code, replace(view.need(OFFERINGS, code), cursor=rows[-1][0][1]))
    return len(rows)


def _turn(view: State, ctx: Context, code: str) -> None:
    """End a pass: the next stage, from the start of the book."""
    offering = view.need(OFFERINGS, code)
    book = offering.subscribed if offering.stage == "judging" else offering.book
    stage = _NEXT[offering.stage]
    if offering.stage == "judging" and book < offering.terms.soft_cap:
        stage = "refunding"
    offering = replace(offering, stage=stage, cursor=0, book=book)
    view.put(OFFERINGS, code, offering)
    if stage == "allotting":
        ctx.emit(AllotmentDecided(code, _rule(offering), offering.terms.units, book))
    if stage in ENDED:
        left = view.need(RESERVED, offering.asset) - offering.terms.units
        view.put(RESERVED, offering.asset, left or None)
        ctx.emit(OfferingEnded(code, stage, offering.sold, offering.terms.units - offering.sold, offering.paid))


def _rule(offering: Offering) -> str:
    return "in_full" if offering.book <= offering.terms.units else offering.terms.allotment


def _judge(view: State, ctx: Context, code: str, number: int, one: Subscription) -> None:
    """Refund who could not be allotted all that he asked for."""
    offering = view.need(OFFERINGS, code)
    cover = cover_of(view, offering, code, number, one)
    reasons = allotment_rejections(view, ctx, offering, cover.account, one.units, one.price, cover.units)
    if cover.units < one.cost:
        reasons.insert(0, CoverLost(code, number, cover.units, one.cost))
    if reasons:
        refund(view, ctx, code, number, one, reasons)


def _allot(view: State, ctx: Context, code: str, number: int, one: Subscription) -> None:
    """Give the subscription its share; by pro rata whole units only, and its remainder a place in the order."""
    offering = view.need(OFFERINGS, code)
    rule, units, book = _rule(offering), offering.terms.units, offering.book
    if rule == "pro_rata":
        share, remainder = divmod(units * one.units, book)
        if remainder:
            view.put(REMAINDERS, (code, book - remainder, number), 1)
    else:
        share = min(one.units, units - offering.allotted)
    view.put(SUBSCRIPTIONS, (code, number), replace(one, allotted=share))
    view.put(OFFERINGS, code, replace(offering, allotted=offering.allotted + share))


def _round_off(view: State, ctx: Context, code: str, budget: int) -> int:
    """The method of the largest remainder, whose order is the table's: one unit more each until all are allotted."""
    offering = view.need(OFFERINGS, code)
    rows = view.scan(REMAINDERS, (code,), budget)
    left = offering.terms.units - offering.allotted
    for key, _ in rows[:left]:
        one = view.need(SUBSCRIPTIONS, (code, key[2]))
        view.put(SUBSCRIPTIONS, (code, key[2]), replace(one, allotted=one.allotted + 1))
    for key, _ in rows:
        view.put(REMAINDERS, key, None)
    view.put(OFFERINGS, code, replace(offering, allotted=offering.allotted + min(left, len(rows))))
    if len(rows) < budget:
        _turn(view, ctx, code)
    return len(rows)


def _settle(view: State, ctx: Context, code: str, number: int, one: Subscription) -> None:
    """Delivery against payment of one allotment, or a refund with the reasons."""
    offering = view.need(OFFERINGS, code)
    if not one.allotted:
        refund(view, ctx, code, number, one, [NothingAllotted(code, number, one.units)])
        return
    cover = cover_of(view, offering, code, number, one)
    reasons = allotment_rejections(view, ctx, offering, cover.account, one.allotted, one.price, cover.units)
    if cover.units < one.payment:
        reasons.insert(0, CoverLost(code, number, cover.units, one.payment))
    if reasons:
        refund(view, ctx, code, number, one, reasons)
        return
    free(view, ctx, offering, cover, one.payment, "allotted")
    settle_allotment(view, ctx, offering, cover.account, one.allotted, one.price)
    rest = cover.units - one.payment
    free(view, ctx, offering, cover, rest, "not allotted")
    end(view, code, number, one, "settled", one.allotted)
    ctx.emit(SubscriptionSettled(code, number, cover.account, one.units, one.allotted, one.payment, rest))


def _refund(view: State, ctx: Context, code: str, number: int, one: Subscription) -> None:
    """Give everything back: the soft cap was missed."""
    offering = view.need(OFFERINGS, code)
    refund(view, ctx, code, number, one, [SoftCapMissed(code, offering.book, offering.terms.soft_cap)])


_STEPS: Final[dict[str, _Step]] = {
    "judging": _judge,
    "allotting": _allot,
    "settling": _settle,
    "refunding": _refund,
}
_NEXT: Final[dict[str, Stage]] = {
    "judging": "allotting",
    "allotting": "rounding",
    "rounding": "settling",
    "settling": "settled",
    "refunding": "refunded",
}
