"""Who may have lost votes comes back above all of them, and not before; liars cannot bring it back early."""

import pytest

from stoa.agreement.model import Seats
from stoa.agreement.returning import Return, voices_needed
from stoa.wire.status import Status

HEAD = bytes(32)


def seats(members: int, quorum: int, liars: int = 0) -> Seats:
    return Seats(dict.fromkeys("ABCDEFGHIJKLMNOP"[:members], b""), quorum, liars)


def told(name: str, height: int) -> Status:
    return Status("test", name, 1, height, HEAD, None)


@pytest.mark.parametrize(
    ("members", "quorum", "liars", "voices"),
    [(1, 1, 0, 1), (2, 2, 0, 1), (3, 2, 0, 2), (5, 3, 0, 3), (5, 4, 1, 3), (4, 3, 1, 3), (7, 5, 2, 5), (10, 7, 3, 7)],
)
def test_so_many_others_must_be_heard(members: int, quorum: int, liars: int, voices: int) -> None:
    """A quorum kept the block, this one among them: of the others all but so few did, and of these so few lie."""
    found = voices_needed(seats(members, quorum, liars))
    assert found == voices
    without_it = members - quorum
    assert found - without_it - liars == 1


def test_it_returns_two_above_what_the_highest_of_them_had() -> None:
    """It may have seen the certificate of block 11 alone, and voted on 12, when the others had 10."""
    five = seats(5, 3)
    returning = Return("A", lost=True)
    for name, height in (("B", 10), ("C", 9)):
        returning.heard(told(name, height), five)
    assert not returning.may_vote(50, five), "too few were heard"
    returning.heard(told("D", 8), five)
    assert not returning.may_vote(11, five)
    assert returning.may_vote(12, five)
    assert returning.may_vote(13, five)


def test_what_they_tell_later_does_not_put_it_off() -> None:
    five = seats(5, 3)
    returning = Return("A", lost=True)
    for height in (10, 20, 30):
        for name in "BCD":
            returning.heard(told(name, height), five)
    assert returning.may_vote(12, five)


def test_a_liar_that_claims_to_be_far_ahead_keeps_it_away_only_until_all_others_are_heard() -> None:
    five = seats(5, 4, 1)
    returning = Return("A", lost=True)
    for name, height in (("B", 10_000), ("C", 10), ("D", 9)):
        returning.heard(told(name, height), five)
    assert not returning.may_vote(50, five), "the three must be believed: any two of them may not have kept the block"
    returning.heard(told("E", 8), five)
    assert not returning.may_vote(11, five)
    assert returning.may_vote(12, five)


def test_where_no_voice_is_to_spare_all_are_believed() -> None:
    four = seats(4, 3, 1)
    returning = Return("A", lost=True)
    for name, height in (("B", 10_000), ("C", 10), ("D", 9)):
        returning.heard(told(name, height), four)
    assert not returning.may_vote(50, four)


def test_its_own_word_does_not_count_and_other_members_are_heard_anew() -> None:
    five, other = seats(5, 3), Seats(dict.fromkeys("ABCDX", b""), 3, 0)
    returning = Return("A", lost=True)
    for name in "ABC":
        returning.heard(told(name, 1), five)
    assert not returning.may_vote(9, five)
    returning.heard(told("D", 1), five)
    assert not returning.may_vote(9, other)
    for name in "BCX":
        returning.heard(told(name, 2), other)
    assert returning.may_vote(4, other)


def test_who_lost_nothing_may_vote_at_once() -> None:
    assert Return("A", lost=False).may_vote(0, seats(5, 3))
