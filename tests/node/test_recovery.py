"""Whatever happened to the state store, a node starts with the state that its journal says, or does not start."""

import shutil
from collections.abc import Callable
from pathlib import Path

import lmdb
import pytest
from msgspec.structs import replace

from stoa.journal import Journal
from stoa.kernel import merkle, signing
from stoa.kernel.base import Broken
from stoa.kernel.codec import encode
from stoa.ledger.assets.model import SUPPLY
from stoa.ledger.identity import register_party
from stoa.ledger.identity.register_party import RegisterParty
from stoa.ledger.settlement.issue import Issue
from stoa.node import replay, snapshot
from stoa.node.node import SNAPSHOT_FOLDER, Node
from stoa.node.state_store import MAP_BYTES, Standing, StateStore, Unusable, reading
from stoa.node.verify import verify
from stoa.wire.batch import header_digest
from stoa.wire.block import Block
from stoa.wire.vote import FIRST_EPOCH
from tests.ledger.hall import account
from tests.node.house import House
from tests.node.script import VALIDATOR

BLOCKS = 5


@pytest.fixture
def lived(running: House) -> House:
    """A house with some blocks, closed; ``node`` is the closed one."""
    running.cash_for("kim")
    running.party(1)
    running.node.close()
    return running


def rows(house: House) -> dict[bytes, bytes]:
    with reading(house.state_folder) as kept:
        return dict(kept.scan(b""))


def test_a_restart_executes_nothing_again(lived: House, monkeypatch: pytest.MonkeyPatch) -> None:
    before = rows(lived)
    done: list[tuple[int, int]] = []
    monkeypatch.setattr(replay.machine, "execute_block", fail)
    node = Node(lived.folder, VALIDATOR, clock=lived.clock, progress=lambda *step: done.append(step))
    assert node.health().height == BLOCKS
    node.close()
    assert (rows(lived), done) == (before, [])


def fail(*_: object) -> None:
    raise AssertionError("a block was executed again")


def removed(house: House) -> None:
    shutil.rmtree(house.state_folder)


def emptied(house: House) -> None:
    (house.state_folder / "data.mdb").write_bytes(b"")


def garbage(house: House) -> None:
    (house.state_folder / "data.mdb").write_bytes(bytes(range(256)) * 512)


def cut_short(house: House) -> None:
    """Most of the file is gone: to touch such a page ends the process."""
    path = house.state_folder / "data.mdb"
    house.node = house.open()
    house.node.start()
    for at in range(40):
        house.do("BROKER-A", *(RegisterParty(10_000 + at * 50 + one, False, "BROKER-A") for one in range(50)))
    house.node.close()
    with path.open("r+b") as file:
        file.truncate(path.stat().st_size // 4)


def garbled_note(house: House) -> None:
    store = StateStore(house.state_folder)
    with store._env.begin(write=True) as transaction:
        transaction.put(b"\0standing", b"\xc1")
    store.close()


def of_another_chain(house: House) -> None:
    shutil.rmtree(house.state_folder)
    other = House(house.folder / "other", chain="other")
    other.node.close()
    shutil.copytree(other.state_folder, house.state_folder)


def ahead_of_the_journal(house: House) -> None:
    """As after a disk that lost what it had synced: the journal is from a copy that was made before the last block."""
    copy = house.folder / "copy"
    shutil.copytree(house.journal_folder, copy)
    house.node = house.open()
    house.node.start()
    house.party(2)
    house.node.close()
    shutil.rmtree(house.journal_folder)
    shutil.copytree(copy, house.journal_folder)


@pytest.mark.parametrize(
    "spoil", [removed, emptied, garbage, cut_short, garbled_note, of_another_chain, ahead_of_the_journal]
)
def test_a_store_that_is_of_no_use_is_built_again(lived: House, spoil: Callable[[House], None]) -> None:
    before = rows(lived)
    spoil(lived)
    done: list[tuple[int, int]] = []
    node = Node(lived.folder, VALIDATOR, clock=lived.clock, progress=lambda *step: done.append(step))
    height = node.health().height
    assert done == [(at, height) for at in range(1, height + 1)]
    node.close()
    assert rows(lived) == before or (spoil is cut_short and height == BLOCKS + 40)
    lived.open().start()
    lived.party(3)


def test_a_store_that_is_behind_is_brought_up(lived: House) -> None:
    copy = lived.folder / "copy"
    shutil.copytree(lived.state_folder, copy)
    lived.open().start()
    lived.party(2)
    lived.node.close()
    after = rows(lived)
    shutil.rmtree(lived.state_folder)
    shutil.copytree(copy, lived.state_folder)
    lived.open().close()
    assert rows(lived) == after


def test_a_store_with_a_wrong_row_that_the_next_blocks_read_is_built_again(lived: House) -> None:
    """As after a kill between a block's certificate and its rows, with a row that changed before the start."""
    copy, supply = lived.folder / "copy", SUPPLY.pack("USD")
    shutil.copytree(lived.state_folder, copy)
    lived.open().start()
    lived.do("BANK", Issue("USD", account("kim"), 1, 0, 0))
    lived.node.close()
    after = rows(lived)
    shutil.rmtree(lived.state_folder)
    shutil.copytree(copy, lived.state_folder)
    with lmdb.open(str(lived.state_folder), map_size=MAP_BYTES) as env, env.begin(write=True) as changed:
        assert SUPPLY.decode(changed.get(supply)) + 1 == SUPPLY.decode(after[supply])
        changed.put(supply, encode(7))
    lived.open().close()
    assert rows(lived) == after


def test_replay_in_many_steps_gives_the_same(lived: House, monkeypatch: pytest.MonkeyPatch) -> None:
    before = rows(lived)
    for blocks, envelopes in ((1, 4_096), (2, 4_096), (256, 1), (256, 2)):
        monkeypatch.setattr(replay, "STEP_BLOCKS", blocks)
        monkeypatch.setattr(replay, "STEP_ENVELOPES", envelopes)
        shutil.rmtree(lived.state_folder)
        lived.open().close()
        assert rows(lived) == before


def test_replay_with_processes_gives_the_same(lived: House, monkeypatch: pytest.MonkeyPatch) -> None:
    before = rows(lived)
    shutil.rmtree(lived.state_folder)
    monkeypatch.setattr("stoa.node.recovery.WORTH_PROCESSES", 1)
    lived.open(processes=1).close()
    assert rows(lived) == before


# ---- replay that differs


def forged(house: House, **changes: object) -> None:
    """Append a block whose header claims something else than execution gives, its signatures all in order."""
    house.node = house.open()
    commit = house.node._commit
    body = house.signed("BROKER-A", RegisterParty(5_000, False, "BROKER-A"))
    head, time = commit.head, house.clock()
    root = merkle.root((body,))
    digest = header_digest(head.chain, "KSD", head.number + 1, time, root, 1)
    next_one = {"height": head.height + 1, "previous": head.hash(), "number": head.number + 1, "count": 1}
    roots = {"envelopes_root": root, "receipts_root": merkle.root((b"",))}
    header = replace(head, **{**next_one, **roots, "time": time, "batch_time": time, **changes})
    block = Block(header, signing.sign(VALIDATOR.secret, digest), (body,), (b"",))
    vote = house.node.finality.vote(header.height, header.hash(), FIRST_EPOCH)
    house.node.journal.append(block, (vote,))
    house.node.close()


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({}, "replay of block 6 gives other receipts, first at 0"),
        ({"time": 1_800_000_000_001}, "block 6 has the time 1800000000001, and 1800000000000 follows"),
        ({"number": 7}, "block 6 has batch 7 of KSD, and 6 is next"),
    ],
)
def test_a_block_that_gives_something_else_breaks_the_node(lived: House, changes: dict[str, int], why: str) -> None:
    forged(lived, **changes)
    with pytest.raises(Broken, match=why):
        lived.open()
    assert any(why in flaw for flaw in verify(lived.journal_folder).flaws)
    with Journal.open(lived.journal_folder) as journal:
        assert journal.height == BLOCKS + 1, "and the folder is free for somebody to look at"


def test_rows_that_differ_break_the_node(lived: House, monkeypatch: pytest.MonkeyPatch) -> None:
    """A ledger that was changed so that it writes other rows with the same receipts."""
    shutil.rmtree(lived.state_folder)
    real = register_party.Party
    monkeypatch.setattr(register_party, "Party", lambda entity, keeper, since: real(entity, keeper, since + 1))
    with pytest.raises(Broken, match="writes other rows than its header commits to"):
        lived.open()


# ---- the store itself


def test_a_write_is_there_in_whole_or_not_at_all(tmp_path: Path) -> None:
    store, standing = StateStore(tmp_path), Standing(1, bytes(32), 0, ())
    store.write([(b"\x01a", b"1"), (b"\x01b", b"2")], standing)
    with pytest.raises(TypeError):
        store.write([(b"\x01c", b"3"), (b"\x01d", 4)], replace(standing, height=2))  # type: ignore[list-item]
    assert (store.standing(), dict(store.scan(b""))) == (standing, {b"\x01a": b"1", b"\x01b": b"2"})
    store.write([(b"\x01a", None)], replace(standing, height=2), sync=False)
    assert (store.get(b"\x01a"), dict(store.scan(b""))) == (None, {b"\x01b": b"2"})
    with store.snapshot() as other:
        assert other.get(b"\x01a") == b"1", "nobody else sees what is not synced"
    store.close()
    store = StateStore(tmp_path)
    assert (store.standing(), store.get(b"\x01a")) == (standing, b"1")
    store.write([(b"\x01a", None)], standing, sync=False)
    store.write([(b"\x01e", b"5")], standing)
    store.close()
    with reading(tmp_path) as kept:
        assert dict(kept.scan(b"")) == {b"\x01b": b"2", b"\x01e": b"5"}


def test_reading_makes_no_store(tmp_path: Path) -> None:
    with pytest.raises(Unusable), reading(tmp_path / "none"):
        pass
    assert not (tmp_path / "none").exists()


# ---- snapshots


def with_snapshot(house: House) -> Path:
    """A snapshot at block 5, and one block after it; the store is gone."""
    house.node = house.open()
    path = house.node.snapshot()
    house.node.start()
    house.party(2)
    house.node.close()
    return path


def replayed_from(house: House) -> int:
    """Open the node without its store, and tell after which block it had to replay."""
    before = rows(house)
    shutil.rmtree(house.state_folder)
    done: list[tuple[int, int]] = []
    node = Node(house.folder, VALIDATOR, clock=house.clock, progress=lambda *step: done.append(step))
    height = node.health().height
    node.close()
    assert rows(house) == before
    return height - len(done)


def test_a_node_starts_from_a_snapshot_and_the_blocks_after_it(lived: House) -> None:
    path = with_snapshot(lived)
    assert path.name == "000000000005.snapshot"
    assert replayed_from(lived) == BLOCKS
    assert verify(lived.journal_folder, lived.state_folder).flaws == ()
    lived.open().start()
    lived.party(3)


def test_the_newest_snapshot_is_used_and_old_ones_go(lived: House) -> None:
    with_snapshot(lived)
    names = []
    for number in (10, 11):
        lived.open().start()
        lived.party(number)
        names.append(lived.node.snapshot().name)
        lived.node.close()
    assert sorted(path.name for path in (lived.folder / SNAPSHOT_FOLDER).iterdir()) == names
    assert replayed_from(lived) == BLOCKS + 3


@pytest.mark.parametrize("at", [0, 40, 200, 900, -1])
def test_a_damaged_snapshot_is_passed_over(lived: House, at: int) -> None:
    path = with_snapshot(lived)
    raw = bytearray(path.read_bytes())
    raw[at] ^= 1
    path.write_bytes(raw)
    assert replayed_from(lived) == 0


def test_a_snapshot_counts_only_with_its_checkpoint_in_the_journal(lived: House) -> None:
    """Rows that somebody made up, under a checkpoint that is no other than made up as well."""
    lived.node = lived.open()
    node, folder = lived.node, lived.folder / SNAPSHOT_FOLDER
    folder.mkdir()
    made_up = [(b"\x01", b"row")]
    root = merkle.root([encode(made_up[0])])
    head = node.journal.head
    claimed = node.finality.checkpoint(head.height, head.hash(), root, 1)
    snapshot.write_snapshot(folder / "000000000005.snapshot", node.chain, claimed, made_up)
    node.close()
    assert replayed_from(lived) == 0
    with Journal.open(lived.journal_folder) as journal:
        true = next(iter(journal.checkpoints()), None)
    assert true is None


def test_a_snapshot_whose_rows_have_another_root_is_passed_over(lived: House) -> None:
    lived.node = lived.open()
    path = lived.node.snapshot()
    true = lived.node.journal.latest_checkpoint()
    assert true is not None
    altered = [(key, value if at else value + b"\0") for at, (key, value) in enumerate(sorted(rows_of(lived.node)))]
    snapshot.write_snapshot(path, lived.node.chain, true, altered)
    lived.node.close()
    assert replayed_from(lived) == 0


def rows_of(node: Node) -> list[tuple[bytes, bytes]]:
    with node.store.snapshot() as view:
        return list(view.scan(b""))


def test_a_snapshot_can_be_taken_while_blocks_are_made(running: House) -> None:
    running.party(1)
    ids = [
        running.send(running.signed("BROKER-A", RegisterParty(2_000 + at, False, "BROKER-A"), sequence=1 + at))
        for at in range(1, 100)
    ]
    path = running.node.snapshot()
    assert all(running.receipt(one).rejection is None for one in ids)
    running.node.close()
    assert replayed_from(running) == int(path.stem) >= 1
