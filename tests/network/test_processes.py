"""Processes of a network: started once, found again, paused, killed, stopped; and no stranger is ever touched."""

import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import msgspec
import pytest

from stoa.network.plan import HERE
from stoa.network.processes import Mark, Process
from stoa.network.programs import server_command
from stoa.network.running import Running
from tests.cli.test_commands import ENTRY, PASSPHRASE, answer, stoa
from tests.network.conftest import EXAMPLE, free_ports, written_example

SLEEPER = [sys.executable, "-c", "import time; print('here', flush=True); time.sleep(600)"]


def until(condition: Callable[[], bool], seconds: float = 30.0) -> bool:
    """Whether the condition comes true in time."""
    end = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > end:
            return False
        time.sleep(0.05)
    return True


@pytest.fixture
def sleeper(tmp_path: Path) -> Iterator[Process]:
    process = Process(tmp_path, "validator", [], SLEEPER)
    yield process
    process.kill()


def test_a_process_is_started_once_paused_resumed_and_stopped(sleeper: Process) -> None:
    assert sleeper.state == "stopped"
    assert sleeper.start(os.environ)
    pid = sleeper.pid
    assert not sleeper.start(os.environ)
    assert sleeper.pid == pid
    assert until(lambda: "here" in sleeper.tail())
    sleeper.signal(signal.SIGSTOP)
    assert sleeper.state == "paused", "when it was told so, not soon after"
    assert not sleeper.start(os.environ)
    sleeper.signal(signal.SIGCONT)
    assert sleeper.state == "running"
    sleeper.signal(signal.SIGSTOP)
    assert sleeper.ask_to_end()
    sleeper.await_end()
    assert (sleeper.state, sleeper.pid) == ("stopped", 0)
    assert not sleeper.ask_to_end()


def test_what_does_not_end_is_killed(tmp_path: Path) -> None:
    deaf = (
        "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('deaf', flush=True); time.sleep(600)"
    )
    process = Process(tmp_path, "validator", [], [sys.executable, "-c", deaf])
    process.start(os.environ)
    assert until(lambda: "deaf" in process.tail())
    assert process.ask_to_end()
    process.await_end(patience=0.1)
    assert process.state == "stopped"


def test_a_killed_process_is_started_again(sleeper: Process) -> None:
    sleeper.start(os.environ)
    first = sleeper.pid
    assert sleeper.kill()
    assert sleeper.state == "stopped"
    assert sleeper.start(os.environ)
    assert sleeper.pid != first


@pytest.mark.parametrize("wrong", ["started", "command"])
def test_a_stale_pid_file_never_harms_a_stranger(tmp_path: Path, wrong: str) -> None:
    with subprocess.Popen(SLEEPER, stdout=subprocess.DEVNULL) as stranger:
        try:
            fields = Path(f"/proc/{stranger.pid}/stat").read_text().rpartition(")")[2].split()
            started, command = int(fields[19]), SLEEPER
            mark = Mark(stranger.pid, started + (wrong == "started"), ["x"] if wrong == "command" else command)
            process = Process(tmp_path, "validator", [], SLEEPER)
            (tmp_path / "run").mkdir()
            (tmp_path / "run" / "validator.pid").write_bytes(msgspec.json.encode(mark))
            assert process.state == "stopped"
            assert not process.kill()
            assert not process.ask_to_end()
            process.await_end()
            assert stranger.poll() is None
        finally:
            stranger.kill()


# a whole network: the five servers, by the command line


@pytest.fixture(scope="module")
def five(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    scratch = tmp_path_factory.mktemp("servers")
    folder = scratch / "network"
    answer("network", "init", "--institutions", written_example(scratch), folder=folder)
    yield folder
    net = Running(folder)
    net.down(net.here)


def states(status: dict[str, object]) -> dict[str, str]:
    members: list[dict[str, dict[str, str]]] = status["members"]  # type: ignore[assignment]
    return {str(one["code"]): one["ordering"]["state"] for one in members}


def test_five_servers_come_up_once_fail_one_by_one_and_go_down(five: Path) -> None:
    found = answer("network", "up", "--part", "server", "--detach", folder=five)
    assert set(states(found).values()) == {"running"}
    net = Running(five)
    pids = {one.code: net.process(one, "server").pid for one in net.here}
    answer("network", "up", "--part", "server", "--detach", folder=five)
    assert pids == {one.code: net.process(one, "server").pid for one in net.here}

    assert answer("network", "pause", "PLATFORM", "--part", "server", folder=five)["server"] == "paused"
    assert answer("network", "resume", "PLATFORM", "--part", "server", folder=five)["server"] == "running"
    assert answer("network", "kill", "BROKER-A", folder=five)["server"] == "stopped"
    assert states(answer("network", "status", folder=five))["BROKER-A"] == "stopped"
    assert until(lambda: {one.ordering.routes for one in net.status() if one.code != "BROKER-A"} == {3})
    assert answer("network", "start", "BROKER-A", "--part", "server", folder=five)["server"] == "running"
    assert answer("network", "stop", "BROKER-B", folder=five)["server"] == "stopped"
    assert answer("network", "start", "BROKER-B", "--part", "server", folder=five)["server"] == "running"
    assert until(lambda: {one.ordering.routes for one in net.status()} == {4})
    assert until(lambda: all(one.ordering.healthy and one.ordering.leader for one in net.status()))
    shown = stoa("network", "status", folder=five)
    assert "BROKER-A" in shown[1]
    assert "ok +4" in shown[1]

    read, write = os.pipe()
    os.close(read)
    environment = {**os.environ, "STOA_FOLDER": str(five), "LANG": "C"}
    ended = subprocess.run([*ENTRY, "network", "down"], env=environment, stdout=write, stderr=write, check=False)
    os.close(write)
    assert ended.returncode in {0, 1}, "nobody reads what it tells, and it is done to the end"
    assert set(states(answer("network", "status", folder=five)).values()) == {"stopped"}
    assert not _alive(five)


def test_partition_needs_hosts_and_a_wrong_code_is_named(five: Path) -> None:
    code, _, errors = stoa("network", "partition", "BROKER-A", folder=five)
    assert code == 2
    assert "stoa network init --hosts" in errors
    assert "wanted is one of OTC-MARKET" in stoa("network", "stop", "BROKER-X", folder=five)[2]
    assert "stoa network init" in stoa("network", "status", folder=five / "nowhere")[2]


def test_a_server_that_somebody_else_started_is_seen_and_left_alone(five: Path) -> None:
    net = Running(five)
    member = net.plan.member("OTC-MARKET")
    command = server_command(five / "OTC-MARKET")
    with subprocess.Popen(command, cwd=five / "OTC-MARKET", stderr=subprocess.DEVNULL) as other:
        try:
            assert until(lambda: states(answer("network", "status", folder=five))["OTC-MARKET"] == "running")
            assert net.process(member, "server").state == "stopped"
            answer("network", "down", folder=five)
            assert other.poll() is None
        finally:
            other.terminate()
            other.wait(30)


def test_a_server_that_does_not_come_up_says_why(five: Path) -> None:
    conf = five / "SURVEILLANCE" / "nats.conf"
    before = conf.read_text()
    conf.write_text(before.replace("max_payload", "max_nonsense"))
    try:
        code, _, errors = stoa("network", "start", "SURVEILLANCE", "--part", "server", folder=five)
        assert code == 3
        assert "SURVEILLANCE: the server ended" in errors
        assert "max_nonsense" in errors
    finally:
        conf.write_text(before)


@pytest.fixture(scope="module")
def met(five: Path) -> Path:
    """Its servers have all been up once, which they need to choose who leads them; now they are down."""
    answer("network", "up", "--part", "server", "--detach", folder=five)
    answer("network", "down", folder=five)
    return five


def test_one_that_does_not_come_up_keeps_nobody_else_down(met: Path) -> None:
    """Not even the first of the plan, whatever is wrong with it."""
    conf = met / "OTC-MARKET" / "nats.conf"
    before = conf.read_text()
    conf.write_text(before.replace("max_payload", "max_nonsense"))
    try:
        code, _, errors = stoa("network", "up", "--part", "server", "--detach", folder=met)
        assert code == 3
        assert "OTC-MARKET: the server ended" in errors
        found = states(answer("network", "status", folder=met))
        assert found == {code: "stopped" if code == "OTC-MARKET" else "running" for code in found}
    finally:
        conf.write_text(before)
        answer("network", "down", folder=met)


def test_servers_come_up_where_the_first_is_shut_out(met: Path) -> None:
    answer("network", "revoke", "OTC-MARKET", folder=met)
    try:
        found = answer("network", "up", "--part", "server", "--detach", folder=met)
        leaders = {one["code"]: one["ordering"]["leader"] for one in found["members"]}
        assert any(leaders[code] for code in leaders if code != "OTC-MARKET")
        assert not leaders["OTC-MARKET"]
    finally:
        answer("network", "down", folder=met)
        answer("network", "rotate", "OTC-MARKET", folder=met)


def test_a_port_that_is_taken_is_named_and_nothing_is_started(five: Path) -> None:
    net = Running(five)
    member = net.plan.member("BROKER-B")
    for port, field in ((member.clients, "listen"), (member.cluster, "  listen"), (member.monitor, "http")):
        with socket.create_server((HERE, port)):
            said = answer("network", "start", "BROKER-B", "--part", "server", folder=five, code=3)["message"]
        conf = five / "BROKER-B" / "nats.conf"
        line = next(at for at, text in enumerate(conf.read_text().splitlines(), 1) if text.startswith(f"{field}: "))
        assert f"BROKER-B: the server cannot start. {conf}:{line}: port {port} of {HERE} is taken: end the" in said
        assert net.process(member, "server").state == "stopped"


def test_on_a_host_of_its_own_there_is_one_folder(five: Path, tmp_path: Path) -> None:
    import shutil

    shutil.copytree(five / "BROKER-A", tmp_path / "BROKER-A")
    net = Running(tmp_path)
    assert [one.code for one in net.here] == ["BROKER-A"]
    found = answer("network", "up", "--part", "server", "--detach", folder=tmp_path)
    try:
        assert states(found) == {"BROKER-A": "running"}
        assert "is not on this machine" in stoa("network", "kill", "BROKER-B", folder=tmp_path)[2]
        assert "authority is not here" in stoa("network", "revoke", "BROKER-A", folder=tmp_path)[2]
    finally:
        answer("network", "down", folder=tmp_path)
    assert not _alive(tmp_path)


# with validators: a network of one runs them today


def test_servers_and_validators_come_up_and_nothing_is_left(tmp_path: Path) -> None:
    text = EXAMPLE.read_text(encoding="utf-8")
    head, first, *_ = text.split("[[institution]]")
    first = first.replace('"venue_operator"', '"registrar", "venue_operator"')
    one = re.sub(r"^port = \d+", f"port = {free_ports(1)[0]}", first, flags=re.M)
    file, folder = tmp_path / "one.toml", tmp_path / "network"
    file.write_text(head.replace("replicas = 5", "replicas = 1") + "[[institution]]" + one, encoding="utf-8")
    answer("network", "init", "--institutions", file, folder=folder)
    wrong = answer("network", "up", "--detach", folder=folder, code=3, STOA_PASSPHRASE="not at all the right one")
    assert wrong["message"] == "OTC-MARKET: the passphrase does not open this keystore"
    assert not _alive(folder), "its server is not started either"
    environment = {**os.environ, "STOA_PASSPHRASE": PASSPHRASE, "STOA_FOLDER": str(folder), "LANG": "C"}
    with subprocess.Popen([*ENTRY, "network", "up"], env=environment, stdout=subprocess.PIPE) as shown:
        try:
            assert until(lambda: _ready(folder), 60)
            (member,) = answer("network", "status", folder=folder)["members"]
            assert (member["code"], member["height"], member["lag"]) == ("OTC-MARKET", 0, 0)
            assert (member["validator"], member["ordering"]["state"]) == ("running", "running")
            net = Running(folder)
            environ = Path(f"/proc/{net.process(net.here[0], 'server').pid}/environ").read_bytes()
            assert PASSPHRASE.encode() not in environ
        finally:
            shown.send_signal(signal.SIGINT)
            shown.communicate(timeout=60)
    assert shown.returncode == 0
    assert not _alive(folder)


def test_a_signal_while_something_is_imported_ends_the_command_in_good_order() -> None:
    """Python ends itself by SIGINT after a KeyboardInterrupt in ``exec`` of a string, also where it was caught."""
    code = (
        "from stoa.cli import network_running as up\n"
        "try:\n"
        "    up._hear_the_end()\n"
        "    exec('import os, signal; os.kill(os.getpid(), signal.SIGINT); [one for one in range(1_000_000)]')\n"
        "except up._Ended:\n"
        "    print('ended')\n"
    )
    done = subprocess.run([sys.executable, "-c", code], stdout=subprocess.PIPE, check=False)
    assert (done.returncode, done.stdout) == (0, b"ended\n")


def _ready(folder: Path) -> bool:
    return [one["health"] for one in answer("network", "status", folder=folder)["members"]] == ["ready"]


def _alive(folder: Path) -> list[str]:
    """Commands of processes that name the folder."""
    found = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            command = path.read_bytes().replace(b"\0", b" ").decode("utf-8", "replace")
        except OSError:
            continue
        if str(folder) in command:
            found.append(command)
    return found
