"""Real NATS servers for tests: one, three or five in a cluster, on free loopback ports, JetStream synced always.

Owns starting, killing, pausing and starting again, and waiting for conditions; ``stop`` leaves no process.
"""

import json
import signal
import socket
import subprocess
import sysconfig
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from pathlib import Path

from stoa.bus.settings import MAX_PAYLOAD_BYTES

PROGRAM = Path(sysconfig.get_path("scripts")) / "nats-server"
READY_S = 30.0
CONFIG = """\
server_name: {name}
listen: "127.0.0.1:{client}"
http: "127.0.0.1:{monitor}"
max_payload: {payload}
jetstream {{ store_dir: "{store}", sync_interval: {sync}, max_memory_store: 64MB, max_file_store: 4GB }}
{cluster}
{extra}
"""


def free_ports(count: int) -> list[int]:
    """Ports of the loopback that nobody listens on now."""
    sockets = [socket.socket() for _ in range(count)]
    for one in sockets:
        one.bind(("127.0.0.1", 0))
    ports = [one.getsockname()[1] for one in sockets]
    for one in sockets:
        one.close()
    return ports


def eventually(condition: Callable[[], object], timeout: float = READY_S, what: str = "") -> None:
    """Wait for the condition; fail when it does not come."""
    end = time.monotonic() + timeout
    while not condition():
        assert time.monotonic() < end, what or f"not within {timeout} s"
        time.sleep(0.02)


class Servers:
    """A cluster. ``extra`` is added to each server's configuration."""

    def __init__(self, folder: Path, size: int, extra: str = "", sync: str = "always") -> None:
        self.folder, self.size, self._extra, self._sync = folder, size, extra, sync
        ports = free_ports(3 * size)
        self._client, self._monitor, self._route = ports[:size], ports[size : 2 * size], ports[2 * size :]
        self.processes: list[subprocess.Popen[bytes] | None] = [None] * size
        folder.mkdir(parents=True, exist_ok=True)

    def start(self) -> "Servers":
        """All of them, until JetStream is ready on each."""
        for at in range(self.size):
            self.spawn(at)
        try:
            self.ready()
        except AssertionError:
            self.stop()
            raise
        return self

    def spawn(self, at: int) -> None:
        """Start one, or start it again with what its store holds; does not wait."""
        routes = ", ".join(f'"nats://127.0.0.1:{port}"' for port in self._route)
        cluster = f'cluster {{ name: test, listen: "127.0.0.1:{self._route[at]}", routes: [{routes}] }}'
        config = self.folder / f"{self.name(at)}.conf"
        config.write_text(
            CONFIG.format(
                name=self.name(at),
                client=self._client[at],
                monitor=self._monitor[at],
                payload=MAX_PAYLOAD_BYTES,
                store=self.store(at),
                sync=self._sync,
                cluster=cluster if self.size > 1 else "",
                extra=self._extra,
            )
        )
        log = (self.folder / f"{self.name(at)}.log").open("ab")
        self.processes[at] = subprocess.Popen([PROGRAM, "-c", config], stdout=log, stderr=log)
        log.close()

    def ready(self) -> None:
        """Wait until every running server is a current member of JetStream."""
        for at in self.running():
            eventually(lambda at=at: self._is_ready(at), what=f"{self.name(at)} is not ready")  # type: ignore[misc]

    def _is_ready(self, at: int) -> bool:
        health = self.ask(at, "/healthz")
        if health.get("status") != "ok" or self.size == 1:
            return health.get("status") == "ok"
        meta = self.ask(at, "/jsz").get("meta_cluster", {})
        return bool(meta.get("leader")) and meta.get("cluster_size") == self.size

    def ask(self, at: int, path: str) -> dict[str, object]:
        """What the monitoring says, or nothing."""
        try:
            with urllib.request.urlopen(self.monitor(at) + path, timeout=2) as answer:
                return dict(json.load(answer))
        except (OSError, ValueError):
            return {}

    def name(self, at: int) -> str:
        return f"server-{at}"

    def store(self, at: int) -> Path:
        return self.folder / f"store-{at}"

    def url(self, at: int) -> str:
        return f"nats://127.0.0.1:{self._client[at]}"

    def monitor(self, at: int) -> str:
        return f"http://127.0.0.1:{self._monitor[at]}"

    def urls(self, first: int = 0) -> tuple[str, ...]:
        """All servers, one of them first."""
        return tuple(self.url((first + at) % self.size) for at in range(self.size))

    def running(self) -> list[int]:
        return [at for at, process in enumerate(self.processes) if process and process.poll() is None]

    def kill(self, at: int) -> None:
        """SIGKILL, and wait for its end."""
        self._signal(at, signal.SIGKILL)
        process = self.processes[at]
        assert process
        process.wait(10)

    def pause(self, at: int) -> None:
        self._signal(at, signal.SIGSTOP)

    def resume(self, at: int) -> None:
        self._signal(at, signal.SIGCONT)

    def mend(self) -> None:
        """Whole again, whatever was killed or paused."""
        for at in range(self.size):
            if at in self.running():
                self.resume(at)
            else:
                self.spawn(at)
        self.ready()

    def _signal(self, at: int, number: int) -> None:
        process = self.processes[at]
        assert process
        process.send_signal(number)

    def leader(self, stream: str) -> int | None:
        """Which server leads a stream, if one does."""
        for at in self.running():
            found = self.ask(at, "/jsz?streams=true&accounts=true")
            for account in found.get("account_details", []):  # type: ignore[attr-defined]
                for detail in account.get("stream_detail", []):
                    name = detail.get("cluster", {}).get("leader", "")
                    if detail["name"] == stream and name:
                        return int(name.removeprefix("server-"))
        return None

    def cpu_seconds(self) -> float:
        """User and system time of all running servers so far."""
        ticks = 0
        for at in self.running():
            process = self.processes[at]
            assert process
            fields = Path(f"/proc/{process.pid}/stat").read_text().rsplit(")", 1)[1].split()
            ticks += int(fields[11]) + int(fields[12])
        return ticks / 100

    def stop(self) -> None:
        """Leave no process."""
        for at in self.running():
            self._signal(at, signal.SIGCONT)
            self.kill(at)
