"""The story clock in a file: every reader gives a time of the world the same time of the story, whenever he asks."""

from pathlib import Path

import pytest

from stoa.demo.clock import RECORD, SharedClock, StoryClock

START, YEAR = 1_800_000_000_000, 31_536_000_000


def test_a_clock_of_one_machine_stands_until_it_is_moved_or_runs(monkeypatch: pytest.MonkeyPatch) -> None:
    now = 5_000
    monkeypatch.setattr("stoa.demo.clock.wall_clock", lambda: now)
    clock = StoryClock(START)
    now += 700
    assert clock() == START
    clock.step()
    clock.until(START)
    assert clock() == START + 1_000
    clock.run()
    now += 40
    assert clock() == START + 1_040


def test_readers_agree_on_every_time_before_and_after_a_jump(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    now = 5_000
    monkeypatch.setattr("stoa.demo.clock.wall_clock", lambda: now)
    moving = SharedClock.begin(tmp_path / "clock", START)
    early = SharedClock(tmp_path / "clock")
    now = 5_020
    assert (moving(), early()) == (START + 20, START + 20)
    now = 6_000
    moving.until(START + YEAR)
    now = 6_030
    late = SharedClock(tmp_path / "clock")
    for world, story in (
        (4_000, START - 1_000),
        (5_999, START + 999),
        (6_000, START + YEAR),
        (6_025, START + YEAR + 25),
    ):
        assert {one.story_time(world) for one in (moving, early, late)} == {story}
    assert {one() for one in (moving, early, late)} == {START + YEAR + 30}


def test_time_never_goes_back_though_the_worlds_does(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    now = 5_000
    monkeypatch.setattr("stoa.demo.clock.wall_clock", lambda: now)
    clock = SharedClock.begin(tmp_path / "clock", START)
    now = 4_000
    clock.until(START + YEAR)
    now = 5_001
    assert clock() == START + YEAR + 1


def test_half_a_jump_is_no_jump(tmp_path: Path) -> None:
    clock = SharedClock.begin(tmp_path / "clock", START)
    before = clock.story_time(5_000)
    with (tmp_path / "clock").open("ab") as file:
        file.write(RECORD.pack(0, 0, 0)[:-1])
    assert clock.story_time(5_000) == before


def test_a_clock_is_begun_once(tmp_path: Path) -> None:
    SharedClock.begin(tmp_path / "clock", START)
    with pytest.raises(FileExistsError):
        SharedClock.begin(tmp_path / "clock", START)
