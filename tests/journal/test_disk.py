"""The real disk and the simulated one answer alike; one promise, one suite."""

from pathlib import Path

import pytest

from stoa.journal.disk import REAL_DISK, Disk, read_part, write_whole
from tests.journal.simulated_disk import SimulatedDisk


@pytest.fixture(params=["real", "simulated"])
def disk(request: pytest.FixtureRequest) -> Disk:
    return REAL_DISK if request.param == "real" else SimulatedDisk()


def test_bytes_are_where_they_were_put(disk: Disk, tmp_path: Path) -> None:
    file = disk.open(tmp_path / "file", write=True)
    file.write(0, b"stoa ", b"", b"poikile")
    file.write(5, b"basil")
    file.write(20, b"end")
    assert (file.size(), file.read(0, 100)) == (23, b"stoa basille" + bytes(8) + b"end")
    assert (file.read(5, 5), file.read(21, 5), file.read(23, 5)) == (b"basil", b"nd", b"")
    file.truncate(4)
    file.sync()
    file.close()
    assert read_part(disk, tmp_path / "file") == b"stoa"
    assert read_part(disk, tmp_path / "file", 1, 2) == b"to"


def test_opening_for_reading_creates_nothing(disk: Disk, tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        disk.open(tmp_path / "absent")
    assert disk.names(tmp_path) == []
    assert disk.names(tmp_path / "absent") == []


def test_a_file_is_replaced_as_a_whole(disk: Disk, tmp_path: Path) -> None:
    for content in (b"a longer first content", b"second"):
        write_whole(disk, tmp_path / "file", content)
        assert read_part(disk, tmp_path / "file") == content
    assert disk.names(tmp_path) == ["file"]


def test_a_lock_is_held_once(disk: Disk, tmp_path: Path) -> None:
    lock = disk.lock(tmp_path / "lock")
    with pytest.raises(BlockingIOError):
        disk.lock(tmp_path / "lock")
    lock.release()
    disk.lock(tmp_path / "lock").release()


def test_the_simulated_disk_loses_only_what_was_not_synced() -> None:
    outcomes = set[bytes]()
    for seed in range(200):
        disk = SimulatedDisk(seed)
        write_whole(disk, Path("folder/file"), b"s" * 100)
        file = disk.open(Path("folder/file"), write=True)
        file.write(100, b"u" * 200)
        disk.power_cut()
        content = disk.content(Path("folder/file"))
        assert content[:100] == b"s" * 100
        outcomes.add(content[100:])
    assert {b"", b"u" * 200} < outcomes, "nothing and everything"
    assert any(0 < len(tail) < 200 for tail in outcomes), "a part"
    assert any(len(tail) == 200 and bytes(28) in tail and b"u" in tail for tail in outcomes), "holes"
