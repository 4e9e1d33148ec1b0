"""An account as a whole is frozen or freed: while frozen it neither sends nor receives, except by force of law."""

from msgspec.structs import replace

from stoa.kernel.base import Context, Instruction, Rejections
from stoa.kernel.identifiers import AccountId, Hash
from stoa.ledger.identity.authority import acting, keeps
from stoa.ledger.identity.errors import AccountMoved, AccountUnknown, NotAuthorised, NothingToChange
from stoa.ledger.identity.events import AccountFreezeSet
from stoa.ledger.identity.model import ACCOUNTS, OPERATORS, Reason
from stoa.ledger.state import State


class FreezeAccount(Instruction, tag="identity.freeze_account.v1"):
    """Signed by the custodian, a registrar or the supervisor, with a reason and the hash of its evidence."""

    account: AccountId
    frozen: bool
    reason: Reason
    evidence: Hash


def rejections(view: State, ctx: Context, ins: FreezeAccount) -> Rejections:
    """AccountUnknown, NotAuthorised, AccountMoved, NothingToChange."""
    account = view.get(ACCOUNTS, ins.account)
    if account is None:
        yield AccountUnknown(ins.account)
        return
    if not (keeps(view, ctx, account) or acting(view, ctx, "registrar") or acting(view, ctx, "supervisor")):
        yield NotAuthorised(f"{account.custodian}, a registrar or the supervisor")
    if account.successor:
        yield AccountMoved(ins.account, account.successor)
    if account.frozen == ins.frozen:
        yield NothingToChange("the account is " + ("frozen" if ins.frozen else "not frozen"))


def apply(view: State, ctx: Context, ins: FreezeAccount) -> None:
    """Set the flag."""
    account = view.need(ACCOUNTS, ins.account)
    view.put(ACCOUNTS, ins.account, replace(account, frozen=ins.frozen))
    by = acting(view, ctx, "registrar") or acting(view, ctx, "supervisor") or view.get(OPERATORS, ctx.author)
    ctx.emit(AccountFreezeSet(ins.account, ins.frozen, by or account.custodian, ins.reason, ins.evidence))
