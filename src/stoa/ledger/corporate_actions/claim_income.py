"""A payee asks for income that could not be paid on the payment date; the same rules decide again."""

from stoa.kernel.base import Context, Instruction, Rejections
from stoa.kernel.identifiers import AccountId
from stoa.ledger.assets.model import ASSETS, SECURITIES
from stoa.ledger.corporate_actions.errors import DistributionUnknown, NothingUnclaimed
from stoa.ledger.corporate_actions.funds import fund_of, latest, refusals
from stoa.ledger.corporate_actions.model import (
    DISTRIBUTIONS,
    PROGRESS,
    UNCLAIMED,
    Distribution,
    DistributionId,
)
from stoa.ledger.corporate_actions.teller import Teller
from stoa.ledger.identity.authority import acts_for, may_instruct
from stoa.ledger.identity.errors import NotAuthorised
from stoa.ledger.state import State


class ClaimIncome(Instruction, tag="corporate_actions.claim.v1"):
    """``account`` is the line at the record. Signed by it, by the account it was recovered to, or by the agent.

    For the tax account it claims withheld tax that is still waiting.
    """

    distribution: DistributionId
    account: AccountId


def _due(view: State, ins: ClaimIncome, terms: Distribution) -> int | None:
    """What waits for the account, or None. Waiting tax goes along with any claim; only alone is it claimed itself."""
    waiting = view.get(UNCLAIMED, (ins.distribution, ins.account))
    if waiting is not None:
        return waiting.entitlement.net
    tax = view.need(PROGRESS, ins.distribution).waiting
    return tax if tax and ins.account == terms.tax_account else None


def rejections(view: State, ctx: Context, ins: ClaimIncome) -> Rejections:
    """DistributionUnknown, NothingUnclaimed, NotAuthorised, then the movement's own."""
    terms = view.get(DISTRIBUTIONS, ins.distribution)
    if terms is None:
        yield DistributionUnknown(ins.distribution)
        return
    due = _due(view, ins, terms)
    if due is None:
        yield NothingUnclaimed(ins.distribution, ins.account)
        return
    payee = latest(view, ins.account)
    agent = view.need(SECURITIES, view.need(ASSETS, terms.asset).security).agent
    if not (may_instruct(view, ctx, payee) or acts_for(view, ctx, agent)):
        yield NotAuthorised(f"the payee or {agent}")
    yield from refusals(view, ctx, fund_of(view, ins.distribution, terms), payee, due)


def apply(view: State, ctx: Context, ins: ClaimIncome) -> None:
    """Pay it."""
    progress = view.need(PROGRESS, ins.distribution)
    teller = Teller(view, ctx, ins.distribution, view.need(DISTRIBUTIONS, ins.distribution), progress)
    teller.claim(ins.account)
    teller.close(progress.cursor, complete=False)
