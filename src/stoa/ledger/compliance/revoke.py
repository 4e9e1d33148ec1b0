"""An institution takes back what it attested. From this block on it counts for nothing; holders stay counted."""

from msgspec.structs import replace

from stoa.kernel.base import Context, Instruction, Rejections
from stoa.kernel.identifiers import InstitutionId, PartyId
from stoa.ledger.compliance.errors import ClaimUnknown
from stoa.ledger.compliance.events import ClaimWithdrawn
from stoa.ledger.compliance.model import CLAIMS, Topic
from stoa.ledger.identity.authority import acts_for
from stoa.ledger.identity.errors import NotAuthorised, NothingToChange
from stoa.ledger.identity.model import Reason
from stoa.ledger.state import State


class Revoke(Instruction, tag="compliance.revoke.v1"):
    """Signed by the institution that attested."""

    party: PartyId
    topic: Topic
    issuer: InstitutionId
    reason: Reason


def rejections(view: State, ctx: Context, ins: Revoke) -> Rejections:
    """NotAuthorised, ClaimUnknown, NothingToChange."""
    if not acts_for(view, ctx, ins.issuer):
        yield NotAuthorised(ins.issuer)
    claim = view.get(CLAIMS, (ins.party, ins.topic, ins.issuer))
    if claim is None:
        yield ClaimUnknown(ins.party, ins.topic, ins.issuer)
    elif claim.revoked:
        yield NothingToChange("the claim is revoked already")


def apply(view: State, ctx: Context, ins: Revoke) -> None:
    """Mark the claim revoked; it stays on record."""
    key = (ins.party, ins.topic, ins.issuer)
    view.put(CLAIMS, key, replace(view.need(CLAIMS, key), revoked=True))
    ctx.emit(ClaimWithdrawn(ins.party, ins.topic, ins.issuer, ins.reason))
