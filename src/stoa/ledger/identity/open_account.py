"""A custodian opens a line in the register for a party."""

from stoa.kernel.base import Context, Instruction, Rejections
from stoa.kernel.identifiers import InstitutionId, PartyId, account_id
from stoa.ledger.identity.authority import acts_for
from stoa.ledger.identity.errors import AccountExists, NotAuthorised, PartyUnknown
from stoa.ledger.identity.events import AccountOpened
from stoa.ledger.identity.keys import key_rejections
from stoa.ledger.identity.model import ACCOUNTS, PARTIES, Account, Keys, Threshold
from stoa.ledger.state import State


class OpenAccount(Instruction, tag="identity.open_account.v1"):
    """m-of-n keys for the party's account, kept by the custodian. The id follows from m and the sorted keys."""

    party: PartyId
    custodian: InstitutionId
    threshold: Threshold
    keys: Keys


def rejections(view: State, ctx: Context, ins: OpenAccount) -> Rejections:
    """NotAuthorised, PartyUnknown, BadKeys, AccountExists."""
    if not acts_for(view, ctx, ins.custodian):
        yield NotAuthorised(ins.custodian)
    if view.get(PARTIES, ins.party) is None:
        yield PartyUnknown(ins.party)
    yield from key_rejections(ins.threshold, ins.keys)
    account = account_id(ins.threshold, ins.keys)
    if view.get(ACCOUNTS, account) is not None:
        yield AccountExists(account)


def apply(view: State, ctx: Context, ins: OpenAccount) -> None:
    """Open the account."""
    account = account_id(ins.threshold, ins.keys)
    view.put(ACCOUNTS, account, Account(ins.party, ins.custodian, ins.threshold, ins.keys, False, b"", ctx.time))
    ctx.emit(AccountOpened(account, ins.party, ins.custodian, ins.threshold, ins.keys))
