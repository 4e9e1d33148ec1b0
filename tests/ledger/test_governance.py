"""Proposals and votes: who may, what is refused in which order, and what takes effect exactly when."""

import pytest

from stoa.kernel import limits
from stoa.kernel.codec import encode
from stoa.ledger.governance.errors import QuorumMissed
from stoa.ledger.governance.events import ChangeEnacted, ParameterSet, ProposalLapsed, VoteCast
from stoa.ledger.governance.invariants import INVARIANTS
from stoa.ledger.governance.model import (
    AGENDA,
    BATCH_BYTES,
    BATCH_LINGER_MS,
    BATCH_TRANSACTIONS,
    BOUNDS,
    DEFAULTS,
    ERAS,
    MAX_OPEN_PROPOSALS,
    MAX_VOTING_MS,
    PARAMETERS,
    QUORUM,
    VALIDATORS,
    VOTES,
    AdmitValidator,
    Change,
    Era,
    RemoveValidator,
    RotateVotingKey,
    SetParameters,
    Setting,
)
from stoa.ledger.governance.propose import Propose
from stoa.ledger.governance.vote import Vote
from stoa.ledger.state import Table
from stoa.wire.batch import BatchBody, sign_batch
from tests.ledger.hall import against, public, secret
from tests.ledger.senate import LINGER, Senate, admit

NO_KEY = b"\5" * 33


def settings(**values: int) -> SetParameters:
    return SetParameters(tuple(Setting(name, value) for name, value in values.items()))


# refusals


@pytest.mark.parametrize(
    ("change", "reasons"),
    [
        (settings(colour=1), ["ParameterUnknown"]),
        (settings(quorum=2), ["ParameterOutOfBounds"]),
        (settings(batch_linger_ms=0, batch_bytes=1, colour=1), ["ParameterOutOfBounds"] * 2 + ["ParameterUnknown"]),
        (SetParameters((Setting(BATCH_LINGER_MS, 5), Setting(BATCH_LINGER_MS, 6))), ["ParameterRepeated"]),
        (settings(batch_linger_ms=DEFAULTS[BATCH_LINGER_MS], quorum=0), ["NothingToChange"]),
        (settings(batch_linger_ms=DEFAULTS[BATCH_LINGER_MS], quorum=1), []),
        (admit("AGENT"), []),
        (AdmitValidator("NOBODY", NO_KEY), ["CandidateUnknown", "VotingKeyInvalid"]),
        (AdmitValidator("FSS", public("KSD votes")), ["VotingKeyTaken"]),
        (AdmitValidator("KSD", public("BROKER-A votes")), ["AlreadyValidator", "VotingKeyTaken"]),
        (RemoveValidator("BROKER-B"), []),
        (RemoveValidator("FSS"), ["NotValidator"]),
        (RotateVotingKey("KSD", public("new")), []),
        (RotateVotingKey("FSS", NO_KEY), ["NotValidator", "VotingKeyInvalid"]),
        (RotateVotingKey("KSD", public("BROKER-A votes")), ["VotingKeyTaken"]),
        (RotateVotingKey("KSD", public("KSD votes")), ["NothingToChange"]),
    ],
)
def test_a_change_is_refused_for_every_reason_in_order(change: Change, reasons: list[str]) -> None:
    senate = Senate(3)
    assert senate.reasons("KSD", senate.proposal("KSD", change)) == reasons


def test_a_proposal_is_refused_gravest_reason_first() -> None:
    senate = Senate(3)
    late = Propose("FSS", settings(colour=1), senate.height + 1, senate.time, "why not")
    assert senate.reasons("KSD", late) == [
        "NotValidator",
        "NotAuthorised",
        "ParameterUnknown",
        "HeightNotAhead",
        "VotingPeriodInvalid",
    ]
    for _ in range(MAX_OPEN_PROPOSALS):
        senate.propose("KSD", LINGER)
    assert senate.reasons("KSD", senate.proposal("KSD", LINGER, 0, MAX_VOTING_MS + 1)) == [
        "HeightNotAhead",
        "VotingPeriodInvalid",
        "TooManyProposals",
    ]
    senate.do("BROKER-A", senate.proposal("BROKER-A", LINGER, 1, MAX_VOTING_MS))


def test_a_decided_proposal_makes_room_for_another() -> None:
    senate = Senate(1)
    numbers = [senate.propose("KSD", settings(batch_linger_ms=100 + at)) for at in range(MAX_OPEN_PROPOSALS)]
    assert senate.refused("KSD", senate.proposal("KSD", LINGER)).name == "TooManyProposals"
    senate.decide(numbers[0])
    assert senate.propose("KSD", LINGER) == numbers[-1] + 1


def test_a_vote_is_refused_gravest_reason_first() -> None:
    senate = Senate(2)
    number = senate.propose("KSD", LINGER, 2, 10_000)
    assert senate.reasons("KSD", Vote(9, "FSS", True)) == ["ProposalUnknown"]
    assert senate.reasons("BROKER-A", Vote(number, "FSS", True)) == ["NotValidator", "NotAuthorised"]
    assert senate.reasons("BROKER-A", Vote(number, "KSD", False)) == ["NotAuthorised", "AlreadyVoted"]
    assert senate.refused("KSD", Vote(number, "KSD", False)).name == "AlreadyVoted"
    senate.decide(number)
    senate.wait(20_000)
    assert senate.reasons("BROKER-A", Vote(number, "KSD", True)) == [
        "NotAuthorised",
        "ProposalClosed",
        "VotingOver",
        "AlreadyVoted",
    ]


def test_a_vote_at_the_moment_of_expiry_is_too_late() -> None:
    senate = Senate(2)
    number = senate.propose("KSD", LINGER, 5, 10_000)
    expires = senate.row(number).expires
    last, late = Vote(number, "BROKER-A", True), expires - senate.time
    senate.block(later=late - 1)
    assert senate.reasons("BROKER-A", last) == []
    [receipt, lapsed] = senate.block(senate.signed("BROKER-A", last), later=1)
    assert receipt.rejection is not None
    assert receipt.rejection.name == "ProposalClosed"
    assert isinstance(lapsed.events[0], ProposalLapsed)


def test_only_the_operating_account_of_an_active_validator_speaks() -> None:
    senate = Senate(3)
    number = senate.propose("KSD", LINGER)
    senate.suspend("BROKER-A")
    assert senate.refused("BROKER-A", Vote(number, "BROKER-A", True)).name == "NotAuthorised"
    assert senate.refused("BROKER-A", senate.proposal("BROKER-A", LINGER)).name == "NotAuthorised"
    senate.reinstate("BROKER-A")
    senate.vote(number, "BROKER-A")


# what takes effect, and when


def test_a_change_takes_effect_at_its_height_and_not_a_block_before() -> None:
    senate = Senate(3)
    number = senate.propose("KSD", settings(batch_linger_ms=7, batch_transactions=9), ahead=4)
    height = senate.row(number).height
    senate.vote(number, "BROKER-A")
    senate.reach(height - 1)
    assert senate.parameter() == DEFAULTS[BATCH_LINGER_MS]
    [receipt] = senate.reach(height)
    assert receipt.events == (
        ChangeEnacted(number, 2, 2, 3),
        ParameterSet(BATCH_LINGER_MS, DEFAULTS[BATCH_LINGER_MS], 7),
        ParameterSet(BATCH_TRANSACTIONS, DEFAULTS[BATCH_TRANSACTIONS], 9),
    )
    assert (receipt.height, receipt.rejection) == (height, None)
    assert (senate.parameter(), senate.parameter(BATCH_TRANSACTIONS), senate.row(number).stage) == (7, 9, "enacted")
    assert senate.wait(1) == []


def test_a_vote_in_the_block_of_the_height_itself_comes_too_late() -> None:
    senate = Senate(2)
    number = senate.propose("KSD", LINGER, ahead=2)
    senate.reach(senate.row(number).height - 1)
    receipt = senate.act("BROKER-A", Vote(number, "BROKER-A", True))
    assert receipt.rejection is not None
    assert receipt.rejection.name == "ProposalClosed"
    assert senate.parameter() == DEFAULTS[BATCH_LINGER_MS]


def test_below_the_quorum_a_proposal_lapses_and_says_why() -> None:
    senate = Senate(3)
    number = senate.propose("KSD", LINGER)
    senate.vote(number, "BROKER-A", "BROKER-B", yes=False)
    [lapsed] = senate.decide(number)
    assert isinstance(lapsed, ProposalLapsed)
    assert (lapsed.yes, lapsed.quorum, lapsed.validators) == (1, 2, 3)
    assert against(lapsed) == [QuorumMissed(number, 1, 2, 3)]
    assert senate.row(number).stage == "lapsed"
    assert (senate.row(number).yes, senate.row(number).no) == (1, 2)
    assert senate.parameter() == DEFAULTS[BATCH_LINGER_MS]


def test_time_lets_a_proposal_lapse_though_its_quorum_is_reached() -> None:
    senate = Senate(1)
    early, at_its_height = senate.propose("KSD", LINGER, 100, 5_000), senate.propose("KSD", LINGER, 1, 5_000)
    assert senate.row(at_its_height).height == senate.height + 1
    receipts = senate.wait(10_000)
    lapsed = [event for receipt in receipts for event in receipt.events]
    assert [
        (event.proposal, [one.code for one in against(event)]) for event in lapsed if isinstance(event, ProposalLapsed)
    ] == [(at_its_height, [1803]), (early, [1803])]
    assert list(senate.view.walk(AGENDA)) == []
    assert senate.parameter() == DEFAULTS[BATCH_LINGER_MS]


def test_proposals_for_one_height_are_decided_in_the_order_in_which_they_were_made() -> None:
    senate = Senate(1)
    first = senate.propose("KSD", settings(batch_linger_ms=7), ahead=5)
    second = senate.propose("KSD", settings(batch_linger_ms=9), ahead=4)
    again = senate.propose("KSD", settings(batch_linger_ms=9), ahead=3)
    events = senate.decide(first)
    assert events[1] == ParameterSet(BATCH_LINGER_MS, DEFAULTS[BATCH_LINGER_MS], 7)
    assert events[3] == ParameterSet(BATCH_LINGER_MS, 7, 9)
    assert isinstance(events[4], ProposalLapsed)
    assert [senate.row(number).stage for number in (first, second, again)] == ["enacted", "enacted", "lapsed"]


def test_a_change_that_has_become_impossible_lapses() -> None:
    senate = Senate(1)
    number = senate.propose("KSD", admit("FSS"))
    senate.suspend("FSS")
    [lapsed] = senate.decide(number)
    assert isinstance(lapsed, ProposalLapsed)
    assert [one.sentence() for one in against(lapsed)] == [
        "There is no active institution FSS.",
        "Of 2 validators 1 would be active; a quorum needs 2.",
    ]
    assert senate.validators() == ["KSD"]


def test_proposing_is_voting_yes() -> None:
    senate = Senate(1)
    [_, vote] = senate.do("KSD", senate.proposal("KSD", LINGER))
    assert vote == VoteCast(1, "KSD", True)
    senate.decide(1)
    assert senate.parameter() == 7


# bounds


@pytest.mark.parametrize("name", DEFAULTS)
def test_every_parameter_is_bounded_on_both_sides(name: str) -> None:
    senate = Senate(1)
    low, high = BOUNDS[name]
    assert low <= DEFAULTS[name] <= high
    for value in {low, high} - {DEFAULTS[name]}:
        assert senate.reasons("KSD", senate.proposal("KSD", settings(**{name: value}))) == []
    for value in (low - 1, high + 1):
        assert "ParameterOutOfBounds" in senate.reasons("KSD", senate.proposal("KSD", settings(**{name: value})))


def test_a_batch_at_all_its_bounds_is_not_too_large_for_the_log() -> None:
    most, room = BOUNDS[BATCH_TRANSACTIONS].high, BOUNDS[BATCH_BYTES].high
    each = room // most
    assert each >= 256, "an envelope needs the longer form of a length"
    envelopes = (*(bytes(each) for _ in range(most - 1)), bytes(room - each * (most - 1)))
    body = BatchBody("C" * limits.MAX_CODE, "P" * limits.MAX_CODE, limits.MAX_SEQUENCE, limits.MAX_TIME, envelopes)
    assert sum(map(len, envelopes)) == room
    assert len(encode(sign_batch(body, secret("KSD votes")))) <= limits.MAX_BATCH_BYTES


# invariants


@pytest.mark.parametrize(
    ("name", "table", "key", "value"),
    [
        ("somebody_validates", VALIDATORS, "KSD", None),
        ("voting_keys_are_usable_and_different", VALIDATORS, "FSS", NO_KEY),
        ("voting_keys_are_usable_and_different", VALIDATORS, "FSS", public("KSD votes")),
        ("parameters_are_in_bounds", PARAMETERS, QUORUM, 2),
        ("parameters_are_in_bounds", PARAMETERS, QUORUM, None),
        ("parameters_are_in_bounds", PARAMETERS, "colour", 1),
        ("tallies_equal_votes", VOTES, (1, "KSD"), None),
        ("tallies_equal_votes", VOTES, (1, "KSD"), False),
        ("tallies_equal_votes", VOTES, (1, "FSS"), True),
        ("the_agenda_is_what_is_open", AGENDA, (12, 1), None),
        ("eras_had_a_quorum", ERAS, 1, Era((), 1)),
    ],
)
def test_every_invariant_can_fail(name: str, table: Table, key: object, value: object) -> None:  # type: ignore[type-arg]
    senate = Senate(1)
    senate.propose("KSD", LINGER)
    assert senate.row(1).height == 12
    assert [failure for invariant in INVARIANTS for failure in invariant(senate.view)] == []
    senate.view.put(table, key, value)
    assert [invariant.__name__ for invariant in INVARIANTS if invariant(senate.view)] == [name]
