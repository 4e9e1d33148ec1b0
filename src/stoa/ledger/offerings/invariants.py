"""What is always true of offerings. Each invariant reads the state and returns its failures as sentences."""

from collections.abc import Callable, Iterator
from typing import Any, Final, TypeVar

from stoa.ledger.holds.model import HOLDS
from stoa.ledger.offerings.book import BUSINESS, business, cover_of
from stoa.ledger.offerings.model import (
    ENDED,
    OFFERINGS,
    PERSONS,
    REMAINDERS,
    RESERVED,
    SUBSCRIPTIONS,
    Subscription,
)
from stoa.ledger.state import State, Table

K = TypeVar("K")
V = TypeVar("V")
Failures = list[str]

_PAGE: Final = 1_000


def _rows(view: State, table: Table[K, V], first: tuple[Any, ...] = ()) -> Iterator[tuple[K, V]]:
    """All rows whose keys start with these parts, in key order."""
    after: K | None = None
    while rows := view.scan(table, first, _PAGE, after=after):
        yield from rows
        after = rows[-1][0]


def _book(view: State, code: str, state: str) -> list[tuple[int, Subscription]]:
    """The offering's subscriptions in a state, with their numbers."""
    return [(key[1], one) for key, one in _rows(view, SUBSCRIPTIONS, (code,)) if one.state == state]


def _differ(what: str, found: int, stated: int) -> Failures:
    return [] if found == stated else [f"{what}: {found} counted, {stated} stated"]


def totals_are_those_of_open_subscriptions(view: State) -> Failures:
    """Units subscribed and cash held, as the offering states them, are the sums over its open subscriptions."""
    failures: Failures = []
    for code, offering in _rows(view, OFFERINGS):
        opened = [one for _, one in _book(view, code, "open")]
        failures += _differ(f"{code} subscribed", sum(one.units for one in opened), offering.subscribed)
        failures += _differ(f"{code} held", sum(one.cost for one in opened), offering.held)
        if offering.stage in ENDED and opened:
            failures.append(f"{code} has ended with {len(opened)} open subscriptions")
    return failures


def cash_is_held_for_open_subscriptions_only(view: State) -> Failures:
    """Each hold of an offering is that of one open subscription and equals its cost, or less where force took cash."""
    failures: Failures = []
    covers: dict[str, int] = {}
    for code, offering in _rows(view, OFFERINGS):
        for number, one in _book(view, code, "open"):
            cover = cover_of(view, offering, code, number, one)
            covers[business(code, number)] = cover.units
            if cover.units > one.cost:
                failures.append(f"{code} {number}: {cover.units} held for a cost of {one.cost}")
    for _, hold in _rows(view, HOLDS):
        if hold.business.startswith(BUSINESS):
            failures += _differ(f"hold {hold.business}", hold.units, covers.get(hold.business, 0))
    return failures


def units_allotted_are_within_the_offer(view: State) -> Failures:
    """No subscription gets more than it asked for, and all together no more than is on offer."""
    failures: Failures = []
    for code, offering in _rows(view, OFFERINGS):
        for number, one in _book(view, code, "settled"):
            if not 0 < one.allotted <= one.units:
                failures.append(f"{code} {number}: {one.allotted} allotted of {one.units} asked for")
        if not offering.sold <= offering.allotted <= offering.terms.units:
            failures.append(f"{code}: sold {offering.sold}, allotted {offering.allotted} of {offering.terms.units}")
    return failures


def paid_is_the_sum_of_costs(view: State) -> Failures:
    """Units sold and cash paid, as the offering states them, are the sums over its settled subscriptions."""
    failures: Failures = []
    for code, offering in _rows(view, OFFERINGS):
        settled = [one for _, one in _book(view, code, "settled")]
        failures += _differ(f"{code} sold", sum(one.allotted for one in settled), offering.sold)
        failures += _differ(f"{code} paid", sum(one.payment for one in settled), offering.paid)
    return failures


def persons_are_within_their_limit(view: State) -> Failures:
    """Units that a person has in the book are the sum over his open subscriptions and within the limit."""
    failures: Failures = []
    for code, offering in _rows(view, OFFERINGS):
        persons: dict[int, int] = {}
        for _, one in _book(view, code, "open"):
            persons[one.party] = persons.get(one.party, 0) + one.units
        stated = {key[1]: units for key, units in _rows(view, PERSONS, (code,))}
        for party in sorted(persons | stated):
            failures += _differ(f"{code} party {party}", persons.get(party, 0), stated.get(party, 0))
            if stated.get(party, 0) > offering.terms.limit:
                failures.append(f"{code} party {party}: {stated[party]} subscribed, limit {offering.terms.limit}")
    return failures


def reserved_is_what_is_on_offer(view: State) -> Failures:
    """Reserved units of a class are those of its offerings that have not ended; the close leaves no row behind."""
    failures: Failures = []
    running: dict[str, int] = {}
    for code, offering in _rows(view, OFFERINGS):
        if offering.stage not in ENDED:
            running[offering.asset] = running.get(offering.asset, 0) + offering.terms.units
        elif view.scan(REMAINDERS, (code,), 1):
            failures.append(f"{code} has ended with remainders left over")
    stated = dict(_rows(view, RESERVED))
    for asset in sorted(running | stated):
        failures += _differ(f"{asset} reserved", running.get(asset, 0), stated.get(asset, 0))
    return failures


INVARIANTS: Final[tuple[Callable[[State], Failures], ...]] = (
    totals_are_those_of_open_subscriptions,
    cash_is_held_for_open_subscriptions_only,
    units_allotted_are_within_the_offer,
    paid_is_the_sum_of_costs,
    persons_are_within_their_limit,
    reserved_is_what_is_on_offer,
)
