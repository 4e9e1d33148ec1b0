"""Due work: at the record time the register is recorded, and the pool must suffice for what it shows."""

from msgspec.structs import replace

from stoa.kernel.base import Context
from stoa.ledger.assets.model import SUPPLY
from stoa.ledger.assets.register import take_record
from stoa.ledger.corporate_actions.entitlement import needed
from stoa.ledger.corporate_actions.events import DistributionRecorded, DistributionUnderfunded
from stoa.ledger.corporate_actions.funds import free, fund_of
from stoa.ledger.corporate_actions.model import DISTRIBUTIONS, PAYMENT, PROGRESS
from stoa.ledger.due import schedule
from stoa.ledger.state import State


def record(view: State, ctx: Context, ref: str, budget: int) -> tuple[int, bool]:
    """Fix the entitlements of the distribution ``ref``, or refuse it as a whole; one step."""
    terms, progress = view.need(DISTRIBUTIONS, ref), view.need(PROGRESS, ref)
    if progress.status != "announced":
        return 1, True
    fund = fund_of(view, ref, terms)
    units = view.get(SUPPLY, terms.asset) or 0
    if needed(terms, units) > fund.units:
        free(view, ctx, fund, fund.units, "underfunded")
        view.put(PROGRESS, ref, replace(progress, status="underfunded", pool=fund.units, units=units))
        ctx.emit(DistributionUnderfunded(ref, units, fund.units, needed(terms, units)))
        return 1, True
    snapshot = take_record(view, ctx, terms.asset)
    view.put(PROGRESS, ref, replace(progress, status="recorded", pool=fund.units, snapshot=snapshot, units=units))
    schedule(view, terms.payment, PAYMENT, ref)
    ctx.emit(DistributionRecorded(ref, terms.asset, snapshot, units, fund.units))
    return 1, True
