"""The issuer's agent and the paying account announce income; the pool is put aside in the same act."""

from stoa.kernel import limits
from stoa.kernel.base import Context, Instruction, Rejections
from stoa.ledger.assets.errors import AssetUnknown
from stoa.ledger.assets.model import ASSETS, SECURITIES, SUPPLY, Asset
from stoa.ledger.assets.register import line
from stoa.ledger.compliance.case import Movement
from stoa.ledger.compliance.evaluate import cases_of, movement_rejections
from stoa.ledger.corporate_actions.entitlement import needed
from stoa.ledger.corporate_actions.errors import DistributionExists, RecordDateInvalid, Underfunded, WithholdingInvalid
from stoa.ledger.corporate_actions.events import DistributionAnnounced
from stoa.ledger.corporate_actions.funds import INCOME, lay_up
from stoa.ledger.corporate_actions.model import (
    DISTRIBUTIONS,
    PROGRESS,
    RECORD,
    Distribution,
    DistributionId,
    Progress,
)
from stoa.ledger.due import schedule
from stoa.ledger.holds.errors import TooManyHolds
from stoa.ledger.holds.free import free_rejections
from stoa.ledger.holds.liens import holds_of
from stoa.ledger.identity.authority import acts_for, may_instruct
from stoa.ledger.identity.errors import AccountFrozen, AccountMoved, AccountUnknown, NotAuthorised
from stoa.ledger.identity.model import ACCOUNTS, Account
from stoa.ledger.settlement.errors import WrongKind
from stoa.ledger.state import State


class AnnounceDistribution(Instruction, tag="corporate_actions.announce.v1"):
    """Signed by the security's agent and the paying account. The name is used once for ever."""

    distribution: DistributionId
    terms: Distribution


def rejections(view: State, ctx: Context, ins: AnnounceDistribution) -> Rejections:
    """AssetUnknown, AccountUnknown, WrongKind, NotAuthorised, DistributionExists, AccountMoved, AccountFrozen,
    RecordDateInvalid, WithholdingInvalid, Underfunded, the pool's own, TooManyHolds, the rules' on the tax account."""
    terms = ins.terms
    asset, pays = view.get(ASSETS, terms.asset), view.get(ASSETS, terms.pays)
    payer, tax_office = view.get(ACCOUNTS, terms.payer), view.get(ACCOUNTS, terms.tax_account)
    if asset is None or pays is None:
        yield AssetUnknown(terms.pays if asset else terms.asset)
    if payer is None or tax_office is None:
        yield AccountUnknown(terms.tax_account if payer else terms.payer)
    if asset is None or pays is None or payer is None or tax_office is None:
        return
    if asset.kind != "security":
        yield WrongKind(terms.asset, asset.kind, "security")
        return
    agent = view.need(SECURITIES, asset.security).agent
    if not (acts_for(view, ctx, agent) and may_instruct(view, ctx, terms.payer)):
        yield NotAuthorised(f"{agent} and the paying account")
    if view.get(DISTRIBUTIONS, ins.distribution) is not None:
        yield DistributionExists(ins.distribution)
    if payer.successor:
        yield AccountMoved(terms.payer, payer.successor)
    if payer.frozen:
        yield AccountFrozen(terms.payer)
    if not ctx.time < terms.record <= terms.payment:
        yield RecordDateInvalid(terms.record, terms.payment, ctx.time)
    yield from _tax_rejections(ins, pays)
    yield from _pool_rejections(view, ins)
    yield from _remittance_rejections(view, ctx, terms, pays, payer, tax_office)


def _taxed(terms: Distribution) -> bool:
    return bool(terms.default_rate.over or any(row.rate.over for row in terms.rates))


def _tax_rejections(ins: AnnounceDistribution, pays: Asset) -> Rejections:
    terms = ins.terms
    rates = [terms.default_rate, *(row.rate for row in terms.rates)]
    if any(rate.over > rate.under for rate in rates):
        yield WithholdingInvalid(ins.distribution, "a rate is more than the whole")
    keys = [(row.country, row.category) for row in terms.rates]
    if len(dict.fromkeys(keys)) != len(keys):
        yield WithholdingInvalid(ins.distribution, "a country is listed twice for the same category")
    if _taxed(terms) and pays.kind != "cash":
        yield WithholdingInvalid(ins.distribution, "tax on income in kind is not withheld in units")
    if _taxed(terms) and terms.tax_account == terms.payer:
        yield WithholdingInvalid(ins.distribution, "the tax account is the paying account")


def _pool_rejections(view: State, ins: AnnounceDistribution) -> Rejections:
    terms = ins.terms
    units = view.get(SUPPLY, terms.asset) or 0
    if needed(terms, units) > terms.pool:
        yield Underfunded(ins.distribution, units, terms.pool, needed(terms, units))
    yield from free_rejections(terms.pays, terms.payer, line(view, terms.pays, terms.payer), terms.pool)
    if len(holds_of(view, terms.pays, terms.payer)) >= limits.MAX_HOLDS:
        yield TooManyHolds(terms.pays, terms.payer, limits.MAX_HOLDS)


def _remittance_rejections(
    view: State, ctx: Context, terms: Distribution, pays: Asset, payer: Account, tax_office: Account
) -> Rejections:
    """Whether the tax account could take a first unit today; better to know now than when tax is waiting."""
    if _taxed(terms) and pays.kind == "cash":
        first = Movement(pays.scopes, INCOME, payer.party, tax_office.party, 1, -1)
        yield from movement_rejections(cases_of(view, ctx.time, first))


def apply(view: State, ctx: Context, ins: AnnounceDistribution) -> None:
    """Enter the terms, put the pool under its hold, and have the record taken in time."""
    view.put(DISTRIBUTIONS, ins.distribution, ins.terms)
    view.put(PROGRESS, ins.distribution, Progress("announced", ins.terms.pool))
    hold = lay_up(view, ctx, ins.distribution, ins.terms)
    schedule(view, ins.terms.record, RECORD, ins.distribution)
    ctx.emit(DistributionAnnounced(ins.distribution, hold, ins.terms))
