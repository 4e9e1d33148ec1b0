"""An institution attests something about a party, in its own name and until a time."""

from stoa.kernel.base import Context, Instruction, Rejections
from stoa.kernel.identifiers import InstitutionId, PartyId
from stoa.kernel.time import Time
from stoa.ledger.compliance.counters import recount_person, recount_rejections
from stoa.ledger.compliance.errors import BadClaimValue, ClaimExpiryPast
from stoa.ledger.compliance.events import ClaimIssued
from stoa.ledger.compliance.model import CLAIMS, IDENTITY, Claim, ClaimValue, Topic
from stoa.ledger.identity.authority import acts_for, member
from stoa.ledger.identity.errors import InstitutionUnknown, NotAuthorised, PartyUnknown
from stoa.ledger.identity.model import PARTIES
from stoa.ledger.state import State


class Attest(Instruction, tag="compliance.attest.v1"):
    """Replaces what the issuer attested before on the topic. For ``identity`` the value is the country of residence."""

    party: PartyId
    topic: Topic
    issuer: InstitutionId
    value: ClaimValue
    expires: Time


def rejections(view: State, ctx: Context, ins: Attest) -> Rejections:
    """NotAuthorised, InstitutionUnknown, PartyUnknown, BadClaimValue, ClaimExpiryPast, TooManyPositions."""
    if not acts_for(view, ctx, ins.issuer):
        yield NotAuthorised(ins.issuer)
    if member(view, ins.issuer, "identity_provider") is None:
        yield InstitutionUnknown(ins.issuer, "identity_provider")
    if view.get(PARTIES, ins.party) is None:
        yield PartyUnknown(ins.party)
    if ins.topic == IDENTITY and not (len(ins.value) == 2 and ins.value.isalpha() and ins.value.isupper()):
        yield BadClaimValue(ins.topic, ins.value, "a country of two capital letters")
    if ins.expires <= ctx.time:
        yield ClaimExpiryPast(ins.expires, ctx.time)
    yield from recount_rejections(view, ins.party, ins.topic)


def apply(view: State, ctx: Context, ins: Attest) -> None:
    """Enter the claim and count the party's holdings under it."""
    view.put(CLAIMS, (ins.party, ins.topic, ins.issuer), Claim(ins.value, ctx.time, ins.expires, False))
    ctx.emit(ClaimIssued(ins.party, ins.topic, ins.issuer, ins.value, ins.expires))
    recount_person(view, ctx, ins.party, ins.topic, ins.issuer)
