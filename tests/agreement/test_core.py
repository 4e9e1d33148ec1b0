"""The core, event by event: what one validator does next."""

from typing import Final

import pytest

from stoa.agreement.around import FETCH_MS
from stoa.agreement.core import HEARTBEAT_MS, LAG_BLOCKS, MAX_ENTRIES, PATIENCE_MS, STALL_MS, Core
from stoa.agreement.effects import (
    Alarm,
    AskOpening,
    Effect,
    Enter,
    Entry,
    Evidence,
    Execute,
    Fetch,
    Finalise,
    Halt,
    Heal,
    Keep,
    KeepPromise,
    Redo,
    Republish,
    Say,
    TakeBack,
)
from stoa.agreement.model import Past, Seats
from stoa.wire.block import Block
from stoa.wire.status import Opening, Promise, Status
from stoa.wire.vote import Certificate, Vote
from tests.agreement.toy import CHAIN, Rules, Toy, decoded, key_of, make_batch, signer

pytestmark = pytest.mark.usefixtures("_toy")
SEATS: Final = Seats({name: key_of(name) for name in "ABCDE"}, 3, 0)
GENESIS: Final = Toy.genesis(Rules(tuple("ABCDE"), byzantine=False))
HEAD: Final = GENESIS.head_hash
X, Y = b"x" * 32, b"y" * 32
FIRST, SECOND, THIRD = (Entry(place, 0, b"batch %d" % place) for place in (1, 2, 3))


def core(**past: object) -> Core:
    made = Core(CHAIN, signer("A"), SEATS, Past(0, HEAD, 1, 1)._replace(**past))  # type: ignore[arg-type]
    made.start()
    made.tick(1_000)
    return made


def vote(name: str, block_hash: bytes = X, height: int = 1, epoch: int = 1) -> Vote:
    return signer(name).vote(height, block_hash, epoch)


def status(name: str, height: int = 0, head: bytes = HEAD, cast: Vote | None = None, epoch: int = 1) -> Status:
    return Status(CHAIN, name, epoch, height, head, cast)


def promise(name: str, tail: Vote | None = None, epoch: int = 2, height: int = 0) -> Promise:
    return signer(name).promise(Promise(CHAIN, epoch, name, height, HEAD, tail, b""))


def chain(count: int, *, who: str = "CDE") -> list[tuple[Block, Certificate]]:
    """Certified blocks behind genesis."""
    state, blocks = GENESIS, []
    for number in range(1, count + 1):
        block, state = state.execute(decoded(make_batch("B", number, number, (b"%d" % number,))))
        votes = tuple(vote(name, state.head_hash, number) for name in who)
        blocks.append((block, Certificate(number, state.head_hash, votes)))
    return blocks


def kinds(effects: list[Effect]) -> list[str]:
    return [type(effect).__name__ for effect in effects]


def voted(made: Core, block_hash: bytes = X) -> Core:
    """The core, having executed, kept and voted for its first batch."""
    assert made.entry(FIRST) == [Execute(FIRST, b"")]
    assert made.executed(block_hash) == [Keep(vote("A", block_hash))]
    assert kinds(made.kept()) == ["Say"]
    return made


# ---- the common way


def test_a_batch_is_executed_kept_voted_for_and_final_with_a_quorum() -> None:
    made = voted(core())
    assert made.entry(SECOND) == []
    assert made.heard(status("B", cast=vote("B"))) == []
    (finalise,) = made.heard(status("C", cast=vote("C")))
    assert isinstance(finalise, Finalise)
    assert [one.validator for one in finalise.certificate.votes] == ["A", "B", "C"]
    assert made.finalised(SEATS) == [Execute(SECOND, b"")]
    assert (made.height, made.head) == (1, X)


def test_a_vote_is_told_only_when_it_is_kept() -> None:
    made = core()
    made.entry(FIRST)
    made.executed(X)
    assert [effect.word.vote for effect in made.tick(5_000) if isinstance(effect, Say)] == [None]  # type: ignore[union-attr]
    assert made.voted(vote("B")) == made.voted(vote("C")) == made.voted(vote("D")) == []
    say, finalise = made.kept()
    assert isinstance(say, Say)
    assert isinstance(finalise, Finalise)


def test_a_batch_that_makes_no_block_gives_way_to_the_next() -> None:
    made = core()
    made.entry(FIRST)
    made.entry(SECOND)
    assert made.executed(None) == [Execute(SECOND, b"")]


def test_an_early_batch_is_tried_again_behind_the_next_block() -> None:
    made = core()
    made.entry(FIRST)
    assert made.executed(None, early=True) == []
    made.entry(SECOND)
    made.executed(X)
    made.kept()
    made.voted(vote("B"))
    made.voted(vote("C"))
    assert made.finalised(SEATS) == [Execute(FIRST, b"")]


def test_the_log_is_read_no_further_than_so_many_batches() -> None:
    made = voted(core())
    for place in range(MAX_ENTRIES):
        assert made.wants_entries
        made.entry(Entry(2 + place, 0, b""))
    assert not made.wants_entries


# ---- one vote a height and epoch


def test_a_certificate_for_another_block_takes_the_tail_back_and_no_second_vote_is_cast() -> None:
    made = voted(core())
    for name in "BCD":
        effects = made.voted(vote(name, Y))
    assert effects == [TakeBack()]
    assert made.entry(SECOND) == [Execute(SECOND, b"")]
    assert made.executed(Y) == [Keep(None)]
    assert kinds(made.kept()) == ["Finalise"]
    assert made.finalised(SEATS) == [
        Evidence("dissent", "A", 1, (vote("A"), Certificate(1, Y, tuple(vote(name, Y) for name in "BCD")))),
        Execute(FIRST, b""),
    ]


def test_a_vote_from_before_a_restart_is_told_again_and_not_contradicted() -> None:
    held = Core(CHAIN, signer("A"), SEATS, Past(0, HEAD, 1, 1, vote("A"), (vote("A"),)))
    assert [effect.word.vote for effect in held.start() if isinstance(effect, Say)] == [vote("A")]  # type: ignore[union-attr]
    assert kinds([*held.voted(vote("B")), *held.voted(vote("C"))]) == ["Finalise"]
    replaced = core(votes=(vote("A"),))  # another block, certified, took its place in the journal
    replaced.entry(FIRST)
    assert replaced.executed(Y) == [Keep(None)]
    again = core(votes=(vote("A"),))
    again.entry(FIRST)
    assert again.executed(X) == [Keep(vote("A"))]


def test_who_is_no_member_executes_and_does_not_vote() -> None:
    made = Core(CHAIN, signer("F"), SEATS, Past(0, HEAD, 1, 1))
    made.entry(FIRST)
    assert made.executed(X) == [Keep(None)]
    assert made.kept() == []
    for name in "BCD":
        effects = made.voted(vote(name))
    assert kinds(effects) == ["Finalise"]
    joined = Seats({**SEATS.keys, "F": key_of("F")}, 4, 0)
    made.finalised(joined)
    made.entry(SECOND)
    assert made.executed(Y) == [Keep(signer("F").vote(2, Y, 1))]


# ---- peers' blocks


def test_a_peer_that_is_ahead_is_asked_after_some_patience_and_its_blocks_are_judged_and_executed() -> None:
    made, blocks = core(), chain(2)
    made.heard(status("B", 2))
    assert Fetch("B", 1) not in made.tick(1_000 + PATIENCE_MS - 1)
    assert Fetch("B", 1) in made.tick(1_000 + PATIENCE_MS)
    assert made.fetched("B", blocks) == [Redo(blocks[0][0])]
    assert made.executed(blocks[0][1].block_hash) == [Keep(None)]
    assert made.kept() == [Finalise(blocks[0][1])]
    assert made.finalised(SEATS) == [Redo(blocks[1][0])]


def test_a_peer_that_is_far_ahead_is_asked_at_once() -> None:
    made = core()
    made.heard(status("B", LAG_BLOCKS))
    assert Fetch("B", 1) in made.tick(1_001)


def test_a_fetched_certificate_for_the_tail_makes_it_final() -> None:
    made, ((block, certificate),) = core(), chain(1)
    voted(made, certificate.block_hash)
    assert made.fetched("B", [(block, certificate)]) == [Finalise(certificate)]


def test_what_a_peer_cannot_show_is_not_used_and_another_is_asked() -> None:
    blocks = chain(1)
    block, certificate = blocks[0]
    altered = Block(block.header, block.batch_signature, (b"other",), ())
    signature = Block(block.header, b"s" * 64, block.envelopes, ())
    few = Certificate(1, certificate.block_hash, certificate.votes[:2])
    for bad in ([(altered, certificate)], [(signature, certificate)], [(block, few)], chain(3)[2:], []):
        made = core()
        made.heard(status("B", 1))
        made.heard(status("C", 1))
        made.tick(1_000 + PATIENCE_MS)
        assert made.fetched("B", bad) == []
        assert Fetch("C", 1) in made.tick(1_001 + PATIENCE_MS)
        assert made.fetched("C", blocks) == [Redo(block)]


def test_a_peer_that_does_not_answer_is_left_for_another() -> None:
    made = core()
    made.heard(status("B", 1))
    made.heard(status("C", 1))
    assert Fetch("B", 1) in made.tick(1_000 + PATIENCE_MS)
    assert Fetch("C", 1) not in made.tick(1_001 + PATIENCE_MS)
    assert Fetch("C", 1) in made.tick(1_000 + PATIENCE_MS + FETCH_MS)


def test_another_hash_than_the_certified_leaves_the_quorum_and_heals() -> None:
    made, blocks = core(), chain(1)
    made.fetched("B", blocks)
    take_back, alarm, heal = made.executed(Y)
    assert take_back == TakeBack()
    assert isinstance(alarm, Alarm)
    assert isinstance(heal, Heal)
    again = core(away=True)
    again.entry(FIRST)
    assert again.executed(X) == [Keep(None)]
    again.kept()
    for name in "BCD":
        again.voted(vote(name))
    again.finalised(SEATS)
    again.entry(SECOND)
    assert again.executed(Y) == [Keep(vote("A", Y, 2))]


def test_a_peer_with_another_final_block_is_asked_to_show_it_once_and_a_proof_halts() -> None:
    made, blocks, certified = core(), chain(1, who="ABC"), X
    other = blocks[0][0]
    voted(made)
    made.voted(vote("D"))
    made.voted(vote("E"))
    made.finalised(SEATS)
    assert made.heard(status("B", 1, certified)) == []
    assert made.heard(status("B", 1, Y)) == [Fetch("B", 1)]
    assert made.heard(status("B", 1, Y)) == []
    assert made.fetched("B", [(other, Certificate(1, other.header.hash(), ()))]) == []
    assert kinds(made.fetched("B", blocks)) == ["Halt"]


def test_a_certified_block_that_does_not_follow_the_final_one_halts() -> None:
    made = voted(core())
    made.voted(vote("D"))
    made.voted(vote("E"))
    made.finalised(SEATS)
    halt = made.fetched("B", chain(2)[1:])[-1]
    assert isinstance(halt, Halt)


def test_votes_that_cannot_become_a_quorum_are_told_once() -> None:
    made = voted(core())
    for name, block_hash in (("B", X), ("C", Y), ("D", Y), ("E", b"z" * 32)):
        made.voted(vote(name, block_hash))
    assert [one for one in made.tick(1_000 + STALL_MS) if isinstance(one, Alarm)] != []
    assert [one for one in made.tick(1_001 + STALL_MS) if isinstance(one, Alarm)] == []


# ---- epochs


def test_a_promise_is_kept_then_told_and_told_again_and_no_vote_is_cast() -> None:
    made = core()
    mine = promise("A")
    kept, said, alarm = made.promise(2)
    assert (kept, said) == (KeepPromise(mine), Say(mine))
    assert isinstance(alarm, Alarm)
    assert alarm.kind == "epoch"
    assert Say(mine) in made.tick(1_000 + HEARTBEAT_MS)
    made.entry(FIRST)
    assert made.executed(X) == [Keep(None)]
    assert made.promise(1) == []


def test_a_promise_says_what_was_voted_for() -> None:
    made = voted(core())
    assert made.promise(2)[0] == KeepPromise(promise("A", vote("A")))


def test_a_quorum_of_promises_begins_the_epoch_and_what_was_read_is_void() -> None:
    made = voted(core())
    made.entry(SECOND)
    made.promised_by(promise("B"))
    effects = [*made.promised_by(promise("C")), *made.promised_by(promise("D"))]
    opening = Opening(CHAIN, 2, (promise("B"), promise("C"), promise("D")))
    assert effects == [Enter(2, opening, 0), TakeBack(), Say(opening)]
    assert (made.epoch, made.entry(SECOND)) == (2, [Execute(SECOND, b"")])


def test_a_block_that_may_be_final_is_published_again_and_voted_for_again() -> None:
    made = voted(core())
    shown = (promise("A", vote("A")), promise("B"), promise("C"))
    opening = Opening(CHAIN, 2, shown)
    assert made.opened(opening) == [Enter(2, opening, 0), Republish(), Keep(vote("A", epoch=2)), Say(opening)]


def test_a_block_that_cannot_be_final_is_taken_back_and_another_voted_for() -> None:
    made = voted(core())
    opening = Opening(CHAIN, 2, (promise("A", vote("A")), promise("B"), promise("C"), promise("D")))
    assert made.opened(opening) == [Enter(2, opening, 0), TakeBack(), Say(opening)]
    made.entry(SECOND)
    assert made.executed(Y) == [Keep(vote("A", Y, epoch=2))]


def test_who_restarts_in_an_epoch_is_bound_as_before() -> None:
    opening = Opening(CHAIN, 2, (promise("B", vote("B")), promise("C"), promise("D")))
    made = core(epoch=2, promised=2, opening=opening)
    assert made.entry(FIRST) == [Execute(FIRST, X)]
    assert made.executed(Y) == [TakeBack()]
    assert made.entry(SECOND) == [Execute(SECOND, X)]
    assert made.executed(X) == [Keep(vote("A", X, epoch=2))]


def test_who_dies_between_entering_and_voting_again_does_so_at_the_start() -> None:
    opening = Opening(CHAIN, 2, (promise("A", vote("A")), promise("C"), promise("D")))
    held = Core(CHAIN, signer("A"), SEATS, Past(0, HEAD, 2, 2, vote("A"), (vote("A"),), opening))
    assert held.start()[-2:] == [Republish(), Keep(vote("A", epoch=2))]
    free = Opening(CHAIN, 2, (promise("B"), promise("C"), promise("D"), promise("E")))
    held = Core(CHAIN, signer("A"), SEATS, Past(0, HEAD, 2, 2, vote("A"), (vote("A"),), free))
    assert TakeBack() in held.start()


def test_more_promises_free_what_fewer_had_to_force_until_it_is_voted_for() -> None:
    made = core()
    made.opened(Opening(CHAIN, 2, (promise("B", vote("B")), promise("C"), promise("D"))))
    made.entry(FIRST)
    assert made.executed(Y) == [TakeBack()]
    assert made.promised_by(promise("E")) == [Execute(FIRST, b"")]
    assert made.executed(Y) == [Keep(vote("A", Y, epoch=2))]


def test_an_undecidable_opening_waits_for_more_promises() -> None:
    made = core()
    split = (promise("B", vote("B")), promise("C", vote("C", Y)), promise("D"))
    assert made.opened(Opening(CHAIN, 2, split)) == []
    assert made.epoch == 1
    made.opened(Opening(CHAIN, 2, (*split, promise("E"))))
    assert made.epoch == 2


def test_a_block_certified_in_a_later_epoch_shows_that_it_has_begun() -> None:
    made = core()
    (block, certificate), *_ = chain(1)
    votes = tuple(vote(name, certificate.block_hash, 1, epoch=3) for name in "CDE")
    later = Certificate(1, certificate.block_hash, votes, 3)
    made.fetched("B", [(block, later)])
    made.executed(later.block_hash)
    made.kept()
    assert Enter(3, None, 1) in made.finalised(SEATS)
    made.entry(SECOND)
    assert made.executed(Y) == [Keep(vote("A", Y, 2, epoch=3))]


def test_peers_that_claim_a_later_epoch_are_asked_why_in_turn() -> None:
    made = core()
    made.heard(status("B", epoch=9))
    made.heard(status("C", epoch=2))
    asked = [
        one.peer for at in range(1, 5) for one in made.tick(1_000 + at * PATIENCE_MS) if isinstance(one, AskOpening)
    ]
    assert sorted(set(asked)) == ["B", "C"]


# ---- what a liar may try


def test_false_words_change_nothing() -> None:
    made = core()
    strangers = [status("F", 9), Status("other", "B", 1, 9, X, None), status("A", 9)]
    assert [made.heard(one) for one in strangers] == [[], [], []]
    assert made.heard(status("B", cast=vote("C"))) == [], "another's vote"
    made.promised_by(promise("F"))
    forged = Promise(CHAIN, 2, "C", 0, HEAD, None, b"")
    assert made.promised_by(forged) == []
    assert made.opened(Opening(CHAIN, 2, (promise("B"), forged, forged, promise("F")))) == []


def test_two_votes_are_evidence() -> None:
    made = core()
    made.voted(vote("B"))
    assert made.voted(vote("B", Y)) == [Evidence("two_votes", "B", 1, (vote("B"), vote("B", Y)))]
