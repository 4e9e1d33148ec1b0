"""The invariants by name, over a whole state, and the explanation of every difference that a block made.

All run after every transaction in tests and in ``stoa verify``. A failure means that the ledger is broken: nothing here
is a rejection. Tables are walked a page at a time, so a state of any size can be checked.
"""

from collections.abc import Callable, Iterator
from typing import Final, NamedTuple

from stoa.ledger.assets import invariants as assets
from stoa.ledger.compliance import invariants as compliance
from stoa.ledger.corporate_actions import invariants as corporate_actions
from stoa.ledger.governance import invariants as governance
from stoa.ledger.holds import invariants as holds
from stoa.ledger.identity import invariants as identity
from stoa.ledger.offerings import invariants as offerings
from stoa.ledger.state import State


class Invariant(NamedTuple):
    """One thing that is always true. ``check`` returns a sentence for each place where it is not."""

    name: str
    check: Callable[[State], list[str]]


class Failure(NamedTuple):
    """An invariant that does not hold, and where, with the figures."""

    invariant: str
    where: str


def _named() -> Iterator[Invariant]:
    for domain in (identity, assets, holds, compliance, offerings, corporate_actions, governance):
        for check in domain.INVARIANTS:
            yield Invariant(check.__name__, check)


ALL: Final[tuple[Invariant, ...]] = tuple(_named())


def check_all(view: State) -> list[Failure]:
    """Every failure of every invariant over the state; none is none."""
    return [Failure(invariant.name, where) for invariant in ALL for where in invariant.check(view)]
