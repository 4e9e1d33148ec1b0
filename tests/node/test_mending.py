"""Bytes of a running validator's journal go bad in silence: the scrub finds them, and the others have them."""

from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest

from stoa.journal import Damaged, Journal, inspect
from stoa.node import mending, waking
from stoa.node.details import JournalDamaged
from tests.node.house import House
from tests.node.several import Several, until

SEGMENT_BYTES = 4_096  # so that a few blocks fill one


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Small segments, and a scrub that hardly rests."""
    monkeypatch.setattr(mending, "SCRUB_REST_SECONDS", 0.02)
    small = partial(Journal.open, segment_bytes=SEGMENT_BYTES)
    monkeypatch.setattr(waking.Journal, "open", small)


@pytest.fixture
def several(tmp_path: Path) -> Iterator[Several]:
    made = Several(tmp_path)
    yield made
    made.close()


def flip(path: Path, part: float) -> None:
    """One byte, in place, under the feet of whoever has the file open."""
    with path.open("r+b") as file:
        at = int(path.stat().st_size * part)
        file.seek(at)
        byte = file.read(1)
        file.seek(at)
        file.write(bytes([byte[0] ^ 0x55]))


@pytest.mark.parametrize("part", [0.001, 0.3, 0.5, 0.7, 0.95])
def test_a_full_segment_is_made_whole_again(several: Several, part: float) -> None:
    several.blocks(12)
    several.level()
    node, folder = several.nodes["KSD"], several.folder / "KSD" / "journal"
    segments = sorted(folder.glob("*.journal"))
    assert len(segments) > 2
    flip(segments[1], part)
    until(lambda: node.mending.found and node.mending.mended, lambda: node.voice.alarms)
    until(lambda: not node.voice.alarms, lambda: node.voice.alarms)
    several.blocks(1)
    several.level()
    several.stop("KSD")
    assert inspect(folder).damages == ()


def test_of_several_damaged_blocks_each_comes_back(several: Several) -> None:
    several.blocks(12)
    several.level()
    node, folder = several.nodes["KSD"], several.folder / "KSD" / "journal"
    for segment in sorted(folder.glob("*.journal"))[:2]:
        for part in (0.3, 0.5, 0.7, 0.9):
            flip(segment, part)
    until(lambda: node.mending.mended and not node.voice.alarms, lambda: node.voice.alarms)
    several.stop("KSD")
    assert inspect(folder).damages == ()


def test_what_is_damaged_is_read_from_others_before_it_is_mended(
    several: Several, monkeypatch: pytest.MonkeyPatch
) -> None:
    several.blocks(12)
    several.level()
    monkeypatch.setattr(mending, "SCRUB_REST_SECONDS", 3_600.0)
    several.stop("KSD")
    node, folder = several.start("KSD"), several.folder / "KSD" / "journal"
    true = [block for block, _ in several.nodes["FSS"].journal.replay()]
    for segment in sorted(folder.glob("*.journal"))[:2]:
        flip(segment, 0.5)
    damaged = [height for height in range(1, 13) if is_damaged(node.journal, height)]
    assert damaged
    assert [node.journal.block(height) for height in damaged] == [true[height - 1] for height in damaged]
    assert node.mending.mended == 0


def is_damaged(journal: Journal, height: int) -> bool:
    try:
        journal.own_block(height)
    except Damaged:
        return True
    return False


def test_alone_damage_is_told_and_stays(running: House) -> None:
    for number in range(12):
        running.party(number)
    flip(sorted(running.journal_folder.glob("*.journal"))[1], 0.5)
    detail = until(lambda: running.node.voice.alarms.get("damage"))
    assert isinstance(detail, JournalDamaged)
    rounds = running.node.mending.rounds
    until(lambda: running.node.mending.rounds > rounds + 1)
    assert running.node.voice.alarms["damage"]
    assert running.node.mending.mended == 0
