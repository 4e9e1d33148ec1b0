"""Bodies go and come back, segments are written anew under readers and crashes, and nothing is ever read wrongly."""

from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from random import Random
from threading import Event, Thread

import pytest

from stoa.journal import BodyDropped, Damaged, DiskFull, Dropping, Journal, NotNext, Scrub, cut, inspect, restore
from stoa.journal.segment import read_head
from stoa.wire.block import Block
from stoa.wire.vote import Vote
from tests.journal.blocks import (
    AUTHORITY,
    GENESIS,
    GENESIS_HEADER,
    blocks,
    certificate_for,
    checkpoint_for,
    next_block,
    votes_for,
)
from tests.journal.simulated_disk import PowerCut, SimulatedDisk
from tests.journal.test_check import COUNT, FOLDER, LAST, RIVAL, forged, heights_by_byte, written
from tests.journal.test_scrub import one_round

SEGMENT_BYTES = 1_400
BLOCKS = blocks(COUNT)
PIECES = [
    (block, certificate_for(block.header), *([checkpoint_for(block.header)] if block.header.height == 2 else []))
    for block in BLOCKS
]
STEP = 500


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


def test_bodies_come_back() -> None:
    disk = written(SimulatedDisk())
    with opened(disk) as journal:
        drop(journal)
        assert 1 not in bodies(journal)
        restore(journal, [BLOCKS[0], BLOCKS[3]])
        assert {1, 4} <= set(bodies(journal))
        assert 2 not in bodies(journal)
        restore(journal, BLOCKS)
        assert bodies(journal) == [1, 2, 3, 4, 5, 6]
        assert [journal.votes(at) for at in range(1, COUNT + 1)] == [votes_for(block.header) for block in BLOCKS]
    report = inspect(FOLDER, AUTHORITY, LAST, disk)
    assert (report.ok, report.dropped, report.replaced) == (True, 0, 1)


def test_what_the_journal_does_not_vouch_for_is_not_put_in() -> None:
    disk = written(SimulatedDisk())
    first = BLOCKS[0]
    with opened(disk) as journal:
        drop(journal)
        before = segments(disk)
        for wrong in (
            RIVAL,
            Block(first.header, first.batch_signature, (*first.envelopes, b"more"), first.receipts),
            Block(first.header, first.batch_signature, first.envelopes, ()) if first.receipts else RIVAL,
            next_block(LAST, Random(1)),
            certificate_for(RIVAL.header),
            checkpoint_for(RIVAL.header),
        ):
            with pytest.raises(NotNext):
                restore(journal, [wrong])
        assert segments(disk) == before
    with pytest.raises(ValueError, match="reading only"):
        restore(opened(disk, readonly=True), [first])


@pytest.mark.parametrize("dropped", [False, True])
def test_whatever_byte_the_scrub_finds_damaged_is_repaired(dropped: bool) -> None:
    """In every segment, the last one too, while the journal is open: and it goes on."""
    pristine = written(SimulatedDisk())
    if dropped:
        with opened(pristine) as journal:
            drop(journal, odd)
    repaired = 0
    for name, data in segments(pristine).items():
        heights = heights_by_byte(data)
        for offset in range(0, len(data), 29):
            disk = SimulatedDisk()
            for file in pristine.names(FOLDER):
                disk.open(FOLDER / file, write=True).write(0, pristine.content(FOLDER / file))
            with opened(disk) as journal:
                disk.flip(FOLDER / name, offset, 0x10)
                found = one_round(Scrub(journal))
                assert [damage.height for damage in found] == [heights[offset]]
                if found[0].height == 0:
                    continue  # genesis does not come from a peer
                restore(journal, PIECES[found[0].height - 1])
                assert one_round(Scrub(journal)) == [], f"{name} byte {offset}"
                assert bodies(journal) == bodies(opened(disk, readonly=True))
                journal.append(next_block(LAST, Random(1)))
            report = inspect(FOLDER, AUTHORITY, LAST, disk)
            assert report.ok, (name, offset, report.damages)
            assert report.blocks == COUNT + 1
            with opened(without_outlines(disk)) as journal:
                assert journal.height == COUNT + 1
            repaired += 1
    assert repaired > 100


def test_several_damages_are_repaired_one_by_one() -> None:
    disk = written(SimulatedDisk())
    with opened(disk) as journal:
        for block in BLOCKS[:3]:
            for name, data in segments(disk).items():
                if block.envelopes and (at := data.find(block.envelopes[0])) > 0:
                    disk.flip(FOLDER / name, at, 1)
        damaged = [damage.height for damage in one_round(Scrub(journal))]
        assert len(damaged) >= 2
        for number, height in enumerate(damaged):
            with pytest.raises(Damaged):
                journal.block(height)
            restore(journal, [BLOCKS[height - 1]])
            assert [damage.height for damage in one_round(Scrub(journal))] == damaged[number + 1 :]
    assert inspect(FOLDER, AUTHORITY, LAST, disk).ok


def test_damage_stops_the_dropping_until_it_is_repaired() -> None:
    disk = written(SimulatedDisk())
    with opened(disk) as journal:
        name = min(segments(disk))
        disk.flip(FOLDER / name, disk.content(FOLDER / name).index(BLOCKS[0].envelopes[0]), 1)
        dropping = Dropping(journal, nothing, COUNT)
        with pytest.raises(Damaged, match="block 1, payload"):
            finish(dropping)
        restore(journal, [BLOCKS[0]])
        finish(dropping)
        assert bodies(journal)[0] > 1
        assert journal.votes(1) == (), "the votes that were kept with a damaged block are lost"


def test_a_forged_record_with_right_checksums_is_replaced_as_well() -> None:
    """The certificate and the next header say what the block must be, not the record itself."""
    disk, other = forged(lambda _: next_block(BLOCKS[2].header, Random(5))), BLOCKS[3]
    with opened(disk) as journal:
        assert journal.header(4) != other.header
        with pytest.raises(NotNext):
            restore(journal, [journal.block(4)])
        restore(journal, [other])
        assert (journal.block(4), journal.header(4)) == (other, other.header)
    assert inspect(FOLDER, AUTHORITY, LAST, disk).ok


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
    folder, chain = tmp_path / "journal", blocks(60)
    journal = Journal.create(folder, GENESIS, GENESIS_HEADER, segment_bytes=3_000)
    for block in chain[:40]:
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
    while (round_ < 20 or min(reads) < 100) and not errors and round_ < 2_000:
        block = chain[40 + round_ % 20] if round_ < 20 else None
        if block:
            journal.append(block, (Vote(block.header.height, block.header.hash(), "BANK", b"vote"),))
            journal.sync()
            journal.certify(certificate_for(block.header, ()))
        drop(journal, lambda height, turn=round_: height % 3 != turn % 3, below=61)  # type: ignore[misc]
        restore(journal, [chain[at] for at in range(round_ % 7, journal.height, 7)])
        round_ += 1
    over.set()
    for thread in threads:
        thread.join(30)
    assert not errors, errors[0]
    assert min(reads) >= 100
    for source in sources:
        source.close()
    assert inspect(folder, expected_head=chain[59].header).ok


def test_a_reader_of_a_last_segment_that_was_repaired_goes_on(tmp_path: Path) -> None:
    folder, chain = tmp_path / "journal", blocks(8)
    with Journal.create(folder, GENESIS, GENESIS_HEADER) as journal, Journal.open(folder, readonly=True) as reader:
        for block in chain[:6]:
            journal.append(block, votes_for(block.header))
            journal.sync()
            journal.certify(certificate_for(block.header))
        assert reader.refresh() == 6
        marker = read_head((folder / "000000000001.journal").read_bytes()).marker
        restore(journal, [chain[5]])
        assert read_head((folder / "000000000001.journal").read_bytes()).marker != marker
        for block in chain[6:]:
            journal.append(block, votes_for(block.header))
            journal.sync()
            journal.certify(certificate_for(block.header))
            assert reader.refresh() == block.header.height
        assert [block for block, _ in reader.replay()] == chain
    assert inspect(folder, AUTHORITY, chain[-1].header).ok


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
