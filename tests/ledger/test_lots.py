"""Lots: who bought what when and at what cost; first in first out, unless the holder chooses; locks and bounds."""

from stoa.kernel import limits
from stoa.kernel.time import DAY
from stoa.ledger.assets.events import LotsJoined
from stoa.ledger.assets.model import Lot, LotPick
from stoa.ledger.settlement.events import UnitsMoved
from stoa.ledger.settlement.redeem import Redeem
from stoa.ledger.settlement.transfer import Transfer
from tests.ledger.hall import Hall, account, send


def two_lots(hall: Hall) -> None:
    """kim buys 10 units for 1,000 and a day later 20 for 3,000."""
    hall.issue("HBT", "kim", 10, cost=1_000)
    hall.wait(DAY)
    hall.issue("HBT", "kim", 20, cost=3_000)


def held(hall: Hall, name: str) -> list[tuple[int, int]]:
    return [(lot.units, lot.cost) for lot in hall.lots(name)]


def test_the_oldest_leave_first_and_the_cost_leaves_with_them(hall: Hall) -> None:
    two_lots(hall)
    hall.do("kim", send("kim", "lee", 12, cost=5_000))
    assert held(hall, "kim") == [(18, 2_700)]
    assert hall.lots("lee") == [Lot(12, hall.time, account("kim"), 5_000, 0)]


def test_a_part_of_a_lot_takes_its_cost_rounded_down_and_nothing_is_lost(hall: Hall) -> None:
    hall.issue("HBT", "kim", 3, cost=100)
    hall.second_account("kim2", "kim")
    hall.do("kim", send("kim", "kim2", 1))
    assert (held(hall, "kim"), held(hall, "kim2")) == ([(2, 67)], [(1, 33)])


def test_the_holder_may_choose_his_lots(hall: Hall) -> None:
    two_lots(hall)
    events = hall.do("kim", send("kim", "lee", 7, lots=(LotPick(0, 2), LotPick(1, 5))))
    moved = next(event for event in events if isinstance(event, UnitsMoved))
    assert (moved.gave, moved.first) == (((0, 2), (1, 5)), 0)
    assert held(hall, "kim") == [(8, 800), (15, 2_250)]


def test_a_choice_that_does_not_fit_is_refused(hall: Hall) -> None:
    two_lots(hall)
    hall.issue("HBT", "kim", 5, locked=hall.time + DAY)
    for lots, words in (
        ((LotPick(0, 2),), "they hold 2 units, 7 are to move"),
        ((LotPick(1, 5), LotPick(0, 2)), "once each"),
        ((LotPick(1, 5), LotPick(1, 2)), "once each"),
        ((LotPick(1, 2), LotPick(9, 5)), "no lot 9"),
        ((LotPick(1, 2), LotPick(2**64 - 1, 5)), "no lot"),
        ((LotPick(0, 2), LotPick(2, 5)), "locked"),
        ((LotPick(0, 11),), "they hold 11"),
    ):
        refused = hall.refused("kim", send("kim", "lee", 7, lots=lots))
        assert refused.name == "LotsInvalid"
        assert words in refused.sentence()
    assert "has 10 units" in hall.refused("kim", send("kim", "lee", 11, lots=(LotPick(0, 11),))).sentence()


def test_chosen_from_the_middle_the_next_oldest_is_still_found(hall: Hall) -> None:
    for cost in (100, 200, 300, 400):
        hall.issue("HBT", "kim", 10, cost=cost)
    hall.do("kim", send("kim", "lee", 20, lots=(LotPick(1, 10), LotPick(2, 10))))
    hall.do("kim", send("kim", "lee", 15))
    assert held(hall, "kim") == [(5, 200)]
    hall.do("kim", send("kim", "lee", 5))
    assert held(hall, "kim") == []
    hall.issue("HBT", "kim", 1, cost=7)
    assert held(hall, "kim") == [(1, 7)]


def test_locked_lots_stay_and_younger_ones_go(hall: Hall) -> None:
    hall.issue("HBT", "kim", 10, cost=100, locked=hall.time + 2 * DAY)
    hall.issue("HBT", "kim", 10, cost=200)
    hall.do("kim", send("kim", "lee", 6))
    assert held(hall, "kim") == [(10, 100), (4, 80)]
    refused = hall.refused("kim", send("kim", "lee", 5))
    assert (refused.name, refused.sentence()[:48]) == (
        "UnitsLocked",
        "5 units of HBT are needed, 4 are out of lock-up;",
    )
    hall.wait(2 * DAY)
    hall.do("kim", send("kim", "lee", 5))
    assert held(hall, "kim") == [(5, 50), (4, 80)]


def test_a_lock_stops_redemption_as_well(hall: Hall) -> None:
    hall.issue("HBT", "kim", 10, locked=hall.time + DAY)
    redeem = Redeem("HBT", account("kim"), 1, 0, ())
    assert hall.refused(("kim", "AGENT", "KSD"), redeem).name == "UnitsLocked"


def test_within_a_person_a_lot_keeps_its_date_its_source_and_its_cost(hall: Hall) -> None:
    two_lots(hall)
    before = hall.lots("kim")
    hall.second_account("kim2", "kim")
    hall.do("kim", send("kim", "kim2", 30, cost=999_999))
    assert hall.lots("kim2") == before


def test_cash_has_no_lots(hall: Hall) -> None:
    hall.issue("USD", "kim", 100)
    hall.do("kim", send("kim", "lee", 40, asset="USD"))
    assert hall.lots("lee", "USD") == []
    assert (hall.units("USD", "kim"), hall.units("USD", "lee")) == (60, 40)


def dust(hall: Hall, units: int, cost: int = 0) -> list[UnitsMoved | LotsJoined]:
    """kim sends lee single units in as few blocks as may be."""
    events: list[UnitsMoved | LotsJoined] = []
    while units:
        count = min(units, limits.MAX_INSTRUCTIONS)
        one = Transfer("HBT", account("kim"), account("lee"), 1, cost, ())
        done = hall.do("kim", *[one] * count)
        events += [event for event in done if isinstance(event, UnitsMoved | LotsJoined)]
        units -= count
    return events


def test_too_many_lots_are_joined_and_no_holding_period_gets_shorter(hall: Hall) -> None:
    hall.issue("HBT", "kim", 2_000)
    events = dust(hall, limits.MAX_LOTS + 2, cost=3)
    assert [event for event in events if isinstance(event, LotsJoined)] == [
        LotsJoined("HBT", account("lee"), 0, 1),
        LotsJoined("HBT", account("lee"), 1, 2),
    ]
    lots = hall.lots("lee")
    assert len(lots) == limits.MAX_LOTS
    assert (lots[0].units, lots[0].cost) == (3, 9)
    assert sum(lot.units for lot in lots) == limits.MAX_LOTS + 2


def test_the_cost_of_joined_lots_stays_within_its_bound(hall: Hall) -> None:
    """Costs are what people state: sums beyond the bound of all amounts must not reach the encoder."""
    hall.issue("HBT", "kim", 2_000)
    dust(hall, limits.MAX_LOTS + 8, cost=limits.MAX_UNITS)
    assert hall.lots("lee")[0].cost == limits.MAX_UNITS
