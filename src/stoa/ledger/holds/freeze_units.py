"""Units of a line are frozen, or freed again, by whoever controls the asset or keeps the account."""

from stoa.kernel import limits
from stoa.kernel.base import Context, Instruction, Rejections
from stoa.kernel.identifiers import AccountId, AssetId, Hash
from stoa.kernel.money import Units
from stoa.ledger.assets.errors import AssetUnknown
from stoa.ledger.assets.model import ASSETS, EMPTY_LINE
from stoa.ledger.assets.register import line, new_line_rejections
from stoa.ledger.holds.errors import FreezeTooSmall
from stoa.ledger.holds.liens import set_freeze
from stoa.ledger.identity.authority import acting, acts_for, keeps
from stoa.ledger.identity.errors import AccountMoved, AccountUnknown, NotAuthorised, NothingToChange
from stoa.ledger.identity.model import ACCOUNTS, Reason
from stoa.ledger.state import State


class FreezeUnits(Instruction, tag="holds.freeze_units.v1"):
    """Adds to the frozen units of a line, or with ``free`` takes from them. May freeze more than there is."""

    asset: AssetId
    account: AccountId
    units: Units
    free: bool
    reason: Reason
    evidence: Hash


def rejections(view: State, ctx: Context, ins: FreezeUnits) -> Rejections:
    """AssetUnknown, AccountUnknown, NotAuthorised, AccountMoved, FreezeTooSmall, NothingToChange, TooManyLines."""
    terms, account = view.get(ASSETS, ins.asset), view.get(ACCOUNTS, ins.account)
    if terms is None:
        yield AssetUnknown(ins.asset)
    if account is None:
        yield AccountUnknown(ins.account)
    if terms is None or account is None:
        return
    controls = any(acts_for(view, ctx, name) for name in terms.controllers)
    if not (controls or keeps(view, ctx, account) or acting(view, ctx, "supervisor")):
        yield NotAuthorised(f"{' or '.join(terms.controllers)}, {account.custodian} or the supervisor")
    if account.successor:
        yield AccountMoved(ins.account, account.successor)
    held = line(view, ins.asset, ins.account)
    frozen = held.frozen
    if ins.free and ins.units > frozen:
        yield FreezeTooSmall(ins.asset, ins.account, frozen, ins.units)
    if not ins.free and frozen + ins.units > limits.MAX_UNITS:
        yield NothingToChange("everything that could ever come is frozen")
    if held is EMPTY_LINE:
        yield from new_line_rejections(view, ins.asset, ins.account)


def apply(view: State, ctx: Context, ins: FreezeUnits) -> None:
    """Change the freeze."""
    frozen = line(view, ins.asset, ins.account).frozen
    after = frozen - ins.units if ins.free else frozen + ins.units
    set_freeze(view, ctx, ins.asset, ins.account, after, ins.reason, ins.evidence)
