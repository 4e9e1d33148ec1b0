"""Units move from one account to another, free of payment on this ledger."""

from stoa.kernel.base import Context, Instruction, Rejections
from stoa.kernel.identifiers import AccountId, AssetId
from stoa.kernel.money import Amount, Units
from stoa.ledger.assets.model import LotPicks
from stoa.ledger.identity.errors import NotAuthorised
from stoa.ledger.settlement.moves import Move, apply_move, move_rejections
from stoa.ledger.state import State


class Transfer(Instruction, tag="settlement.transfer.v1"):
    """Signed by the sender. ``cost`` is what the receiver paid outside this ledger (0 if nothing), for his cost basis.

    ``lots`` names the acquisitions that leave; empty means first in, first out.
    """

    asset: AssetId
    source: AccountId
    to: AccountId
    units: Units
    cost: Amount
    lots: LotPicks


def _move(ins: Transfer) -> Move:
    return Move(ins.asset, "transfer", ins.source, ins.to, ins.units, ins.cost, ins.lots)


def rejections(view: State, ctx: Context, ins: Transfer) -> Rejections:
    """NotAuthorised, then the movement's own."""
    if ins.source not in ctx.signers:
        yield NotAuthorised("the sending account")
    yield from move_rejections(view, ctx, _move(ins))


def apply(view: State, ctx: Context, ins: Transfer) -> None:
    """Move the units."""
    apply_move(view, ctx, _move(ins))
