"""What every test shares: the hypothesis profiles, the folder of published test vectors, and running servers."""

import gc
import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

from tests.bus.servers import Servers

ROOT = Path(__file__).resolve().parent.parent

# `ci` finds the same cases on every machine; `deep` searches anew and longer (HYPOTHESIS_PROFILE=deep).
settings.register_profile(
    "ci", derandomize=True, deadline=None, database=None, suppress_health_check=[HealthCheck.too_slow]
)
settings.register_profile("deep", deadline=None, max_examples=2_000, print_blob=True)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "ci"))


@pytest.fixture(scope="session")
def external() -> Path:
    """The published test vectors beside the clone, or a skip that says where they were looked for."""
    folder = ROOT.parent / "shared" / "external"
    if not folder.is_dir():
        pytest.skip("published test vectors are absent: expected them at ../shared/external")
    return folder


@pytest.fixture(scope="session")
def one_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Servers]:
    """One NATS server for all tests that do it no harm."""
    servers = Servers(tmp_path_factory.mktemp("one-server"), 1).start()
    yield servers
    servers.stop()


@pytest.fixture(scope="session")
def _cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Servers]:
    servers = Servers(tmp_path_factory.mktemp("five-servers"), 5).start()
    yield servers
    servers.stop()


@pytest.fixture
def five_servers(_cluster: Servers) -> Iterator[Servers]:
    """A cluster of five, which may be killed or paused, and is whole again for the next test."""
    yield _cluster
    _cluster.mend()


@pytest.fixture(autouse=True)
def _collecting() -> Iterator[None]:
    """A command that runs in this process may tell Python to search for cycles seldom; the next test is not to feel it:
    what is not collected keeps its connections."""
    thresholds = gc.get_threshold()
    yield
    gc.set_threshold(*thresholds)
    gc.unfreeze()
