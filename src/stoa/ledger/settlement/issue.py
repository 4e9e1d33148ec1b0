"""New units come to an account: a security's controllers issue it, a bank its cash against a deposit."""

from stoa.kernel.base import Context, Instruction, Rejections
from stoa.kernel.identifiers import AccountId, AssetId
from stoa.kernel.money import Amount, Units
from stoa.kernel.time import Time
from stoa.ledger.assets.errors import AssetUnknown
from stoa.ledger.assets.model import ASSETS
from stoa.ledger.identity.authority import unsigned
from stoa.ledger.identity.errors import NotAuthorised
from stoa.ledger.settlement.moves import NOWHERE, Move, apply_move, move_rejections
from stoa.ledger.state import State


class Issue(Instruction, tag="settlement.issue.v1"):
    """Signed by every controller. ``cost`` is what was paid, ``locked`` the end of a lock-up (0: none)."""

    asset: AssetId
    to: AccountId
    units: Units
    cost: Amount
    locked: Time


def _move(ins: Issue) -> Move:
    return Move(ins.asset, "issue", NOWHERE, ins.to, ins.units, ins.cost, locked=ins.locked)


def rejections(view: State, ctx: Context, ins: Issue) -> Rejections:
    """AssetUnknown, NotAuthorised, then the movement's own."""
    terms = view.get(ASSETS, ins.asset)
    if terms is None:
        yield AssetUnknown(ins.asset)
        return
    missing = unsigned(view, ctx, terms.controllers)
    if missing:
        yield NotAuthorised(" and ".join(missing))
    yield from move_rejections(view, ctx, _move(ins))


def apply(view: State, ctx: Context, ins: Issue) -> None:
    """Credit the new units."""
    apply_move(view, ctx, _move(ins))
