"""Whom to ask: one at a time, and who was no use after all the others."""

from stoa.agreement.around import Around
from stoa.wire.status import Status


def around(*names: str) -> Around:
    made = Around()
    made.peers = {name: Status("chain", name, 1, 9, bytes(32), None) for name in names}
    return made


def test_one_is_asked_at_a_time_and_who_failed_comes_last() -> None:
    made = around("B", "C")
    assert made.whom(0, now=1) == "B"
    assert made.whom(0, now=2) == ""
    made.failed("B")
    assert made.whom(0, now=3) == "C"


def test_where_another_answers_in_place_of_who_was_asked_the_rest_is_asked_for_at_once() -> None:
    """As a member does whose peer has dropped the bodies of these blocks, or says so."""
    made = around("B", "C")
    assert made.whom(0, now=1) == "B"
    made.answered("C")
    assert made.whom(1, now=2) == "C", "and not B, which had nothing"
