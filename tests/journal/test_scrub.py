"""The scrub finds every flipped byte of what is synced, where it is, in bounded steps, while the journal is written."""

from pathlib import Path
from random import Random

import pytest

from stoa.journal import Journal, Scrub
from stoa.journal.faults import Damage
from tests.journal.blocks import GENESIS, GENESIS_HEADER, blocks, certificate_for, next_block, votes_for
from tests.journal.simulated_disk import SimulatedDisk
from tests.journal.test_check import COUNT, FOLDER, RIVAL, heights_by_byte, written

STEP = 300


def one_round(scrub: Scrub, most_bytes: int = STEP) -> list[Damage]:
    """What one round finds."""
    found, rounds = list[Damage](), scrub.rounds
    for _ in range(10_000):
        found += scrub.step(most_bytes)
        if scrub.rounds > rounds:
            return found
    raise AssertionError("no end")


@pytest.fixture(scope="module")
def disk() -> SimulatedDisk:
    return written(SimulatedDisk())


@pytest.mark.parametrize("readonly", [True, False])
def test_every_flipped_byte_is_found_and_located(disk: SimulatedDisk, readonly: bool) -> None:
    with Journal.open(FOLDER, disk, readonly=readonly, segment_bytes=1_400) as journal:
        scrub = Scrub(journal)
        assert one_round(scrub) == []
        for name in disk.names(FOLDER):
            if not name.endswith(".journal"):
                continue
            data = disk.content(FOLDER / name)
            heights = heights_by_byte(data)
            for offset in range(0, len(data), 11):
                disk.flip(FOLDER / name, offset, 1 << offset % 8)
                found = one_round(scrub)
                disk.flip(FOLDER / name, offset, 1 << offset % 8)
                assert [(damage.segment, damage.height) for damage in found] == [(name, heights[offset])], offset
                assert found[0].offset <= offset
        assert one_round(scrub) == []


def test_damage_in_many_places_is_found_in_one_round(disk: SimulatedDisk) -> None:
    names = [name for name in disk.names(FOLDER) if name.endswith(".journal")]
    with Journal.open(FOLDER, disk, readonly=True) as journal:
        for name in names:
            disk.flip(FOLDER / name, len(disk.content(FOLDER / name)) - 3, 0xFF)
        assert [damage.segment for damage in one_round(Scrub(journal))] == names
        for name in names:
            disk.flip(FOLDER / name, len(disk.content(FOLDER / name)) - 3, 0xFF)


def test_without_outlines_it_finds_the_same(disk: SimulatedDisk) -> None:
    copy = written(SimulatedDisk())
    for name in copy.names(FOLDER):
        if name.endswith(".outline"):
            copy.delete(FOLDER / name)
    with Journal.open(FOLDER, copy, readonly=True) as journal:
        assert one_round(Scrub(journal)) == [], "also where a block stands in another one's place"
        first = FOLDER / "000000000001.journal"
        copy.flip(first, copy.content(first).index(blocks(1)[0].envelopes[0]), 1)
        assert [(damage.height, damage.field) for damage in one_round(Scrub(journal))] == [(1, "payload")]
    assert RIVAL.header.height <= COUNT


def test_a_step_is_bounded(tmp_path: Path) -> None:
    with Journal.create(tmp_path / "journal", GENESIS, GENESIS_HEADER, segment_bytes=20_000) as journal:
        for block in blocks(60, size=2_000):
            journal.append(block)
        journal.sync()
        size = sum(path.stat().st_size for path in (tmp_path / "journal").glob("*.journal"))
        scrub, steps = Scrub(journal), 0
        while not scrub.rounds:
            assert scrub.step(10_000) == []
            steps += 1
        assert steps >= size / (10_000 + 6_000), "a step reads at most one record more than it may"


def test_it_goes_on_while_the_journal_is_written(tmp_path: Path) -> None:
    folder = tmp_path / "journal"
    with (
        Journal.create(folder, GENESIS, GENESIS_HEADER, segment_bytes=1_500) as journal,
        Journal.open(folder, readonly=True) as reader,
    ):
        own, other = Scrub(journal), Scrub(reader)
        for block in blocks(40):
            rival = next_block(journal.head, Random(3))
            journal.append(rival, votes_for(rival.header))
            assert own.step(STEP) + other.step(STEP) == [], "what is not synced is not looked at"
            journal.append(block, votes_for(block.header))
            journal.sync()
            journal.certify(certificate_for(block.header))
            assert own.step(STEP) + other.step(STEP) == []
        for scrub in (own, other):
            assert one_round(scrub) + one_round(scrub) == []
            assert scrub.rounds >= 2
    path = max(folder.glob("*.journal"))
    data = bytearray(path.read_bytes())
    with Journal.open(folder, readonly=True) as reader:
        data[-1] ^= 1
        path.write_bytes(data)
        assert [damage.height for damage in one_round(Scrub(reader))] == [40]
        path.unlink()
        assert [damage.field for damage in one_round(Scrub(reader))] == ["end"], "a whole segment is missing"
