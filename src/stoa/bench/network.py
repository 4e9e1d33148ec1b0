"""``stoa bench network``: several validators and their ordering servers on this machine, under an open load.

The load is signed beforehand. Each transfer has a time at which it is due to be submitted, whatever became of those
before it; its latency counts from that time, so that a stall is seen by all who would have come during it (coordinated
omission is avoided). A transfer is final when the validator that took it tells so. Every validator verifies every
signature. What the machine's other processes cost is printed beside.
"""

import os
import signal
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Final, NamedTuple

from stoa.bench.bare import of_all_cores
from stoa.bench.cost import Costs, Watch
from stoa.bench.ledger import fsync_p50
from stoa.bench.load import Measured, Reference
from stoa.bench.market import Market
from stoa.bench.reference import rate_here, rate_there
from stoa.bench.site import Ground, Site, by_gateway

WARM_RATE: Final = 1_000  # before a load whose rate is that of another machine
WARM_SECONDS: Final = 6
ROOM: Final = 1.5  # times the transfers that would do: the machine may become faster during the load


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
    reference: bool = False  # the rate is meant for the machine of the budgets: offer what it is on this one
    folder: str = ""  # where to run; empty: a temporary folder


class Figures(NamedTuple):
    """What was measured. Processor time in microseconds and disk in bytes for one final transfer."""

    offered_per_second: float
    final_per_second: float
    submit_to_final_ms: dict[str, float]
    block_interval_ms: dict[str, float]  # of blocks under load
    lost: int  # accepted and not final
    unanswered: int  # not final, and no gateway said that it has them
    forks: int
    refused: int
    rejected: int
    busy: int
    blocks: int
    cpu_us_per_transfer_and_node: float
    cpu_us_servers: float
    cpu_us_load: float
    cpu_us_all: float
    stage_us: dict[str, float]
    disk_bytes: dict[str, float]
    rss_mb: dict[str, float]
    bare_verify_us: float
    bare_verifications_per_transfer: float  # what the whole machine spent for one
    final_per_second_at_30_us: float  # the same on the machine of the budgets, where that is a bare verification
    cores: int
    machine_verifications_per_second: int  # by all cores together, before anything else runs
    fsync_us_p50: int
    caught_up: bool


def run(options: Options) -> Figures:
    """Run the benchmark and return its figures."""
    if options.folder:
        return _run(options, Path(options.folder))
    with tempfile.TemporaryDirectory(prefix="stoa-bench-") as scratch:
        return _run(options, Path(scratch) / "network")


def _run(options: Options, folder: Path) -> Figures:
    ground = Ground(
        options.validators, options.fsync_delay_ms, options.first_port, options.linger_ms, options.byzantine
    )
    whole = of_all_cores()
    with Site(ground, folder) as site:
        site.start(site.plan.codes[: len(site.plan.codes) - options.late])
        market = site.set_up(options.holders)
        reference = Reference(_warmed_up(site, market), options.seconds) if options.reference else None
        count = options.rate * options.seconds
        if reference:
            count = round(rate_here(options.rate, reference.verify_us) * options.seconds * ROOM)
        envelopes = market.hot_transfers(count) if options.hot else market.transfers(count, options.refused_per_mille)
        return _measure(site, envelopes, options, reference, whole)


def _warmed_up(site: Site, market: Market) -> float:
    """Microseconds of a bare verification while the network works."""
    with site.load() as load:
        found = load.offer(by_gateway(market.transfers(WARM_RATE * WARM_SECONDS, 0), list(site.buses)), WARM_RATE)
    market.change_lane()
    return found.bare_verify_us


def _measure(
    site: Site, envelopes: list[bytes], options: Options, reference: Reference | None, whole: float
) -> Figures:
    codes = list(site.buses)
    paused = codes[len(codes) - options.paused :] if options.paused else []
    steady, late = [code for code in codes if code not in paused], site.plan.codes[len(codes) :]
    for code in late:
        site.bus(code)  # so that all that it tells is heard
    for code in paused:
        site.signal(code, signal.SIGSTOP)

    def start_late() -> None:
        for code in late:
            site.start_validator(code)

    with site.load() as load:
        watch = Watch(site.validators, site.servers, site.folder, steady)
        moments = [(options.seconds / 2, start_late)]
        measured = load.offer(by_gateway(envelopes, steady), options.rate, moments, reference)
        costs = watch.stop(measured.final)
        for code in paused:
            site.signal(code, signal.SIGCONT)
        caught_up = load.all_reach(load.height, [*paused, *late])
    return figures(measured, costs, whole, fsync_p50(site.folder, options.fsync_delay_ms), caught_up)


def figures(measured: Measured, costs: Costs, whole: float, fsync_us: int, caught_up: bool = True) -> Figures:
    """The figures of a load and of what it cost, on a machine of so many bare verifications a second."""
    return Figures(
        offered_per_second=round(measured.offered / measured.seconds, 1),
        final_per_second=round(measured.final / measured.seconds, 1),
        submit_to_final_ms=measured.latency,
        block_interval_ms=measured.interval,
        lost=measured.lost,
        unanswered=measured.unanswered,
        forks=measured.forks,
        refused=measured.refused,
        rejected=measured.rejected,
        busy=measured.busy,
        blocks=measured.blocks,
        **costs._asdict(),
        bare_verify_us=measured.bare_verify_us,
        bare_verifications_per_transfer=round(costs.cpu_us_all / max(measured.bare_verify_us, 1e-9), 2),
        final_per_second_at_30_us=rate_there(measured.final / measured.seconds, measured.bare_verify_us),
        cores=os.cpu_count() or 1,
        machine_verifications_per_second=round(whole),
        fsync_us_p50=fsync_us,
        caught_up=caught_up,
    )
