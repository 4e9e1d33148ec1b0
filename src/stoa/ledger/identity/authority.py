"""Who speaks for whom in a transaction: the few questions that every verb asks about its signers."""

from stoa.kernel.base import Context
from stoa.ledger.identity.model import ACCOUNTS, INSTITUTIONS, OPERATORS, Account, Institution
from stoa.ledger.state import State


def acts_for(view: State, ctx: Context, institution: str) -> bool:
    """Whether the institution is active and its operating account signed."""
    member = view.get(INSTITUTIONS, institution)
    return member is not None and member.active and ctx.signed_by(member.account)


def unsigned(view: State, ctx: Context, institutions: tuple[str, ...]) -> list[str]:
    """Those of the institutions that nobody here acts for, in their order."""
    return [institution for institution in institutions if not acts_for(view, ctx, institution)]


def acting(view: State, ctx: Context, role: str) -> str | None:
    """The first signing institution that is active and has the role."""
    for signer in ctx.signers:
        institution = view.get(OPERATORS, signer)
        if institution is not None:
            member = view.need(INSTITUTIONS, institution)
            if member.active and role in member.roles:
                return institution
    return None


def member(view: State, institution: str, role: str) -> Institution | None:
    """The institution, if it is active and has the role."""
    found = view.get(INSTITUTIONS, institution)
    return found if found is not None and found.active and role in found.roles else None


def may_instruct(view: State, ctx: Context, account_id: bytes) -> bool:
    """Whether the account's own keys signed. The custodian signs with keys of the account that he keeps."""
    return ctx.signed_by(account_id) and view.get(ACCOUNTS, account_id) is not None


def succeeds(view: State, ctx: Context, account_id: bytes) -> bool:
    """Whether the account signed, or, once it was recovered, the account that it was recovered to in the end."""
    account = view.get(ACCOUNTS, account_id)
    while account is not None and account.successor:
        account_id = account.successor
        account = view.get(ACCOUNTS, account_id)
    return account is not None and ctx.signed_by(account_id)


def keeps(view: State, ctx: Context, account: Account) -> bool:
    """Whether the account's custodian signed."""
    return acts_for(view, ctx, account.custodian)
