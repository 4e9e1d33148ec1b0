"""A snapshot gives back its rows and its checkpoint, and every flipped or missing byte of it is noticed."""

from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as some

from stoa.journal import Damaged, DiskFull, Snapshot, write_snapshot
from stoa.journal import snapshot as module
from stoa.wire.vote import Checkpoint
from tests.journal.blocks import CHAIN, GENESIS_HEADER, blocks, checkpoint_for
from tests.journal.simulated_disk import PowerCut, SimulatedDisk

PATH = Path("snapshots/state")
Rows = list[tuple[bytes, bytes]]


def checkpoint(size: int) -> Checkpoint:
    return checkpoint_for(blocks(7)[-1].header, size)


def read_all(disk: SimulatedDisk) -> tuple[str, Checkpoint, Rows]:
    snapshot = Snapshot(PATH, disk)
    return snapshot.chain, snapshot.checkpoint, list(snapshot.rows())


@pytest.fixture(autouse=True)
def small_chunks(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    with monkeypatch.context() as patch:
        patch.setattr(module, "CHUNK_BYTES", 100)
        yield


@given(some.dictionaries(some.binary(max_size=20), some.binary(max_size=40), max_size=30))
def test_rows_come_back_in_order(table: dict[bytes, bytes]) -> None:
    disk, rows = SimulatedDisk(), sorted(table.items())
    write_snapshot(PATH, CHAIN, checkpoint(len(rows)), rows, disk)
    assert read_all(disk) == (CHAIN, checkpoint(len(rows)), rows)


def rows_of(count: int) -> Rows:
    return [(at.to_bytes(2), bytes([at]) * at) for at in range(count)]


def test_every_flipped_or_missing_byte_is_found() -> None:
    disk = SimulatedDisk()
    size = write_snapshot(PATH, CHAIN, checkpoint(30), rows_of(30), disk)
    assert size == len(disk.content(PATH))
    for offset in range(size):
        disk.flip(PATH, offset, 0x40)
        with pytest.raises(Damaged):
            read_all(disk)
        disk.flip(PATH, offset, 0x40)
    for shorter in range(size - 1, -1, -1):
        disk.cut(PATH, shorter)
        with pytest.raises(Damaged):
            read_all(disk)


def test_bytes_after_the_end_are_found() -> None:
    disk = SimulatedDisk()
    size = write_snapshot(PATH, CHAIN, checkpoint(3), rows_of(3), disk)
    disk.open(PATH, write=True).write(size, b"more")
    with pytest.raises(Damaged):
        read_all(disk)


@pytest.mark.parametrize("rows", [rows_of(4), rows_of(2), [(b"b", b""), (b"a", b""), (b"c", b"")], [(b"a", b"")] * 3])
def test_rows_that_are_not_what_the_checkpoint_says_are_refused(rows: Rows) -> None:
    disk = SimulatedDisk()
    with pytest.raises(ValueError, match=r"come after|there are"):
        write_snapshot(PATH, CHAIN, checkpoint(3), rows, disk)
    assert PATH.name not in disk.names(PATH.parent)


def test_a_crash_leaves_the_old_snapshot_or_the_new_one() -> None:
    outcomes = set[int]()
    for seed in range(300):
        disk = SimulatedDisk(seed)
        write_snapshot(PATH, CHAIN, checkpoint(5), rows_of(5), disk)
        disk.cut_in = seed % 20
        with suppress(PowerCut):
            write_snapshot(PATH, CHAIN, checkpoint(20), rows_of(20), disk)
        disk.power_cut()
        rows = read_all(disk)[2]
        outcomes.add(len(rows))
        assert rows == rows_of(len(rows))
    assert outcomes == {5, 20}


def test_a_full_disk_keeps_the_old_snapshot() -> None:
    disk = SimulatedDisk()
    size = write_snapshot(PATH, CHAIN, checkpoint(5), rows_of(5), disk)
    disk.capacity = size + 200
    with pytest.raises(DiskFull):
        write_snapshot(PATH, CHAIN, checkpoint(20), rows_of(20), disk)
    assert read_all(disk)[2] == rows_of(5)


def test_a_file_of_another_sort_is_refused(tmp_path: Path) -> None:
    for content in (b"", GENESIS_HEADER.hash() * 9):
        (tmp_path / "file").write_bytes(content)
        with pytest.raises(Damaged, match="head"):
            Snapshot(tmp_path / "file")
    with pytest.raises(FileNotFoundError):
        Snapshot(tmp_path / "absent")
