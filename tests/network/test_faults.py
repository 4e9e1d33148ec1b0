"""What five institutions survive, with real processes: too few of them, a leader lost, a log that is gone."""

import json
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from stoa.network import folders
from stoa.network.running import Running
from tests.cli.test_commands import CASH, answer, stoa
from tests.network.conftest import written_example
from tests.network.test_five import TRUSTING, agreed, register
from tests.network.test_processes import _alive, until

LONG = 90.0  # seconds; what takes so long has failed


@pytest.fixture(scope="module")
def five(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    scratch = tmp_path_factory.mktemp("faults")
    folder = scratch / "network"
    answer("network", "init", "--institutions", written_example(scratch), folder=folder)
    for path in folder.glob("*/stoa.toml"):
        if path.parent.name not in ("PLATFORM", "BROKER-A"):  # the others need no pages
            path.write_text(path.read_text("utf-8").replace("gateway = true", "gateway = false"), "utf-8")
    try:
        answer("network", "up", "--detach", folder=folder)
        yield folder
    finally:
        answer("network", "down", folder=folder)
        assert not _alive(folder)


def submitted(folder: Path, asset: str, seconds: int) -> str:
    """The status of a submission for which one waits so long."""
    form = json.dumps(CASH | {"asset": asset, "bank": "PLATFORM", "terms": TRUSTING}).encode()
    given = ("submit", "-", "--sign", "PLATFORM", "--wait", str(seconds), "--json")
    _, out, _ = stoa(*given, folder=folder / "PLATFORM", given=form)
    status: str = json.loads(out)["status"]
    return status


def leader(folder: Path) -> str:
    """The institution whose server leads the servers."""
    found = {one["ordering"]["leader"] for one in answer("network", "status", folder=folder)["members"]}
    return next(iter(found - {""}), "")


def test_three_of_five_down_nothing_is_final_and_then_all_of_it_is(five: Path) -> None:
    gone = ("OTC-MARKET", "SURVEILLANCE", "BROKER-B")
    before = register(five, "AAA")["receipt"]["height"]
    for code in gone:
        answer("network", "kill", code, folder=five)
    assert submitted(five, "BBB", 3) == "accepted"
    health = {one["code"]: one for one in answer("network", "status", folder=five)["members"]}
    assert (health["PLATFORM"]["height"], health["BROKER-A"]["height"]) == (before, before)
    assert until(lambda: "3 of 5 members must vote" in _health(five, "PLATFORM"), LONG)
    answer("network", "start", gone[0], folder=five)
    assert until(lambda: agreed(five, 3, before + 1), LONG), "what was accepted becomes final by itself"
    for code in gone[1:]:
        answer("network", "start", code, folder=five)
    assert until(lambda: agreed(five, 5, before + 1), LONG)


def _health(folder: Path, code: str) -> str:
    members = answer("network", "status", folder=folder)["members"]
    return next(one["health"] for one in members if one["code"] == code)


def test_the_leading_server_is_killed_and_nothing_is_lost(five: Path) -> None:
    assert until(lambda: leader(five) != "", LONG)
    led = leader(five)
    answer("network", "kill", led, "--part", "server", folder=five)
    height = register(five, "CCC")["receipt"]["height"]
    answer("network", "start", led, "--part", "server", folder=five)
    assert until(lambda: agreed(five, 5, height), LONG)


def test_a_wiped_log_is_noticed_and_another_one_takes_its_place(five: Path) -> None:
    """The log is not the record: every copy of it is deleted. Members open a new epoch, and nothing final is lost."""
    before = register(five, "DDD")["receipt"]["height"]
    net = Running(five)
    for member in net.here:
        answer("network", "stop", member.code, "--part", "server", folder=five)
    for member in net.here:
        shutil.rmtree(five / member.code / folders.STORE)
        (five / member.code / folders.STORE).mkdir(mode=0o700)
    answer("network", "up", "--part", "server", "--detach", folder=five)
    assert submitted(five, "EEE", 3) == "accepted"
    begun = answer("network", "reseed", folder=five)
    assert begun["begun"], begun
    assert until(lambda: agreed(five, 5, before + 1), LONG), "what was accepted before is final in the new epoch"
    assert register(five, "FFF")["receipt"]["height"] == before + 2
    assert until(lambda: agreed(five, 5, before + 2), LONG)
