"""The controllers of a security class put new units of it on offer."""

from collections.abc import Iterator
from itertools import pairwise

from stoa.kernel import limits
from stoa.kernel.base import Context, Instruction, Rejections
from stoa.kernel.identifiers import AssetId
from stoa.ledger.assets.errors import AssetUnknown
from stoa.ledger.assets.model import ASSETS, SECURITIES, SUPPLY
from stoa.ledger.due import schedule
from stoa.ledger.identity.authority import unsigned
from stoa.ledger.identity.errors import AccountUnknown, NotAuthorised
from stoa.ledger.identity.model import ACCOUNTS
from stoa.ledger.offerings.errors import AuthorisedLeftTooSmall, OfferingExists, OfferingTermsInvalid
from stoa.ledger.offerings.events import OfferingOpened
from stoa.ledger.offerings.model import CLOSE, OFFERINGS, RESERVED, Offering, OfferingId, OfferingTerms
from stoa.ledger.settlement.errors import WrongKind
from stoa.ledger.state import State


class OpenOffering(Instruction, tag="offerings.open.v1"):
    """Signed by every controller of the class. Cash is paid in the currency of its security."""

    offering: OfferingId
    asset: AssetId
    terms: OfferingTerms


def rejections(view: State, ctx: Context, ins: OpenOffering) -> Rejections:
    """AssetUnknown, WrongKind, NotAuthorised, OfferingExists, AccountUnknown, OfferingTermsInvalid,
    AuthorisedLeftTooSmall."""
    asset = view.get(ASSETS, ins.asset)
    if asset is None:
        yield AssetUnknown(ins.asset)
        return
    if asset.kind != "security":
        yield WrongKind(ins.asset, asset.kind, "a security")
    missing = unsigned(view, ctx, asset.controllers)
    if missing:
        yield NotAuthorised(" and ".join(missing))
    if view.get(OFFERINGS, ins.offering) is not None:
        yield OfferingExists(ins.offering)
    if view.get(ACCOUNTS, ins.terms.proceeds) is None:
        yield AccountUnknown(ins.terms.proceeds)
    for why in _contradictions(ins.terms, ctx.time):
        yield OfferingTermsInvalid(ins.offering, why)
    supply, reserved = view.get(SUPPLY, ins.asset) or 0, view.get(RESERVED, ins.asset) or 0
    if supply + reserved + ins.terms.units > asset.authorised:
        yield AuthorisedLeftTooSmall(ins.asset, asset.authorised, supply, reserved, ins.terms.units)


def _contradictions(terms: OfferingTerms, time: int) -> Iterator[str]:
    """What the terms say that cannot be."""
    if not time < terms.closes or not terms.opens < terms.closes:
        yield "it must close in the future, and after it opens"
    untils = [terms.opens, *(tier.until for tier in terms.tiers)]
    if any(before >= after for before, after in pairwise(untils)) or untils[-1] != terms.closes:
        yield "tiers must follow each other from the opening to the close"
    if terms.locked and terms.locked <= terms.closes:
        yield "the lock-up would end before the close"
    if not terms.soft_cap <= terms.units <= terms.hard_cap:
        yield "the units on offer must lie between the soft and the hard cap"
    if not terms.minimum <= terms.limit:
        yield "the minimum of a person exceeds his limit"
    if terms.hard_cap * max(tier.price for tier in terms.tiers) > limits.MAX_UNITS:
        yield "the whole book would cost more than any amount may be"


def apply(view: State, ctx: Context, ins: OpenOffering) -> None:
    """Enter the offering, reserve its units, and have it closed at the deadline."""
    currency = view.need(SECURITIES, view.need(ASSETS, ins.asset).security).currency
    view.put(OFFERINGS, ins.offering, Offering(ins.asset, currency, ins.terms, "open", 0, 0, 0, 0, 0, 0, 0, 0))
    view.put(RESERVED, ins.asset, (view.get(RESERVED, ins.asset) or 0) + ins.terms.units)
    schedule(view, ins.terms.closes, CLOSE, ins.offering)
    ctx.emit(OfferingOpened(ins.offering, ins.asset, currency, ins.terms))
