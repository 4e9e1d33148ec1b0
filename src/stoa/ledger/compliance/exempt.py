"""The owners of a scope's rules free a party of one rule until a time, or end that freedom."""

from stoa.kernel.base import Context, Instruction, Rejections
from stoa.kernel.identifiers import Hash, PartyId
from stoa.kernel.time import Time
from stoa.ledger.compliance.errors import RuleUnknown
from stoa.ledger.compliance.events import ExemptionGranted
from stoa.ledger.compliance.model import EXEMPTIONS, NAMED_PACKS, PACKS, Exemption, Rule, RuleName, Scope
from stoa.ledger.compliance.owners import owned
from stoa.ledger.identity.errors import PartyUnknown
from stoa.ledger.identity.model import PARTIES, Reason
from stoa.ledger.state import State


class Exempt(Instruction, tag="compliance.exempt.v1"):
    """Signed by every owner of the profile. ``until`` at or before now ends an exemption.

    A rule of a pack that the scope names is called ``PACK/RULE``: who may name a pack or not may also except from it.
    """

    scope: Scope
    rule: RuleName
    party: PartyId
    until: Time
    reason: Reason
    evidence: Hash


def rejections(view: State, ctx: Context, ins: Exempt) -> Rejections:
    """ProfileUnknown, NotAuthorised, RuleUnknown, PartyUnknown."""
    profile = yield from owned(view, ctx, ins.scope)
    if profile is None:
        return
    pack, _, rule = ins.rule.rpartition("/")
    if all(one.id != rule for one in (_of_pack(view, ins.scope, pack) if pack else profile.terms.rules)):
        yield RuleUnknown(ins.scope, ins.rule)
    if view.get(PARTIES, ins.party) is None:
        yield PartyUnknown(ins.party)


def _of_pack(view: State, scope: str, pack: str) -> tuple[Rule, ...]:
    """The rules of a pack in force, if the scope names it."""
    named = view.get(NAMED_PACKS, scope)
    return view.need(PACKS, pack).rules if named is not None and pack in named.codes else ()


def apply(view: State, ctx: Context, ins: Exempt) -> None:
    """Enter the exemption."""
    view.put(EXEMPTIONS, (ins.scope, ins.rule, ins.party), Exemption(ins.until, ins.reason, ins.evidence))
    ctx.emit(ExemptionGranted(ins.scope, ins.rule, ins.party, ins.until, ins.reason, ins.evidence))
