"""Service units: two for each institution, for the place that its folder has on its host."""

import shutil
import subprocess
from pathlib import Path

import pytest

from stoa.network.plan import Plan
from tests.cli.test_commands import answer, stoa


def test_units_name_the_folder_the_programs_and_each_other(network: tuple[Plan, Path], tmp_path: Path) -> None:
    _, folder = network
    words = ("--at", "/srv/stoa/", "--programs", "/opt/s/bin", "--into", tmp_path / "units")
    made = answer("network", "units", "BROKER-A", *words, folder=folder)["units"]
    server, validator = "stoa-broker-a-server.service", "stoa-broker-a-validator.service"
    assert sorted(path.name for path in (tmp_path / "units").iterdir()) == [server, validator] == sorted(made)
    assert "ExecStart=/opt/s/bin/nats-server -c /srv/stoa/BROKER-A/nats.conf\n" in made[server]
    assert "ExecStart=/opt/s/bin/stoa up --folder /srv/stoa/BROKER-A\n" in made[validator]
    assert f"After={server}\n" in made[validator]
    assert stoa("network", "units", "BROKER-A", folder=folder)[1].count("[Service]") == 2
    assert "is no member" in stoa("network", "units", "BROKER-Z", folder=folder)[2]


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="needs systemd-analyze")
def test_systemd_understands_the_units(network: tuple[Plan, Path], tmp_path: Path) -> None:
    _, folder = network
    words = ("--programs", "/bin", "--into", tmp_path)
    answer("network", "units", "PLATFORM", *words, folder=folder)
    found = [str(path) for path in tmp_path.iterdir()]
    done = subprocess.run(["systemd-analyze", "verify", *found], capture_output=True, text=True, check=False)
    wrong = [line for line in done.stderr.splitlines() if "Unknown" in line or "Invalid" in line]
    assert not wrong
