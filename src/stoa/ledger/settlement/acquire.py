"""Whether somebody may come to hold units, whoever gives them: a question about one side of a transfer, asked by doors.

The very rules of the movement answer, with a sender who is nobody, lives nowhere and has plenty of old units: what a
rule asks of the seller is in nobody's way. A place that a seller would free counts as taken.
"""

from stoa.kernel import limits
from stoa.kernel.base import Rejections
from stoa.ledger.assets.errors import AssetPaused, AssetUnknown
from stoa.ledger.assets.model import ASSETS, EMPTY_LINE, SUPPLY
from stoa.ledger.assets.register import line, new_line_rejections
from stoa.ledger.compliance.case import NOBODY, Movement
from stoa.ledger.compliance.counters import suppose_a_seller
from stoa.ledger.compliance.evaluate import cases_of, movement_rejections
from stoa.ledger.identity.errors import AccountFrozen, AccountMoved, AccountUnknown
from stoa.ledger.identity.model import ACCOUNTS
from stoa.ledger.settlement.errors import AuthorisedExceeded, LineFull
from stoa.ledger.state import State


def is_issued(view: State, asset: str, units: int) -> bool:
    """Whether there is such an asset, and fewer than so many units are left to be issued."""
    terms = view.get(ASSETS, asset)
    return terms is not None and (view.get(SUPPLY, asset) or 0) + units > terms.authorised


def acquisition_rejections(view: State, time: int, asset: str, to: bytes, units: int) -> Rejections:
    """Every reason against a transfer of the units to the account that is one whoever the sender is, gravest first."""
    terms, account = view.get(ASSETS, asset), view.get(ACCOUNTS, to)
    if terms is None:
        yield AssetUnknown(asset)
    if account is None:
        yield AccountUnknown(to)
    if terms is None or account is None:
        return
    if account.successor:
        yield AccountMoved(to, account.successor)
    if account.frozen:
        yield AccountFrozen(to)
    if terms.paused:
        yield AssetPaused(asset)
    supply = view.get(SUPPLY, asset) or 0
    if supply < units:
        yield AuthorisedExceeded(asset, supply, terms.authorised, units)
    held = line(view, asset, to)
    if held.units + units > limits.MAX_UNITS:
        yield LineFull(asset, to, held.units, units)
    if held is EMPTY_LINE:
        yield from new_line_rejections(view, asset, to)
    mark = view.mark()
    suppose_a_seller(view, terms.scopes)
    movement = Movement(terms.scopes, "transfer", NOBODY, account.party, units, -1)
    yield from movement_rejections(cases_of(view, time, movement))
    view.rollback(mark)
