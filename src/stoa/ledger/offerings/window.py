"""The one question whether the book of an offering is open now."""

from stoa.kernel.base import Context, Rejections
from stoa.ledger.offerings.errors import OfferingNotOpen, OfferingNotYetOpen, OfferingOver
from stoa.ledger.offerings.model import Offering


def window_rejections(ctx: Context, code: str, offering: Offering) -> Rejections:
    """OfferingNotOpen, OfferingNotYetOpen, OfferingOver: the deadline counts even where the due work is late."""
    if offering.stage != "open":
        yield OfferingNotOpen(code, offering.stage)
    elif ctx.time < offering.terms.opens:
        yield OfferingNotYetOpen(code, offering.terms.opens, ctx.time)
    elif ctx.time >= offering.terms.closes:
        yield OfferingOver(code, offering.terms.closes, ctx.time)
