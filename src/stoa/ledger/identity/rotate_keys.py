"""The owner of an account replaces its keys; the account keeps its address."""

from msgspec.structs import replace

from stoa.kernel.base import Context, Instruction, Rejections
from stoa.kernel.identifiers import AccountId
from stoa.ledger.identity.authority import may_instruct
from stoa.ledger.identity.errors import AccountMoved, AccountUnknown, NotAuthorised
from stoa.ledger.identity.events import KeysRotated
from stoa.ledger.identity.keys import key_rejections
from stoa.ledger.identity.model import ACCOUNTS, Keys, Threshold
from stoa.ledger.state import State


class RotateKeys(Instruction, tag="identity.rotate_keys.v1"):
    """Signed by the account with its present keys. A lost key is a case for ``settlement.recover``."""

    account: AccountId
    threshold: Threshold
    keys: Keys


def rejections(view: State, ctx: Context, ins: RotateKeys) -> Rejections:
    """AccountUnknown, NotAuthorised, AccountMoved, BadKeys."""
    account = view.get(ACCOUNTS, ins.account)
    if account is None:
        yield AccountUnknown(ins.account)
        return
    if not may_instruct(view, ctx, ins.account):
        yield NotAuthorised("the account itself")
    if account.successor:
        yield AccountMoved(ins.account, account.successor)
    yield from key_rejections(ins.threshold, ins.keys)


def apply(view: State, ctx: Context, ins: RotateKeys) -> None:
    """Put the new keys in place of the old."""
    account = view.need(ACCOUNTS, ins.account)
    view.put(ACCOUNTS, ins.account, replace(account, threshold=ins.threshold, keys=ins.keys))
    ctx.emit(KeysRotated(ins.account, ins.threshold, ins.keys))
