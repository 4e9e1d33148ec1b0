"""The owners of a scope's rules adopt a new version of them."""

from msgspec.structs import replace

from stoa.kernel.base import Context, Instruction, Rejections
from stoa.ledger.compliance.compile import terms_rejections
from stoa.ledger.compliance.events import RulesAdopted
from stoa.ledger.compliance.model import PROFILES, Profile, Scope, Terms
from stoa.ledger.compliance.owners import owned
from stoa.ledger.state import State


class AdoptRules(Instruction, tag="compliance.adopt_rules.v1"):
    """Signed by every owner of the scope's profile. The first version comes with the asset itself."""

    scope: Scope
    terms: Terms


def rejections(view: State, ctx: Context, ins: AdoptRules) -> Rejections:
    """ProfileUnknown, NotAuthorised, RulesInvalid."""
    profile = yield from owned(view, ctx, ins.scope)
    if profile is None:
        return
    yield from terms_rejections(ins.scope, ins.terms)


def apply(view: State, ctx: Context, ins: AdoptRules) -> None:
    """Put the new version in force from the next movement on."""
    profile = view.need(PROFILES, ins.scope)
    adopt(view, ctx, ins.scope, profile.owners, ins.terms, profile.version + 1)


def renew(view: State, ctx: Context, scope: str) -> int:
    """Count what now stands beside the scope's rules as another version of them. Returns its number. The rules are not
    told again: an event would be as long as they are, for an act of a few bytes."""
    profile = view.need(PROFILES, scope)
    view.put(PROFILES, scope, replace(profile, version=profile.version + 1, adopted=ctx.time))
    return profile.version + 1


def adopt(view: State, ctx: Context, scope: str, owners: tuple[str, ...], terms: Terms, version: int) -> None:
    """Write a version of a scope's profile. Also the last step of creating an asset."""
    view.put(PROFILES, scope, Profile(version, owners, ctx.time, terms))
    ctx.emit(RulesAdopted(scope, version, owners, terms))
