"""The holder puts units of his line under a lien in favour of another account."""

from stoa.kernel import limits
from stoa.kernel.base import Context, Instruction, Rejections
from stoa.kernel.identifiers import AccountId, AssetId
from stoa.kernel.money import Units
from stoa.kernel.time import Time
from stoa.ledger.assets.errors import AssetUnknown
from stoa.ledger.assets.model import ASSETS
from stoa.ledger.assets.register import line
from stoa.ledger.holds.errors import ExpiryPast, TooManyHolds
from stoa.ledger.holds.free import free_rejections
from stoa.ledger.holds.liens import holds_of, place
from stoa.ledger.holds.model import Hold
from stoa.ledger.identity.authority import may_instruct
from stoa.ledger.identity.errors import AccountFrozen, AccountMoved, AccountUnknown, NotAuthorised
from stoa.ledger.identity.model import ACCOUNTS, Reason
from stoa.ledger.state import State


class PlaceHold(Instruction, tag="holds.place.v1"):
    """Signed by the account. ``owner`` may release or execute; ``expires`` 0 means never."""

    asset: AssetId
    account: AccountId
    units: Units
    owner: AccountId
    reason: Reason
    expires: Time


def rejections(view: State, ctx: Context, ins: PlaceHold) -> Rejections:
    """AssetUnknown, AccountUnknown, NotAuthorised, AccountMoved, AccountFrozen, ExpiryPast, the units' own,
    TooManyHolds."""
    if view.get(ASSETS, ins.asset) is None:
        yield AssetUnknown(ins.asset)
    for account_id in (ins.account, ins.owner):
        if view.get(ACCOUNTS, account_id) is None:
            yield AccountUnknown(account_id)
    if not may_instruct(view, ctx, ins.account):
        yield NotAuthorised("the account itself")
    account = view.get(ACCOUNTS, ins.account)
    if account is not None and account.successor:
        yield AccountMoved(ins.account, account.successor)
    if account is not None and account.frozen:
        yield AccountFrozen(ins.account)
    if ins.expires and ins.expires <= ctx.time:
        yield ExpiryPast(ins.expires, ctx.time)
    yield from free_rejections(ins.asset, ins.account, line(view, ins.asset, ins.account), ins.units)
    if len(holds_of(view, ins.asset, ins.account)) >= limits.MAX_HOLDS:
        yield TooManyHolds(ins.asset, ins.account, limits.MAX_HOLDS)


def apply(view: State, ctx: Context, ins: PlaceHold) -> None:
    """Place it."""
    place(view, ctx, ins.asset, ins.account, Hold(ins.units, ins.owner, "", ins.reason, ins.expires, ctx.time))
