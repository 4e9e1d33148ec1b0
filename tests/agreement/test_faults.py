"""What is promised of single faults, without luck: who stops, who goes on, who is named."""

import pytest

from tests.agreement.toy import toy_signatures
from tests.agreement.universe import Fault, Plan, Universe

LENGTH = 20_000
WORK = tuple((at, name, b"%s %d" % (name.encode(), at)) for at in range(500, LENGTH - 4_000, 900) for name in "CDE")


def plan(
    byzantine: bool, faults: tuple[Fault, ...], *lies: str, work: tuple[tuple[int, str, bytes], ...] = WORK
) -> Plan:
    liars = (("A", lies),) if lies else ()
    return Plan(7, 5, byzantine, False, False, liars, faults, work, LENGTH)


def heights(one: Universe, *times: int) -> list[int]:
    """The height of the network at these times of its run."""
    seen: list[int] = []
    for time in times:
        one.at(time, lambda: seen.append(one.auditor.height))
    one.run()
    return seen


@pytest.fixture(autouse=True)
def _toy_signatures(_toy: None) -> None:
    """All of these universes are toys."""


def test_two_of_five_down_stop_nothing() -> None:
    down = Fault("crash", 4_000, LENGTH, ("A", "B"), 0)
    before, later, last = heights(Universe(plan(False, (down,))), 4_000, 8_000, 16_000)
    assert before < later < last
    assert last - later > 8


def test_three_of_five_down_stop_it_safely_and_it_goes_on_by_itself() -> None:
    down = Fault("crash", 4_000, 6_000, ("A", "B", "C"), 0)
    one = Universe(plan(False, (down,)))
    before, stopped, still, after = heights(one, 4_000, 5_000, 9_900, 14_000)
    assert before <= stopped == still < after
    assert {validator.core.epoch for validator in one.validators.values()} == {1}


def test_with_four_of_five_one_down_stops_nothing_and_two_do() -> None:
    one, two = Fault("crash", 4_000, 4_000, ("A",), 0), Fault("crash", 10_000, 4_000, ("A", "B"), 0)
    first, second, third, fourth = heights(Universe(plan(True, (one, two))), 4_100, 7_900, 10_500, 13_900)
    assert first < second < third == fourth


@pytest.mark.parametrize(
    ("lie", "kind"), [("two_votes", "two_votes"), ("wrong_root", "dissent"), ("two_batches", "two_batches")]
)
def test_with_four_of_five_a_liar_changes_nothing_and_is_named(lie: str, kind: str) -> None:
    work = (*WORK, *((at, "A", b"lie %d" % at) for at in range(600, 10_000, 1_000)))
    one = Universe(plan(True, (), lie, work=tuple(sorted(work))))
    early, late = heights(one, 4_000, 14_000)
    assert early < late
    assert kind in one.auditor.named["A"]
    assert list(one.auditor.named) == ["A"]
    assert {validator.core.epoch for validator in one.validators.values()} == {1}


@pytest.mark.parametrize("lie", ["silent", "garbage", "promises", "replays", "early", "alters", "withholds"])
def test_with_four_of_five_a_nuisance_changes_nothing(lie: str) -> None:
    returning = Fault("pause", 3_000, 4_000, ("B",), 0)
    one = Universe(plan(True, (returning,), lie))
    early, late = heights(one, 9_000, 15_000)
    assert early < late
    assert {validator.core.epoch for validator in one.validators.values() if validator.honest} == {1}


def test_a_wiped_log_is_opened_anew_by_people_and_nothing_is_lost() -> None:
    one = Universe(plan(False, (Fault("wipe", 5_000, 0, (), 0), Fault("reopen", 9_000, 200, tuple("ABCDE"), 0))))
    before, after = heights(one, 9_000, 13_000)
    assert before < after
    assert {validator.core.epoch for validator in one.validators.values()} == {2}


def test_below_the_quorum_promises_open_nothing() -> None:
    one = Universe(plan(False, (Fault("reopen", 5_000, 0, ("A", "B"), 0),)))
    heights(one)
    assert {validator.core.epoch for validator in one.validators.values()} == {1}


def test_a_universe_is_the_same_each_time() -> None:
    with toy_signatures():
        first, second = (Universe(plan(True, (Fault("lossy", 1_000, 9_000, (), 30),), "two_votes")) for _ in range(2))
        first.run()
        second.run()
    assert first.steps == second.steps
    assert first.auditor.states == second.auditor.states
