"""Delivery against payment: several movements that happen all together or not at all."""

from typing import Annotated

from msgspec import Meta

from stoa.kernel import limits
from stoa.kernel.base import Context, Instruction, Rejections
from stoa.kernel.codec import Shape
from stoa.kernel.identifiers import AccountId, AssetId
from stoa.kernel.money import Amount, Units
from stoa.ledger.assets.model import ASSETS, LotPicks
from stoa.ledger.identity.errors import NotAuthorised
from stoa.ledger.settlement.errors import CostMismatch
from stoa.ledger.settlement.moves import Move, act_rejections, apply_move
from stoa.ledger.state import State


class Leg(Shape):
    """One movement. For a security ``cost`` is its price; together they must equal the cash that goes back for them."""

    asset: AssetId
    source: AccountId
    to: AccountId
    units: Units
    cost: Amount
    lots: LotPicks


class Settle(Instruction, tag="settlement.settle.v1"):
    """Signed by every account that gives something. Legs happen in their order."""

    legs: Annotated[tuple[Leg, ...], Meta(min_length=1, max_length=limits.MAX_LEGS)]
    reference: Annotated[str, Meta(max_length=64)]


def _moves(ins: Settle) -> list[Move]:
    return [Move(leg.asset, "settlement", leg.source, leg.to, leg.units, leg.cost, leg.lots) for leg in ins.legs]


def rejections(view: State, ctx: Context, ins: Settle) -> Rejections:
    """NotAuthorised for each giver who did not sign, CostMismatch, then every movement's own."""
    for source in dict.fromkeys(leg.source for leg in ins.legs):
        if not ctx.signed_by(source):
            yield NotAuthorised("every account that gives")
    yield from _cost_rejections(view, ins)
    yield from act_rejections(view, ctx, _moves(ins))


def _cost_rejections(view: State, ins: Settle) -> Rejections:
    costs: dict[tuple[bytes, bytes], int] = {}
    paid: dict[tuple[bytes, bytes], int] = {}
    for leg in ins.legs:
        terms = view.get(ASSETS, leg.asset)
        if terms is not None and terms.kind == "cash":
            pair = (leg.to, leg.source)
            paid[pair] = paid.get(pair, 0) + leg.units
        else:
            pair = (leg.source, leg.to)
            costs[pair] = costs.get(pair, 0) + leg.cost
    for (seller, buyer), cost in costs.items():
        if cost != paid.get((seller, buyer), 0):
            yield CostMismatch(seller, buyer, cost, paid.get((seller, buyer), 0))


def apply(view: State, ctx: Context, ins: Settle) -> None:
    """Move every leg."""
    for move in _moves(ins):
        apply_move(view, ctx, move)
