"""Controllers halt movements of an asset, one alone; they resume it all together."""

from msgspec.structs import replace

from stoa.kernel.base import Context, Instruction, Rejections
from stoa.kernel.identifiers import AssetId
from stoa.ledger.assets.errors import AssetUnknown
from stoa.ledger.assets.events import AssetPauseSet
from stoa.ledger.assets.model import ASSETS
from stoa.ledger.identity.authority import acting, acts_for
from stoa.ledger.identity.errors import NotAuthorised, NothingToChange
from stoa.ledger.identity.model import OPERATORS, Reason
from stoa.ledger.state import State


class Pause(Instruction, tag="assets.pause.v1"):
    """Halt: any controller or the supervisor. Resume: every controller."""

    asset: AssetId
    paused: bool
    reason: Reason


def rejections(view: State, ctx: Context, ins: Pause) -> Rejections:
    """AssetUnknown, NotAuthorised, NothingToChange."""
    terms = view.get(ASSETS, ins.asset)
    if terms is None:
        yield AssetUnknown(ins.asset)
        return
    signed = [name for name in terms.controllers if acts_for(view, ctx, name)]
    if ins.paused and not signed and acting(view, ctx, "supervisor") is None:
        yield NotAuthorised(" or ".join(terms.controllers) + " or the supervisor")
    if not ins.paused and len(signed) < len(terms.controllers):
        yield NotAuthorised(" and ".join(terms.controllers))
    if terms.paused == ins.paused:
        yield NothingToChange("the asset is " + ("halted" if ins.paused else "not halted"))


def apply(view: State, ctx: Context, ins: Pause) -> None:
    """Set the flag."""
    terms = view.need(ASSETS, ins.asset)
    view.put(ASSETS, ins.asset, replace(terms, paused=ins.paused))
    ctx.emit(AssetPauseSet(ins.asset, ins.paused, view.get(OPERATORS, ctx.author) or "", ins.reason))
