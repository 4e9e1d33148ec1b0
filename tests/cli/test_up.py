"""``stoa up``: the node with its doors, talked to by other commands, stopped by a signal."""

import json
import os
import signal
import subprocess
import time
from pathlib import Path

import httpx
import pytest

from stoa.api.serve import free_port
from tests.cli.test_commands import CASH, ENTRY, PASSPHRASE, answer, stoa


@pytest.fixture
def house(tmp_path: Path) -> Path:
    """A new ledger with a port of its own."""
    folder = tmp_path / "ledger"
    answer("init", folder, "--port", str(free_port()))
    return folder


def environment(house: Path) -> dict[str, str]:
    """What a service's manager gives, and the code under test."""
    code = os.environ.get("PYTHONPATH", "")
    return {"STOA_FOLDER": str(house), "STOA_PASSPHRASE": PASSPHRASE, "PATH": "/usr/bin:/bin", "PYTHONPATH": code}


def test_the_house_opens_serves_and_closes(house: Path) -> None:
    port = next(line.split()[2] for line in (house / "stoa.toml").read_text().splitlines() if line.startswith("port"))
    running = subprocess.Popen([*ENTRY, "up", "--json"], env=environment(house), stdout=subprocess.PIPE)
    try:
        _until_ready(f"http://127.0.0.1:{port}/health/ready", running)
        assert httpx.get(f"http://127.0.0.1:{port}/").status_code == 200
        mine = CASH | {
            "bank": "BANK",
            "terms": CASH["terms"] | {"trusted": [{"topic": "identity", "issuers": ["IDENTITY"]}]},
        }
        done = stoa("submit", "-", "--sign", "BANK", folder=house, given=json.dumps(mine).encode())
        assert done[0] == 0, done
        assert stoa("rebuild-views", folder=house)[0] == 2
        taken = answer("snapshot", folder=house)
        assert Path(taken["file"]).stat().st_size == taken["bytes"] > 0
        wrong = stoa("snapshot", folder=house, STOA_PASSPHRASE="another passphrase")
        assert (wrong[0], "passphrase does not open" in wrong[2]) == (2, True)
        refused = httpx.post(f"http://127.0.0.1:{port}/v1/snapshots")
        assert (refused.status_code, refused.json()["name"]) == (401, "NotAuthenticated")
        assert answer("query", "blocks", folder=house)["blocks"][0]["height"] == 1
        assert answer("verify", folder=house)["flaws"] == []
    finally:
        running.send_signal(signal.SIGINT)
        out, _ = running.communicate(timeout=30)
    assert running.returncode == 0
    assert json.loads(out)["api"].endswith("/v1")
    assert answer("verify", folder=house)["height"] == 1


def test_a_validator_without_a_gateway_answers_its_probes_alone(house: Path) -> None:
    settings = house / "stoa.toml"
    settings.write_text(settings.read_text().replace("gateway = true", "gateway = false"))
    port = next(line.split()[2] for line in settings.read_text().splitlines() if line.startswith("port"))
    running = subprocess.Popen([*ENTRY, "up"], env=environment(house))
    try:
        url = f"http://127.0.0.1:{port}"
        _until_ready(f"{url}/health/ready", running)
        assert httpx.get(f"{url}/health/ready").json()["views"] == -1
        assert "stoa_quorum 1.0" in httpx.get(f"{url}/metrics").text
        assert httpx.get(f"{url}/v1/blocks").status_code == 404
    finally:
        running.send_signal(signal.SIGTERM)
    assert running.wait(30) == 0
    assert not (house / "views.sqlite").exists()


def _until_ready(url: str, running: "subprocess.Popen[bytes]") -> None:
    deadline = time.monotonic() + 60
    while True:
        assert running.poll() is None, "stoa up ended"
        assert time.monotonic() < deadline, "stoa up did not come up"
        try:
            if httpx.get(url).status_code == 200:
                return
        except httpx.HTTPError:
            pass
        time.sleep(0.1)
