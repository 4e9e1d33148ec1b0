"""Networks for the tests: founded for real, on ports that nobody uses, and their real ordering servers."""

import random
import re
import socket
from contextlib import ExitStack
from pathlib import Path

import pytest

from stoa.custody.policy import STARTER
from stoa.custody.secret import Secret
from stoa.network.founding import found_network
from stoa.network.plan import PORTS, Plan, read_plan
from stoa.node.node import wall_clock

EXAMPLE = Path(__file__).resolve().parents[2] / "examples" / "koscom-five.toml"
PASSPHRASE = "a passphrase of the tests"


def free_ports(count: int) -> list[int]:
    """First ports of runs of ports that nobody listens on just now.

    Below those that the system gives to outgoing connections: one of these could take a port before its server does.
    """
    found: list[int] = []
    with ExitStack() as held:
        while len(found) < count:
            start = random.randrange(12_000, 32_000, 10)
            try:
                for port in range(start, start + PORTS):
                    held.enter_context(socket.socket()).bind(("127.0.0.1", port))
            except OSError:
                continue
            found.append(start)
    return found


def written_example(folder: Path, name: str = "five.toml") -> Path:
    """The example's file with ports that are free here."""
    ports = iter(free_ports(5))
    text = re.sub(r"^port = \d+", lambda _: f"port = {next(ports)}", EXAMPLE.read_text(encoding="utf-8"), flags=re.M)
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return path


def founded(folder: Path) -> tuple[Plan, Path]:
    """A new network of the example's five in a folder."""
    plan = read_plan(written_example(folder))
    found_network(plan, folder / "network", Secret(PASSPHRASE), STARTER, wall_clock())
    return plan, folder / "network"


@pytest.fixture(scope="module")
def network(tmp_path_factory: pytest.TempPathFactory) -> tuple[Plan, Path]:
    """The plan and the folder of a founded network, shared by a module's tests."""
    return founded(tmp_path_factory.mktemp("five"))
