"""The registrar admits an institution."""

from typing import Annotated

from msgspec import Meta

from stoa.kernel.base import Context, Instruction, Rejections
from stoa.kernel.identifiers import Country, InstitutionId, PartyId, account_id
from stoa.ledger.identity.authority import acting
from stoa.ledger.identity.errors import AccountExists, InstitutionExists, NotAuthorised, PartyExists
from stoa.ledger.identity.events import AccountOpened, InstitutionRegistered, PartyRegistered
from stoa.ledger.identity.keys import key_rejections
from stoa.ledger.identity.model import (
    ACCOUNTS,
    INSTITUTIONS,
    OPERATORS,
    PARTIES,
    ROLES,
    Account,
    Institution,
    Keys,
    Name,
    Party,
    Role,
    Threshold,
)
from stoa.ledger.state import State


class RegisterInstitution(Instruction, tag="identity.register_institution.v1"):
    """A new member with its roles and the keys of its operating account. ``party`` is its own number as a party."""

    institution: InstitutionId
    name: Name
    country: Country
    roles: Annotated[tuple[Role, ...], Meta(min_length=1, max_length=len(ROLES))]
    party: PartyId
    threshold: Threshold
    keys: Keys


def rejections(view: State, ctx: Context, ins: RegisterInstitution) -> Rejections:
    """NotAuthorised, InstitutionExists, PartyExists, BadKeys, AccountExists."""
    if acting(view, ctx, "registrar") is None:
        yield NotAuthorised("a registrar")
    if view.get(INSTITUTIONS, ins.institution) is not None:
        yield InstitutionExists(ins.institution)
    if view.get(PARTIES, ins.party) is not None:
        yield PartyExists(ins.party)
    yield from key_rejections(ins.threshold, ins.keys)
    account = account_id(ins.threshold, ins.keys)
    if view.get(ACCOUNTS, account) is not None:
        yield AccountExists(account)


def apply(view: State, ctx: Context, ins: RegisterInstitution) -> None:
    """Enter the institution, its party and its operating account."""
    account = account_id(ins.threshold, ins.keys)
    roles = tuple(role for role in ROLES if role in ins.roles)
    view.put(INSTITUTIONS, ins.institution, Institution(ins.name, ins.country, roles, account, True))
    view.put(OPERATORS, account, ins.institution)
    view.put(PARTIES, ins.party, Party(True, ins.institution, ctx.time))
    view.put(ACCOUNTS, account, Account(ins.party, ins.institution, ins.threshold, ins.keys, False, b"", ctx.time))
    ctx.emit(InstitutionRegistered(ins.institution, ins.name, ins.country, roles, account, True))
    ctx.emit(PartyRegistered(ins.party, True, ins.institution))
    ctx.emit(AccountOpened(account, ins.party, ins.institution, ins.threshold, ins.keys))
