"""What an opening forces: every way of voting, and every set of promises, for few validators. A block that may be final
must come first; where promises cannot show which it is, the epoch does not begin."""

from collections.abc import Iterator
from itertools import combinations, product

import pytest

from stoa.agreement.epochs import NotYet, Promises, forced_by
from stoa.agreement.model import Seats
from stoa.wire.status import Opening, Promise
from stoa.wire.vote import Vote, byzantine, liars_borne, majority
from tests.agreement.toy import CHAIN, key_of, signer, toy_signatures

HEAD = b"h" * 32
X, Y, Z = b"x" * 32, b"y" * 32, b"z" * 32
NEXT = 5  # the height that is voted on
NAMES = "ABCDE"
Ballots = dict[str, bytes | None]  # by validator


def seats(count: int, lying: bool) -> Seats:
    keys = {name: key_of(name) for name in NAMES[:count]}
    return Seats(keys, byzantine(count), liars_borne(count)) if lying else Seats(keys, majority(count), 0)


def promise(name: str, block_hash: bytes | None, epoch: int = 1, height: int = NEXT - 1, head: bytes = HEAD) -> Promise:
    tail = None if block_hash is None else Vote(height + 1, block_hash, name, b"", epoch)
    return Promise(CHAIN, 9, name, height, head, tail, b"")


def forced(promises: list[Promise], who: Seats) -> bytes | None:
    """What comes first; None: the promises do not show it."""
    try:
        return forced_by(promises, who, NEXT - 1, HEAD)
    except NotYet:
        return None


def quorums(who: Seats) -> Iterator[tuple[str, ...]]:
    for size in range(who.quorum, len(who.keys) + 1):
        yield from combinations(who.keys, size)


@pytest.mark.parametrize(("count", "lying"), [(3, False), (4, False), (5, False), (4, True), (5, True)])
def test_a_block_that_may_be_final_comes_first_whoever_lies(count: int, lying: bool) -> None:
    """Honest members vote for one of two blocks or for none; liars vote for both and promise anything."""
    who = seats(count, lying)
    decided = 0
    for liars in combinations(who.keys, who.liars):
        honest = [name for name in who.keys if name not in liars]
        for voted in product((None, X, Y), repeat=len(honest)):
            ballots: Ballots = dict(zip(honest, voted, strict=True))
            final = [one for one in (X, Y) if voted.count(one) + len(liars) >= who.quorum]
            assert len(final) <= 1
            for quorum in quorums(who):
                lying_there = [name for name in quorum if name in liars]
                for told in product((None, X, Y, Z), repeat=len(lying_there)):
                    said = {**ballots, **dict(zip(lying_there, told, strict=True))}
                    first = forced([promise(name, said[name]) for name in quorum], who)
                    decided += first is not None
                    assert first in (*final, None) if final else True, (ballots, quorum, said)
    assert decided


def test_with_four_of_five_and_all_five_promises_nothing_is_left_open() -> None:
    who = seats(5, lying=True)
    for said in product((None, X, Y, Z), repeat=5):
        assert forced([promise(name, one) for name, one in zip(NAMES, said, strict=True)], who) is not None


def test_with_the_majority_and_all_promises_nothing_is_left_open() -> None:
    for count in (3, 4, 5):
        for said in product((None, X, Y), repeat=count):
            promises = [promise(name, one) for name, one in zip(NAMES, said, strict=False)]
            assert forced(promises, seats(count, lying=False)) is not None


def test_what_cannot_be_decided_waits_for_who_is_silent() -> None:
    who = seats(5, lying=False)
    split = [promise("A", X), promise("B", Y), promise("C", None)]
    assert forced(split, who) is None
    assert forced([*split, promise("D", X)], who) == X  # E may have voted for X; for Y it would be too few
    assert forced([*split, promise("D", None)], who) == b""


@pytest.mark.parametrize("lying", [False, True])
def test_a_vote_of_a_later_epoch_counts_as_one_in_the_earlier_for_the_same_block(lying: bool) -> None:
    """X was certified in epoch 1 by all but E; some voted for it again in epoch 2, as they had to."""
    who = seats(5, lying)
    for again in product((1, 2), repeat=4):
        promises = [promise(name, X, epoch) for name, epoch in zip(NAMES, again, strict=False)]
        for quorum in combinations(promises, who.quorum):
            assert forced(list(quorum), who) == X


def test_a_later_vote_for_another_block_shows_that_the_earlier_one_was_not_final() -> None:
    who = seats(5, lying=False)
    assert forced([promise("A", X, 1), promise("B", Y, 2), promise("C", None)], who) == Y
    assert forced([promise("A", X, 1), promise("B", X, 1), promise("C", Y, 2)], who) == Y


def test_one_liar_with_a_vote_of_a_later_epoch_changes_nothing() -> None:
    who = seats(5, lying=True)
    good = [promise("A", X), promise("B", X), promise("C", X)]
    assert forced([*good, promise("D", Z, 8)], who) == X
    assert forced([*good, promise("D", X), promise("E", Z, 8)], who) == X


def test_who_claims_to_be_further_is_counted_as_silent() -> None:
    """What it holds final, a quorum has voted for: the others' votes show it. A claim without that changes nothing."""
    who = seats(5, lying=False)
    ahead = promise("A", None, height=NEXT, head=X)
    assert forced([ahead, promise("B", X), promise("C", X), promise("D", None)], who) == X
    far = promise("A", None, height=2**40)
    assert forced([far, promise("B", None), promise("C", None), promise("D", None)], who) == b""
    assert forced([far, promise("B", None), promise("C", None)], who) is None


def test_who_is_behind_has_promised_not_to_vote_there_and_who_is_elsewhere_does_not_count() -> None:
    who = seats(5, lying=False)
    behind = [promise("A", Z, height=1), promise("B", None, height=2)]
    assert forced([*behind, promise("C", None)], who) == b""
    assert forced([*behind, promise("C", None, head=Z)], who) is None
    assert forced([*behind, promise("X", None)], who) is None


def signed(name: str, epoch: int, height: int, tail: Vote | None = None) -> Promise:
    return signer(name).promise(Promise(CHAIN, epoch, name, height, HEAD, tail, b""))


def test_promises_are_kept_by_validator_and_only_good_ones() -> None:
    keys = seats(5, lying=False).keys
    with toy_signatures():
        known = Promises(CHAIN, 1, None, 0)
        newer, older = signed("A", 3, 4), signed("A", 2, 4)
        assert known.take(newer, keys)
        assert known.take(newer, keys)
        assert not known.take(older, keys)
        assert not known.take(signed("F", 3, 4), keys)
        forged = Promise(CHAIN, 3, "B", 4, HEAD, None, newer.signature)
        assert not known.take(forged, keys)
        own = signer("B").vote(5, X, 3)
        assert not known.take(signed("B", 3, 4, own), keys), "its vote is not of an epoch before"
        assert not known.take(signed("B", 3, 4, signer("C").vote(5, X, 1)), keys), "another's vote"
        assert known.known(3).promises == (newer,)
        shown = known.with_shown(Opening(CHAIN, 3, (older, forged, signed("C", 3, 4))), keys)
        assert [one.validator for one in shown.promises] == ["A", "C"]


def test_behind_the_first_block_of_an_epoch_other_members_are_bound_to_silence() -> None:
    """Five promised; then the block changes the members. Those who joined may have gone on in the epoch before."""
    before, (first, second) = seats(5, lying=False), (X, Y)
    opening = Opening(CHAIN, 2, tuple(Promise(CHAIN, 2, name, 4, HEAD, None, b"") for name in "ABC"))
    known = Promises(CHAIN, 1, None, 0)
    known.enter(2, opening, 4)
    assert known.bound(before, 4, HEAD, unknown=False) == (b"", False)
    assert known.bound(before, 5, first, unknown=True) == (b"", False)
    others = Seats({name: key_of(name) for name in "ABCDEFG"}, 4, 0)
    assert known.bound(others, 5, first, unknown=True) == (b"", True)
    assert known.bound(others, 6, second, unknown=False) == (b"", False)


def test_an_epoch_entered_by_a_certificate_binds_to_nothing_unless_the_members_may_have_changed() -> None:
    known = Promises(CHAIN, 1, None, 0)
    known.enter(2, None, 4)
    who = seats(5, lying=False)
    assert known.bound(who, 4, HEAD, unknown=False) == (b"", False)
    assert known.bound(who, 4, HEAD, unknown=True) == (b"", True)
    assert known.bound(who, 3, HEAD, unknown=False) == (b"", True), "its certificate was lost in a crash"
    assert known.bound(who, 5, X, unknown=True) == (b"", False)
