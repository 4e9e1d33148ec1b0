"""One validator gathers for all; whoever is dead, slow or a liar costs time and never a transaction or its order."""

from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from stoa.intake.gate import Accepted, Gate, Waiting
from stoa.kernel.identifiers import InstitutionId
from stoa.ledger.catalog import read_receipt
from stoa.ledger.identity.register_party import RegisterParty
from stoa.node import handing
from stoa.node.node import wall_clock
from stoa.node.turns import GATHER_BLOCKS, Turns
from stoa.wire.envelope import read_envelope, transaction_id
from stoa.wire.question import HandedOver
from tests.node.several import NAMES, PATIENCE, Several, until

GATHERER, OTHER = NAMES[0], NAMES[-1]  # whose turn it is first, and one who hands over


@pytest.fixture
def hall(tmp_path: Path) -> Iterator[Several]:
    """Five that have heard one another."""
    hall = Several(tmp_path)
    until(lambda: all(node.handing.whose() == GATHERER for node in hall.nodes.values()))
    until(lambda: one_round(hall) == {GATHERER})
    yield hall
    hall.close()


def one_round(hall: Several) -> set[str]:
    """Who makes the blocks when something comes in at each."""
    start = hall.level() + 1
    for name in NAMES:
        hall.party(through=name)
    return producers(hall, start)


def submitted(hall: Several, count: int, through: str = OTHER) -> list[bytes]:
    """So many acts of one account, in their order, without waiting for any."""
    found = []
    for _ in range(count):
        party = RegisterParty(1_000 + hall.sequences["BROKER-A"], False, InstitutionId("BROKER-A"))
        outcome = hall.nodes[through].submit(hall.signed(party))
        assert isinstance(outcome, Accepted), outcome
        found.append(outcome.transaction)
    return found


def all_applied(hall: Several, transactions: Sequence[bytes], through: str = OTHER) -> None:
    for transaction in transactions:
        located = hall.nodes[through].wait(transaction, PATIENCE)
        assert located is not None, hall.nodes[through].network()
        assert read_receipt(located.receipt).rejection is None


def producers(hall: Several, start: int = 1) -> set[str]:
    journal = hall.nodes[OTHER].journal
    return {journal.header(height).producer for height in range(start, journal.final + 1)}


def test_turns_go_by_names_and_heights() -> None:
    members = ("A", "B", "C")
    assert Turns(members, 0).gatherers() == ["A", "B", "C"]
    assert Turns(members, GATHER_BLOCKS - 1).gatherers() == ["A", "B", "C"]
    assert Turns(members, GATHER_BLOCKS).gatherers() == ["B", "C", "A"]
    assert Turns(members, 3 * GATHER_BLOCKS).gatherers() == ["A", "B", "C"]
    assert [Turns(members, 4).before(name) for name in (*members, "D")] == [2, 0, 1, 3]
    assert Turns((), 4).gatherers() == []


def test_one_gathers_what_comes_in_at_all_until_its_turn_is_over(hall: Several) -> None:
    assert one_round(hall) == {GATHERER}
    while hall.level() < GATHER_BLOCKS:
        hall.party(through=OTHER)
    until(lambda: one_round(hall) == {NAMES[1]})
    assert hall.nodes[OTHER].handing.returned == 0


def test_who_gathers_dies_and_nothing_is_lost_or_out_of_order(hall: Several) -> None:
    before = submitted(hall, 40)
    hall.stop(GATHERER)
    all_applied(hall, [*before, *submitted(hall, 40)])
    start = hall.level() + 1
    all_applied(hall, submitted(hall, 5))
    assert producers(hall, start) == {NAMES[1]}
    hall.start(GATHERER)
    hall.level()


def test_who_gathers_says_that_it_takes_over_and_does_nothing(hall: Several, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(handing, "PATIENCE_SECONDS", 0.5)
    monkeypatch.setattr(hall.nodes[GATHERER].gate, "take_over", lambda envelopes, sender: len(envelopes))
    start = hall.level() + 1
    all_applied(hall, submitted(hall, 30))
    assert GATHERER not in producers(hall, start)
    assert hall.nodes[OTHER].handing.returned > 0


def test_who_gathers_leaves_some_out_and_is_found_out_by_their_order(
    hall: Several, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(handing, "PATIENCE_SECONDS", 10 * PATIENCE)  # so that only the order can tell
    gate, honest = hall.nodes[GATHERER].gate, Gate.take_over

    def leaves_the_first_out(envelopes: Sequence[bytes], sender: str) -> int:
        honest(gate, envelopes[1:], sender)
        return len(envelopes)

    monkeypatch.setattr(gate, "take_over", leaves_the_first_out)
    transactions = []
    for name in ("BROKER-A", "BANK"):  # of two accounts: one's gap must not hide behind the other's
        raws = [hall.signed(RegisterParty(5_000 + at, False, InstitutionId("BROKER-A")), by=name) for at in range(2)]
        transactions += [hall.nodes[OTHER].submit(raw) for raw in raws]
    for outcome in transactions:
        assert isinstance(outcome, Accepted)
        assert hall.nodes[OTHER].wait(outcome.transaction, PATIENCE) is not None


def test_who_gathers_has_room_for_some_only(hall: Several, monkeypatch: pytest.MonkeyPatch) -> None:
    gate, honest = hall.nodes[GATHERER].gate, Gate.take_over
    monkeypatch.setattr(gate, "take_over", lambda envelopes, sender: honest(gate, envelopes[:3], sender))
    start = hall.level() + 1
    all_applied(hall, submitted(hall, 20))
    assert producers(hall, start) == {GATHERER}


def test_with_as_much_handed_over_as_may_be_it_waits_and_does_not_spin(
    hall: Several, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(handing, "MAX_HANDED", 5)
    monkeypatch.setattr(handing, "PATIENCE_SECONDS", 2.0)
    monkeypatch.setattr(hall.nodes[GATHERER].gate, "take_over", lambda envelopes, sender: len(envelopes))
    gate, taken = hall.nodes[OTHER].gate, list[int]()

    def counted(most: int, most_bytes: int, linger: float, timeout: float) -> list[Waiting]:
        taken.append(most)
        return Gate.take(gate, most, most_bytes, linger, timeout)

    monkeypatch.setattr(gate, "take", counted)
    all_applied(hall, submitted(hall, 20))
    assert 0 not in taken
    assert len(taken) < 100


def test_only_a_member_may_hand_over_and_only_in_time(hall: Several) -> None:
    gatherer, raw = hall.nodes[GATHERER], hall.signed(RegisterParty(7_000, False, InstitutionId("BROKER-A")))
    with pytest.raises(PermissionError, match="STRANGER is not a member"):
        gatherer.handing.take_over("STRANGER", HandedOver(wall_clock() + 1_000, (raw,)))
    for off in (-1, handing.MAX_AHEAD_MS + 1_000):  # it came too late, or the sender's clock is wrong
        with pytest.raises(PermissionError, match="until"):
            gatherer.handing.take_over(OTHER, HandedOver(wall_clock() + off, (raw,)))
    assert gatherer.handing.take_over(OTHER, HandedOver(wall_clock() + 1_000, (raw,))) == 1
    transaction = transaction_id(read_envelope(raw).body)
    assert gatherer.wait(transaction, PATIENCE) is not None
