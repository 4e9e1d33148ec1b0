"""What was dropped or damaged is put back from what others kept, and nothing else is put in."""

from pathlib import Path
from random import Random

import pytest

from stoa.journal import Damaged, Dropping, Journal, NotNext, Scrub, inspect, restore
from stoa.journal.segment import read_head
from stoa.wire.block import Block
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
from tests.journal.simulated_disk import SimulatedDisk
from tests.journal.test_check import COUNT, FOLDER, LAST, RIVAL, forged, heights_by_byte, written
from tests.journal.test_dropping import (
    BLOCKS,
    bodies,
    drop,
    finish,
    nothing,
    odd,
    opened,
    segments,
    without_outlines,
)
from tests.journal.test_scrub import one_round

PIECES = [
    (block, certificate_for(block.header), *([checkpoint_for(block.header)] if block.header.height == 2 else []))
    for block in BLOCKS
]


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
