"""Votes, certificates, checkpoints: a quorum of different members for the same thing, and nothing else."""

from hashlib import sha256

import pytest
from msgspec.structs import replace

from stoa.kernel import signing
from stoa.wire.vote import (
    Certificate,
    Checkpoint,
    Vote,
    byzantine,
    certificate_valid,
    checkpoint_digest,
    checkpoint_valid,
    majority,
    sign_vote,
    vote_digest,
)
from tests.ledger.hall import public, secret

NAMES = ("A", "B", "C", "D", "E")
KEYS = {name: public(name) for name in NAMES}
BLOCK, OTHER = sha256(b"block").digest(), sha256(b"other").digest()


def vote(name: str, height: int = 7, block: bytes = BLOCK, chain: str = "test", key: str = "") -> Vote:
    return sign_vote(chain, height, block, name, secret(key or name))


def valid(*votes: Vote, quorum: int = 3) -> bool:
    return certificate_valid("test", Certificate(7, BLOCK, votes), KEYS, quorum)


@pytest.mark.parametrize(
    ("members", "crashes", "liars"), [(1, 1, 1), (2, 2, 2), (3, 2, 3), (4, 3, 3), (5, 3, 4), (7, 4, 5), (64, 33, 43)]
)
def test_quorums(members: int, crashes: int, liars: int) -> None:
    assert (majority(members), byzantine(members)) == (crashes, liars)
    assert 2 * majority(members) > members  # two quorums meet
    assert 3 * byzantine(members) > 2 * members  # two quorums meet in more than a third


def test_a_quorum_of_different_members_makes_a_block_final() -> None:
    assert valid(*map(vote, "ABC"))
    assert valid(*map(vote, "ECDAB"))
    assert not valid(*map(vote, "AB"))
    assert not valid()


@pytest.mark.parametrize(
    "bad",
    [
        vote("A"),
        vote("C", key="A"),
        vote("F"),
        vote("C", height=8),
        vote("C", block=OTHER),
        vote("C", chain="elsewhere"),
        replace(vote("C"), block_hash=OTHER),
        replace(vote("C", height=8), height=7),
        replace(vote("C", block=OTHER), block_hash=BLOCK),
        replace(vote("C"), signature=b""),
        replace(vote("C"), validator="D"),
    ],
)
def test_votes_that_do_not_count(bad: Vote) -> None:
    assert not valid(vote("A"), vote("B"), bad)
    assert valid(vote("A"), vote("B"), bad, vote("E"))


def checkpoint(*names: str, root: bytes = OTHER, size: int = 5, signed_size: int = 5) -> Checkpoint:
    digest = checkpoint_digest("test", 7, BLOCK, OTHER, signed_size)
    votes = tuple(Vote(7, BLOCK, name, signing.sign(secret(name), digest)) for name in names)
    return Checkpoint(7, BLOCK, root, size, votes)


def test_a_checkpoint_needs_a_quorum_for_exactly_its_root_and_size() -> None:
    assert checkpoint_valid("test", checkpoint("A", "B", "C"), KEYS, 3)
    assert not checkpoint_valid("test", checkpoint("A", "B"), KEYS, 3)
    assert not checkpoint_valid("test", checkpoint("A", "B", "C", root=BLOCK), KEYS, 3)
    assert not checkpoint_valid("test", checkpoint("A", "B", "C", size=6), KEYS, 3)
    assert not checkpoint_valid("other", checkpoint("A", "B", "C"), KEYS, 3)
    votes_for_the_block = Checkpoint(7, BLOCK, OTHER, 5, tuple(map(vote, "ABC")))
    assert not checkpoint_valid("test", votes_for_the_block, KEYS, 3)


def test_a_vote_for_a_block_is_no_vote_for_a_checkpoint_of_it() -> None:
    assert vote_digest("test", 7, BLOCK) != checkpoint_digest("test", 7, BLOCK, OTHER, 5)
    assert vote_digest("test", 7, BLOCK) != vote_digest("test", 8, BLOCK) != vote_digest("t", 8, BLOCK)
