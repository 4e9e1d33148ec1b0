"""A hall with an issuer who may be paid, investors with cash, and short words for an offering.

Every block ends with all invariants of offerings, so each test of the domain is a test of them.
"""

from __future__ import annotations

from typing import Any

from stoa.kernel.base import Event
from stoa.kernel.time import DAY
from stoa.ledger.assets.model import Lot
from stoa.ledger.assets.register import line, lots_of
from stoa.ledger.catalog import Receipt
from stoa.ledger.compliance.attest import Attest
from stoa.ledger.compliance.model import Rule
from stoa.ledger.offerings.close_offering import CloseOffering
from stoa.ledger.offerings.events import SubscriptionRefunded, SubscriptionSettled
from stoa.ledger.offerings.invariants import INVARIANTS
from stoa.ledger.offerings.model import OFFERINGS, SUBSCRIPTIONS, Offering, OfferingTerms, Subscription, Tier
from stoa.ledger.offerings.open_offering import OpenOffering
from stoa.ledger.offerings.subscribe import Subscribe
from tests.ledger.hall import ANY_HOLDER, INSTITUTIONS, START, Hall, account, against

CLOSES = START + 10 * DAY
PRICE = 100
AGENT_PARTY = list(INSTITUTIONS).index("AGENT") + 1


def terms(**changes: Any) -> OfferingTerms:
    """1,000 units at 100 cents, at least 500, at most 3,000 subscribed, ten days, pro rata."""
    usual: dict[str, Any] = {
        "units": 1_000,
        "soft_cap": 500,
        "hard_cap": 3_000,
        "minimum": 1,
        "limit": 3_000,
        "tiers": (Tier(CLOSES, PRICE),),
        "opens": START,
        "closes": CLOSES,
        "locked": 0,
        "allotment": "pro_rata",
        "revocable": True,
        "closable": False,
        "proceeds": account("AGENT"),
    }
    return OfferingTerms(**{**usual, **changes})


class OfferingHall(Hall):
    """USD, HBT, and an agent whom the bank's rules let receive cash."""

    def __init__(self, rules: tuple[Rule, ...] = (ANY_HOLDER,)) -> None:
        super().__init__()
        self.cash()
        self.security(rules=rules)
        self.do("IDP", Attest(AGENT_PARTY, "identity", "IDP", "KR", self.time + 3_650 * DAY))

    def block(self, *envelopes: bytes, later: int = 1_000) -> list[Receipt]:
        receipts = super().block(*envelopes, later=later)
        failures = [failure for invariant in INVARIANTS for failure in invariant(self.view)]
        assert not failures, failures
        return receipts

    def investor(self, name: str, cash: int = 1_000_000, country: str = "KR", category: str = "retail") -> int:
        """A person with cash in cents. Returns his number."""
        party = self.person(name, country, category)
        self.issue("USD", name, cash)
        return party

    def offer(self, code: str = "OFF", **changes: Any) -> None:
        """Open an offering of HBT under the usual terms with these changes."""
        self.do(("AGENT", "KSD"), OpenOffering(code, "HBT", terms(**changes)))

    def subscribe(self, name: str, units: int, price: int = PRICE, code: str = "OFF") -> tuple[Event, ...]:
        return self.do(name, Subscribe(code, account(name), units, units * price))

    def close(self, code: str = "OFF") -> list[Event]:
        """The agent closes now; then the block that does what is due. Returns its events."""
        self.do("AGENT", CloseOffering(code))
        return events(self.wait(1_000))

    def deadline(self) -> list[Event]:
        """The first block at the deadline. Returns the events of the work that fell due."""
        return events(self.wait(CLOSES - self.time))

    def offering(self, code: str = "OFF") -> Offering:
        return self.view.need(OFFERINGS, code)

    def subscription(self, number: int, code: str = "OFF") -> Subscription:
        return self.view.need(SUBSCRIPTIONS, (code, number))

    def dollars(self, name: str) -> tuple[int, int]:
        """A name's cash: all of it, and what of it is under holds."""
        held = line(self.view, "USD", account(name))
        return held.units, held.held

    def lots(self, name: str) -> list[Lot]:
        return [lot for _, lot in lots_of(self.view, "HBT", account(name))]


def events(receipts: list[Receipt]) -> list[Event]:
    """Everything that happened in a block, in order."""
    return [event for receipt in receipts for event in receipt.events]


def refusals(found: list[Event]) -> dict[int, list[int]]:
    """Numbers of refunded subscriptions, each with the codes of the reasons."""
    return {e.number: [one.code for one in against(e)] for e in found if isinstance(e, SubscriptionRefunded)}


def allotments(found: list[Event]) -> dict[int, int]:
    """Numbers of settled subscriptions, each with its units."""
    return {e.number: e.allotted for e in found if isinstance(e, SubscriptionSettled)}
