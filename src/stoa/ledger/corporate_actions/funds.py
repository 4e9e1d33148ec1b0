"""The pool of a distribution: where it lies, what stands against a payment out of it, and how the hold is lowered.

A recovery of the paying account takes the hold along under another number, so the hold is found by its business.
"""

from typing import Final, NamedTuple

from stoa.kernel.base import Context, Rejection
from stoa.ledger.corporate_actions.model import Distribution
from stoa.ledger.holds.liens import holds_of, place, reduce
from stoa.ledger.holds.model import Hold
from stoa.ledger.identity.model import ACCOUNTS
from stoa.ledger.settlement.moves import Move, apply_move, move_rejections
from stoa.ledger.state import State

INCOME: Final = "income"  # the phase of every movement of this domain


class Fund(NamedTuple):
    """What is left of a pool. Without a hold (force took it) ``units`` is 0."""

    asset: str
    account: bytes
    hold: int
    units: int


def latest(view: State, account: bytes) -> bytes:
    """The account itself, or where its recoveries led."""
    successor = view.need(ACCOUNTS, account).successor
    while successor:
        account = successor
        successor = view.need(ACCOUNTS, account).successor
    return account


def _business(distribution: str) -> str:
    return f"corporate_actions {distribution}"


def lay_up(view: State, ctx: Context, distribution: str, terms: Distribution) -> int:
    """Put the pool under a hold of this business. Returns the hold's number."""
    hold = Hold(terms.pool, b"", _business(distribution), f"distribution {distribution}", 0, ctx.time)
    return place(view, ctx, terms.pays, terms.payer, hold)


def fund_of(view: State, distribution: str, terms: Distribution) -> Fund:
    """The pool as it lies now."""
    account = latest(view, terms.payer)
    for number, hold in holds_of(view, terms.pays, account):
        if hold.business == _business(distribution):
            return Fund(terms.pays, account, number, hold.units)
    return Fund(terms.pays, account, 0, 0)


def pay_out(view: State, ctx: Context, fund: Fund, to: bytes, units: int, spent: int) -> list[Rejection]:
    """Move units of the pool, or name every reason why not. The caller lowers the hold afterwards, by ``free``;
    ``spent`` is what has left the fund since it was read, which the hold still covers.
    """
    move = _income(fund, to, units, spent)
    if move is None:
        return []
    refused = list(move_rejections(view, ctx, move))
    if not refused:
        apply_move(view, ctx, move)
    return refused


def refusals(view: State, ctx: Context, fund: Fund, to: bytes, units: int) -> list[Rejection]:
    """Every reason against such a payment as the first of an act."""
    move = _income(fund, to, units, 0)
    return [] if move is None else list(move_rejections(view, ctx, move))


def _income(fund: Fund, to: bytes, units: int, spent: int) -> Move | None:
    """The movement, or None where nothing has to move: nothing is paid, or the paying account pays itself."""
    if to == fund.account or not units:
        return None
    return Move(fund.asset, INCOME, fund.account, to, units, released=min(fund.units, spent + units))


def free(view: State, ctx: Context, fund: Fund, units: int, why: str) -> None:
    """Lower the hold by these units, or by what is left of it."""
    part = min(units, fund.units)
    if part > 0:
        reduce(view, ctx, fund.asset, fund.account, fund.hold, part, why)
