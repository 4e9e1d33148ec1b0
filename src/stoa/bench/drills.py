"""Faults under load, and how long the network takes: until it goes on, and until who was away is level again.

Each drill offers a light load throughout, lets parts of the network fail after a fifth of it and return after three
fifths. Promises: what failed is up again when a drill ends, or the drill says that it is not.
"""

import signal
import time
from collections.abc import Iterable
from contextlib import suppress
from itertools import pairwise
from typing import Final, Literal, NamedTuple

import msgspec

from stoa.bench.load import Load, Measured
from stoa.bench.market import Market
from stoa.bench.site import Site, by_gateway
from stoa.bus.faults import BusFault

FAILS, RETURNS = 0.2, 0.6  # of a drill's time
IN_FLIGHT_SECONDS: Final = 1.0  # after too many failed: what had its votes already may still become final
LEVEL_SECONDS: Final = 120.0
NUDGE_SECONDS: Final = 0.5


class Drill(NamedTuple):
    """What fails. A host is a validator and its ordering server."""

    name: str
    en: str
    ko: str
    part: Literal["validator", "server", "host"]
    many: int = 1
    paused: bool = False


DRILLS: Final = (
    Drill("validator-killed", "A validator is killed and started again", "검증 노드 강제 종료 후 재시작", "validator"),
    Drill(
        "validator-paused", "A validator stands still and goes on", "검증 노드 일시 정지 후 재개", "validator",
        paused=True,
    ),
    Drill("leader-killed", "The leading ordering server is killed", "순서 로그 리더 서버 강제 종료", "server"),
    Drill("two-down", "Two of five hosts are down and return", "5대 중 2대 정지 후 복귀", "host", 2),
    Drill("three-down", "Three of five hosts are down and return", "5대 중 3대 정지 후 복귀", "host", 3),
)  # fmt: skip


class Recovery(msgspec.Struct, frozen=True):
    """What a drill showed. Times in milliseconds; ``level_ms`` is -1 where somebody did not become level."""

    name: str
    en: str
    ko: str
    failed: list[str]
    leader: str  # whose server led the ordering log before; where it fails, the others must choose another first
    offered_per_second: int
    too_few: bool  # were left to make anything final
    standstill_ms: float  # the longest without a final block, from the fault on; if too few were left, from the return
    level_ms: float  # from the return until the last of those who were away is where the others are
    final_meanwhile: int  # blocks that became final while it lasted, a second after the fault
    offered: int
    final: int
    lost: int
    forks: int
    latency_ms: dict[str, float]
    ok: bool  # nothing lost, no fork, all level, and nothing final where too few were left


def run_drill(site: Site, market: Market, drill: Drill, rate: int, seconds: float) -> Recovery:
    """One drill on the running network."""
    codes, leader = list(site.buses), site.leader()
    failed = [leader or codes[-1]] if drill.part == "server" else codes[len(codes) - drill.many :]
    gateways = codes if drill.part == "server" else [code for code in codes if code not in failed]
    market.change_lane()
    envelopes = market.transfers(max(1, round(rate * seconds)), 0)
    load, returned = site.load(), list[float]()

    def come_back() -> None:
        load.ask_level(failed)
        returned.append(time.monotonic())
        _return(site, drill, failed)

    try:
        moments = [(seconds * FAILS, lambda: _fail(site, drill, failed)), (seconds * RETURNS, come_back)]
        measured = load.offer(by_gateway(envelopes, gateways), rate, moments)
        level = _levelled(load, market, gateways[0], failed)
    finally:
        load.close()
    too_few = drill.part == "host" and len(codes) - drill.many < len(codes) // 2 + 1
    fault = measured.start + seconds * FAILS
    return _recovery(drill, failed, leader, rate, too_few, measured, fault, returned[0], level)


def _fail(site: Site, drill: Drill, codes: Iterable[str]) -> None:
    for code in codes:
        if drill.paused:
            site.signal(code, signal.SIGSTOP)
        elif drill.part != "server":
            site.kill_validator(code)
        if drill.part != "validator":
            site.kill_server(code)


def _return(site: Site, drill: Drill, codes: Iterable[str]) -> None:
    for code in codes:
        if drill.part != "validator":
            site.start_server(code)
        if drill.paused:
            site.signal(code, signal.SIGCONT)
        elif drill.part != "server":
            site.start_validator(code)


def _levelled(load: Load, market: Market, gateway: str, codes: list[str]) -> float | None:
    """When all of them had come to where the others are. While one has not, a transfer now and then makes a block."""
    until = time.monotonic() + LEVEL_SECONDS
    market.change_lane()
    while (at := load.level_at(codes)) is None and time.monotonic() < until:
        time.sleep(NUDGE_SECONDS)
        with suppress(BusFault, TimeoutError):
            load.submit_and_wait(gateway, market.transfers(1, 0)[0])
    return at


def _recovery(
    drill: Drill, failed: list[str], leader: str, rate: int, too_few: bool, measured: Measured, fault: float,
    back: float, level: float | None,
) -> Recovery:  # fmt: skip
    since = back if too_few else fault
    blocks = [since, *(at for at in measured.block_times if at >= since)]
    standstill = max((b - a for a, b in pairwise(blocks)), default=-0.001)
    meanwhile = sum(fault + IN_FLIGHT_SECONDS <= at < back for at in measured.block_times)
    safe = not meanwhile or not too_few
    return Recovery(
        drill.name, drill.en, drill.ko, failed, leader, rate, too_few, round(standstill * 1_000, 1),
        -1.0 if level is None else round((level - back) * 1_000, 1), meanwhile,
        measured.offered, measured.final, measured.offered - measured.final, measured.forks, measured.latency,
        ok=safe and level is not None and measured.final == measured.offered and not measured.forks,
    )  # fmt: skip
