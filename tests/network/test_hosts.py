"""Network namespaces as hosts: five real servers, each on a host of its own, cut off from each other and healed."""

import json
import os
import shutil
import socket
import subprocess
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from stoa.network.hosts import NAMESPACES, Hosts, NoHosts, Way
from stoa.network.looking import beside
from stoa.network.plan import Member, read_plan
from stoa.network.running import Running
from tests.cli.test_commands import CASH, ENTRY, PASSPHRASE, answer
from tests.network.conftest import EXAMPLE
from tests.network.test_processes import until


def _can() -> bool:
    """Whether this machine lets us make namespaces."""
    if os.geteuid() != 0 or shutil.which("ip") is None:
        return False
    name = f"stprobe-{os.getpid()}"
    made = subprocess.run(["ip", "netns", "add", name], capture_output=True, check=False)
    subprocess.run(["ip", "netns", "del", name], capture_output=True, check=False)
    return made.returncode == 0


pytestmark = pytest.mark.skipif(not _can(), reason="needs root, iproute2 and network namespaces")


@pytest.fixture(scope="module")
def net(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    folder = tmp_path_factory.mktemp("hosts") / "network"
    answer("network", "init", "--hosts", "--institutions", EXAMPLE, folder=folder)
    running = Running(folder)
    try:
        answer("network", "up", "--part", "server", "--detach", folder=folder)
        yield running
    finally:
        answer("network", "down", folder=folder)
        assert not any(path.name.startswith(_hosts(running).namespace(running.here[0])[:8]) for path in _namespaces())


def _namespaces() -> list[Path]:
    return list(NAMESPACES.iterdir()) if NAMESPACES.is_dir() else []


def _hosts(net: Running) -> Hosts:
    assert net.hosts is not None
    return net.hosts


def arrives(net: Running, source: Member, target: Member) -> bool:
    """Whether a datagram that one host sends reaches the other."""
    hosts = _hosts(net)

    def listen() -> socket.socket:
        made = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        made.settimeout(0.5)
        made.bind((target.host, 0))
        return made

    with beside(listen, hosts.namespace(target)) as ear:
        port = ear.getsockname()[1]

        def send() -> None:
            with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as mouth, suppress(OSError):
                mouth.sendto(b"x", (target.host, port))  # an error: it knows that there is no way

        beside(send, hosts.namespace(source))
        try:
            return ear.recv(1) == b"x"
        except TimeoutError:
            return False


@pytest.mark.parametrize(("way", "out", "into"), [("both", False, False), ("in", True, False), ("out", False, True)])
def test_packets_vanish_in_the_direction_that_is_cut(net: Running, way: Way, out: bool, into: bool) -> None:
    here, there, third = net.plan.member("BROKER-A"), net.plan.member("PLATFORM"), net.plan.member("BROKER-B")
    words = ("partition", "BROKER-A") if way == "both" else ("partition", "BROKER-A", "--one-way", way)
    assert answer("network", *words, folder=net.folder)["cut"] == way
    try:
        assert (arrives(net, here, there), arrives(net, there, here)) == (out, into)
        assert arrives(net, here, here), "what is inside a host goes on"
        assert arrives(net, there, third), "others are not concerned"
    finally:
        assert answer("network", "heal", "BROKER-A", folder=net.folder)["cut"] == ""
    assert arrives(net, here, there)
    assert arrives(net, there, here)


def test_a_server_that_is_cut_off_is_missed_tells_how_it_is_and_returns(net: Running) -> None:
    def routes() -> dict[str, int]:
        return {one.code: one.ordering.routes for one in net.status()}

    assert until(lambda: set(routes().values()) == {4})
    net.cut(net.plan.member("BROKER-B"), "both")
    try:
        assert until(lambda: routes()["BROKER-B"] == 0 and routes()["BROKER-A"] == 3)
        status = answer("network", "status", folder=net.folder)["members"]
        assert {one["code"]: one["cut"] for one in status}["BROKER-B"] == "both"
        assert all(one["ordering"]["state"] == "running" for one in status)
    finally:
        net.heal(net.plan.member("BROKER-B"))
    assert until(lambda: set(routes().values()) == {4})


def test_a_member_that_is_cut_off_is_missed_by_nobody_and_catches_up(net: Running) -> None:
    def heights() -> dict[str, int]:
        return {one.code: one.height for one in net.status() if one.health == "ready"}

    answer("network", "up", "--part", "validator", "--detach", folder=net.folder)
    try:
        assert until(lambda: heights() == dict.fromkeys(net.plan.codes, 0), 60)
        net.cut(net.plan.member("BROKER-A"), "both")
        submit(net, "PLATFORM")
        assert until(lambda: list(heights().values()).count(1) == 4)
        assert heights().get("BROKER-A", 0) == 0
        net.heal(net.plan.member("BROKER-A"))
        assert until(lambda: heights() == dict.fromkeys(net.plan.codes, 1), 60)
    finally:
        net.down(net.here, ("validator",))


def submit(net: Running, code: str) -> None:
    """Register a cash token through the gateway of a member, from inside its host."""
    trusting = CASH["terms"] | {"trusted": [{"topic": "identity", "issuers": [code]}]}
    form = json.dumps(CASH | {"bank": code, "terms": trusting}).encode()
    command = [*_hosts(net).inside(net.plan.member(code)), *ENTRY, "submit", "-", "--sign", code]
    environment = os.environ | {"STOA_PASSPHRASE": PASSPHRASE, "STOA_FOLDER": str(net.folder / code)}
    done = subprocess.run(command, input=form, env=environment, capture_output=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr


def test_hosts_are_made_once_and_belong_to_one_folder(net: Running, tmp_path: Path) -> None:
    before = {path.name for path in _namespaces()}
    _hosts(net).set_up()
    assert {path.name for path in _namespaces()} == before
    other = Hosts(read_plan(net.folder / "network.toml"), tmp_path)
    assert other.namespace(net.here[0]) not in before
    other.pull_down()
    assert {path.name for path in _namespaces()} == before
    with pytest.raises(NoHosts, match="is not up"):
        other.heal(net.here[0])
