"""What is always true of corporate actions. Each invariant returns its failures as sentences; none is none."""

from collections.abc import Callable, Iterator
from typing import Final

from stoa.ledger.corporate_actions.funds import fund_of
from stoa.ledger.corporate_actions.model import DISTRIBUTIONS, PROGRESS, UNCLAIMED, Distribution, Progress
from stoa.ledger.state import State

_PAGE: Final = 1_000  # rows read at a time
_ENDED: Final = ("cancelled", "underfunded")


def pools_add_up(view: State) -> list[str]:
    """net + tax + unclaimed + residue == pool once complete, never more before, and nothing is negative."""
    failures = []
    for name, _, progress in _distributions(view):
        parts = (progress.net, progress.tax, progress.unclaimed, progress.residue)
        whole = sum(parts)
        wrong = whole != progress.pool if progress.status == "complete" else whole > progress.pool
        if wrong or min(*parts, progress.waiting) < 0 or progress.waiting > progress.tax:
            failures.append(f"{name}: {parts} of pool {progress.pool}, {progress.waiting} tax waiting")
    return failures


def unclaimed_is_the_sum_of_its_rows(view: State) -> list[str]:
    """What progress calls unclaimed is what waits for named accounts."""
    failures = []
    for name, _, progress in _distributions(view):
        rows = sum(_waiting(view, name))
        if rows != progress.unclaimed:
            failures.append(f"{name}: {progress.unclaimed} unclaimed, {rows} in its rows")
    return failures


def holds_cover_what_is_owed(view: State) -> list[str]:
    """The hold covers what is still to be paid and not a unit more; less only if force took it."""
    failures = []
    for name, terms, progress in _distributions(view):
        owed = 0 if progress.status in _ENDED else progress.owed
        held = fund_of(view, name, terms).units
        if held > owed:
            failures.append(f"{name}: {held} held, {owed} owed")
    return failures


def _distributions(view: State) -> Iterator[tuple[str, Distribution, Progress]]:
    after: str | None = None
    while rows := view.scan(DISTRIBUTIONS, (), _PAGE, after):
        for name, terms in rows:
            yield name, terms, view.need(PROGRESS, name)
        after = rows[-1][0]


def _waiting(view: State, name: str) -> Iterator[int]:
    after: tuple[str, bytes] | None = None
    while rows := view.scan(UNCLAIMED, (name,), _PAGE, after):
        for _, row in rows:
            yield row.entitlement.net
        after = rows[-1][0]


INVARIANTS: Final[tuple[Callable[[State], list[str]], ...]] = (
    pools_add_up,
    unclaimed_is_the_sum_of_its_rows,
    holds_cover_what_is_owed,
)
