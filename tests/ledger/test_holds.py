"""Liens and freezes: who places, frees and executes, what they cover, and how they end by themselves."""

import pytest

from stoa.kernel import limits
from stoa.kernel.time import DAY
from stoa.ledger.assets.register import line
from stoa.ledger.due import next_due
from stoa.ledger.holds.events import HoldReduced
from stoa.ledger.holds.freeze_units import FreezeUnits
from stoa.ledger.holds.liens import holds_of
from stoa.ledger.holds.place_hold import PlaceHold
from stoa.ledger.holds.release_hold import ReleaseHold
from stoa.ledger.identity.freeze_account import FreezeAccount
from stoa.ledger.settlement.execute_hold import ExecuteHold
from tests.ledger.hall import EVIDENCE, Hall, account, send


def pledge(units: int, expires: int = 0, name: str = "kim", owner: str = "lee") -> PlaceHold:
    return PlaceHold("HBT", account(name), units, account(owner), "loan 7", expires)


def execute(number: int, units: int, to: str = "lee") -> ExecuteHold:
    return ExecuteHold("HBT", account("kim"), number, account(to), units, 0)


def release(number: int, units: int) -> ReleaseHold:
    return ReleaseHold("HBT", account("kim"), number, units, "repaid")


def freeze(units: int, free: bool = False, name: str = "kim") -> FreezeUnits:
    return FreezeUnits("HBT", account(name), units, free, "inquiry", EVIDENCE)


def figures(hall: Hall, name: str = "kim") -> tuple[int, int, int, int]:
    held = line(hall.view, "HBT", account(name))
    return held.units, held.held, held.frozen, held.free


def test_a_hold_leaves_the_owner_of_record_and_takes_the_free_units(hall: Hall) -> None:
    hall.issue("HBT", "kim", 100)
    hall.do("kim", pledge(60))
    assert (figures(hall), hall.count()) == ((100, 60, 0, 40), 1)
    assert hall.refused("kim", send("kim", "ann", 41)).name == "InsufficientFreeUnits"
    assert hall.refused("kim", pledge(41)).name == "InsufficientFreeUnits"
    hall.do("kim", send("kim", "ann", 40))


def test_the_owner_of_a_hold_releases_and_executes_alone(hall: Hall) -> None:
    hall.issue("HBT", "kim", 100)
    hall.do("kim", pledge(60))
    for signer in ("kim", "ann", "AGENT", "FSS"):
        assert hall.refused(signer, release(1, 1)).name == "NotAuthorised"
        assert hall.refused(signer, execute(1, 1)).name == "NotAuthorised"
    hall.do("lee", release(1, 10))
    hall.do("lee", execute(1, 20))
    hall.do("lee", execute(1, 20, to="ann"))
    assert (figures(hall), hall.units("HBT", "lee"), hall.units("HBT", "ann")) == ((60, 10, 0, 50), 20, 20)
    assert hall.refused("lee", execute(1, 11)).name == "HoldTooSmall"
    hall.do("lee", release(1, 10))
    assert hall.refused("lee", release(1, 1)).name == "HoldUnknown"
    assert holds_of(hall.view, "HBT", account("kim")) == []


def test_executing_obeys_every_rule_of_a_settlement(hall: Hall) -> None:
    hall.person("nobody", country="")
    hall.issue("HBT", "kim", 100)
    hall.do("kim", pledge(60))
    assert hall.refused("lee", execute(1, 1, to="nobody")).name == "NotIdentified"
    hall.do("FSS", FreezeAccount(account("kim"), True, "inquiry", EVIDENCE))
    assert hall.refused("lee", execute(1, 1)).name == "AccountFrozen"


def test_a_hold_ends_by_itself_at_its_time(hall: Hall) -> None:
    hall.issue("HBT", "kim", 100)
    ends = hall.time + 5_000
    hall.do("kim", pledge(60, expires=ends))
    assert next_due(hall.view) == ends
    hall.block(later=ends - hall.time - 1)
    assert figures(hall) == (100, 60, 0, 40)
    [receipt] = hall.wait(1)
    assert receipt.events == (HoldReduced("HBT", account("kim"), 1, 60, 0, "expired"),)
    assert (figures(hall), next_due(hall.view)) == ((100, 0, 0, 100), None)


def test_a_hold_that_was_released_before_ends_without_a_word(hall: Hall) -> None:
    hall.issue("HBT", "kim", 100)
    hall.do("kim", pledge(60, expires=hall.time + DAY))
    hall.do("lee", release(1, 60))
    [receipt] = hall.wait(DAY)
    assert (receipt.events, next_due(hall.view)) == ((), None)


def test_what_falls_due_is_done_a_bounded_amount_a_block_and_an_ended_hold_is_worth_nothing(
    hall: Hall, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "MAX_DUE_STEPS", 512)
    for name in ("kim", "max", "sato"):
        hall.issue("HBT", name, 1_000)
    ends = hall.time + DAY // 4
    placed = 0
    for name in ("max", "sato", "kim"):
        for _ in range(limits.MAX_HOLDS // 64):
            hall.do(name, *[pledge(1, ends, name) for _ in range(64)])
            placed += 64
    receipts = hall.block(hall.signed("lee", execute(placed, 1)), later=ends - hall.time)
    assert len(receipts) == 1 + limits.MAX_DUE_STEPS
    assert receipts[0].rejection is not None
    assert receipts[0].rejection.name == "HoldUnknown"
    assert figures(hall)[1] == placed - limits.MAX_DUE_STEPS
    assert len(hall.wait(1)) == placed - limits.MAX_DUE_STEPS
    assert (figures(hall)[1], next_due(hall.view)) == (0, None)


def test_a_line_bears_a_bounded_number_of_holds(hall: Hall) -> None:
    hall.issue("HBT", "kim", 1_000)
    for _ in range(limits.MAX_HOLDS // 64):
        hall.do("kim", *[pledge(1)] * 64)
    assert hall.refused("kim", pledge(1)).name == "TooManyHolds"


def test_a_freeze_above_the_balance_catches_what_comes_later(hall: Hall) -> None:
    hall.issue("HBT", "kim", 10)
    hall.do("FSS", freeze(100))
    hall.issue("HBT", "kim", 80)
    assert hall.refused("kim", send("kim", "lee", 1)).name == "UnitsFrozen"
    hall.issue("HBT", "kim", 20)
    hall.do("kim", send("kim", "lee", 10))
    assert hall.refused("kim", send("kim", "lee", 1)).name == "UnitsFrozen"


def test_who_may_freeze_and_free(hall: Hall) -> None:
    for signer in ("kim", "BROKER-B", "BANK"):
        assert hall.refused(signer, freeze(1)).name == "NotAuthorised"
    for signer in ("AGENT", "KSD", "BROKER-A", "FSS"):
        hall.do(signer, freeze(10))
    assert hall.reasons("FSS", freeze(41, free=True)) == ["FreezeTooSmall"]
    hall.do("FSS", freeze(40, free=True))
    assert figures(hall) == (0, 0, 0, 0)


def test_the_freeze_of_a_line_counts_from_its_first_day(hall: Hall) -> None:
    hall.do("FSS", freeze(10))
    since = hall.time
    hall.wait(DAY)
    hall.do("FSS", freeze(10))
    assert line(hall.view, "HBT", account("kim")).frozen_since == since
    hall.do("FSS", freeze(20, free=True))
    hall.do("FSS", freeze(1))
    assert line(hall.view, "HBT", account("kim")).frozen_since == hall.time


def test_place_refuses_in_this_order(hall: Hall) -> None:
    unknown = PlaceHold("XYZ", account("eve"), 1, account("ned"), "x", hall.time)
    wanted = ["AssetUnknown", "AccountUnknown", "AccountUnknown", "NotAuthorised", "ExpiryPast", "InsufficientUnits"]
    assert hall.reasons("kim", unknown) == wanted
    hall.do("FSS", FreezeAccount(account("kim"), True, "inquiry", EVIDENCE))
    wanted = ["NotAuthorised", "AccountFrozen", "ExpiryPast", "InsufficientUnits"]
    assert hall.reasons("lee", pledge(1, expires=hall.time)) == wanted


def test_freeze_release_and_execute_refuse_in_this_order(hall: Hall) -> None:
    assert hall.reasons("kim", FreezeUnits("XYZ", account("eve"), 1, False, "x", EVIDENCE)) == [
        "AssetUnknown", "AccountUnknown",
    ]  # fmt: skip
    assert hall.reasons("kim", freeze(1, free=True)) == ["NotAuthorised", "FreezeTooSmall"]
    hall.do("FSS", freeze(limits.MAX_UNITS))
    assert hall.reasons("kim", freeze(1)) == ["NotAuthorised", "NothingToChange"]
    hall.do("FSS", freeze(limits.MAX_UNITS, free=True))
    hall.issue("HBT", "kim", 100)
    hall.do("kim", pledge(60))
    assert hall.reasons("lee", release(9, 1)) == ["HoldUnknown"]
    assert hall.reasons("kim", release(1, 61)) == ["NotAuthorised", "HoldTooSmall"]
    assert hall.reasons("lee", execute(9, 1)) == ["HoldUnknown"]
    assert hall.reasons("kim", execute(1, 61, to="eve")) == ["NotAuthorised", "HoldTooSmall", "AccountUnknown"]
