"""Lots: who bought what when and at what cost; first in first out, unless the holder chooses; locks and bounds."""

from hypothesis import given
from hypothesis import strategies as st

from stoa.kernel import limits
from stoa.kernel.base import Event
from stoa.kernel.time import DAY
from stoa.ledger.assets.events import LotsJoined
from stoa.ledger.assets.joining import KEPT, fewer
from stoa.ledger.assets.model import Lot, LotPick
from stoa.ledger.assets.register import line
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


def dust(hall: Hall, units: int, cost: int = 0) -> list[Event]:
    """kim sends lee single units in as few blocks as may be."""
    events: list[Event] = []
    while units:
        count = min(units, limits.MAX_INSTRUCTIONS)
        one = Transfer("HBT", account("kim"), account("lee"), 1, cost, ())
        events += hall.do("kim", *[one] * count)
        units -= count
    return events


def test_too_many_lots_become_fewer_and_what_a_line_spans_stays_bounded(hall: Hall) -> None:
    hall.issue("HBT", "kim", 9_000)
    events = dust(hall, limits.MAX_LOTS, cost=3)
    assert not [event for event in events if isinstance(event, LotsJoined)]
    [told] = [event for event in dust(hall, 1, cost=3) if isinstance(event, LotsJoined)]
    assert [number for number, _ in told.gone] == list(range(limits.MAX_LOTS + 1))
    assert (told.first, len(told.lots)) == (limits.MAX_LOTS + 1, KEPT)
    lots = hall.lots("lee")
    assert (len(lots), sum(lot.units for lot in lots)) == (KEPT, limits.MAX_LOTS + 1)
    assert sum(lot.cost for lot in lots) == 3 * (limits.MAX_LOTS + 1)
    more = dust(hall, 3 * limits.MAX_LOTS)
    drawn_up = sum(isinstance(event, LotsJoined) for event in more)
    assert drawn_up == 3 * limits.MAX_LOTS // (limits.MAX_LOTS + 1 - KEPT)
    held = line(hall.view, "HBT", account("lee"))
    assert held.tail - held.head <= limits.MAX_LOTS
    assert sum(lot.units for lot in hall.lots("lee")) == held.units == 4 * limits.MAX_LOTS + 1


def test_a_number_never_comes_to_mean_another_lot(hall: Hall) -> None:
    hall.issue("HBT", "kim", 2_000)
    dust(hall, limits.MAX_LOTS + 1)
    early = send("lee", "kim", 1, lots=(LotPick(5, 1),))
    assert "there is no lot 5" in hall.refused("lee", early).sentence()


def test_dust_from_a_stranger_ages_nothing_but_dust(hall: Hall) -> None:
    hall.issue("HBT", "kim", 10_000)
    hall.issue("HBT", "lee", 5_000)
    hall.wait(DAY)
    hall.issue("HBT", "lee", 7_000)
    real = hall.lots("lee")
    for _ in range(5):
        hall.wait(60 * DAY)
        dust(hall, limits.MAX_LOTS)
    assert hall.lots("lee")[:2] == real
    hall.issue("HBT", "lee", 9_000)  # bought while the line is full of dust
    bought = hall.time
    for _ in range(3):
        hall.wait(DAY)
        dust(hall, limits.MAX_LOTS)
    [mine] = [lot for lot in hall.lots("lee") if lot.units >= 9_000]
    assert mine.acquired == bought


million = st.integers(0, 10**6)
lot_of_a_line = st.builds(Lot, st.integers(1, 10**6), million, st.just(b""), million, st.integers(0, 2 * 10**6))
lots_of_a_line = st.lists(lot_of_a_line, min_size=1, max_size=40)


@given(lots_of_a_line, st.integers(1, 40), st.integers(10**6, 10**6 + 10**5))
def test_joining_loses_nothing_and_makes_nothing_older_or_freer(before: list[Lot], most: int, time: int) -> None:
    after = fewer(before, most, time)
    assert len(after) == min(len(before), most)
    at = 0
    for lot in after:
        units, parts = 0, []
        while units < lot.units:
            parts.append(before[at])
            units += before[at].units
            at += 1
        assert (units, sum(part.cost for part in parts)) == (lot.units, lot.cost)
        assert lot.acquired == max(part.acquired for part in parts)
        assert lot.locked == max(part.locked for part in parts)
    assert at == len(before)


def test_the_cheapest_neighbours_are_joined() -> None:
    def lot(units: int, acquired: int, locked: int = 0) -> Lot:
        return Lot(units, acquired, b"", 0, locked)

    row = [lot(100, 0), lot(1, 50), lot(1, 60), lot(100, 61), lot(1, 90, locked=9_000)]
    assert fewer(row, 4, 100) == [row[0], row[1], lot(101, 61), row[4]]  # one unit comes to look 1 ms younger
    assert fewer(row, 3, 100) == [row[0], lot(102, 61), row[4]]


def test_the_cost_of_joined_lots_stays_within_its_bound(hall: Hall) -> None:
    """Costs are what people state: sums beyond the bound of all amounts must not reach the encoder."""
    hall.issue("HBT", "kim", 2_000)
    dust(hall, limits.MAX_LOTS + 8, cost=limits.MAX_UNITS)
    assert hall.lots("lee")[0].cost == limits.MAX_UNITS
