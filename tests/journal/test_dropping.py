"""Bodies go and come back, segments are written anew under readers and crashes, and nothing is ever read wrongly."""

from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from random import Random
from threading import Event, Thread

import pytest

from stoa.journal import BodyDropped, Damaged, DiskFull, Dropping, Journal, Scrub, cut, inspect, restore
from stoa.wire.vote import Vote
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
from tests.journal.test_check import COUNT, FOLDER, LAST, heights_by_byte, written
from tests.journal.test_scrub import one_round

SEGMENT_BYTES = 1_400
BLOCKS = blocks(COUNT)
STEP = 500
READS = 50  # of each reader while segments are written anew under it


def odd(height: int) -> bool:
    return height % 2 == 1


def nothing(_: int) -> bool:
    return False


def drop(journal: Journal, keep: Callable[[int], bool] = nothing, below: int = COUNT + 1) -> int:
    """Drop all that may go, and return how many bodies that were."""
    return finish(Dropping(journal, keep, below))


def finish(dropping: Dropping) -> int:
    for _ in range(10_000):
        if not dropping.step(STEP):
            return dropping.dropped
    raise AssertionError("no end")


def opened(disk: SimulatedDisk, readonly: bool = False) -> Journal:
    return Journal.open(FOLDER, disk, readonly, SEGMENT_BYTES)


def without_outlines(disk: SimulatedDisk) -> SimulatedDisk:
    for name in disk.names(FOLDER):
        if name.endswith(".outline"):
            disk.delete(FOLDER / name)
    return disk


def segments(disk: SimulatedDisk) -> dict[str, bytes]:
    return {name: disk.content(FOLDER / name) for name in disk.names(FOLDER) if name.endswith(".journal")}


def bodies(journal: Journal) -> list[int]:
    """The heights whose body is there, and is right; all else must be there for every height."""
    there = []
    for block in BLOCKS[: journal.height]:
        height = block.header.height
        assert journal.header(height) == block.header
        assert journal.votes(height) in (votes_for(block.header), ())
        assert journal.certificate(height) == certificate_for(block.header)
        assert journal.receipt_count(height) == len(block.receipts)
        with suppress(BodyDropped):
            assert journal.block(height) == block
            there.append(height)
    assert [one.height for one in journal.checkpoints()] == [2]
    assert journal.latest_checkpoint() == checkpoint_for(BLOCKS[1].header)
    return there


@pytest.mark.parametrize("outlines", [True, False])
def test_what_is_not_kept_goes_and_all_else_stays(outlines: bool) -> None:
    disk = written(SimulatedDisk())
    size = sum(map(len, segments(disk).values()))
    with opened(disk if outlines else without_outlines(disk)) as journal:
        assert bodies(journal) == [1, 2, 3, 4, 5, 6]
        last = journal.log.index.height - 1  # the last segment holds the last block
        assert drop(journal, odd) >= 2
        left = bodies(journal)
        assert [height for height in left if height <= last] == [h for h in range(1, last + 1) if odd(h)]
        assert one_round(Scrub(journal)) == []
        with pytest.raises(BodyDropped, match="block 2 is not kept") as caught:
            journal.block(2)
        assert caught.value.height == 2
        with pytest.raises(BodyDropped):
            list(journal.replay())
    report = inspect(FOLDER, AUTHORITY, LAST, disk)
    assert report.ok, report.damages
    assert (report.blocks, report.dropped, report.replaced) == (COUNT, COUNT - len(left), 1)
    assert report.transactions == sum(block.header.count for block in BLOCKS)
    assert report.size < size
    for again in (opened(disk, True), opened(without_outlines(disk), True), opened(disk)):
        assert bodies(again) == left
        assert again.head == LAST


def test_only_full_segments_of_final_blocks_are_touched() -> None:
    disk = written(SimulatedDisk())
    before = segments(disk)
    with opened(disk) as journal:
        assert drop(journal, below=1) == 0
        assert segments(disk) == before
        drop(journal, below=4)
        assert 4 in bodies(journal)
        drop(journal)
        assert bodies(journal)[-1] == COUNT
        after = segments(disk)
        assert drop(journal) == 0
        assert segments(disk) == after, "nothing is written anew for nothing"
    with pytest.raises(ValueError, match="reading only"):
        Dropping(opened(disk, True), nothing, 5)


def test_a_closed_journal_is_not_touched_and_a_missing_segment_is_damage() -> None:
    disk = written(SimulatedDisk())
    journal = opened(disk)
    dropping = Dropping(journal, nothing, COUNT)
    dropping.step(STEP)
    before = segments(disk)
    journal.close()
    with pytest.raises(ValueError, match="closed"):
        finish(dropping)
    assert segments(disk) == before
    with opened(disk) as journal:
        disk.delete(FOLDER / min(before))
        with pytest.raises(Damaged, match="block 1, segment: it is missing"):
            finish(Dropping(journal, nothing, COUNT))
        with pytest.raises(Damaged, match="it is missing"):
            journal.block(1)
        with pytest.raises(Damaged, match="it is missing"):
            restore(journal, [BLOCKS[0]])
        assert journal.head == LAST, "and the rest goes on"


def test_every_flipped_byte_of_what_is_left_is_found_and_located() -> None:
    disk = written(SimulatedDisk())
    with opened(disk) as journal:
        drop(journal, odd)
    reader = opened(disk, readonly=True)
    for name, data in segments(disk).items():
        heights = heights_by_byte(data)
        for offset in range(len(data)):
            disk.flip(FOLDER / name, offset, 0x10)
            report = inspect(FOLDER, disk=disk)
            assert {damage.height for damage in report.damages} == {heights[offset]}, f"{name} byte {offset}"
            if offset % 13 == 0:
                assert [damage.height for damage in one_round(Scrub(reader))] == [heights[offset]]
            disk.flip(FOLDER / name, offset, 0x10)
    first = min(segments(disk))
    disk.cut(FOLDER / first, len(disk.content(FOLDER / first)) - 53)
    assert not inspect(FOLDER, disk=disk).ok, "a lost last record is seen by the segment after it"


def test_a_journal_without_bodies_is_cut_like_any_other() -> None:
    for height in range(1, COUNT + 1):
        disk = written(SimulatedDisk())
        with opened(disk) as journal:
            drop(journal, odd)
            there = bodies(journal)
        cut(FOLDER, height, disk)
        with opened(disk) as journal:
            assert journal.height == height - 1
            for block in BLOCKS[height - 1 :]:
                journal.append(block, votes_for(block.header))
                journal.certify(certificate_for(block.header))
            left = [at for at in range(1, COUNT + 1) if at >= height or at in there]
            assert [at for at in range(1, COUNT + 1) if not raises(journal, at)] == left
        assert inspect(FOLDER, AUTHORITY, LAST, disk).ok


def raises(journal: Journal, height: int) -> bool:
    try:
        return journal.block(height) != BLOCKS[height - 1]
    except BodyDropped:
        return True


@pytest.mark.parametrize("work", ["drop", "restore", "restore the last"])
def test_a_crash_at_any_operation_leaves_each_segment_old_or_new(work: str) -> None:
    def start(seed: int) -> tuple[SimulatedDisk, Journal]:
        disk = written(SimulatedDisk(seed))
        with opened(disk) as journal:
            if work == "restore":
                drop(journal)
        disk.power_cut()
        return disk, opened(disk)

    def run(journal: Journal) -> None:
        if work == "drop":
            drop(journal)
        else:
            restore(journal, BLOCKS if work == "restore" else [BLOCKS[-1]])

    disk, journal = start(0)
    before = disk.operations
    run(journal)
    total = disk.operations - before
    expected = bodies(journal)
    assert total >= 5
    for operation in range(total):
        for seed in range(4):
            disk, journal = start(seed)
            disk.cut_in = operation
            with suppress(PowerCut):
                run(journal)
            disk.power_cut()
            with opened(disk, readonly=True) as journal:
                bodies(journal)
            with opened(disk) as journal:
                assert journal.trimmed == 0
                run(journal)
                assert bodies(journal) == expected
            assert inspect(FOLDER, AUTHORITY, LAST, disk).ok


def test_no_room_for_the_new_segment_changes_nothing() -> None:
    disk = written(SimulatedDisk())
    with opened(disk) as journal:
        before = segments(disk)
        disk.capacity = sum(len(inode.cached) for inode in disk.cached_names.values()) + 200
        with pytest.raises(DiskFull):
            drop(journal)
        with pytest.raises(DiskFull):
            restore(journal, [BLOCKS[0]])
        assert segments(disk) == before
        disk.capacity = None
        assert drop(journal) > 0


def test_readers_never_read_wrongly_while_segments_are_written_anew(tmp_path: Path) -> None:
    """Threads of the writer's process and readers beside it, while bodies come and go and the tail grows."""
    folder, chain = tmp_path / "journal", blocks(30)
    journal = Journal.create(folder, GENESIS, GENESIS_HEADER, segment_bytes=3_000)
    for block in chain[:20]:
        journal.append(block, (Vote(block.header.height, block.header.hash(), "BANK", b"vote"),))
        journal.sync()
        journal.certify(certificate_for(block.header, ()))
    over, errors, reads = Event(), list[Exception](), [0, 0, 0]

    def read(source: Journal, number: int) -> None:
        random = Random(number)
        try:
            while not over.is_set():
                source.refresh()
                height = random.randint(1, source.final)
                assert source.header(height) == chain[height - 1].header
                assert source.votes(height)[0].height == height
                with suppress(BodyDropped):
                    assert source.block(height) == chain[height - 1]
                assert source.certificate(height) == certificate_for(chain[height - 1].header, ())
                reads[number] += 1
        except (AssertionError, Damaged, LookupError, ValueError, OSError) as error:
            errors.append(error)

    sources = [journal, Journal.open(folder, readonly=True), Journal.open(folder, readonly=True)]
    threads = [Thread(target=read, args=(source, number)) for number, source in enumerate(sources)]
    for thread in threads:
        thread.start()
    round_ = 0
    while (round_ < 10 or min(reads) < READS) and not errors and round_ < 2_000:
        block = chain[20 + round_] if round_ < 10 else None
        if block:
            journal.append(block, (Vote(block.header.height, block.header.hash(), "BANK", b"vote"),))
            journal.sync()
            journal.certify(certificate_for(block.header, ()))
        drop(journal, lambda height, turn=round_: height % 3 != turn % 3, below=31)  # type: ignore[misc]
        restore(journal, [chain[at] for at in range(round_ % 11, journal.height, 11)])
        round_ += 1
    over.set()
    for thread in threads:
        thread.join(30)
    assert not errors, errors[0]
    assert min(reads) >= READS
    for source in sources:
        source.close()
    assert inspect(folder, expected_head=chain[29].header).ok


def test_a_reader_of_a_journal_that_was_cut_goes_on(tmp_path: Path) -> None:
    folder, chain = tmp_path / "journal", blocks(20)

    def append(journal: Journal, start: int, last: int) -> None:
        for block in chain[start - 1 : last]:
            journal.append(block)
            journal.sync()
            journal.certify(certificate_for(block.header, ()))

    with Journal.create(folder, GENESIS, GENESIS_HEADER, segment_bytes=2_000) as journal:
        append(journal, 1, 20)
    for height in (18, 9, 2):
        with Journal.open(folder, readonly=True) as reader:
            assert reader.refresh() == 20
            cut(folder, height)
            with suppress(LookupError):
                assert reader.block(19) == chain[18]
            assert reader.refresh() == height - 1
            with Journal.open(folder, segment_bytes=2_000) as journal:
                append(journal, height, 20)
                assert reader.refresh() == 20
            assert [block for block, _ in reader.replay()] == chain
