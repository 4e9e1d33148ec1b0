"""Units leave the ledger: a holder redeems a security with its agent, or pays out cash with its bank."""

from stoa.kernel.base import Context, Instruction, Rejections
from stoa.kernel.identifiers import AccountId, AssetId
from stoa.kernel.money import Amount, Units
from stoa.ledger.assets.errors import AssetUnknown
from stoa.ledger.assets.model import ASSETS, LotPicks
from stoa.ledger.identity.authority import may_instruct, unsigned
from stoa.ledger.identity.errors import NotAuthorised
from stoa.ledger.settlement.moves import NOWHERE, Move, apply_move, move_rejections
from stoa.ledger.state import State


class Redeem(Instruction, tag="settlement.redeem.v1"):
    """Signed by the account and every controller. ``cost`` is what the holder was paid outside this act."""

    asset: AssetId
    source: AccountId
    units: Units
    cost: Amount
    lots: LotPicks


def _move(ins: Redeem) -> Move:
    return Move(ins.asset, "redemption", ins.source, NOWHERE, ins.units, ins.cost, ins.lots)


def rejections(view: State, ctx: Context, ins: Redeem) -> Rejections:
    """AssetUnknown, NotAuthorised, then the movement's own."""
    terms = view.get(ASSETS, ins.asset)
    if terms is None:
        yield AssetUnknown(ins.asset)
        return
    missing = unsigned(view, ctx, terms.controllers)
    if not may_instruct(view, ctx, ins.source):
        missing.insert(0, "the account itself")
    if missing:
        yield NotAuthorised(" and ".join(missing))
    yield from move_rejections(view, ctx, _move(ins))


def apply(view: State, ctx: Context, ins: Redeem) -> None:
    """Debit the units."""
    apply_move(view, ctx, _move(ins))
