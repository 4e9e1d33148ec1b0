"""Faults under load, and how long the network takes: until it goes on, and until who was away is level again.

Each drill offers a light load throughout, lets parts of the network fail after a fifth of it and return after three
fifths. Promises: what failed is up again when a drill ends, or the drill says that it is not.
"""

import time
from contextlib import suppress
from itertools import pairwise
from typing import Final, NamedTuple

import msgspec

from stoa.bench.faults import Down, Fault, HostDown, Paused, ServerDown
from stoa.bench.load import Load, Measured
from stoa.bench.machine_faults import (
    ClockOff,
    DiskFull,
    JournalCorrupted,
    LogCorrupted,
    SlowSync,
    StateCorrupted,
    StateRowChanged,
    SyncFails,
)
from stoa.bench.market import Market
from stoa.bench.site import Site, by_gateway
from stoa.bus.faults import BusFault

FAILS, RETURNS = 0.2, 0.6  # of a drill's time
IN_FLIGHT_SECONDS: Final = 1.0  # after too many failed: what had its votes already may still become final
LEVEL_SECONDS: Final = 120.0
NUDGE_SECONDS: Final = 0.5


class Drill(NamedTuple):
    """What fails, of how many institutions."""

    name: str
    en: str
    ko: str
    make: type[Fault]
    many: int = 1


DRILLS: Final = (
    Drill("validator-killed", "A validator is killed and started again", "검증 노드 강제 종료 후 재시작", Down),
    Drill("validator-paused", "A validator stands still and goes on", "검증 노드 일시 정지 후 재개", Paused),
    Drill("leader-killed", "The leading ordering server is killed", "순서 로그 리더 서버 강제 종료", ServerDown),
    Drill("two-down", "Two of five hosts are down and return", "5대 중 2대 정지 후 복귀", HostDown, 2),
    Drill("three-down", "Three of five hosts are down and return", "5대 중 3대 정지 후 복귀", HostDown, 3),
    Drill("disk-full", "A validator's disk is full, then has room", "검증 노드 디스크 가득 참 후 확보", DiskFull),
    Drill("fsync-failed", "A sync of a validator's disk fails", "검증 노드 디스크 동기화 실패", SyncFails),
    Drill("slow-fsync", "A validator's syncs take 250 ms more", "검증 노드 디스크 동기화 지연", SlowSync),
    Drill("state-corrupted", "A validator's state store is spoiled", "검증 노드 상태 저장소 손상", StateCorrupted),
    Drill("state-row-changed", "A row of a validator's state changes", "검증 노드 상태 행 변조", StateRowChanged),
    Drill("journal-corrupted", "A validator's journal is spoiled", "검증 노드 저널 손상", JournalCorrupted),
    Drill("log-store-corrupted", "An ordering server's store is spoiled", "순서 로그 서버 저장소 손상", LogCorrupted),
    Drill("clock-skewed", "A validator's clock is a minute off", "검증 노드 시계 1분 오차", ClockOff),
)


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
    said: str  # by those who failed, the line of their logs that tells it
    wrong: list[str]  # what else is not as it must be for this fault
    ok: bool  # nothing lost, no fork, all level, nothing final where too few were left, and nothing wrong


def run_drill(site: Site, market: Market, drill: Drill, rate: int, seconds: float) -> Recovery:
    """One drill on the running network."""
    codes, leader = list(site.buses), site.leader()
    failed = [leader or codes[-1]] if drill.make.of_leader else codes[len(codes) - drill.many :]
    fault = drill.make(site, failed)
    gateways = [code for code in codes if code not in failed or fault.through_all]
    fault.prepare()
    market.change_lane()
    envelopes = market.transfers(max(1, round(rate * seconds)), 0)
    returned = list[float]()
    with site.load() as load:

        def come_back() -> None:
            load.ask_level(failed)
            returned.append(time.monotonic())
            fault.come_back()

        moments = [(seconds * FAILS, fault.fail), (seconds * RETURNS, come_back)]
        measured = load.offer(by_gateway(envelopes, gateways), rate, moments)
        market.change_lane()
        level = levelled(load, market, gateways[0], failed)
    too_few = drill.make is HostDown and len(codes) - drill.many < len(codes) // 2 + 1
    since = measured.start + seconds * FAILS
    return _recovery(drill, failed, leader, rate, too_few, measured, since, returned[0], level, fault)


def levelled(
    load: Load, market: Market, gateway: str, codes: list[str], seconds: float = LEVEL_SECONDS,
    rest: float = NUDGE_SECONDS,
) -> float | None:  # fmt: skip
    """When all of them had come to where the others are. While one has not, a transfer now and then makes a block."""
    until = time.monotonic() + seconds
    while (at := load.level_at(codes)) is None and time.monotonic() < until:
        time.sleep(rest)
        nudge(load, market, gateway)
    return at


def nudge(load: Load, market: Market, gateway: str) -> None:
    """One transfer, so that there is a block."""
    with suppress(BusFault, TimeoutError):
        load.submit_and_wait(gateway, market.transfers(1, 0)[0])


def _recovery(
    drill: Drill, failed: list[str], leader: str, rate: int, too_few: bool, measured: Measured, start: float,
    back: float, level: float | None, fault: Fault,
) -> Recovery:  # fmt: skip
    since = back if too_few else start
    blocks = [since, *(at for at in measured.block_times if at >= since)]
    standstill = max((b - a for a, b in pairwise(blocks)), default=-0.001)
    meanwhile = sum(start + IN_FLIGHT_SECONDS <= at < back for at in measured.block_times)
    safe, wrong = not meanwhile or not too_few, list(fault.wrong())
    return Recovery(
        drill.name, drill.en, drill.ko, failed, leader, rate, too_few, round(standstill * 1_000, 1),
        -1.0 if level is None else round((level - back) * 1_000, 1), meanwhile,
        measured.offered, measured.final, measured.offered - measured.final, measured.forks, measured.latency,
        fault.said(), wrong,
        ok=safe and level is not None and measured.final == measured.offered and not (measured.forks or wrong),
    )  # fmt: skip
