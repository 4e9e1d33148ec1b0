"""The issuer's agent closes an offering before its deadline."""

from stoa.kernel.base import Context, Instruction, Rejections
from stoa.ledger.assets.model import ASSETS, SECURITIES
from stoa.ledger.due import schedule
from stoa.ledger.identity.authority import acts_for
from stoa.ledger.identity.errors import NotAuthorised
from stoa.ledger.offerings.closing import begin
from stoa.ledger.offerings.errors import NotFullySubscribed, OfferingNotOpen, OfferingUnknown
from stoa.ledger.offerings.model import CLOSE, OFFERINGS, OfferingId
from stoa.ledger.state import State


class CloseOffering(Instruction, tag="offerings.close.v1"):
    """Signed by the agent: when every unit on offer is subscribed, or at any time if the terms say so."""

    offering: OfferingId


def rejections(view: State, ctx: Context, ins: CloseOffering) -> Rejections:
    """OfferingUnknown, NotAuthorised, OfferingNotOpen, NotFullySubscribed."""
    offering = view.get(OFFERINGS, ins.offering)
    if offering is None:
        yield OfferingUnknown(ins.offering)
        return
    agent = view.need(SECURITIES, view.need(ASSETS, offering.asset).security).agent
    if not acts_for(view, ctx, agent):
        yield NotAuthorised(agent)
    terms = offering.terms
    if offering.stage != "open":
        yield OfferingNotOpen(ins.offering, offering.stage)
    elif not terms.closable and offering.subscribed < terms.units:
        yield NotFullySubscribed(ins.offering, offering.subscribed, terms.units, terms.closes)


def apply(view: State, ctx: Context, ins: CloseOffering) -> None:
    """Close the book now; the rest is work due from the next block on."""
    begin(view, ctx, ins.offering, "early")
    schedule(view, ctx.time, CLOSE, ins.offering)
