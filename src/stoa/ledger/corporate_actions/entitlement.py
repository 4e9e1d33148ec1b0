"""The arithmetic of income: what a pool must hold, and what one line gets of it, exact to the smallest unit."""

from typing import Final

from stoa.kernel import limits
from stoa.kernel.money import Rate
from stoa.ledger.assets.model import ASSETS
from stoa.ledger.compliance.case import NOBODY, Case, Movement
from stoa.ledger.compliance.evaluate import profile_of
from stoa.ledger.compliance.model import CATEGORY, IDENTITY
from stoa.ledger.corporate_actions.model import Distribution, Entitlement, Progress
from stoa.ledger.identity.model import ACCOUNTS
from stoa.ledger.state import State

NEEDED_CAP: Final = limits.MAX_UNITS + 1  # more than any pool; keeps a reported figure within 64 bits
_NO_MOVEMENT: Final = Movement((), "income", NOBODY, NOBODY, 0, -1)


def needed(terms: Distribution, units: int) -> int:
    """What the pool must hold for these units in all: the rate on them together, which no rounding of parts exceeds."""
    return terms.pool if terms.pro_rata else min(terms.per_unit.floor_of(units), NEEDED_CAP)


def gross_of(terms: Distribution, progress: Progress, units: int) -> int:
    """The line's share before tax, rounded down."""
    return progress.pool * units // progress.units if terms.pro_rata else terms.per_unit.floor_of(units)


def net_of(gross: int, rate: Rate) -> int:
    """What is left after tax, rounded down: a fraction of a unit goes to the tax."""
    return gross * (rate.under - rate.over) // rate.under


class Entitlements:
    """Computes one line after the other at one moment; what all lines share is looked up once."""

    def __init__(self, view: State, time: int, terms: Distribution, progress: Progress) -> None:
        self._view, self._terms, self._progress = view, terms, progress
        security = view.need(ASSETS, terms.asset).security
        profile = profile_of(view, security)
        self._case = Case(view, time, security, profile.trusted if profile else {}, _NO_MOVEMENT)
        self._rates = {(row.country, row.category): row.rate for row in terms.rates}
        self._by_category = any(row.category for row in terms.rates)

    def of(self, payee: bytes, units: int) -> Entitlement:
        """What the payee's person gets for the units, taxed by his residence as the security's issuers attest it."""
        party = self._view.need(ACCOUNTS, payee).party
        country = self._case.claim(party, IDENTITY)
        rate = self._rate(party, country)
        gross = gross_of(self._terms, self._progress, units)
        net = net_of(gross, rate)
        return Entitlement(units, gross, gross - net, net, rate, country)

    def _rate(self, party: int, country: str) -> Rate:
        found = self._rates.get((country, ""), self._terms.default_rate)
        if self._by_category and country:
            found = self._rates.get((country, self._case.claim(party, CATEGORY)), found)
        return found
