"""The network that a benchmark runs on: validators and ordering servers of this machine, started, failing, returning.

Owns the processes and a connection to each gateway, as that institution's own systems have it. Does not own: the load,
what fails (``faults.py``), and what is measured.
"""

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Final, Self

from stoa.api.opening import bus_of
from stoa.bench.load import Load
from stoa.bench.market import Key, Market
from stoa.bus.bus import Bus
from stoa.bus.faults import BusFault
from stoa.bus.names import token
from stoa.custody.keystore import Keystore
from stoa.custody.policy import STARTER
from stoa.custody.secret import Secret
from stoa.demo.dossier import Institution
from stoa.kernel.codec import encode
from stoa.kernel.identifiers import account_id
from stoa.network import folders
from stoa.network.founding import found_network
from stoa.network.looking import Silence, ask_json
from stoa.network.plan import HERE, Member, Plan
from stoa.network.running import Running
from stoa.node.config import PASSPHRASE_VARIABLE, load_config
from stoa.node.node import wall_clock
from stoa.wire.bulk import Submission, read_verdict
from stoa.wire.envelope import read_envelope

CHAIN: Final = "bench"
CODES: Final[tuple[tuple[str, tuple[str, ...]], ...]] = (
    ("REGISTRAR", ("registrar",)), ("BROKER", ("broker",)), ("AGENT", ("issuer_agent",)),
    ("BANK", ("settlement_bank",)), ("IDP", ("identity_provider",)), ("VENUE", ("venue_operator",)),
    ("WATCH", ("supervisor",)),
)  # fmt: skip
MIN_VALIDATORS: Final = 5  # so many roles does the market need
MAX_VALIDATORS: Final = len(CODES)
PASSPHRASE: Final = "bench passphrase"
START_SECONDS: Final = 90.0
END_SECONDS: Final = 30.0
ASK_SECONDS: Final = 10.0
GLANCE: Final = 0.1
Told = Callable[[str], None]  # hears what a benchmark begins with now

LOG: Final = "validator.log"  # in an institution's folder
ROOMY: Final = "50%"  # of the memory
SPARE_BYTES: Final = 4 * 1024 * 1024  # of a small disk, beyond what is moved there


@dataclass(frozen=True)
class Ground:
    """Which network is founded."""

    validators: int = 5
    fsync_delay_ms: float = 0.0
    first_port: int = 9_500
    linger_ms: int = 100
    byzantine: bool = False
    parameters: tuple[tuple[str, int], ...] = ()  # further governed numbers


class Site:
    """The running network. Use as a context."""

    def __init__(self, ground: Ground, folder: Path) -> None:
        """Found it in the folder, which must be empty or not there."""
        self.plan, self.folder, self._ground = _plan(ground), folder, ground
        found_network(self.plan, folder, Secret(PASSPHRASE), STARTER, wall_clock())
        self._running = Running(folder)
        self._processes: dict[str, subprocess.Popen[bytes]] = {}
        self._keystores: dict[str, Keystore] = {}
        self._members = {one.code: one for one in self.plan.members}
        self.buses: dict[str, Bus] = {}
        self._small: dict[str, Path] = {}  # disks of their own, where validators live now

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        for bus in self.buses.values():
            bus.close()
        for process in self._processes.values():
            process.send_signal(signal.SIGCONT)  # a paused one must hear that it is to end
            process.terminate()
        for process in self._processes.values():
            try:
                process.wait(END_SECONDS)
            except subprocess.TimeoutExpired:
                process.kill()
        self._running.down(self.plan.members)
        for disk in self._small.values():
            subprocess.run(["umount", "--lazy", str(disk)], check=False)

    # where they live

    def home(self, code: str) -> Path:
        """The folder that the validator runs on."""
        return self._small.get(code, self.folder / code)

    def log(self, code: str) -> Path:
        """What the validator says."""
        return self.folder / code / LOG

    def small_disk(self, code: str) -> bool:
        """Let the validator, which is down, live on a disk of its own with little room; False where that cannot be."""
        here, disk = self.folder / code, self.folder / f"{code}-disk"
        if code in self._small:
            return True
        disk.mkdir()
        size = SPARE_BYTES + sum(path.stat().st_size for path in here.rglob("*") if folders.STORE not in path.parts)
        mount = ["mount", "-t", "tmpfs", "-o", f"size={size}", "stoa-bench", str(disk)]
        if subprocess.run(mount, check=False, stderr=subprocess.DEVNULL).returncode:
            return False
        self._small[code] = disk
        left = shutil.ignore_patterns(folders.STORE, folders.RUN, folders.LOG, LOG)
        shutil.copytree(here, disk, ignore=left, dirs_exist_ok=True)
        return True

    def give_room(self, code: str) -> None:
        """Make a small disk a large one."""
        if disk := self._small.get(code):
            subprocess.run(["mount", "-o", f"remount,size={ROOMY}", str(disk)], check=True)

    # keys and connections

    def key_of(self, code: str) -> Key:
        """The institution's operating key, from its keystore."""
        keystore = self._keystore(code)
        public = keystore.key(code).public
        return Key(public, account_id(1, (public,)), partial(keystore.sign, code))

    def _keystore(self, code: str) -> Keystore:
        if code not in self._keystores:
            folder = self.folder / code
            self._keystores[code] = Keystore(folder / load_config(folder).keystore, Secret(PASSPHRASE))
        return self._keystores[code]

    def bus(self, code: str) -> Bus:
        """The connection of the institution's own systems."""
        if code not in self.buses:
            folder = self.folder / code
            bus = bus_of(folder, load_config(folder), self._keystore(code))
            assert bus is not None
            self.buses[code] = bus
        return self.buses[code]

    def load(self, once: bool = False) -> Load:
        """A new load on the gateways that are up. ``once``: what is told to come back does not."""
        return Load(CHAIN, self.buses, once)

    # starting

    def start(self, codes: Sequence[str]) -> None:
        """Servers first, then these validators, until each answers."""
        self._running.up(self.plan.members, ("server",))
        for code in codes:
            self.start_validator(code)
        for code in codes:
            self.bus(code)
        for code in codes:
            self.await_validator(code)

    def start_validator(self, code: str) -> None:
        """As a process of its own."""
        command = [sys.executable, "-m", "stoa.bench.validator", str(self.home(code))]
        with self.log(code).open("ab") as log:
            self._processes[code] = subprocess.Popen(
                [*command, str(self._ground.fsync_delay_ms)],
                env={**os.environ, PASSPHRASE_VARIABLE: PASSPHRASE}, stdout=log, stderr=log,
            )  # fmt: skip

    def start_server(self, code: str) -> None:
        """The ordering server of an institution, without waiting until it answers."""
        self._running.process(self._members[code], "server").start(os.environ)

    def await_validator(self, code: str) -> None:
        """Wait until its gateway answers. Raises TimeoutError."""
        until = time.monotonic() + START_SECONDS
        while True:
            try:
                self._submit(code, (b"",))
                return
            except BusFault:
                if self._processes[code].poll() is not None or time.monotonic() > until:
                    raise TimeoutError(f"{code} did not start: {self.log(code).read_text()[-2_000:]}") from None
                time.sleep(GLANCE)

    def _submit(self, code: str, envelopes: tuple[bytes, ...]) -> tuple[int, ...]:
        subject = f"submit.{token(CHAIN)}.{token(code)}"
        return read_verdict(self.buses[code].request(subject, encode(Submission(envelopes)), ASK_SECONDS)).codes

    def set_up(self, holders: int) -> Market:
        """Cash, the security, holders and their units: through the first gateway, each final before the next."""
        code, market = self.plan.codes[0], Market(holders, wall_clock(), 1, CHAIN, self.key_of)
        with Load(CHAIN, {code: self.buses[code]}) as load:
            for raw in market.set_up():
                load.submit_and_wait(code, raw)
        return market

    # failing, and coming back

    def signal(self, code: str, number: signal.Signals) -> None:
        """Send a signal to the validator."""
        self._processes[code].send_signal(number)

    def kill_validator(self, code: str) -> None:
        """End the validator as a crash would."""
        self._processes[code].kill()
        self._processes[code].wait(END_SECONDS)

    def has_ended(self, code: str) -> bool:
        """Whether the validator's process is no more."""
        return self._processes[code].poll() is not None

    def kill_server(self, code: str) -> None:
        """End the ordering server as a crash would."""
        self._running.kill(self._members[code], ("server",))

    def leader(self) -> str:
        """The institution whose server leads the ordering log, or else the servers; empty if nobody is known to."""
        for member in self.plan.members:
            try:
                told = ask_json(member.monitor, "/jsz?accounts=true&streams=true")
            except Silence:
                continue
            if found := _leader(told):
                return found
        return ""

    # looking

    @property
    def validators(self) -> Mapping[str, int]:
        """The processes of the validators."""
        return {code: process.pid for code, process in self._processes.items()}

    @property
    def servers(self) -> Mapping[str, int]:
        """The processes of the ordering servers."""
        return {one.code: self._running.process(one, "server").pid for one in self.plan.members}


def _leader(told: Mapping[str, Any]) -> str:
    """Of the stream with the most messages, which is the log."""
    streams = [
        stream for account in told.get("account_details", ()) for stream in account.get("stream_detail", ()) or ()
    ]
    streams.sort(key=lambda stream: stream.get("state", {}).get("messages", 0))
    leaders = [str(stream.get("cluster", {}).get("leader", "")) for stream in streams]
    return next((one for one in reversed(leaders) if one), str(told.get("meta_cluster", {}).get("leader", "")))


def _plan(ground: Ground) -> Plan:
    members = tuple(
        Member(Institution(code, code.title(), "KR", roles), HERE, ground.first_port + 10 * at)
        for at, (code, roles) in enumerate(CODES[: ground.validators])
    )
    replicas = min(5, ground.validators if ground.validators % 2 else ground.validators - 1)
    quorum: Any = "byzantine" if ground.byzantine else "majority"
    return Plan(
        CHAIN, quorum, replicas, False, {"batch_linger_ms": ground.linger_ms, **dict(ground.parameters)}, members
    )


def by_gateway(envelopes: Sequence[bytes], codes: Sequence[str]) -> list[tuple[str, bytes]]:
    """Each sender's transfers go through one gateway, as one institution keeps his account."""
    gateways: dict[bytes, str] = {}
    for raw in envelopes:
        account = read_envelope(raw).signatures[0].account
        gateways.setdefault(account, codes[len(gateways) % len(codes)])
    return [(gateways[read_envelope(raw).signatures[0].account], raw) for raw in envelopes]
