"""Short words of the tests of income: terms with defaults, what falls due, who was paid what."""

from __future__ import annotations

from typing import Any, TypeVar

from stoa.kernel.base import Event
from stoa.kernel.money import Rate
from stoa.kernel.time import DAY
from stoa.ledger.assets.model import Holding
from stoa.ledger.assets.register import line
from stoa.ledger.corporate_actions.announce_distribution import AnnounceDistribution
from stoa.ledger.corporate_actions.events import IncomePaid
from stoa.ledger.corporate_actions.invariants import INVARIANTS
from stoa.ledger.corporate_actions.model import PROGRESS, Distribution, Progress
from tests.ledger.hall import EVIDENCE, Hall, account

E = TypeVar("E", bound=Event)

NO_TAX = Rate(0, 1)
QUARTER = Rate(1, 4)
ANNOUNCERS = ("AGENT", "payer")


def terms(hall: Hall, **changes: Any) -> Distribution:
    """101 a unit out of 202,000, recorded in one day and paid in two, tax free."""
    plain: dict[str, Any] = {
        "asset": "HBT",
        "pays": "USD",
        "payer": account("payer"),
        "pool": 202_000,
        "per_unit": Rate(101, 1),
        "record": hall.time + DAY,
        "payment": hall.time + 2 * DAY,
        "default_rate": NO_TAX,
        "rates": (),
        "tax_account": account("taxes"),
        "residue": "return",
        "document": EVIDENCE,
    }
    return Distribution(**(plain | changes))


def announce(hall: Hall, name: str = "Q1", **changes: Any) -> tuple[Event, ...]:
    return hall.do(ANNOUNCERS, AnnounceDistribution(name, terms(hall, **changes)))


def due(hall: Hall, milliseconds: int = DAY) -> list[Event]:
    """What falls due after some time, over as many blocks as it takes; the invariants hold after each."""
    events = [event for receipt in hall.wait(milliseconds) for event in receipt.events]
    check(hall)
    return events


def check(hall: Hall) -> None:
    assert [failure for invariant in INVARIANTS for failure in invariant(hall.view)] == []


def paid(events: list[Event]) -> dict[bytes, tuple[int, int, int]]:
    """Gross, tax and net of everybody who was paid."""
    return {event.account: (event.gross, event.tax, event.net) for event in events if isinstance(event, IncomePaid)}


def only(events: list[Event], kind: type[E]) -> E:
    found = [event for event in events if isinstance(event, kind)]
    assert len(found) == 1, found
    return found[0]


def progress(hall: Hall, name: str = "Q1") -> Progress:
    return hall.view.need(PROGRESS, name)


def purse(hall: Hall, asset: str = "USD", name: str = "payer") -> Holding:
    """The line of this name, by default the paying account's money."""
    return line(hall.view, asset, account(name))
