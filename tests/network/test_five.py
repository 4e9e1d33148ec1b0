"""Five institutions as real processes, each a server and a validator: they agree, lose members, get them back."""

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from stoa.network.running import Running
from stoa.node.config import load_config
from tests.cli.test_commands import CASH, answer, stoa
from tests.network.conftest import written_example
from tests.network.test_processes import _alive, until

TRUSTING = CASH["terms"] | {"trusted": [{"topic": "identity", "issuers": ["PLATFORM"]}]}


@pytest.fixture(scope="module")
def five(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    scratch = tmp_path_factory.mktemp("whole")
    folder = scratch / "network"
    answer("network", "init", "--institutions", written_example(scratch), folder=folder)
    try:
        answer("network", "up", "--detach", folder=folder)
        yield folder
    finally:
        answer("network", "down", folder=folder)
        assert not _alive(folder)


def register(folder: Path, asset: str) -> dict[str, Any]:
    """Register a cash token through the gateway of the platform operator; its final receipt."""
    form = json.dumps(CASH | {"asset": asset, "bank": "PLATFORM", "terms": TRUSTING}).encode()
    code, out, errors = stoa("submit", "-", "--sign", "PLATFORM", "--json", folder=folder / "PLATFORM", given=form)
    assert code == 0, errors
    done: dict[str, Any] = json.loads(out)
    assert done["status"] == "final"
    assert done["receipt"]["rejection"] is None
    return done


def agreed(folder: Path, count: int, height: int) -> bool:
    """Whether so many validators are ready at this height with one block hash."""
    members = answer("network", "status", folder=folder)["members"]
    there = [one for one in members if one["health"] == "ready" and one["height"] >= height and one["lag"] == 0]
    return len(there) == count and len({one["block_hash"] for one in there}) == 1


def test_what_one_submits_is_final_for_all(five: Path) -> None:
    done = register(five, "AAA")
    height = done["receipt"]["height"]
    assert until(lambda: agreed(five, 5, height))
    last, *_ = answer("network", "status", folder=five)["members"]
    assert last["producer"] in ("PLATFORM", "BROKER-A")  # who took it in, or whose turn it was to gather
    assert last["votes"] >= 3
    receipt = answer("query", "receipt", done["receipt"]["transaction"], folder=five / "BROKER-B")
    assert receipt["events"][0]["asset"] == "AAA"


def test_history_is_shown_with_the_signatures_of_a_quorum(five: Path, tmp_path: Path) -> None:
    house, keys, kept = five / "BROKER-A", tmp_path / "keys.json", tmp_path / "kept.json"
    assert until(lambda: agreed(five, 5, 1))
    answer("prove", "keys", keys, folder=house)
    assert json.loads(keys.read_text())["quorum"] == 3
    before = answer("prove", "history", kept, "--keys", keys, folder=house)
    assert before["holds"]
    register(five, "HHH")
    after = answer("prove", "history", kept, "--keys", keys, "--since", kept, folder=five / "SURVEILLANCE")
    assert (after["holds"], after["since"]) == (True, before["height"])


def test_a_certificate_is_renewed_while_blocks_are_made(five: Path) -> None:
    net = Running(five)
    before = {(one.code, part): net.process(one, part).pid for one in net.here for part in ("server", "validator")}
    answer("network", "rotate", "BROKER-A", folder=five)
    answer("network", "rotate", "PLATFORM", folder=five)
    height = register(five, "CCC")["receipt"]["height"]
    assert until(lambda: agreed(five, 5, height))
    assert before == {
        (one.code, part): net.process(one, part).pid for one in net.here for part in ("server", "validator")
    }


def test_two_of_five_are_killed_and_work_goes_on_and_they_catch_up(five: Path) -> None:
    for code in ("BROKER-A", "SURVEILLANCE"):
        answer("network", "kill", code, folder=five)
    height = register(five, "DDD")["receipt"]["height"]
    assert until(lambda: agreed(five, 3, height))
    for code in ("BROKER-A", "SURVEILLANCE"):
        answer("network", "start", code, folder=five)
    assert until(lambda: agreed(five, 5, height), 60)


def test_a_paused_validator_is_left_behind_and_comes_back(five: Path) -> None:
    answer("network", "pause", "BROKER-B", "--part", "validator", folder=five)
    height = register(five, "EEE")["receipt"]["height"]
    assert until(lambda: agreed(five, 4, height))
    paused = {one["code"]: one for one in answer("network", "status", folder=five)["members"]}["BROKER-B"]
    assert paused["health"] == "paused"
    answer("network", "resume", "BROKER-B", folder=five)
    assert until(lambda: agreed(five, 5, height), 60)


def test_a_founder_that_keeps_the_log_is_removed_and_one_more_may_fail(five: Path) -> None:
    answer("network", "remove", "SURVEILLANCE", folder=five)
    seats = set(answer("network", "proposals", folder=five)["seats"])
    assert seats == {"OTC-MARKET", "PLATFORM", "BROKER-A", "BROKER-B"}
    height = register(five, "FFF")["receipt"]["height"]
    assert until(lambda: agreed(five, 4, height))
    left = Running(five).plan
    for member in left.members:
        assert "SURVEILLANCE" not in (five / member.code / "network" / "pins.conf").read_text(encoding="utf-8")
        network = load_config(five / member.code).network
        assert network is not None
        assert set(network.servers) == {one.url for one in left.members}

    answer("network", "kill", "OTC-MARKET", folder=five)  # three of four members, three of five copies of the log
    height = register(five, "GGG")["receipt"]["height"]
    assert until(lambda: agreed(five, 3, height))
    answer("network", "stop", "BROKER-A", folder=five)
    answer("network", "start", "OTC-MARKET", folder=five)
    answer("network", "start", "BROKER-A", folder=five)
    assert until(lambda: agreed(five, 4, height), 60)
    assert until(lambda: {one.ordering.routes for one in Running(five).status()} == {3})
    height = register(five, "III")["receipt"]["height"]
    assert until(lambda: agreed(five, 4, height))


def test_no_validator_carries_its_passphrase_where_others_look(five: Path) -> None:
    net = Running(five)
    for one in net.here:
        command = Path(f"/proc/{net.process(one, 'validator').pid}/cmdline").read_bytes()
        assert os.environ.get("STOA_PASSPHRASE", "a passphrase of the tests").encode() not in command
