"""All controllers together move units by force of law, with a reason and evidence."""

from stoa.kernel.base import Context, Instruction, Rejections
from stoa.kernel.identifiers import AccountId, AssetId, Hash
from stoa.kernel.money import Amount, Units
from stoa.ledger.assets.errors import AssetUnknown
from stoa.ledger.assets.model import ASSETS
from stoa.ledger.assets.register import line
from stoa.ledger.holds.liens import break_for, set_freeze
from stoa.ledger.identity.authority import unsigned
from stoa.ledger.identity.errors import NotAuthorised
from stoa.ledger.identity.model import ACCOUNTS, Reason
from stoa.ledger.settlement.events import TransferForced
from stoa.ledger.settlement.moves import Move, apply_move, move_rejections
from stoa.ledger.state import State


class ForceTransfer(Instruction, tag="settlement.force_transfer.v1"):
    """Free units go first, then the oldest encumbrance gives way. Between accounts of one person the freeze follows.

    Units forced out of an account that is frozen as a whole stay frozen with that person.
    """

    asset: AssetId
    source: AccountId
    to: AccountId
    units: Units
    cost: Amount
    reason: Reason
    evidence: Hash


def _move(ins: ForceTransfer) -> Move:
    return Move(ins.asset, "forced", ins.source, ins.to, ins.units, ins.cost)


def rejections(view: State, ctx: Context, ins: ForceTransfer) -> Rejections:
    """AssetUnknown, NotAuthorised, then the movement's own in the phase ``forced``."""
    terms = view.get(ASSETS, ins.asset)
    if terms is None:
        yield AssetUnknown(ins.asset)
        return
    missing = unsigned(view, ctx, terms.controllers)
    if missing:
        yield NotAuthorised(" and ".join(missing))
    yield from move_rejections(view, ctx, _move(ins))


def apply(view: State, ctx: Context, ins: ForceTransfer) -> None:
    """Make the units free, then move them."""
    unfrozen = break_for(view, ctx, ins.asset, ins.source, ins.units, ins.reason)
    apply_move(view, ctx, _move(ins))
    source = view.need(ACCOUNTS, ins.source)
    follows = ins.units if source.frozen else unfrozen
    if follows and source.party == view.need(ACCOUNTS, ins.to).party:
        frozen = line(view, ins.asset, ins.to).frozen + follows
        set_freeze(view, ctx, ins.asset, ins.to, frozen, ins.reason, ins.evidence)
    ctx.emit(TransferForced(ins.asset, ins.source, ins.to, ins.units, unfrozen, ins.reason, ins.evidence))
