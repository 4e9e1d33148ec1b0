"""``stoa bench network``: several validators and their ordering servers on this machine, under an open load.

The load is signed beforehand. Each transfer has a time at which it is due to be submitted, whatever became of those
before it; its latency counts from that time, so that a stall is seen by all who would have come during it (coordinated
omission is avoided). A transfer is final when the validator that took it tells so. Every validator verifies every
signature. What the machine's other processes cost is printed beside.
"""

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Final, NamedTuple

from stoa.api.opening import bus_of
from stoa.bench.ledger import fsync_p50
from stoa.bench.load import Load, Measured
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
from stoa.network.founding import found_network
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
SET_UP_BULK: Final = 8  # envelopes of setting up the market in one message
START_SECONDS: Final = 90.0
ASK_SECONDS: Final = 10.0


@dataclass(frozen=True)
class Options:
    """What to run. ``rate`` is transfers offered a second by all gateways together."""

    validators: int = 5
    rate: int = 1_000
    seconds: int = 10
    holders: int = 1_000
    refused_per_mille: int = 20
    fsync_delay_ms: float = 0.0
    paused: int = 0  # validators that stand still during the load
    late: int = 0  # validators that start from genesis in the middle of the load
    hot: bool = False  # every transfer touches one account
    first_port: int = 9_500
    linger_ms: int = 100
    byzantine: bool = False
    folder: str = ""  # where to run; empty: a temporary folder


class Figures(NamedTuple):
    """What was measured. CPU is in microseconds for one final transfer."""

    offered_per_second: float
    final_per_second: float
    submit_to_final_ms: dict[str, float]
    block_interval_ms: dict[str, float]
    lost: int
    forks: int
    refused: int
    busy: int
    blocks: int
    cpu_us_per_transfer_and_node: float
    cpu_us_servers: float
    cpu_us_load: float
    bare_verify_us: float
    cores: int
    fsync_us_p50: int
    caught_up: bool


def run(options: Options) -> Figures:
    """Run the benchmark and return its figures."""
    if options.folder:
        return _run(options, Path(options.folder))
    with tempfile.TemporaryDirectory(prefix="stoa-bench-") as scratch:
        return _run(options, Path(scratch) / "network")


def _run(options: Options, folder: Path) -> Figures:
    plan = _plan(options)
    found_network(plan, folder, Secret(PASSPHRASE), STARTER, wall_clock())
    with _Site(plan, folder, options) as site:
        site.start(plan.codes[: len(plan.codes) - options.late])
        market = Market(options.holders, wall_clock(), 1, CHAIN, site.key_of)
        site.set_up(market)
        count = options.rate * options.seconds
        envelopes = market.hot_transfers(count) if options.hot else market.transfers(count, options.refused_per_mille)
        return site.measure(envelopes)


def _plan(options: Options) -> Plan:
    members = tuple(
        Member(Institution(code, code.title(), "KR", roles), HERE, options.first_port + 10 * at)
        for at, (code, roles) in enumerate(CODES[: options.validators])
    )
    replicas = min(5, options.validators if options.validators % 2 else options.validators - 1)
    quorum: Any = "byzantine" if options.byzantine else "majority"
    return Plan(CHAIN, quorum, replicas, False, {"batch_linger_ms": options.linger_ms}, members)


class _Site:
    """The running network, with a connection to each gateway as that institution's own systems have it."""

    def __init__(self, plan: Plan, folder: Path, options: Options) -> None:
        self.plan, self.folder, self.options = plan, folder, options
        self._running = Running(folder)
        self._processes: dict[str, subprocess.Popen[bytes]] = {}
        self._buses: dict[str, Bus] = {}
        self._keystores: dict[str, Keystore] = {}

    def __enter__(self) -> "_Site":
        return self

    def __exit__(self, *_: object) -> None:
        for bus in self._buses.values():
            bus.close()
        for process in self._processes.values():
            process.send_signal(18)  # SIGCONT: a paused one must hear that it is to end
            process.terminate()
        for process in self._processes.values():
            process.wait(30)
        self._running.down(self.plan.members)

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

    def _bus(self, code: str) -> Bus:
        """A connection as the institution's own systems have it."""
        folder = self.folder / code
        bus = bus_of(folder, load_config(folder), self._keystore(code))
        assert bus is not None
        self._buses[code] = bus
        return bus

    def start(self, codes: Sequence[str]) -> None:
        """Servers first, then these validators, until each answers."""
        self._running.up(self.plan.members, ("server",))
        for code in codes:
            self.start_validator(code)
        for code in codes:
            self._bus(code)
        for code in codes:
            self._await(code)

    def start_validator(self, code: str) -> None:
        """As a process of its own."""
        command = [sys.executable, "-m", "stoa.bench.validator", str(self.folder / code)]
        log = (self.folder / code / "validator.log").open("ab")
        self._processes[code] = subprocess.Popen(
            [*command, str(self.options.fsync_delay_ms)],
            env={**os.environ, PASSPHRASE_VARIABLE: PASSPHRASE}, stdout=log, stderr=log,
        )  # fmt: skip

    def _start_late(self, codes: Sequence[str]) -> None:
        for code in codes:
            self.start_validator(code)

    def _await(self, code: str) -> None:
        until = time.monotonic() + START_SECONDS
        while True:
            try:
                self._submit(code, (b"",))
                return
            except BusFault:
                if self._processes[code].poll() is not None or time.monotonic() > until:
                    log = self.folder / code / "validator.log"
                    raise TimeoutError(f"{code} did not start: {log.read_text()[-2_000:]}") from None
                time.sleep(0.1)

    def _submit(self, code: str, envelopes: tuple[bytes, ...]) -> tuple[int, ...]:
        subject = f"submit.{token(CHAIN)}.{token(code)}"
        return read_verdict(self._buses[code].request(subject, encode(Submission(envelopes)), ASK_SECONDS)).codes

    def set_up(self, market: Market) -> None:
        """Cash, the security, holders and their units: through the first gateway, each final before the next."""
        code = self.plan.codes[0]
        load = Load(CHAIN, {code: self._buses[code]})
        try:
            for raw in market.set_up():
                load.submit_and_wait(code, raw)
        finally:
            load.close()

    def measure(self, envelopes: list[bytes]) -> Figures:
        """Offer the load and take the figures."""
        options, codes = self.options, list(self._buses)
        paused = codes[len(codes) - options.paused :] if options.paused else []
        gateways = [code for code in codes if code not in paused]
        load = Load(CHAIN, {code: self._buses[code] for code in codes})
        for code in paused:
            self._processes[code].send_signal(19)  # SIGSTOP
        late = self.plan.codes[len(codes) :]
        with _watched(self._pids()) as cpu:
            measured = load.offer(_by_gateway(envelopes, gateways), options.rate, lambda: self._start_late(late))
        spent = cpu.spent()
        caught_up = self._caught_up(load, paused, late)
        load.close()
        return self._figures(measured, spent, len(gateways), caught_up)

    def _pids(self) -> dict[str, int]:
        servers = {f"server {one.code}": self._running.process(one, "server").pid for one in self.plan.members}
        return servers | {code: process.pid for code, process in self._processes.items()} | {"load": os.getpid()}

    def _caught_up(self, load: Load, paused: Sequence[str], late: Sequence[str]) -> bool:
        """Let those who stood still go on, and wait until they are where the others are."""
        for code in paused:
            self._processes[code].send_signal(18)
        for code in late:
            load.follow(code, self._bus(code))
        return load.all_reach(load.height, [*paused, *late])

    def _figures(self, measured: Measured, spent: dict[str, float], nodes: int, caught_up: bool) -> Figures:
        final = max(1, measured.final)
        validators = sum(seconds for name, seconds in spent.items() if name in self._processes)
        servers = sum(seconds for name, seconds in spent.items() if name.startswith("server "))
        return Figures(
            offered_per_second=round(measured.offered / measured.seconds, 1),
            final_per_second=round(measured.final / measured.seconds, 1),
            submit_to_final_ms=measured.latency,
            block_interval_ms=measured.interval,
            lost=measured.offered - measured.final - measured.rejected,
            forks=measured.forks,
            refused=measured.refused,
            busy=measured.busy,
            blocks=measured.blocks,
            cpu_us_per_transfer_and_node=round(validators / final / nodes * 1e6, 1),
            cpu_us_servers=round(servers / final * 1e6, 1),
            cpu_us_load=round(spent["load"] / final * 1e6, 1),
            bare_verify_us=measured.bare_verify_us,
            cores=os.cpu_count() or 1,
            fsync_us_p50=fsync_p50(self.folder, self.options.fsync_delay_ms),
            caught_up=caught_up,
        )


def _by_gateway(envelopes: list[bytes], codes: list[str]) -> list[tuple[str, bytes]]:
    """Each sender's transfers go through one gateway, as one institution keeps his account."""
    gateways: dict[bytes, str] = {}
    for raw in envelopes:
        account = read_envelope(raw).signatures[0].account
        gateways.setdefault(account, codes[len(gateways) % len(codes)])
    return [(gateways[read_envelope(raw).signatures[0].account], raw) for raw in envelopes]


class _Cpu:
    """Processor seconds of processes, from one moment to another."""

    def __init__(self, pids: dict[str, int]) -> None:
        self._pids = pids
        self._before = self._read()
        self._after = self._before

    def stop(self) -> None:
        """The later moment is now."""
        self._after = self._read()

    def spent(self) -> dict[str, float]:
        """By name."""
        return {name: self._after[name] - self._before[name] for name in self._pids}

    def _read(self) -> dict[str, float]:
        return {name: _cpu_seconds(pid) for name, pid in self._pids.items()}


def _cpu_seconds(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


@contextmanager
def _watched(pids: dict[str, int]) -> Iterator[_Cpu]:
    cpu = _Cpu(pids)
    yield cpu
    cpu.stop()
