"""Disks that fail under real processes: five validators and five servers, and the drills of ``stoa bench poc``.

What each drill asks for beside nothing lost, no fork and level again is in ``stoa.bench.faults``: who failed says so in
its log, stops where it must, and votes for nothing that it had not synced.
"""

from collections.abc import Iterator

import pytest

from stoa.bench.drills import DRILLS, run_drill
from stoa.bench.market import Market
from stoa.bench.site import Ground, Site
from tests.network.conftest import free_ports

RATE, SECONDS = 20, 5.0
DRILL = {drill.name: drill for drill in DRILLS}


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Site, Market]]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("tests.network.conftest.PORTS", 50)
        first_port = free_ports(1)[0]
    with Site(Ground(first_port=first_port), tmp_path_factory.mktemp("disks") / "network") as site:
        site.start(site.plan.codes)
        yield site, site.set_up(20)


@pytest.mark.parametrize("name", ["fsync-failed", "state-corrupted", "state-row-changed", "disk-full"])
def test_one_disk_fails_and_the_network_goes_on(place: tuple[Site, Market], name: str) -> None:
    found = run_drill(*place, DRILL[name], RATE, SECONDS)
    assert found.wrong == []
    assert (found.lost, found.forks, found.final) == (0, 0, RATE * SECONDS)
    assert found.final_meanwhile > 0, "the others go on"
    assert found.level_ms >= 0
    assert found.said
    assert found.ok
