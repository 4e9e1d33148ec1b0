"""An allotment as movements: cash to the proceeds account, new units to the investor; and all that speaks against it.

The one place that says how units are delivered against payment, for the subscription and for the close alike.
"""

from stoa.kernel.base import Context, Rejection
from stoa.ledger.offerings.book import holder_of
from stoa.ledger.offerings.model import Offering
from stoa.ledger.settlement.moves import NOWHERE, Move, apply_move, move_rejections
from stoa.ledger.state import State


def payment(view: State, offering: Offering, account: bytes, cost: int, released: int = 0) -> Move:
    """The cash leg; ``released`` of it comes out of the subscription's hold."""
    proceeds = holder_of(view, offering.terms.proceeds)
    return Move(offering.currency, "settlement", account, proceeds, cost, released=released)


def delivery(offering: Offering, account: bytes, units: int, cost: int) -> Move:
    """The units, as one new lot at their cost under the lock-up of the terms."""
    return Move(offering.asset, "offering", NOWHERE, account, units, cost, locked=offering.terms.locked)


def allotment_rejections(
    view: State, ctx: Context, offering: Offering, account: bytes, units: int, price: int, released: int = 0
) -> list[Rejection]:
    """Every reason against delivering the units against their payment: the payment's, then the delivery's, each once.

    Neither leg touches what the other is judged by, so both are judged as things stand.
    """
    cost = units * price
    found = [
        *move_rejections(view, ctx, payment(view, offering, account, cost, released)),
        *move_rejections(view, ctx, delivery(offering, account, units, cost)),
    ]
    return list(dict.fromkeys(found))


def settle_allotment(view: State, ctx: Context, offering: Offering, account: bytes, units: int, price: int) -> None:
    """Deliver the units against their payment; the hold is lifted already."""
    apply_move(view, ctx, payment(view, offering, account, units * price))
    apply_move(view, ctx, delivery(offering, account, units, units * price))
