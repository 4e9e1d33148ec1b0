"""Every invariant can fail: a row is bent by hand, and the right one says where."""

from collections.abc import Callable

import pytest
from msgspec.structs import replace

from stoa.kernel.time import DAY
from stoa.ledger.assets.model import EMPTY_LINE, HOLDINGS, LOTS, PORTFOLIO, SUPPLY, Lot
from stoa.ledger.compliance.model import COUNTS, NAMED_PACKS, NAMING, PACKS, POSITIONS, NamedPacks, Pack
from stoa.ledger.due import DUE
from stoa.ledger.explained import unexplained
from stoa.ledger.holds.model import HOLDS
from stoa.ledger.holds.place_hold import PlaceHold
from stoa.ledger.identity.model import ACCOUNTS, OPERATORS
from stoa.ledger.invariants import ALL, check_all
from stoa.ledger.state import State, Table
from tests.ledger.hall import ANY_HOLDER, Hall, account, send

BUSINESS = ("offerings", "corporate_actions", "governance")  # seen to fail in tests of their own
KIM, LEE = account("kim"), account("lee")
LINE = ("HBT", KIM)


@pytest.fixture
def town(hall: Hall) -> Hall:
    """kim has 100 units in two lots, 30 of them pledged for a day; lee has 10; kim has cash."""
    hall.issue("HBT", "kim", 60)
    hall.issue("HBT", "kim", 50)
    hall.issue("USD", "kim", 5)
    hall.do("kim", send("kim", "lee", 10), PlaceHold("HBT", KIM, 30, LEE, "pledge", hall.time + DAY))
    return hall


def bend(table: Table, key: object, **changes: object) -> Callable[[State], None]:  # type: ignore[type-arg]
    return lambda view: view.put(table, key, replace(view.need(table, key), **changes))


def put(table: Table, key: object, value: object) -> Callable[[State], None]:  # type: ignore[type-arg]
    return lambda view: view.put(table, key, value)


def forget(table: Table) -> Callable[[State], None]:  # type: ignore[type-arg]
    return lambda view: view.put(table, next(view.walk(table))[0], None)


def name(scope: str, *codes: str) -> Callable[[State], None]:
    """The scope names these packs, and that is counted; of all packs LIVE is in force and ENDED retired."""

    def named(view: State) -> None:
        view.put(PACKS, "LIVE", Pack(1, 0, 0, "", "", ()))
        view.put(PACKS, "ENDED", Pack(1, 0, 1, "", "", ()))
        view.put(NAMED_PACKS, scope, NamedPacks(codes))
        for code in codes:
            view.put(NAMING, code, codes.count(code))

    return named


BENT = [
    ("units_are_conserved", put(SUPPLY, "HBT", 111)),
    ("units_are_conserved", bend(HOLDINGS, ("USD", KIM), units=6)),
    ("units_are_conserved", put(SUPPLY, "USD", -5)),
    ("nothing_is_negative", bend(HOLDINGS, LINE, held=101)),
    ("nothing_is_negative", bend(HOLDINGS, LINE, held=-1)),
    ("nothing_is_negative", bend(HOLDINGS, LINE, frozen=5)),
    ("lots_make_up_their_lines", bend(LOTS, (*LINE, 1), units=49)),
    ("lots_make_up_their_lines", bend(LOTS, (*LINE, 1), cost=-1)),
    ("lots_make_up_their_lines", bend(HOLDINGS, LINE, head=1)),
    ("lots_make_up_their_lines", put(LOTS, ("HBT", LEE, 0), None)),
    ("lots_make_up_their_lines", put(LOTS, ("USD", KIM, 0), Lot(1, 0, b"", 0, 0))),
    ("the_portfolio_is_an_index_of_lines", forget(PORTFOLIO)),
    ("the_portfolio_is_an_index_of_lines", put(PORTFOLIO, KIM, ("HBT", "XYZ"))),
    ("recovered_accounts_are_empty", bend(ACCOUNTS, KIM, successor=LEE)),
    ("recovered_accounts_are_empty", put(HOLDINGS, ("USD", bytes(20)), EMPTY_LINE)),
    ("held_is_the_sum_of_holds", bend(HOLDINGS, LINE, held=29)),
    ("held_is_the_sum_of_holds", bend(HOLDINGS, ("HBT", LEE), held=1)),
    ("held_is_the_sum_of_holds", forget(HOLDS)),
    ("every_hold_with_an_end_is_due", forget(DUE)),
    ("positions_are_the_sums_of_lines", bend(POSITIONS, (1_000, "HBT"), units=99)),
    ("positions_are_the_sums_of_lines", put(POSITIONS, (1_000, "USD"), None)),
    ("positions_are_positive", bend(POSITIONS, (1_000, "HBT"), units=0)),
    ("counts_are_those_of_positions", bend(POSITIONS, (1_000, "HBT"), country="US")),
    ("counts_are_those_of_positions", put(COUNTS, ("HBT", "total", ""), 3)),
    ("named_packs_are_in_force", name("HBT", "NONE")),
    ("named_packs_are_in_force", name("HBT", "ENDED")),
    ("named_packs_are_in_force", name("HBT", "LIVE", "LIVE")),
    ("named_packs_are_in_force", name("HBT")),
    ("named_packs_are_in_force", name("ZZZ", "LIVE")),
    ("packs_are_bounded_and_know_who_names_them", put(NAMING, "LIVE", 1)),
    ("packs_are_bounded_and_know_who_names_them", put(NAMED_PACKS, "HBT", NamedPacks(("LIVE",)))),
    ("packs_are_bounded_and_know_who_names_them", put(PACKS, "LIVE", Pack(1, 0, 0, "", "", (ANY_HOLDER,) * 65))),
    ("institutions_speak_through_their_accounts", put(OPERATORS, account("KSD"), "FSS")),
    ("institutions_speak_through_their_accounts", put(ACCOUNTS, account("KSD"), None)),
]


@pytest.mark.parametrize(("name", "bent"), BENT, ids=[f"{at}-{name}" for at, (name, _) in enumerate(BENT)])
def test_a_bent_row_is_found(town: Hall, name: str, bent: Callable[[State], None]) -> None:
    assert check_all(town.view) == []
    bent(town.view)
    assert name in {failure.invariant for failure in check_all(town.view)}


def test_every_invariant_of_shared_ground_has_been_seen_to_fail() -> None:
    shared = {one.name for one in ALL if one.check.__module__.split(".")[2] not in BUSINESS}
    assert shared == {name for name, _ in BENT}
    assert len({one.name for one in ALL}) == len(ALL)


@pytest.mark.parametrize(
    ("bent", "what"),
    [
        (bend(HOLDINGS, LINE, units=99), "units HBT"),
        (bend(HOLDINGS, LINE, frozen=9, frozen_since=1), "frozen HBT"),
        (put(SUPPLY, "HBT", 7), "supply HBT"),
        (bend(LOTS, (*LINE, 0), units=49), "lot HBT"),
        (forget(HOLDS), "hold HBT"),
        (bend(ACCOUNTS, KIM, frozen=True), "account frozen"),
        (bend(ACCOUNTS, KIM, successor=LEE), "successor"),
    ],
)
def test_a_change_without_an_event_is_found(town: Hall, bent: Callable[[State], None], what: str) -> None:
    bent(town.view)
    [failure] = unexplained(town.view.seal(), ())
    assert failure.where.startswith(what)


def test_an_event_without_a_change_is_found(town: Hall) -> None:
    town.do("kim", send("kim", "lee", 1))
    events = town.receipts[-1].events
    assert unexplained(town.writes[-1], events) == []
    assert {one.where.split()[0] for one in unexplained(town.writes[-1], [*events, *events])} == {"units", "lot"}
    assert unexplained(town.view.seal(), events) != []
