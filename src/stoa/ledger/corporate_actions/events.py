"""What happened in corporate actions. Every line with units at the record gets one ``IncomePaid`` in the end."""

from stoa.kernel.base import Event, Reasons
from stoa.kernel.money import Rate
from stoa.ledger.corporate_actions.model import Distribution


class DistributionAnnounced(Event, tag="corporate_actions.announced.v1"):
    """Income is announced, and its pool is under the hold."""

    distribution: str
    hold: int
    terms: Distribution


class DistributionCancelled(Event, tag="corporate_actions.cancelled.v1"):
    """The announcement is taken back and the pool is free."""

    distribution: str
    reason: str


class DistributionRecorded(Event, tag="corporate_actions.recorded.v1"):
    """Entitlements are fixed by this snapshot of the register, in which so many units exist."""

    distribution: str
    asset: str
    snapshot: int
    units: int
    pool: int


class DistributionUnderfunded(Event, tag="corporate_actions.underfunded.v1"):
    """At the record the pool did not suffice: nobody is paid, and the pool is free."""

    distribution: str
    units: int
    pool: int
    needed: int


class IncomePaid(Event, tag="corporate_actions.income_paid.v1"):
    """A holder's income is settled. ``account`` held the units at the record; ``to`` is where the net went.

    ``country`` and ``rate`` are what the tax was computed by: gross == net + tax.
    """

    distribution: str
    account: bytes
    to: bytes
    units: int
    gross: int
    tax: int
    net: int
    rate: Rate
    country: str


class IncomeUnclaimed(Event, tag="corporate_actions.income_unclaimed.v1"):
    """The tax is withheld, but for these reasons the net could not be paid: it waits under the hold until claimed."""

    distribution: str
    account: bytes
    units: int
    gross: int
    tax: int
    net: int
    rate: Rate
    country: str
    reasons: Reasons


class TaxRemitted(Event, tag="corporate_actions.tax_remitted.v1"):
    """Withheld tax went to the tax account."""

    distribution: str
    to: bytes
    amount: int


class DistributionCompleted(Event, tag="corporate_actions.completed.v1"):
    """All lines are dealt with: net + tax + unclaimed + residue == pool. The residue is free again."""

    distribution: str
    holders: int
    pool: int
    net: int
    tax: int
    unclaimed: int
    residue: int
