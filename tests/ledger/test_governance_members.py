"""Members: how many are a quorum, whose votes count, who governs which block, and that nothing changes below."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stoa.ledger.governance.events import (
    ChangeEnacted,
    ProposalLapsed,
    ValidatorAdmitted,
    ValidatorRemoved,
    VotingKeyRotated,
)
from stoa.ledger.governance.members import Members, members, members_at, quorum_of
from stoa.ledger.governance.model import (
    BATCH_LINGER_MS,
    ERAS,
    PARAMETERS,
    QUORUM,
    VALIDATORS,
    Change,
    RemoveValidator,
    RotateVotingKey,
    SetParameters,
    Setting,
)
from stoa.ledger.governance.vote import Vote
from tests.ledger.hall import public
from tests.ledger.senate import LINGER, NAMES, Senate, admit

BYZANTINE = SetParameters((Setting(QUORUM, 1),))
MAJORITY_OF = {1: 1, 2: 2, 3: 2, 4: 3, 5: 3, 6: 4, 7: 4}
BYZANTINE_OF = {1: 1, 2: 2, 3: 3, 4: 3, 5: 4, 6: 5, 7: 5}


# how many


@pytest.mark.parametrize("rule", [0, 1])
@pytest.mark.parametrize("validators", range(1, 8))
def test_a_quorum_passes_and_one_vote_less_lapses(validators: int, rule: int) -> None:
    quorum = (MAJORITY_OF, BYZANTINE_OF)[rule][validators]
    assert quorum_of(validators, rule) == quorum
    senate = Senate(validators, rule)
    assert members(senate.view) == ({name: public(f"{name} votes") for name in sorted(NAMES[:validators])}, quorum)
    enough = senate.propose("KSD", LINGER)
    senate.vote(enough, *NAMES[1:quorum])
    [enacted, _] = senate.decide(enough)
    assert enacted == ChangeEnacted(enough, quorum, quorum, validators)
    if quorum > 1:
        missed = senate.propose("KSD", admit("FSS"))
        senate.vote(missed, *NAMES[1 : quorum - 1])
        [lapsed] = senate.decide(missed)
        assert isinstance(lapsed, ProposalLapsed)
        assert (lapsed.yes, lapsed.quorum, lapsed.validators) == (quorum - 1, quorum, validators)


@settings(max_examples=60, deadline=None)
@given(st.lists(st.sampled_from(["yes", "no", "silent"]), min_size=1, max_size=7), st.integers(0, 1), st.integers(0, 7))
def test_below_the_quorum_nothing_changes(ballot: list[str], rule: int, gone: int) -> None:
    """The first proposes. One may be gone at the height. A naive count says whether the change may happen."""
    ballot[0] = "yes"
    senate = Senate(len(ballot), rule)
    number = senate.propose("KSD", LINGER, ahead=3)
    votes = [Vote(number, NAMES[at], vote == "yes") for at, vote in enumerate(ballot) if at and vote != "silent"]
    senate.block(*[senate.signed(vote.institution, vote) for vote in votes])
    if gone < len(ballot) > 1:
        ballot.pop(gone)
        senate.view.put(VALIDATORS, NAMES[gone], None)
    senate.wait(1)
    before = rows(senate)
    yes, count = ballot.count("yes"), len(ballot)
    senate.decide(number)
    if 3 * yes > 2 * count if rule else 2 * yes > count:
        assert senate.row(number).stage == "enacted"
        assert rows(senate) == [(name, 7 if name == BATCH_LINGER_MS else value) for name, value in before]
    else:
        assert senate.row(number).stage == "lapsed"
        assert rows(senate) == before


def rows(senate: Senate) -> list[tuple[str, bytes | int]]:
    """All that governance decides about."""
    return [*senate.view.walk(VALIDATORS), *senate.view.walk(PARAMETERS)]


# whose votes


def test_the_vote_of_a_removed_member_does_not_count() -> None:
    senate = Senate(5)
    late = senate.propose("KSD", LINGER, ahead=20)
    senate.vote(late, "BROKER-A", "BROKER-B")
    first = senate.propose("AGENT", RemoveValidator("BROKER-B"), ahead=3)
    senate.vote(first, "BANK", "KSD")
    [_, removed] = senate.decide(first)
    assert removed == ValidatorRemoved("BROKER-B")
    assert senate.refused("BROKER-B", Vote(late, "BROKER-B", True)).name == "NotValidator"
    [lapsed] = senate.decide(late)
    assert isinstance(lapsed, ProposalLapsed)
    assert (lapsed.yes, lapsed.quorum, lapsed.validators) == (2, 3, 4)
    assert (senate.row(late).yes, senate.row(late).no) == (3, 0)


def test_a_replacement_has_a_vote_of_its_own() -> None:
    senate = Senate(3, rule=1)
    late = senate.propose("KSD", LINGER, ahead=20)
    senate.vote(late, "BROKER-A")
    senate.vote(late, "BROKER-B", yes=False)
    swap = [
        senate.propose("KSD", change, ahead=ahead)
        for change, ahead in ((RemoveValidator("BROKER-B"), 5), (admit("FSS"), 4))
    ]
    for number in swap:
        senate.vote(number, "BROKER-A", "BROKER-B")
    events = senate.decide(swap[1])
    assert events[-1] == ValidatorAdmitted("FSS", public("FSS votes"))
    assert senate.validators() == ["BROKER-A", "FSS", "KSD"]
    senate.vote(late, "FSS")
    senate.decide(late)
    assert senate.parameter() == 7


def test_a_second_proposal_of_a_height_is_judged_by_the_members_that_the_first_one_made() -> None:
    senate = Senate(2)
    first = senate.propose("KSD", RemoveValidator("BROKER-A"), ahead=5)
    senate.vote(first, "BROKER-A")
    second = senate.propose("KSD", LINGER, ahead=3)
    assert senate.row(first).height == senate.row(second).height
    events = senate.decide(second)
    assert events[2:3] == (ChangeEnacted(second, 1, 1, 1),)


def test_what_a_member_voted_before_its_suspension_counts() -> None:
    senate = Senate(3)
    number = senate.propose("BROKER-A", LINGER)
    senate.vote(number, "BROKER-B")
    senate.suspend("BROKER-A", "BROKER-B")
    senate.decide(number)
    assert senate.parameter() == 7


# what must stay possible


def test_the_last_validator_stays() -> None:
    senate = Senate(1)
    assert senate.reasons("KSD", senate.proposal("KSD", RemoveValidator("KSD"))) == ["LastValidator"]


def test_two_proposals_cannot_together_remove_everybody() -> None:
    senate = Senate(2)
    numbers = [senate.propose("KSD", RemoveValidator(name), 10 - at) for at, name in enumerate(("KSD", "BROKER-A"))]
    for number in numbers:
        senate.vote(number, "BROKER-A")
    senate.decide(numbers[0])
    assert senate.validators() == ["BROKER-A"]
    assert [senate.row(number).stage for number in numbers] == ["enacted", "lapsed"]


def test_no_change_may_leave_a_quorum_out_of_reach() -> None:
    senate = Senate(5)
    senate.suspend("AGENT", "BANK")
    impossible = (RemoveValidator("KSD"), BYZANTINE)
    assert [senate.reasons("KSD", senate.proposal("KSD", change)) for change in impossible] == [
        ["QuorumImpossible"]
    ] * 2
    possible = (RemoveValidator("BANK"), LINGER, RotateVotingKey("BANK", public("new")), admit("VENUE"))
    assert [senate.reasons("KSD", senate.proposal("KSD", change)) for change in possible] == [[]] * len(possible)


# which blocks


def test_members_of_a_block_are_those_after_the_block_before() -> None:
    senate = Senate(2)
    founders = Members({name: public(f"{name} votes") for name in ("BROKER-A", "KSD")}, 2)
    steps = (
        (admit("FSS"), {**founders.keys, "FSS": public("FSS votes")}, 2),
        (BYZANTINE, {**founders.keys, "FSS": public("FSS votes")}, 3),
        (RotateVotingKey("FSS", public("new")), {**founders.keys, "FSS": public("new")}, 3),
        (RemoveValidator("KSD"), {"BROKER-A": public("BROKER-A votes"), "FSS": public("new")}, 2),
    )
    expected = {0: founders}
    for change, keys, quorum in steps:
        number = senate.propose("KSD", change, ahead=3)
        senate.vote(number, *[name for name in senate.validators() if name != "KSD"])
        senate.decide(number)
        assert senate.row(number).stage == "enacted"
        for height in range(max(expected) + 1, senate.height + 1):
            expected[height] = expected[height - 1]
        expected[senate.height + 1] = Members(dict(sorted(keys.items())), quorum)
        assert members(senate.view) == expected[senate.height + 1]
    assert {height: members_at(senate.view, height) for height in expected} == expected


def test_several_changes_in_one_block_close_one_era() -> None:
    senate = Senate(1)
    before = members(senate.view)
    changes: tuple[Change, ...] = (RotateVotingKey("KSD", public("new")), BYZANTINE)
    last = [senate.propose("KSD", change, 9 - at) for at, change in enumerate(changes)]
    events = senate.decide(last[1])
    assert VotingKeyRotated("KSD", public("new")) in events
    assert members_at(senate.view, senate.height) == before
    assert members_at(senate.view, senate.height + 1) == Members({"KSD": public("new")}, 1)


def test_a_parameter_alone_closes_no_era() -> None:
    senate = Senate(1)
    number = senate.propose("KSD", LINGER)
    senate.decide(number)
    assert list(senate.view.walk(ERAS)) == []
