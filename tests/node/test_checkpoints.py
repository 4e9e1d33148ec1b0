"""Checkpoints that a quorum signs: proofs under them, and the validator whose state is not what they say."""

from collections.abc import Iterator
from pathlib import Path

import lmdb
import pytest
from msgspec.structs import replace

from stoa.kernel.codec import encode
from stoa.ledger.assets.model import HOLDINGS, SUPPLY
from stoa.ledger.settlement.issue import Issue
from stoa.node import checkpoints
from stoa.node.proofs import NothingToProve
from stoa.node.state_store import FIRST_ROW, MAP_BYTES
from stoa.node.verify import verify
from stoa.wire.proof import BadProof, check_proof
from tests.ledger.hall import account
from tests.node.several import Several, until

EVERY = 4


@pytest.fixture
def several(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Several]:
    monkeypatch.setattr(checkpoints, "IDLE_SECONDS", 0.02)
    monkeypatch.setattr(checkpoints, "TELL_SECONDS", 0.1)
    made = Several(tmp_path, checkpoint_blocks=EVERY)
    yield made
    made.close()


def kept(several: Several, name: str, height: int) -> bool:
    found = several.nodes[name].journal.latest_checkpoint()
    return found is not None and found.height == height


def test_each_keeps_what_a_quorum_signed_at_the_same_heights(several: Several) -> None:
    several.blocks(2 * EVERY + 1)
    several.level()
    for name, node in several.nodes.items():
        until(lambda name=name: kept(several, name, 2 * EVERY))
        for one in node.journal.checkpoints():
            assert one.height % EVERY == 0
            assert len(one.votes) >= node.members().quorum
    roots = {node.journal.latest_checkpoint(2 * EVERY).state_root for node in several.nodes.values()}  # type: ignore[union-attr]
    assert len(roots) == 1
    several.stop("KSD")
    assert verify(several.folder / "KSD" / "journal", several.folder / "KSD" / "state").flaws == ()


def test_the_distance_is_what_the_members_voted_from_the_stated_height_on(several: Several) -> None:
    height = several.decide(checkpoint_blocks=3)
    while (at := several.level()) < height + 6:
        if at >= height and at % 3 == 0:  # before the next: one is skipped while the one before it is under way
            until(lambda at=at: all(kept(several, name, at) for name in several.nodes))
        several.blocks(1)
    until(lambda: all(kept(several, name, at // 3 * 3) for name in several.nodes))
    heights = {one.height for node in several.nodes.values() for one in node.journal.checkpoints()}
    assert {one for one in heights if one >= height} == {one for one in range(height, height + 7) if one % 3 == 0}
    assert {one for one in heights if one < height} <= {one for one in range(height) if one % EVERY == 0}
    several.stop("KSD")
    assert verify(several.folder / "KSD" / "journal", several.folder / "KSD" / "state").flaws == ()


def test_a_proof_of_a_holding_carries_the_signatures_of_a_quorum(several: Several) -> None:
    node = several.nodes["KSD"]
    with pytest.raises(NothingToProve, match="no line in USD after block 0"):
        node.prove_holding("USD", account("kim"))
    several.money("kim", 777)
    several.blocks(EVERY + 1)
    at = several.level()
    proof, who = node.prove_holding("USD", account("kim")), node.members()
    assert who.quorum == 3
    check_proof(proof, who.keys, who.quorum)
    with pytest.raises(BadProof):
        check_proof(proof, who.keys, len(proof.checkpoint.votes) + 1)
    assert proof.checkpoint.height == at
    assert node.snapshot().name.startswith(f"{at:012}")


def test_rows_that_went_bad_are_found_and_mended(several: Several) -> None:
    several.blocks(1)
    several.level()
    node = several.nodes["KSD"]
    key, value = next(node.store.scan(FIRST_ROW))
    with node.store._env.begin(write=True) as transaction:
        transaction.put(key, value + b"\x00")
    several.blocks(EVERY)
    until(lambda: node.healed == 1, lambda: node.health())
    several.level()
    assert node.health().failure == ""
    height = several.blocks(EVERY)
    several.level()
    until(lambda: kept(several, "KSD", height - height % EVERY))
    until(lambda: node._checkpoints._proven and not node.voice.alarms)
    assert node.healed == 1
    assert not node.network().away
    several.stop("KSD")
    assert verify(several.folder / "KSD" / "journal", several.folder / "KSD" / "state").flaws == ()


def test_what_was_told_of_a_wrong_row_is_over_when_the_state_is_built_again(several: Several) -> None:
    several.money("kim", 777)
    several.level()
    with several.nodes["KSD"].store._env.begin(write=True) as rows:
        rows.put(SUPPLY.pack("USD"), encode(778))
    several.stop("KSD")  # what is decoded already is not read again
    node = several.start("KSD")
    several.do(Issue("USD", account("kim"), 1, 0, 0), by="BANK")
    until(lambda: node.healed == 1, lambda: (node.health(), node.network()))
    several.blocks(1)
    several.level()
    until(lambda: not node.network().away and not node.voice.alarms, lambda: dict(node.voice.alarms))


def test_a_row_that_changed_while_it_was_killed_is_found_before_anybody_needs_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(checkpoints, "IDLE_SECONDS", 0.02)
    monkeypatch.setattr(checkpoints, "DOUBT_SECONDS", 0.1)
    several = Several(tmp_path, checkpoint_blocks=0)
    try:
        several.money("kim", 777)
        several.level()
        several.nodes["KSD"].store.doubt()  # as a kill leaves it
        several.stop("KSD")
        key = HOLDINGS.pack(("USD", account("kim")))
        with lmdb.open(str(tmp_path / "KSD" / "state"), map_size=MAP_BYTES) as env, env.begin(write=True) as rows:
            line = HOLDINGS.decode(rows.get(key))
            rows.put(key, encode(replace(line, units=line.units + 1)))
        node = several.start("KSD")
        until(lambda: node.healed == 1, lambda: (node.health(), node.network()))
        assert node.store.get(key) == encode(line)
        several.blocks(2)
        several.level()
        until(lambda: not node.network().away and not node.voice.alarms)
        assert (node.healed, node.health().failure) == (1, "")
        several.stop("KSD")
        assert several.start("KSD").store.unclosed is False, "and nobody is asked after an end in good order"
    finally:
        several.close()
