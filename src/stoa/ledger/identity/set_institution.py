"""The registrar changes an institution's roles, suspends it, or reinstates it."""

from typing import Annotated

from msgspec import Meta
from msgspec.structs import replace

from stoa.kernel.base import Context, Instruction, Rejections
from stoa.kernel.identifiers import Hash, InstitutionId
from stoa.ledger.identity.authority import acting
from stoa.ledger.identity.errors import InstitutionMissing, LastRegistrar, NotAuthorised, NothingToChange
from stoa.ledger.identity.events import InstitutionRegistered
from stoa.ledger.identity.model import INSTITUTIONS, ROLES, Institution, Reason, Role
from stoa.ledger.state import State


class SetInstitution(Instruction, tag="identity.set_institution.v1"):
    """Signed by a registrar, with a reason and the hash of its evidence. While ``active`` is 0, nobody acts for it."""

    institution: InstitutionId
    roles: Annotated[tuple[Role, ...], Meta(min_length=1, max_length=len(ROLES))]
    active: bool
    reason: Reason
    evidence: Hash


def rejections(view: State, ctx: Context, ins: SetInstitution) -> Rejections:
    """NotAuthorised, InstitutionMissing, NothingToChange, LastRegistrar."""
    if acting(view, ctx, "registrar") is None:
        yield NotAuthorised("a registrar")
    before = view.get(INSTITUTIONS, ins.institution)
    if before is None:
        yield InstitutionMissing(ins.institution)
        return
    after = _changed(before, ins)
    if after == before:
        yield NothingToChange(f"{ins.institution} has these roles and is {'active' if ins.active else 'suspended'}")
    if _registrar(before) and not _registrar(after) and not _another_registrar(view, ins.institution):
        yield LastRegistrar(ins.institution)


def _changed(before: Institution, ins: SetInstitution) -> Institution:
    return replace(before, roles=tuple(role for role in ROLES if role in ins.roles), active=ins.active)


def _registrar(institution: Institution) -> bool:
    return institution.active and "registrar" in institution.roles


def _another_registrar(view: State, but: str) -> bool:
    """Whether somebody else could undo the change."""
    return any(code != but and _registrar(institution) for code, institution in view.walk(INSTITUTIONS))


def apply(view: State, ctx: Context, ins: SetInstitution) -> None:
    """Replace the institution's entry."""
    after = _changed(view.need(INSTITUTIONS, ins.institution), ins)
    view.put(INSTITUTIONS, ins.institution, after)
    ctx.emit(
        InstitutionRegistered(ins.institution, after.name, after.country, after.roles, after.account, after.active)
    )
