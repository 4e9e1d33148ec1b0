"""A newcomer on a host of its own: every member in a folder that nobody else has and at an address of its own, the
authority in another, and files that go between them. Real servers and validators: it joins by one peer, votes, and is
removed."""

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from stoa import __version__
from stoa.network.looking import ask_json
from stoa.network.running import Running
from tests.cli.test_commands import answer
from tests.network.conftest import free_ports
from tests.network.test_growing import institution, register
from tests.network.test_processes import _alive, until

FOUNDERS = ("KSD", "BANK", "BROKER-A")
OWN = "a passphrase of the newcomer"


class Hosts(NamedTuple):
    """The authority's folder, that of each founder's host, and that of the newcomer's with the file it writes."""

    authority: Path
    founders: dict[str, Path]
    late: Path
    file: Path


@pytest.fixture(scope="module")
def hosts(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Hosts]:
    scratch = tmp_path_factory.mktemp("hosts")
    ports = free_ports(4)
    tables = {
        code: institution(code, ports[at]) + f'host = "127.0.0.{2 + at}"\n'
        for at, code in enumerate((*FOUNDERS, "LATE"))
    }
    head = '[network]\nchain = "apart"\nquorum = "majority"\nreplicas = 3\n\n'
    (scratch / "three.toml").write_text(head + "\n".join(tables[code] for code in FOUNDERS), encoding="utf-8")
    (scratch / "late.toml").write_text(tables["LATE"], encoding="utf-8")
    here = scratch / "authority"
    answer("network", "init", "--institutions", scratch / "three.toml", folder=here)
    made = Hosts(here, {code: scratch / code.lower() for code in FOUNDERS}, scratch / "late", scratch / "late.toml")
    for code, folder in made.founders.items():
        folder.mkdir()
        shutil.move(here / code, folder / code)
    made.late.mkdir()
    try:
        for part in ("server", "validator"):
            for folder in made.founders.values():
                answer("network", "up", "--part", part, "--detach", folder=folder)
        yield made
    finally:
        for folder in (*made.founders.values(), made.late):
            if list(folder.glob("*/network.toml")):
                answer("network", "down", folder=folder)
        assert not _alive(scratch)


def standing(folder: Path) -> dict[str, Any]:
    (member,) = answer("network", "status", folder=folder)["members"]
    found: dict[str, Any] = member
    return found


def at_height(hosts: Hosts, height: int, *folders: Path) -> bool:
    found = [standing(folder) for folder in (*hosts.founders.values(), *folders)]
    ready = all(one["health"] == "ready" and one["height"] >= height for one in found)
    return ready and len({one["block_hash"] for one in found}) == 1


def decide(hosts: Hosts, *change: str) -> int:
    """A proposal of the registrar's host, voted for at the hosts of the others, and blocks until it is in force."""
    number: int = answer("network", "propose", *change, folder=hosts.founders["KSD"])["proposal"]
    for code in ("BANK", "BROKER-A"):
        assert answer("network", "vote", str(number), folder=hosts.founders[code])["votes"] == {code: "yes"}
    return number


def seats(hosts: Hosts) -> set[str]:
    return set(answer("network", "proposals", folder=hosts.founders["KSD"])["seats"])


def work(hosts: Hosts, names: Iterator[str]) -> int:
    return int(register(hosts.founders["BANK"], next(names))["height"])


def test_a_newcomer_is_let_in_by_files_votes_and_goes_again(hosts: Hosts, tmp_path: Path) -> None:
    names = (f"A{number}" for number in range(100))
    asked, granted, lists = (tmp_path / f"{name}.json" for name in ("asked", "granted", "lists"))
    work(hosts, names)
    before = {
        code: Running(folder).process(Running(folder).here[0], "server").pid for code, folder in hosts.founders.items()
    }

    # at the newcomer's, at the authority's, at every host
    own = {"STOA_PASSPHRASE": OWN}
    made = answer("network", "apply", hosts.file, asked, "--chain", "apart", folder=hosts.late, **own)
    assert answer("network", "keys", folder=hosts.late, **own)["keys"][0]["validator"] == made["validator"]
    told = answer("network", "grant", asked, granted, "--peer", "KSD", folder=hosts.authority)
    assert told["validator"] == made["validator"]
    for paper in (asked, granted):
        assert b"PRIVATE" not in paper.read_bytes()
    for folder in hosts.founders.values():
        assert answer("network", "install", granted, folder=folder) == {"certificates": ""}
    done = answer("network", "install", granted, folder=hosts.late, **own)
    first = answer("query", "blocks", folder=hosts.founders["BANK"] / "BANK")["blocks"][-1]
    assert done == {"certificates": "LATE", "genesis": first["hash"]}
    conf = (hosts.late / "LATE" / "nats.conf").read_text()
    assert conf.count('"tls://') == 1, "it is told of one"

    answer("network", "up", "--detach", folder=hosts.late, **own)
    assert answer("network", "register", granted, folder=hosts.founders["KSD"])["new"]
    assert (standing(hosts.late)["seat"], standing(hosts.late)["version"]) == (False, __version__)
    decide(hosts, "admit", "LATE", made["validator"])
    assert until(lambda: work(hosts, names) > 0 and "LATE" in seats(hosts))
    height = work(hosts, names)
    assert until(lambda: at_height(hosts, height, hosts.late))
    assert standing(hosts.late)["ordering"]["routes"] == 3, "through one it has found the others"
    assert standing(hosts.late)["seat"]

    answer("network", "pause", "BROKER-A", "--part", "validator", folder=hosts.founders["BROKER-A"])
    height = work(hosts, names)  # three of four: the newcomer's vote is needed
    answer("network", "resume", "BROKER-A", folder=hosts.founders["BROKER-A"])
    assert until(lambda: at_height(hosts, height, hosts.late))

    decide(hosts, "remove", "LATE")
    assert until(lambda: work(hosts, names) > 0 and "LATE" not in seats(hosts))
    answer("network", "dismiss", "LATE", lists, folder=hosts.authority)
    for code, folder in hosts.founders.items():
        answer("network", "install", lists, folder=folder)
        for name in ("network/access.conf", "network/pins.conf", "nats.conf", "network.toml"):
            assert "LATE" not in (folder / code / name).read_text(encoding="utf-8")
    height = work(hosts, names)
    assert until(lambda: at_height(hosts, height))
    assert until(lambda: standing(hosts.late)["ordering"]["routes"] == 0)
    assert before == {
        code: Running(folder).process(Running(folder).here[0], "server").pid for code, folder in hosts.founders.items()
    }, "no founder's server was stopped"


def test_a_gateway_whose_server_cannot_reach_the_log_is_not_ready(hosts: Hosts) -> None:
    """All validators hear each other through the one server that is left; the log alone has no majority."""
    for code in ("KSD", "BANK"):
        answer("network", "stop", code, "--part", "server", folder=hosts.founders[code])
    there = hosts.founders["BROKER-A"]
    assert until(lambda: "the ordering log is unreachable" in standing(there)["health"])
    port = Running(there).plan.member("BROKER-A").port
    told = ask_json(port, "/v1/network")
    assert not told["ready"]
    assert told["log"]["kind"] == "unreachable"
    assert standing(there)["version"] == __version__, "also of one that is not ready"
    for code in ("KSD", "BANK"):
        answer("network", "start", code, "--part", "server", folder=hosts.founders[code])
    assert until(lambda: at_height(hosts, 0))
