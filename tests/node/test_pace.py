"""Who is rested for: whoever falls behind, not whoever catches up."""

import pytest

from stoa.node.pace import LAG_BLOCKS, MOST_REST_SECONDS, REST_A_BLOCK, WINDOW_SECONDS, Pace

BLOCK_SECONDS = 0.2  # of a network that rests for nobody


def live(rate: float, behind: int, seconds: float) -> tuple[int, float]:
    """How far behind a peer is that makes so many blocks a second at most, and how long was rested in the end."""
    pace, now, height, theirs, rest = Pace(), 0.0, 10_000, 10_000.0 - behind, 0.0
    while now < seconds:
        rest = pace.rest(now, height, {"LATE": int(theirs)})
        now += rest + BLOCK_SECONDS
        height += 1
        theirs = min(float(height), theirs + rate * (rest + BLOCK_SECONDS))
    return height - int(theirs), rest


def test_nobody_rests_for_one_that_keeps_up() -> None:
    assert live(rate=100.0, behind=0, seconds=20) == (0, 0.0)


@pytest.mark.parametrize("rate", [0.9, 2.0, 4.0])
def test_a_slow_one_slows_the_others_and_does_not_fall_behind_for_ever(rate: float) -> None:
    behind, rest = live(rate, behind=0, seconds=2_000)
    assert LAG_BLOCKS < behind < LAG_BLOCKS + MOST_REST_SECONDS / REST_A_BLOCK + 25
    assert rest > 0


def test_one_that_stands_still_and_is_heard_is_rested_for_as_long_as_may_be() -> None:
    assert live(rate=0.0, behind=500, seconds=20)[1] == MOST_REST_SECONDS


def test_nobody_rests_for_one_that_catches_up() -> None:
    pace, rested = Pace(), list[float]()
    for second in range(20):
        rested.append(pace.rest(second, 10_000 + 5 * second, {"LATE": 50 * second, "LEVEL": 10_000 + 5 * second}))
    assert rested == [0.0] * 20


def test_a_peer_that_is_not_heard_any_more_is_forgotten() -> None:
    pace, late = Pace(), {"LATE": 0}
    pace.rest(0, 1_000, late)
    assert pace.rest(WINDOW_SECONDS, 1_010, late) == MOST_REST_SECONDS
    assert pace.rest(WINDOW_SECONDS + 1, 1_011, {}) == 0.0
    assert pace.rest(WINDOW_SECONDS + 2, 1_012, late) == 0.0, "heard anew, it has a window to show what it can"
