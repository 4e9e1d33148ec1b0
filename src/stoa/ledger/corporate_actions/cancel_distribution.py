"""The issuer's agent takes an announcement back, before the record only."""

from msgspec.structs import replace

from stoa.kernel.base import Context, Instruction, Rejections
from stoa.ledger.assets.model import ASSETS, SECURITIES
from stoa.ledger.corporate_actions.errors import DistributionUnknown, NotCancellable
from stoa.ledger.corporate_actions.events import DistributionCancelled
from stoa.ledger.corporate_actions.funds import free, fund_of
from stoa.ledger.corporate_actions.model import DISTRIBUTIONS, PROGRESS, DistributionId
from stoa.ledger.identity.authority import acts_for
from stoa.ledger.identity.errors import NotAuthorised
from stoa.ledger.identity.model import Reason
from stoa.ledger.state import State


class CancelDistribution(Instruction, tag="corporate_actions.cancel.v1"):
    """Signed by the security's agent."""

    distribution: DistributionId
    reason: Reason


def rejections(view: State, ctx: Context, ins: CancelDistribution) -> Rejections:
    """DistributionUnknown, NotAuthorised, NotCancellable."""
    terms = view.get(DISTRIBUTIONS, ins.distribution)
    if terms is None:
        yield DistributionUnknown(ins.distribution)
        return
    agent = view.need(SECURITIES, view.need(ASSETS, terms.asset).security).agent
    if not acts_for(view, ctx, agent):
        yield NotAuthorised(agent)
    status = view.need(PROGRESS, ins.distribution).status
    if status != "announced":
        yield NotCancellable(ins.distribution, status)


def apply(view: State, ctx: Context, ins: CancelDistribution) -> None:
    """Free the pool. The record that is still in the diary will find nothing to do."""
    fund = fund_of(view, ins.distribution, view.need(DISTRIBUTIONS, ins.distribution))
    free(view, ctx, fund, fund.units, "cancelled")
    view.put(PROGRESS, ins.distribution, replace(view.need(PROGRESS, ins.distribution), status="cancelled"))
    ctx.emit(DistributionCancelled(ins.distribution, ins.reason))
