"""The owner of a lien takes what it secures, or has it delivered to somebody else."""

from stoa.kernel.base import Context, Instruction, Rejections
from stoa.kernel.identifiers import AccountId, AssetId
from stoa.kernel.money import Amount, Units
from stoa.ledger.holds.errors import HoldTooSmall, HoldUnknown
from stoa.ledger.holds.liens import reduce
from stoa.ledger.holds.model import HOLDS, HoldNumber
from stoa.ledger.identity.authority import succeeds
from stoa.ledger.identity.errors import NotAuthorised
from stoa.ledger.settlement.moves import Move, apply_move, move_rejections
from stoa.ledger.state import State


class ExecuteHold(Instruction, tag="settlement.execute_hold.v1"):
    """Signed by the hold's owner. The movement obeys every rule of a settlement."""

    asset: AssetId
    account: AccountId
    hold: HoldNumber
    to: AccountId
    units: Units
    cost: Amount


def _move(ins: ExecuteHold, released: int) -> Move:
    return Move(ins.asset, "settlement", ins.account, ins.to, ins.units, ins.cost, released=released)


def rejections(view: State, ctx: Context, ins: ExecuteHold) -> Rejections:
    """HoldUnknown, NotAuthorised, HoldTooSmall, then the movement's own."""
    hold = view.get(HOLDS, (ins.asset, ins.account, ins.hold))
    if hold is None or hold.ended(ctx.time):
        yield HoldUnknown(ins.asset, ins.account, ins.hold)
        return
    if not succeeds(view, ctx, hold.owner):
        yield NotAuthorised("the hold's owner" if hold.owner else hold.business)
    if ins.units > hold.units:
        yield HoldTooSmall(ins.hold, hold.units, ins.units)
    yield from move_rejections(view, ctx, _move(ins, min(ins.units, hold.units)))


def apply(view: State, ctx: Context, ins: ExecuteHold) -> None:
    """Lift the lien from the units and move them."""
    reduce(view, ctx, ins.asset, ins.account, ins.hold, ins.units, "executed")
    apply_move(view, ctx, _move(ins, 0))
