"""The ballot: who is counted, who is not, who contradicts himself."""

import pytest

from stoa.agreement.ballot import AHEAD, BEHIND, MAX_EPOCHS, Ballot
from stoa.agreement.effects import Evidence
from stoa.agreement.model import Seats
from stoa.wire.vote import Certificate, Vote, certificate_valid
from tests.agreement.toy import CHAIN, key_of, signer

pytestmark = pytest.mark.usefixtures("_toy")
X, Y = b"x" * 32, b"y" * 32
SEATS = Seats({name: key_of(name) for name in "ABCDE"}, 3, 0)


@pytest.fixture
def ballot() -> Ballot:
    return Ballot(CHAIN)


def vote(name: str, block_hash: bytes = X, height: int = 10, epoch: int = 1) -> Vote:
    return signer(name).vote(height, block_hash, epoch)


def test_a_quorum_of_equal_votes_of_one_epoch_is_a_certificate(ballot: Ballot) -> None:
    for one in (vote("C"), vote("A"), vote("B", Y), vote("D", epoch=2)):
        assert ballot.take(one, 10, SEATS.keys) is None
    assert ballot.certificate(10, SEATS.quorum) is None
    ballot.take(vote("E"), 10, SEATS.keys)
    certificate = ballot.certificate(10, SEATS.quorum)
    assert certificate is not None
    assert [one.validator for one in certificate.votes] == ["A", "C", "E"]
    assert certificate_valid(CHAIN, certificate, SEATS.keys, SEATS.quorum)


def test_votes_of_strangers_and_with_a_wrong_signature_do_not_count(ballot: Ballot) -> None:
    for one in (vote("F"), Vote(10, X, "A", vote("B").signature), Vote(10, X, "B", b"")):
        assert ballot.take(one, 10, SEATS.keys) is None
    assert ballot.counts(10, 1) == {}


def test_votes_far_away_are_not_kept(ballot: Ballot) -> None:
    for height in (10 + AHEAD + 1, 10 - BEHIND - 1, 2**50):
        ballot.take(vote("A", height=height), 10, SEATS.keys)
        assert ballot.counts(height, 1) == {}


def test_a_vote_ahead_counts_when_its_turn_comes_if_its_caster_is_still_a_member(ballot: Ballot) -> None:
    ballot.turn(10, SEATS.keys)
    for name in "ABC":
        ballot.take(vote(name, height=11), 10, SEATS.keys)
    others = {name: key for name, key in SEATS.keys.items() if name != "B"}
    ballot.turn(11, {**others, "C": key_of("another key of C")})
    assert list(ballot.counts(11, 1)[X]) == ["A"]


def test_a_forged_vote_ahead_does_not_displace_the_real_one(ballot: Ballot) -> None:
    ballot.take(vote("A", height=11), 10, SEATS.keys)
    ballot.take(Vote(11, Y, "A", b"forged"), 10, SEATS.keys)
    assert list(ballot.counts(11, 1)) == [X]


def test_two_votes_are_evidence_once_and_the_first_counts(ballot: Ballot) -> None:
    first, second = vote("A"), vote("A", Y)
    ballot.take(first, 10, SEATS.keys)
    assert ballot.take(second, 10, SEATS.keys) == Evidence("two_votes", "A", 10, (first, second))
    assert ballot.take(second, 10, SEATS.keys) is None
    assert ballot.take(vote("A", b"z" * 32), 10, SEATS.keys) is None
    assert list(ballot.counts(10, 1)) == [X]


def test_two_votes_in_two_epochs_are_no_evidence(ballot: Ballot) -> None:
    ballot.take(vote("A"), 10, SEATS.keys)
    assert ballot.take(vote("A", Y, epoch=2), 10, SEATS.keys) is None


def test_two_votes_below_the_final_block_are_evidence_too(ballot: Ballot) -> None:
    ballot.take(vote("A"), 10, SEATS.keys)
    ballot.turn(10 + BEHIND, SEATS.keys)
    assert ballot.take(vote("A", Y), 10 + BEHIND, SEATS.keys) is not None
    ballot.turn(11 + BEHIND, SEATS.keys)
    assert ballot.counts(10, 1) == {}


def test_a_vote_for_another_block_than_the_certified_is_dissent_before_and_after(ballot: Ballot) -> None:
    for one in (vote("A"), vote("B"), vote("C"), vote("D", Y), vote("E", Y, epoch=2)):
        ballot.take(one, 10, SEATS.keys)
    certificate = ballot.certificate(10, 3)
    assert isinstance(certificate, Certificate)
    assert list(ballot.settle(certificate, SEATS.keys)) == [Evidence("dissent", "D", 10, (vote("D", Y), certificate))]
    late = vote("E", Y)
    assert ballot.take(late, 11, SEATS.keys) == Evidence("dissent", "E", 10, (late, certificate))
    assert ballot.take(late, 11, SEATS.keys) is None


def test_a_vote_beside_its_casters_own_in_the_certificate_is_two_votes(ballot: Ballot) -> None:
    ballot.take(vote("D", Y), 10, SEATS.keys)
    certificate = Certificate(10, X, tuple(vote(name) for name in "BCD"))
    assert list(ballot.settle(certificate, SEATS.keys)) == [Evidence("two_votes", "D", 10, (vote("D"), vote("D", Y)))]
    forged = Certificate(10, X, (*(vote(name) for name in "ABC"), Vote(10, X, "D", b"forged")))
    assert list(ballot.settle(forged, SEATS.keys)) == [Evidence("dissent", "D", 10, (vote("D", Y), forged))]


def test_of_many_epochs_the_newest_are_kept(ballot: Ballot) -> None:
    for epoch in range(1, MAX_EPOCHS + 3):
        ballot.take(vote("A", epoch=epoch), 10, SEATS.keys)
    kept = [epoch for epoch in range(1, MAX_EPOCHS + 3) if ballot.counts(10, epoch)]
    assert kept == list(range(3, MAX_EPOCHS + 3))


def test_a_split_is_told_when_no_block_can_get_a_quorum(ballot: Ballot) -> None:
    for one in (vote("A"), vote("B"), vote("C", Y), vote("D", Y)):
        ballot.take(one, 10, SEATS.keys)
    assert ballot.split(10, 1, SEATS) == ""
    assert ": A, B" in ballot.split(10, 1, SEATS._replace(quorum=4))
