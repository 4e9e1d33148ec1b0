"""The halls that most tests of the ledger start from, and the witness that no movement goes unjudged."""

from collections.abc import Iterator, Sequence
from typing import Any
from weakref import WeakKeyDictionary

import pytest

from stoa.kernel.base import Rejection
from stoa.ledger.assets.model import ASSETS
from stoa.ledger.catalog import Receipt
from stoa.ledger.compliance.case import NOBODY, Movement
from stoa.ledger.compliance.evaluate import Cases
from stoa.ledger.identity.model import ACCOUNTS
from stoa.ledger.settlement import moves
from stoa.ledger.settlement.events import UnitsMoved
from stoa.ledger.state import State, Table
from tests.ledger.hall import Hall


def _judged_as(move: Movement) -> tuple[object, ...]:
    return move.scopes, move.phase, move.sender, move.receiver, move.units


def _moved_as(view: State, event: UnitsMoved) -> tuple[object, ...]:
    parties = [view.need(ACCOUNTS, account).party if account else NOBODY for account in (event.source, event.to)]
    return view.need(ASSETS, event.asset).scopes, event.phase, *parties, event.units


@pytest.fixture(scope="session", autouse=True)
def every_movement_is_judged() -> Iterator[None]:
    """In every test of the ledger, a block holds a movement only if the rules have let this movement pass."""
    passed: WeakKeyDictionary[State, set[object]] = WeakKeyDictionary()
    judge, seal = moves.movement_rejections, Hall._seal

    def judging(cases: Cases) -> Iterator[Rejection]:
        clean = True
        for rejection in judge(cases):
            clean = False
            yield rejection
        if clean:
            _, case = cases[0]
            passed.setdefault(case.view, set()).add(_judged_as(case.move))

    def sealing(hall: Hall, receipts: Sequence[Receipt]) -> None:
        judged = passed.pop(hall.view, set())
        for receipt in receipts:
            for event in receipt.events:
                if isinstance(event, UnitsMoved):
                    assert _moved_as(hall.view, event) in judged, f"moved, but never judged: {event}"
        seal(hall, receipts)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(moves, "movement_rejections", judging)
        patch.setattr(Hall, "_seal", sealing)
        yield


@pytest.fixture(scope="session", autouse=True)
def every_change_knows_what_it_changes() -> Iterator[None]:
    """In every test of the ledger, what a writer says that a row was before is what it was."""
    change = State.change

    def changing(view: State, table: Table[Any, Any], key: Any, before: Any, value: Any) -> None:
        assert view.rows[table][key] is before, f"{table.name} {key!r} is {view.rows[table][key]!r}, not {before!r}"
        change(view, table, key, before, value)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(State, "change", changing)
        yield


@pytest.fixture
def hall() -> Hall:
    """Dollars, the security HBT open to five countries, and five holders to be: nobody holds anything yet."""
    hall = Hall()
    hall.cash()
    hall.security()
    for name, country in (("kim", "KR"), ("lee", "KR"), ("ann", "US"), ("sato", "JP"), ("max", "DE")):
        hall.person(name, country)
    return hall
