"""A validator with genesis alone, far behind: it starts from the others' snapshot, follows, is admitted, and votes."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from msgspec.structs import replace

from stoa.journal import dropped, write_snapshot
from stoa.kernel import merkle
from stoa.ledger.governance.model import AdmitValidator
from stoa.ledger.governance.propose import Propose
from stoa.ledger.governance.vote import Vote
from stoa.node import checkpoints, joining, keeping, snapshot
from stoa.node.node import SNAPSHOT_FOLDER
from stoa.node.state_store import FIRST_ROW
from stoa.wire.proof import row_leaf
from tests.ledger.hall import CHAIN, public
from tests.node.several import Several, until

EVERY = 4
FOUNDERS = ("BROKER-A", "FSS", "KSD")
LATE = "VENUE"


@pytest.fixture(autouse=True)
def near(monkeypatch: pytest.MonkeyPatch) -> None:
    """A few blocks are far, and nothing rests."""
    monkeypatch.setattr(joining, "FAR_BLOCKS", EVERY)
    monkeypatch.setattr(joining, "PATIENCE_SECONDS", 0.2)
    monkeypatch.setattr(checkpoints, "IDLE_SECONDS", 0.02)
    monkeypatch.setattr(checkpoints, "TELL_SECONDS", 0.1)
    monkeypatch.setattr(keeping, "PASS_SECONDS", 0.1)
    monkeypatch.setattr(snapshot, "PART_BYTES", 1_000)


@pytest.fixture
def several(tmp_path: Path) -> Iterator[Several]:
    made = Several(tmp_path, FOUNDERS, checkpoint_blocks=EVERY)
    yield made
    made.close()


def lived(several: Several) -> int:
    """Some blocks, with a snapshot of each validator; its height."""
    at = 0
    for _ in range(3):  # one after the other: a checkpoint is skipped while the one before it is under way
        height = several.blocks(EVERY)
        several.level()
        at = height - height % EVERY
        files = [snapshot.path_of(several.folder / name / SNAPSHOT_FOLDER, at) for name in several.nodes]
        until(lambda: all(file.exists() for file in files))  # noqa: B023 - waited for within the round
    several.blocks(1)
    several.level()
    return at


def rows(several: Several, name: str) -> list[tuple[bytes, bytes]]:
    with several.nodes[name].store.snapshot() as view:
        return list(view.scan(FIRST_ROW))


def test_it_starts_from_a_snapshot_is_admitted_and_votes(several: Several, monkeypatch: pytest.MonkeyPatch) -> None:
    at = lived(several)
    monkeypatch.setattr(keeping, "PASS_SECONDS", 60.0)
    several.found(LATE)
    node = several.start(LATE)
    assert node.journal.height >= at
    assert dropped(node.journal) == list(range(1, at + 1)), "no body was needed"
    several.level()
    assert rows(several, LATE) == rows(several, "KSD")
    admit(several, LATE)
    several.blocks(3)
    until(lambda: not node.network().away)
    several.stop("FSS")
    several.blocks(3)
    several.level()


def admit(several: Several, name: str) -> None:
    """By the members' vote."""
    height = several.party().height + 5
    change = AdmitValidator(name, public(f"{name} votes"))
    expires = several.nodes["KSD"].health().time + 3_600_000
    several.do(Propose("KSD", change, height, expires, "it joins"), by="KSD")
    for one in ("BROKER-A", "FSS"):  # who proposes has voted
        several.do(Vote(1, one, True), by=one)
    several.blocks(8)
    until(lambda: name in several.nodes["KSD"].members().keys)


def test_where_members_changed_a_quorum_must_say_the_same(several: Several) -> None:
    several.found(LATE)
    several.start(LATE)
    several.blocks(1)
    admit(several, LATE)
    lived(several)
    several.found("BROKER-B")
    assert dropped(several.start("BROKER-B").journal)
    several.level()
    several.stop("BROKER-B")
    shutil.rmtree(several.folder / "BROKER-B")
    several.stop("KSD")
    several.found("BROKER-B")
    node = several.start("BROKER-B")
    assert node.journal.height == 0 or not dropped(node.journal), "two of four are no quorum"
    several.level()


def test_bodies_that_are_its_to_keep_come_in_the_background(several: Several) -> None:
    lived(several)
    several.found(LATE)
    several.stop("KSD")
    shutil.rmtree(several.folder / "KSD")
    several.found("KSD")
    node = several.start("KSD")
    several.level()
    until(lambda: not dropped(node.journal))


def test_a_member_that_lost_everything_does_not_vote_at_once(several: Several) -> None:
    lived(several)
    several.stop("KSD")
    shutil.rmtree(several.folder / "KSD")
    several.found("KSD")
    node = several.start("KSD")
    assert node.network().away
    several.blocks(4)
    several.level()
    until(lambda: not node.network().away)


@pytest.mark.parametrize("lie", ["rows", "signatures"])
def test_a_snapshot_that_does_not_show_itself_true_is_refused(several: Several, lie: str) -> None:
    at = lived(several)
    for name in FOUNDERS:
        path = snapshot.path_of(several.folder / name / SNAPSHOT_FOLDER, at)
        for old in path.parent.iterdir():
            if old != path:
                old.unlink()
        made_up(several, name, path, lie)
    several.found(LATE)
    node = several.start(LATE)
    assert not list((several.folder / LATE / SNAPSHOT_FOLDER).iterdir())
    several.level()
    assert dropped(node.journal) == []
    assert rows(several, LATE) == rows(several, "FSS")


def made_up(several: Several, name: str, path: Path, lie: str) -> None:
    """Another row under the true checkpoint, or under one that a single validator signed."""
    node = several.nodes[name]
    true = node.journal.latest_checkpoint(int(path.stem))
    assert true is not None
    with node.store.snapshot() as view:
        kept = list(view.scan(FIRST_ROW))
    false = [*kept[:-1], (kept[-1][0], kept[-1][1] + b"\x00")]
    checkpoint = true
    if lie == "signatures":
        root = merkle.root_of_hashes([merkle.leaf_hash(row_leaf(*row)) for row in false])
        checkpoint = node.finality.checkpoint(true.height, true.block_hash, root, len(false))
    else:
        checkpoint = replace(true, size=len(false))
    write_snapshot(path, CHAIN, checkpoint, false)
