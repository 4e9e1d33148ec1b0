"""The owner of a lien frees some or all of its units."""

from stoa.kernel.base import Context, Instruction, Rejections
from stoa.kernel.identifiers import AccountId, AssetId
from stoa.kernel.money import Units
from stoa.ledger.holds.errors import HoldTooSmall, HoldUnknown
from stoa.ledger.holds.liens import reduce
from stoa.ledger.holds.model import HOLDS, HoldNumber
from stoa.ledger.identity.authority import succeeds
from stoa.ledger.identity.errors import NotAuthorised
from stoa.ledger.identity.model import Reason
from stoa.ledger.state import State


class ReleaseHold(Instruction, tag="holds.release.v1"):
    """Signed by the hold's owner. A hold of a business ends by that business only."""

    asset: AssetId
    account: AccountId
    hold: HoldNumber
    units: Units
    reason: Reason


def rejections(view: State, ctx: Context, ins: ReleaseHold) -> Rejections:
    """HoldUnknown, NotAuthorised, HoldTooSmall."""
    hold = view.get(HOLDS, (ins.asset, ins.account, ins.hold))
    if hold is None:
        yield HoldUnknown(ins.asset, ins.account, ins.hold)
        return
    if not succeeds(view, ctx, hold.owner):
        yield NotAuthorised("the hold's owner" if hold.owner else hold.business)
    if ins.units > hold.units:
        yield HoldTooSmall(ins.hold, hold.units, ins.units)


def apply(view: State, ctx: Context, ins: ReleaseHold) -> None:
    """Free the units."""
    reduce(view, ctx, ins.asset, ins.account, ins.hold, ins.units, ins.reason)
