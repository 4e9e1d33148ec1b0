"""Forced transfers: what gives way in which order, and what force can never do."""

import pytest

from stoa.kernel.time import DAY
from stoa.ledger.assets.register import line
from stoa.ledger.compliance.conditions import Compare
from stoa.ledger.holds.freeze_units import FreezeUnits
from stoa.ledger.holds.liens import holds_of
from stoa.ledger.holds.place_hold import PlaceHold
from stoa.ledger.identity.freeze_account import FreezeAccount
from stoa.ledger.settlement.events import TransferForced
from tests.ledger.hall import EVIDENCE, Hall, account, force, rule, send

ALL = ("AGENT", "KSD")


def freeze(hall: Hall, name: str, units: int) -> None:
    hall.do("FSS", FreezeUnits("HBT", account(name), units, False, "inquiry", EVIDENCE))


def hold(hall: Hall, name: str, units: int, expires: int = 0) -> None:
    hall.do(name, PlaceHold("HBT", account(name), units, account("lee"), "pledge", expires))


def encumbered(hall: Hall, name: str) -> tuple[int, int, int]:
    held = line(hall.view, "HBT", account(name))
    return held.units, held.held, held.frozen


def unfrozen(hall: Hall, source: str, to: str, units: int) -> int:
    events = hall.do(ALL, force(source, to, units))
    return next(event.unfrozen for event in events if isinstance(event, TransferForced))


def test_free_units_go_first_and_the_freeze_gives_only_what_is_missing(hall: Hall) -> None:
    hall.issue("HBT", "kim", 1_000)
    freeze(hall, "kim", 900)
    assert unfrozen(hall, "kim", "lee", 950) == 850
    assert encumbered(hall, "kim") == (50, 0, 50)
    assert encumbered(hall, "lee") == (950, 0, 0)


def test_free_units_alone_leave_the_freeze_alone(hall: Hall) -> None:
    hall.issue("HBT", "kim", 1_000)
    freeze(hall, "kim", 900)
    assert unfrozen(hall, "kim", "lee", 100) == 0
    assert encumbered(hall, "kim") == (900, 0, 900)


def test_force_to_the_same_account_unfreezes_nothing(hall: Hall) -> None:
    hall.issue("HBT", "kim", 100)
    freeze(hall, "kim", 100)
    assert hall.refused(ALL, force("kim", "kim", 100)).name == "SameAccount"
    assert encumbered(hall, "kim") == (100, 0, 100)


def test_force_to_another_account_of_the_person_takes_the_freeze_along(hall: Hall) -> None:
    hall.second_account("kim2", "kim")
    hall.issue("HBT", "kim", 100)
    freeze(hall, "kim", 100)
    hall.do(ALL, force("kim", "kim2", 60))
    assert encumbered(hall, "kim") == (40, 0, 40)
    assert encumbered(hall, "kim2") == (60, 0, 60)
    assert hall.refused("kim2", send("kim2", "lee", 1)).name == "UnitsFrozen"


def test_force_out_of_a_frozen_account_frees_nothing_for_its_owner(hall: Hall) -> None:
    hall.second_account("kim2", "kim")
    hall.issue("HBT", "kim", 100)
    hall.do("FSS", FreezeAccount(account("kim"), True, "inquiry", EVIDENCE))
    hall.do(ALL, force("kim", "kim2", 60))
    assert hall.refused("kim2", send("kim2", "lee", 1)).name == "UnitsFrozen"


def test_a_freeze_above_the_balance_keeps_what_lies_above(hall: Hall) -> None:
    hall.issue("HBT", "kim", 100)
    freeze(hall, "kim", 500)
    assert unfrozen(hall, "kim", "lee", 30) == 30
    assert encumbered(hall, "kim") == (70, 0, 470)


@pytest.mark.parametrize("first", ["hold", "freeze"])
def test_the_oldest_encumbrance_gives_way_first(hall: Hall, first: str) -> None:
    hall.issue("HBT", "kim", 100)
    steps = {"hold": lambda: hold(hall, "kim", 40), "freeze": lambda: freeze(hall, "kim", 40)}
    steps.pop(first)()
    steps.popitem()[1]()
    hall.do(ALL, force("kim", "max", 50))
    assert encumbered(hall, "kim") == ((50, 10, 40) if first == "hold" else (50, 40, 10))


def test_of_two_holds_the_older_gives_way(hall: Hall) -> None:
    hall.issue("HBT", "kim", 100)
    hold(hall, "kim", 60)
    hold(hall, "kim", 40)
    hall.do(ALL, force("kim", "max", 70))
    assert [lien.units for _, lien in holds_of(hall.view, "HBT", account("kim"))] == [30]


def test_a_hold_never_covers_units_that_force_has_taken(hall: Hall) -> None:
    """The freeze is older but mostly in the air: only what it covers now can give way before the hold does."""
    hall.issue("HBT", "kim", 100)
    freeze(hall, "kim", 40)
    hold(hall, "kim", 60)
    freeze(hall, "kim", 100)
    hall.do(ALL, force("kim", "max", 50))
    assert encumbered(hall, "kim") == (50, 50, 100)


def test_force_passes_a_frozen_account_a_halt_and_a_lock_up_but_takes_the_lock_along(hall: Hall) -> None:
    until = hall.time + 30 * DAY
    hall.issue("HBT", "kim", 100, locked=until)
    for name in ("kim", "lee"):
        hall.do("FSS", FreezeAccount(account(name), True, "inquiry", EVIDENCE))
    hall.do(ALL, force("kim", "lee", 100))
    assert [lot.locked for lot in hall.lots("lee")] == [until]


def test_force_needs_every_controller(hall: Hall) -> None:
    hall.issue("HBT", "kim", 100)
    for signer in ("AGENT", "KSD", "FSS", "kim"):
        assert hall.refused(signer, force("kim", "lee", 1)).name == "NotAuthorised"


def test_force_obeys_the_rules_of_its_phase_and_no_others() -> None:
    hall = Hall()
    hall.cash()
    small = rule("SMALL", Compare("receiver.units.after", "<=", 10), phases=("forced",))
    hall.security(rules=(small, rule("NO-TRANSFER", Compare("units", "<", 0), phases=("transfer",))))
    for name in ("kim", "lee"):
        hall.person(name)
    hall.issue("HBT", "kim", 100)
    assert hall.refused(ALL, force("kim", "lee", 11)).name == "RuleFailed"
    hall.do(ALL, force("kim", "lee", 10))


def test_force_refuses_in_this_order(hall: Hall) -> None:
    hall.person("nobody", country="")
    assert hall.reasons("kim", force("kim", "nobody", 5, asset="XYZ")) == ["AssetUnknown"]
    assert hall.reasons("kim", force("kim", "stranger", 5)) == ["NotAuthorised", "AccountUnknown"]
    assert hall.reasons("kim", force("kim", "nobody", 5)) == ["NotAuthorised", "InsufficientUnits", "NotIdentified"]
