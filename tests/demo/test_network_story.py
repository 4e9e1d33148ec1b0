"""The story on five validators and five real ordering servers, told by the command: nothing in it is otherwise."""

import json
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from stoa.network.running import Running
from stoa.node.verify import verify
from tests.demo.golden import FILE, ROOT, outcome, summary

Report = dict[str, Any]
SAME = ("balances", "supply", "offerings", "distribution", "refusals")  # times, heights and roots are the network's own
FIVE = ["HANUL-CSD", "NARU-OTC", "SUPERVISOR", "MARU", "PELICAN"]


def start(folder: Path) -> "subprocess.Popen[bytes]":
    arguments = ["demo", "--network", "--exit", "--json", "--keep", str(folder)]
    command = [sys.executable, "-c", f"from stoa.cli.app import main; main({arguments!r})"]
    return subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE)


def nothing_runs(folder: Path) -> bool:
    running = Running(folder)
    states = [running.process(one, part).state for one in running.plan.members for part in ("server", "validator")]
    return set(states) == {"stopped"}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("story") / "network"


@pytest.fixture(scope="module")
def report(folder: Path) -> Report:
    return outcome(start(folder))


def test_every_step_comes_out_as_on_one_machine(report: Report) -> None:
    assert [step for step in report["steps"] if not step["ok"]] == []
    assert len(report["steps"]) == 91
    golden, found = json.loads(FILE.read_text(encoding="utf-8")), summary(report)
    assert {name: found[name] for name in SAME} == {name: golden[name] for name in SAME}


def test_five_stand_at_one_block_with_one_state(report: Report) -> None:
    members = report["network"]["members"]
    assert [one["institution"] for one in members] == FIVE
    assert len({(one["height"], one["block_hash"], one["state_root"]) for one in members}) == 1
    assert members[0]["state_root"] == report["state_root"]
    assert sum(one["blocks"] for one in members) == members[0]["height"]
    assert {one["institution"] for one in members if one["submitted"]} == set(FIVE) - {"NARU-OTC"}


def test_every_block_is_certified_by_a_quorum(report: Report) -> None:
    network = report["network"]
    assert (network["quorum"], network["keys"]) == (3, 5)
    assert network["certificates"]["valid"] == network["certificates"]["blocks"] == network["members"][0]["height"]
    assert network["certificates"]["fewest"] >= 3


def test_one_is_killed_and_catches_up_and_nobody_waits_for_it(report: Report) -> None:
    outage = report["network"]["outage"]
    assert outage["caught_up"]
    assert outage["blocks_without_it"] >= 20
    assert len(report["asides"]) == 4
    assert outage["validator"] in report["asides"][1]["en"]


def test_proofs_hold_with_five_keys_and_three_signatures(report: Report) -> None:
    shows = {proof["file"]: proof["shows"] for proof in report["proofs"]}
    assert shows["holding.proof"] == "merlion-capital has 17112 units of HBT, 12000 held"
    assert shows["spoiled.proof"] == "refused"


def test_the_journal_of_one_that_was_killed_is_whole(report: Report, folder: Path) -> None:
    verified = verify(folder / "PELICAN" / "journal", folder / "PELICAN" / "state")
    assert verified.flaws == ()
    assert verified.state_root.hex() == report["state_root"]


def test_nothing_is_left_running(report: Report, folder: Path) -> None:
    assert report["ok"]
    assert nothing_runs(folder)


def test_a_story_that_is_broken_off_leaves_nothing_running(tmp_path: Path) -> None:
    folder = tmp_path / "network"
    with start(folder) as process:
        until = time.monotonic() + 60
        while not (folder / "PELICAN" / "run" / "validator.pid").exists():
            assert process.poll() is None
            assert time.monotonic() < until
            time.sleep(0.05)
        process.send_signal(signal.SIGTERM)
        process.communicate(timeout=60)
    assert process.returncode == 128 + signal.SIGTERM
    assert nothing_runs(folder)
