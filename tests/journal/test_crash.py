"""The power goes, the process dies, the disk fails or fills: what was synced is there, and nothing is half there.

One integer gives one history of writes, syncs and crashes; a failing seed is printed by the parametrised test.
"""

from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from random import Random

import pytest

from stoa.journal import Damaged, DiskFull, Fatal, Journal, NoJournal, inspect
from stoa.wire.block import Block
from stoa.wire.vote import Vote
from tests.journal.blocks import GENESIS, GENESIS_HEADER, certificate_for, next_block
from tests.journal.simulated_disk import PowerCut, SimulatedDisk

FOLDER = Path("journal")
SEGMENT_BYTES = 1_200
LIVES = 4  # crashes in one history
SEEDS = 2_000
GROUPS = 8


@dataclass
class Expected:
    """What was asked of the journal, and how much of it was promised."""

    blocks: list[Block] = field(default_factory=list)
    instead: dict[int, list[Block]] = field(default_factory=dict)  # by height what a tail replaced since the last sync
    certified: list[int] = field(default_factory=list)
    synced: tuple[int, int] = (0, 0)  # of blocks, of certificates
    created: bool = False

    def promised(self) -> None:
        self.synced = (len(self.blocks), len(self.certified))
        self.instead.clear()

    def add(self, journal: Journal, block: Block) -> None:
        """Append the block, or have it replace the tail."""
        height = block.header.height
        if height == len(self.blocks):
            self.instead.setdefault(height, []).append(self.blocks.pop())
        self.blocks.append(block)
        journal.append(block, (own_vote(block),))

    def hold(self, journal: Journal) -> None:
        """Compare, and take what is there for what was asked: it is durable now."""
        height = journal.height
        assert self.synced[0] <= height <= len(self.blocks)
        if height and journal.block(height) in self.instead.get(height, []):
            self.blocks[height - 1] = journal.block(height)  # the tail is one or the other, whole
            assert height not in self.certified or journal.certificate(height) is None
        for block in self.blocks[:height]:
            assert journal.block(block.header.height) == block
            assert journal.votes(block.header.height) == (own_vote(block),)
        there = [at for at in self.certified if journal.certificate(at) is not None]
        assert there == self.certified[: len(there)], "a later one without an earlier one"
        assert len(there) >= self.synced[1]
        assert all(journal.certificate(at) == certificate(self.blocks[at - 1]) for at in there)
        self.blocks, self.certified, self.synced = self.blocks[:height], there, (height, len(there))
        self.instead.clear()


def own_vote(block: Block) -> Vote:
    """A vote whose signature is not the subject here."""
    return Vote(block.header.height, block.header.hash(), "BANK", b"signature")


def certificate(block: Block) -> object:
    return certificate_for(block.header, ())


def live(disk: SimulatedDisk, random: Random, expected: Expected) -> None:
    """One life of a validator's journal, from opening to the end."""
    try:
        journal = Journal.open(FOLDER, disk, segment_bytes=SEGMENT_BYTES)
    except NoJournal:
        assert not expected.created
        journal = Journal.create(FOLDER, GENESIS, GENESIS_HEADER, disk, SEGMENT_BYTES)
    expected.created = True
    expected.hold(journal)
    for _ in range(random.randint(0, 25)):
        match random.randint(0, 5):
            case 0 | 1 | 2:
                expected.add(journal, next_block(journal.head, random, random.randint(0, 2)))
            case 3 if journal.height and journal.height not in expected.certified and random.random() < 0.5:
                expected.add(journal, next_block(journal.header(journal.height - 1), random, random.randint(0, 2)))
            case 3 if journal.height and journal.height not in expected.certified:
                expected.certified.append(journal.height)
                journal.certify(certificate_for(journal.head, ()))
            case _:
                journal.sync()
                expected.promised()


def history(seed: int) -> None:
    """Several lives on one disk, each ended by a power cut or a kill at a moment of chance."""
    random = Random(seed)
    disk, expected = SimulatedDisk(seed), Expected()
    for _ in range(LIVES):
        disk.cut_in = random.randint(0, 60)
        if random.random() < 0.15:
            disk.fail_sync_in = random.randint(0, 8)
        with suppress(PowerCut, Fatal):
            live(disk, random, expected)
        if random.random() < 0.7:
            disk.power_cut()
        else:
            disk.process_killed()
    if expected.created:
        journal = Journal.open(FOLDER, disk, segment_bytes=SEGMENT_BYTES)
        expected.hold(journal)
        journal.close()
        report = inspect(FOLDER, disk=disk)
        assert report.ok, report.damages
        assert report.blocks == len(expected.blocks)


@pytest.mark.parametrize("group", range(GROUPS))
def test_after_any_crash_all_that_was_synced_is_there(group: int) -> None:
    for seed in range(group, SEEDS, GROUPS):
        try:
            history(seed)
        except BaseException as error:
            raise AssertionError(f"seed {seed}: {error!r}") from error


def test_crashes_at_every_single_operation() -> None:
    """One fixed script, cut before each of its operations in turn, with several outcomes of each cut."""
    total = _script(SimulatedDisk(), Expected())
    assert total > 40
    for operation in range(total):
        for seed in range(8):
            disk, expected = SimulatedDisk(seed), Expected()
            disk.cut_in = operation
            with pytest.raises(PowerCut):
                _script(disk, expected)
            disk.power_cut()
            if expected.created:
                expected.hold(Journal.open(FOLDER, disk))


def _script(disk: SimulatedDisk, expected: Expected) -> int:
    random = Random(1)
    journal = Journal.create(FOLDER, GENESIS, GENESIS_HEADER, disk, SEGMENT_BYTES)
    expected.created = True
    for round_ in range(12):
        expected.add(journal, next_block(journal.head, random))
        journal.sync()
        if round_ % 3 == 1:
            expected.promised()
            expected.add(journal, next_block(journal.header(journal.height - 1), random))
            journal.sync()
        expected.promised()
        expected.certified.append(journal.height)
        journal.certify(certificate_for(journal.head, ()))
    return disk.operations


def test_a_failed_sync_ends_the_journal_and_is_not_tried_again() -> None:
    disk = SimulatedDisk()
    journal = Journal.create(FOLDER, GENESIS, GENESIS_HEADER, disk)
    first = next_block(GENESIS_HEADER, Random(1))
    journal.append(first)
    disk.fail_sync_in = 0
    with pytest.raises(Fatal, match="Input/output error"):
        journal.sync()
    disk.fail_sync_in = None
    operations = disk.operations
    for use in (
        journal.sync,
        lambda: journal.append(next_block(first.header, Random(1))),
        lambda: journal.certify(certificate_for(first.header)),
        lambda: journal.block(1),
        lambda: list(journal.replay()),
    ):
        with pytest.raises(Fatal):
            use()
    journal.close()
    assert disk.operations == operations, "the disk was not asked again"


def test_pages_that_a_failed_sync_left_clean_are_written_again() -> None:
    disk = SimulatedDisk()
    journal = Journal.create(FOLDER, GENESIS, GENESIS_HEADER, disk)
    journal.append(next_block(GENESIS_HEADER, Random(1)))
    disk.fail_sync_in = 0
    with pytest.raises(Fatal):
        journal.sync()
    disk.process_killed()
    assert Journal.open(FOLDER, disk).synced == 1, "the block reads well from the cache"
    disk.power_cut()
    assert Journal.open(FOLDER, disk).height == 1, "and now it is on the disk too"


@pytest.mark.parametrize("room", range(0, 2_000, 37))
def test_a_full_disk_is_a_clear_error_and_loses_nothing(room: int) -> None:
    disk, random = SimulatedDisk(room), Random(room)
    journal = Journal.create(FOLDER, GENESIS, GENESIS_HEADER, disk, SEGMENT_BYTES)
    kept: list[Block] = []
    disk.capacity = sum(len(inode.cached) for inode in disk.cached_names.values()) + room
    while not refused(journal, block := next_block(journal.head, random)):
        kept.append(block)
    assert [found for found, _ in journal.replay()] == kept
    assert inspect(FOLDER, disk=disk).ok, "nothing of the block without room is left"
    disk.capacity = None
    journal.append(block)
    journal.sync()
    disk.power_cut()
    assert [found for found, _ in Journal.open(FOLDER, disk).replay()] == [*kept, block]


def refused(journal: Journal, block: Block) -> bool:
    """Whether there was no room for the block."""
    try:
        journal.append(block)
    except DiskFull:
        return True
    return False


def test_a_full_disk_at_creation_leaves_no_journal() -> None:
    disk = SimulatedDisk(capacity=100)
    with pytest.raises(DiskFull, match="No space left"):
        Journal.create(FOLDER, GENESIS, GENESIS_HEADER, disk)
    disk.capacity = None
    assert Journal.create(FOLDER, GENESIS, GENESIS_HEADER, disk).height == 0


def test_a_torn_end_is_trimmed_but_never_what_was_synced() -> None:
    disk = SimulatedDisk()
    journal = Journal.create(FOLDER, GENESIS, GENESIS_HEADER, disk)
    random, path = Random(1), FOLDER / "000000000001.journal"
    for _ in range(3):
        journal.append(next_block(journal.head, random))
        journal.sync()
    synced = len(disk.content(path))
    journal.append(next_block(journal.head, random))
    disk.process_killed()
    for size in range(len(disk.content(path)) - 1, synced, -1):
        disk.cut(path, size)
        reader = Journal.open(FOLDER, disk, readonly=True)
        assert (reader.height, len(disk.content(path))) == (3, size), "a reader changes nothing"
    again = Journal.open(FOLDER, disk)
    assert (again.height, again.trimmed, len(disk.content(path))) == (3, 1, synced)
    disk.process_killed()
    disk.cut(path, synced - 1)
    with pytest.raises(Damaged, match="block 3, payload"):
        Journal.open(FOLDER, disk)


def test_a_gap_that_a_later_record_claims_was_synced_is_damage() -> None:
    """Without the mark: a disk that lost synced sectors is told from one that lost unsynced ones."""
    for synced, outcome in ((True, Damaged), (False, None)):
        disk, random = SimulatedDisk(), Random(1)
        journal = Journal.create(FOLDER, GENESIS, GENESIS_HEADER, disk)
        start = len(disk.content(FOLDER / "000000000001.journal"))
        for _ in range(3):
            journal.append(next_block(journal.head, random))
            if synced:
                journal.sync()
        disk.flip(FOLDER / "000000000001.journal", start + 60, 255)
        disk.delete(FOLDER / "synced.mark")
        disk.process_killed()
        if outcome:
            with pytest.raises(outcome, match="block 1"):
                Journal.open(FOLDER, disk)
        else:
            assert Journal.open(FOLDER, disk).height == 0
