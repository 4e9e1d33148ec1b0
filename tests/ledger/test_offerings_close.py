"""The close of an offering: refund to the unit, allotment by hand-computed numbers, who drops out, bounded work."""

from typing import NamedTuple

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stoa.kernel import limits
from stoa.kernel.money import largest_remainder
from stoa.kernel.time import DAY
from stoa.ledger.assets.model import SUPPLY, Lot
from stoa.ledger.compliance.attest import Attest
from stoa.ledger.compliance.conditions import Compare
from stoa.ledger.compliance.revoke import Revoke
from stoa.ledger.holds.model import HOLDS
from stoa.ledger.identity.freeze_account import FreezeAccount
from stoa.ledger.offerings.close_offering import CloseOffering
from stoa.ledger.offerings.events import AllotmentDecided, OfferingClosing, OfferingEnded
from stoa.ledger.offerings.model import RESERVED, Tier
from stoa.ledger.offerings.subscribe import Subscribe
from stoa.ledger.settlement.force_transfer import ForceTransfer
from stoa.ledger.settlement.issue import Issue
from stoa.ledger.settlement.recover import Recover
from tests.ledger.hall import EVIDENCE, account, rule
from tests.ledger.offering_hall import CLOSES, OfferingHall, allotments, events, refusals

PEOPLE = ("kim", "lee", "park", "choi")


@pytest.fixture
def hall() -> OfferingHall:
    """Four people with 10,000 dollars each."""
    hall = OfferingHall()
    for name in PEOPLE:
        hall.investor(name)
    return hall


# the soft cap


def test_a_missed_soft_cap_refunds_everybody_to_the_unit(hall: OfferingHall) -> None:
    hall.offer(soft_cap=500)
    hall.subscribe("kim", 333)
    hall.subscribe("lee", 166)
    assert (hall.offering().subscribed, hall.offering().held) == (499, 49_900)
    found = hall.deadline()
    assert refusals(found) == {1: [1615], 2: [1615]}
    assert found[-1] == OfferingEnded("OFF", "refunded", 0, 1_000, 0)
    assert [hall.dollars(name) for name in ("kim", "lee", "AGENT")] == [(1_000_000, 0), (1_000_000, 0), (0, 0)]
    assert hall.view.scan(HOLDS, ("USD",), 1) == []
    assert (hall.view.get(SUPPLY, "HBT"), hall.view.get(RESERVED, "HBT")) == (None, None)


def test_a_reached_soft_cap_settles_what_there_is(hall: OfferingHall) -> None:
    hall.offer(soft_cap=500)
    hall.subscribe("kim", 500)
    found = hall.deadline()
    assert AllotmentDecided("OFF", "in_full", 1_000, 500) in found
    assert found[-1] == OfferingEnded("OFF", "settled", 500, 500, 50_000)
    assert (hall.dollars("kim"), hall.dollars("AGENT")) == ((950_000, 0), (50_000, 0))


def test_an_offering_nobody_wanted_ends_too(hall: OfferingHall) -> None:
    hall.offer(soft_cap=0)
    assert hall.deadline()[-1] == OfferingEnded("OFF", "settled", 0, 1_000, 0)


def test_an_allotment_is_a_lot_at_its_cost_under_the_lock_up(hall: OfferingHall) -> None:
    hall.offer(soft_cap=0, locked=CLOSES + 30 * DAY)
    hall.subscribe("kim", 7)
    hall.deadline()
    assert hall.lots("kim") == [Lot(7, CLOSES, b"", 700, CLOSES + 30 * DAY)]


# allotment, with numbers computed by hand


class Example(NamedTuple):
    """Units on offer, what is asked for in order, what each gets."""

    rule: str
    units: int
    asked: tuple[int, ...]
    allotted: dict[int, int]


EXAMPLES = {
    "exact": Example("pro_rata", 1_000, (700, 700, 600), {1: 350, 2: 350, 3: 300}),
    # 26 rest 60, 31 rest 110, 42 rest 20 of 190: the one unit left goes to the second
    "largest remainder": Example("pro_rata", 100, (50, 60, 80), {1: 26, 2: 32, 3: 42}),
    # 3 rest 4 of 12 each: the one unit left goes to the earliest
    "tie": Example("pro_rata", 10, (4, 4, 4), {1: 4, 2: 3, 3: 3}),
    # 0 rest 2, 0 rest 2, 1 rest 198 of 202: one unit left, to the last
    "nothing left": Example("pro_rata", 2, (1, 1, 200), {3: 2}),
    "by time": Example("time", 100, (60, 60, 30), {1: 60, 2: 40}),
    "by time, not over-subscribed": Example("time", 100, (60, 40), {1: 60, 2: 40}),
}


@pytest.mark.parametrize("example", EXAMPLES.values(), ids=list(EXAMPLES))
def test_over_subscription_is_allotted_by_the_stated_rule(hall: OfferingHall, example: Example) -> None:
    hall.offer(units=example.units, soft_cap=1, allotment=example.rule)
    for name, units in zip(PEOPLE, example.asked, strict=False):
        hall.subscribe(name, units)
    found = hall.deadline()
    assert allotments(found) == example.allotted
    left_out = [number for number in range(1, len(example.asked) + 1) if number not in example.allotted]
    assert refusals(found) == {number: [1616] for number in left_out}
    for number, name in enumerate(PEOPLE[: len(example.asked)], start=1):
        got = example.allotted.get(number, 0)
        assert (hall.units("HBT", name), hall.dollars(name)) == (got, (1_000_000 - got * 100, 0))
    assert hall.dollars("AGENT") == (example.units * 100, 0)


class Asked(NamedTuple):
    """One subscription of a property test: by which of two accounts of which person, when, how much."""

    person: int
    second: bool
    early: bool
    units: int


ASKED = st.builds(Asked, st.integers(0, 2), st.booleans(), st.booleans(), st.integers(1, 400))


@settings(max_examples=40, deadline=None)
@given(asked=st.lists(ASKED, min_size=1, max_size=12), units=st.integers(1, 600), limit=st.integers(1, 500))
def test_every_allotment_adds_up(asked: list[Asked], units: int, limit: int) -> None:
    hall = OfferingHall()
    for name in PEOPLE[:3]:
        hall.investor(name)
        hall.second_account(f"{name}-2", owner=name)
        hall.issue("USD", f"{name}-2", 1_000_000)
    change = hall.time + DAY
    hall.offer(units=units, soft_cap=0, hard_cap=10_000, limit=limit, tiers=(Tier(change, 97), Tier(CLOSES, 101)))
    taken: list[tuple[Asked, int]] = []
    for early in (True, False):
        price = 97 if early else 101
        for one in (one for one in asked if one.early == early):
            name = PEOPLE[one.person] + ("-2" if one.second else "")
            if hall.act(name, Subscribe("OFF", account(name), one.units, one.units * price)).applied:
                taken.append((one, price))
        hall.wait(max(0, change - hall.time))
    book = [one.units for one, _ in taken]
    assert sum(hall.dollars(name + end)[1] for name in PEOPLE[:3] for end in ("", "-2")) == hall.offering().held
    shares = allotments(hall.deadline())
    expected = book if sum(book) <= units else largest_remainder(units, book)
    got = [shares.get(number, 0) for number in range(1, len(taken) + 1)]
    assert got == expected
    assert sum(got) == min(units, sum(book)) == hall.offering().sold == (hall.view.get(SUPPLY, "HBT") or 0)
    for (one, _), share in zip(taken, got, strict=True):
        assert share <= one.units
    for person in range(3):
        assert sum(share for (one, _), share in zip(taken, got, strict=True) if one.person == person) <= limit
    paid = sum(share * price for (_, price), share in zip(taken, got, strict=True))
    left = [hall.dollars(name + end) for name in PEOPLE[:3] for end in ("", "-2")]
    assert hall.dollars("AGENT")[0] == hall.offering().paid == paid
    assert (sum(cash for cash, _ in left) + paid, sum(held for _, held in left)) == (6_000_000, 0)


# who drops out between subscription and close


def test_an_expired_claim_refunds_its_holder_and_the_others_share(hall: OfferingHall) -> None:
    hall.offer(units=100, soft_cap=50)
    hall.do("IDP", Attest(hall.parties["kim"], "identity", "IDP", "KR", CLOSES))
    for name in ("kim", "lee", "park"):
        hall.subscribe(name, 80)
    found = hall.deadline()
    assert refusals(found) == {1: [1303]}
    assert allotments(found) == {2: 50, 3: 50}
    assert hall.dollars("kim") == (1_000_000, 0)


def test_the_soft_cap_is_judged_by_who_is_eligible_at_the_close(hall: OfferingHall) -> None:
    hall.offer(soft_cap=500)
    hall.subscribe("kim", 400)
    hall.subscribe("lee", 499)
    hall.do("IDP", Revoke(hall.parties["kim"], "identity", "IDP", "found to be another"))
    assert refusals(hall.deadline()) == {1: [1302], 2: [1615]}
    assert (hall.dollars("kim"), hall.dollars("lee")) == ((1_000_000, 0), (1_000_000, 0))


def test_a_rule_exhausted_by_earlier_allotments_leaves_units_unsold() -> None:
    hall = OfferingHall(rules=(rule("TWO-HOLDERS", Compare("holders.after", "<=", 2)),))
    for name in ("kim", "lee", "park"):
        hall.investor(name)
    hall.offer(units=100, soft_cap=50)
    for name in ("kim", "lee", "park"):
        hall.subscribe(name, 60)
    found = hall.deadline()
    assert refusals(found) == {3: [1305]}
    assert allotments(found) == {1: 34, 2: 33}
    assert found[-1] == OfferingEnded("OFF", "settled", 67, 33, 6_700)
    assert hall.dollars("park") == (1_000_000, 0)


def test_a_frozen_account_is_refunded_and_stays_frozen(hall: OfferingHall) -> None:
    hall.offer(soft_cap=0)
    hall.subscribe("kim", 100)
    hall.do("FSS", FreezeAccount(account("kim"), True, "order", EVIDENCE))
    found = hall.deadline()
    assert refusals(found) == {1: [1108]}
    assert (hall.units("HBT", "kim"), hall.dollars("kim")) == (0, (1_000_000, 0))


def test_cash_taken_by_force_ends_the_subscription_it_covered(hall: OfferingHall) -> None:
    hall.offer(soft_cap=0)
    hall.subscribe("kim", 3_000)
    hall.do("BANK", ForceTransfer("USD", account("kim"), account("lee"), 800_000, 0, "court order", EVIDENCE))
    assert hall.dollars("kim") == (200_000, 200_000)
    found = hall.deadline()
    assert refusals(found)[1][0] == 1617
    assert (hall.dollars("kim"), hall.dollars("lee")) == ((200_000, 0), (1_800_000, 0))


def test_cash_taken_to_the_last_unit_leaves_nothing_to_refund(hall: OfferingHall) -> None:
    hall.offer(soft_cap=0)
    hall.subscribe("kim", 3_000)
    hall.do("BANK", ForceTransfer("USD", account("kim"), account("lee"), 1_000_000, 0, "court order", EVIDENCE))
    assert refusals(hall.deadline())[1][0] == 1617
    assert hall.dollars("kim") == (0, 0)


def test_the_allotment_follows_a_recovered_account(hall: OfferingHall) -> None:
    hall.offer(soft_cap=0)
    hall.subscribe("kim", 10)
    hall.second_account("kim-2", owner="kim")
    hall.do(("BROKER-A", "KSD"), Recover(account("kim"), account("kim-2"), "lost key", EVIDENCE))
    assert allotments(hall.deadline()) == {1: 10}
    assert (hall.units("HBT", "kim-2"), hall.dollars("kim-2")) == (10, (999_000, 0))


def test_units_issued_past_the_offering_refund_who_comes_too_late(hall: OfferingHall) -> None:
    hall.offer(soft_cap=0)
    hall.subscribe("kim", 600)
    hall.subscribe("lee", 400)
    hall.do(("AGENT", "KSD"), Issue("HBT", account("park"), 10**12 - 700, 0, 0))
    found = hall.deadline()
    assert (allotments(found), refusals(found)) == ({1: 600}, {2: [1501]})


# bounded work


@pytest.fixture(scope="module")
def crowd() -> OfferingHall:
    """600 subscriptions of 1, 2, 3 ... units, 200 from each of three people; the agent has closed the book."""
    hall = OfferingHall()
    for name in PEOPLE[:3]:
        hall.investor(name, cash=10**9)
    hall.offer(units=100_003, hard_cap=10**6, limit=10**6, closable=True)
    asked = [(PEOPLE[number % 3], number) for number in range(1, 601)]
    for name in PEOPLE[:3]:
        mine = [Subscribe("OFF", account(name), units, units * 100) for who, units in asked if who == name]
        for start in range(0, len(mine), limits.MAX_INSTRUCTIONS):
            hall.do(name, *mine[start : start + limits.MAX_INSTRUCTIONS])
    hall.do("AGENT", CloseOffering("OFF"))
    return hall


def test_a_long_book_closes_over_several_blocks_and_takes_nobody_in(
    crowd: OfferingHall, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "MAX_DUE_STEPS", 500)
    hall = crowd
    asked = [hall.subscription(number).units for number in range(1, 601)]
    expected = largest_remainder(100_003, asked)
    found, blocks = [], 0
    while hall.offering().stage != "settled":
        late = hall.signed("kim", Subscribe("OFF", account("kim"), 1, 100))
        done = hall.block(late)
        blocks += 1
        assert len(allotments(events(done))) <= limits.MAX_DUE_STEPS
        assert done[0].rejection is not None
        assert done[0].rejection.name == "OfferingNotOpen"
        found += events(done)
    passes = 3 * 600 + sum(100_003 * units % sum(asked) > 0 for units in asked)
    assert blocks == -(-passes // limits.MAX_DUE_STEPS)
    shares = allotments(found)
    assert [shares.get(number, 0) for number in range(1, 601)] == expected
    assert sum(shares.values()) == 100_003
    assert not any(isinstance(event, OfferingClosing) for event in found)  # that was the agent's
    assert hall.dollars("AGENT") == (10_000_300, 0)
    assert sum(hall.dollars(name)[1] for name in PEOPLE[:3]) == 0
