"""A cut journal ends where it was told to, opens normally, takes the rest again, and nothing of it was deleted."""

from pathlib import Path

import pytest

from stoa.journal import Journal, NoJournal, Occupied, cut, inspect
from stoa.journal.segment import MARK_NAME
from tests.journal.blocks import (
    AUTHORITY,
    GENESIS,
    GENESIS_HEADER,
    blocks,
    certificate_for,
    checkpoint_for,
    votes_for,
)
from tests.journal.simulated_disk import PowerCut, SimulatedDisk

FOLDER = Path("journal")
COUNT = 9
SEGMENT_BYTES = 1_400
BLOCKS = blocks(COUNT)
LAST = BLOCKS[-1].header
VOTES = [votes_for(block.header) for block in BLOCKS]
CERTIFICATES = [certificate_for(block.header) for block in BLOCKS]
CHECKPOINT = checkpoint_for(BLOCKS[1].header)


def written(disk: SimulatedDisk, late: bool = False) -> dict[str, bytes]:
    """A closed journal of several segments, and their bytes; ``late`` certificates come behind the next block."""
    journal = Journal.create(FOLDER, GENESIS, GENESIS_HEADER, disk, SEGMENT_BYTES)
    for block in BLOCKS:
        journal.append(block, VOTES[block.header.height - 1])
        journal.sync()
        if block.header.height > late:
            journal.certify(CERTIFICATES[block.header.height - 1 - late])
    journal.checkpoint(CHECKPOINT)
    journal.close()
    return {name: disk.content(FOLDER / name) for name in disk.names(FOLDER) if name.endswith(".journal")}


def continued(disk: SimulatedDisk, height: int) -> None:
    """The journal ends before the height, is in order, and takes the blocks from there on again."""
    journal = Journal.open(FOLDER, disk, segment_bytes=SEGMENT_BYTES)
    assert journal.height == height - 1
    assert [block for block, _ in journal.replay()] == BLOCKS[: height - 1]
    for block in BLOCKS[height - 1 :]:
        journal.append(block, VOTES[block.header.height - 1])
        journal.sync()
        journal.certify(CERTIFICATES[block.header.height - 1])
    journal.close()
    report = inspect(FOLDER, disk=disk)
    assert report.ok, report.damages
    assert report.head == LAST


def contents(disk: SimulatedDisk, places: int = 4) -> set[bytes]:
    """What all files hold, in the journal and set aside."""
    folders = [FOLDER, *(FOLDER / f"set-aside-{number}" for number in range(1, places))]
    return {disk.content(folder / name) for folder in folders for name in disk.names(folder)}


@pytest.mark.parametrize("height", range(1, COUNT + 1))
def test_a_journal_is_cut_at_any_height(height: int) -> None:
    disk = SimulatedDisk()
    original = written(disk)
    assert len(original) > 3
    place = cut(FOLDER, height, disk)
    assert place == FOLDER / "set-aside-1"
    assert inspect(FOLDER, AUTHORITY, BLOCKS[height - 2].header if height > 1 else None, disk).ok
    assert set(original.values()) <= contents(disk), "every segment is there as it was, in the journal or set aside"
    with Journal.open(FOLDER, disk, readonly=True) as journal:
        assert (journal.height, journal.final) == (height - 1, height - 1)
        assert (journal.latest_checkpoint() is None) == (height <= 2), "a checkpoint behind the cut was kept"
    continued(disk, height)
    assert cut(FOLDER, COUNT + 1, disk) is None, "it ends there already"


def test_certificates_behind_the_cut_are_kept() -> None:
    for height in range(2, COUNT + 1):
        disk = SimulatedDisk()
        written(disk, late=True)
        cut(FOLDER, height, disk)
        with Journal.open(FOLDER, disk, readonly=True) as journal:
            assert journal.final == height - 1
            assert journal.certificate(height - 1) == CERTIFICATES[height - 2]


def test_wherever_a_byte_is_damaged_the_journal_is_cut_there_and_goes_on() -> None:
    pristine = SimulatedDisk()
    for name, data in written(pristine).items():
        for offset in range(0, len(data), 23):
            disk = SimulatedDisk()
            for file in pristine.names(FOLDER):
                disk.open(FOLDER / file, write=True).write(0, pristine.content(FOLDER / file))
            disk.flip(FOLDER / name, offset, 0x10)
            damaged = disk.content(FOLDER / name)
            height = inspect(FOLDER, disk=disk).damages[0].height
            place = cut(FOLDER, height, disk)
            assert place
            assert damaged in contents(disk)
            if height == 0:
                with pytest.raises(NoJournal):
                    Journal.open(FOLDER, disk)
                Journal.create(FOLDER, GENESIS, GENESIS_HEADER, disk, SEGMENT_BYTES).close()
            with Journal.open(FOLDER, disk, readonly=True) as journal:
                left = journal.height
            assert left == max(0, height - 1), f"{name} byte {offset}"
            continued(disk, left + 1)


@pytest.mark.parametrize("height", [3, 5, 9])
def test_a_crash_at_any_operation_of_a_cut_loses_nothing(height: int) -> None:
    total = operations(height)
    assert total > 10
    for operation in range(total):
        for seed in range(6):
            disk = SimulatedDisk(seed)
            original = written(disk)
            disk.power_cut()
            disk.cut_in = operation
            with pytest.raises(PowerCut):
                cut(FOLDER, height, disk)
            disk.power_cut()
            assert set(original.values()) <= contents(disk), f"operation {operation}, seed {seed}"
            with Journal.open(FOLDER, disk, readonly=True) as journal:
                assert height - 1 <= journal.height <= COUNT
                assert [block for block, _ in journal.replay()] == BLOCKS[: journal.height]
            cut(FOLDER, height, disk)
            assert set(original.values()) <= contents(disk)
            continued(disk, height)


def operations(height: int) -> int:
    disk = SimulatedDisk()
    written(disk)
    before = disk.operations
    cut(FOLDER, height, disk)
    return disk.operations - before


def test_a_journal_that_lost_its_end_is_cut_where_it_ends() -> None:
    disk = SimulatedDisk()
    names = sorted(written(disk))
    disk.delete(FOLDER / names[-1])
    damage = inspect(FOLDER, AUTHORITY, LAST, disk).damages[0]
    assert cut(FOLDER, damage.height, disk)
    assert disk.names(FOLDER / "set-aside-1").count(MARK_NAME) == 1, "the mark claims what is lost"
    continued(disk, damage.height)


def test_who_may_not_cut(tmp_path: Path) -> None:
    with pytest.raises(NoJournal):
        cut(tmp_path, 1)
    with Journal.create(tmp_path / "journal", GENESIS, GENESIS_HEADER), pytest.raises(Occupied):
        cut(tmp_path / "journal", 1)


def test_on_a_real_disk(tmp_path: Path) -> None:
    with Journal.create(tmp_path / "journal", GENESIS, GENESIS_HEADER, segment_bytes=SEGMENT_BYTES) as journal:
        for block in BLOCKS:
            journal.append(block)
    for number, height in ((1, 6), (2, 3)):
        assert cut(tmp_path / "journal", height) == tmp_path / "journal" / f"set-aside-{number}"
        with Journal.open(tmp_path / "journal") as journal:
            assert journal.height == height - 1
    assert cut(tmp_path / "journal", 0)
    with pytest.raises(NoJournal):
        Journal.open(tmp_path / "journal")
