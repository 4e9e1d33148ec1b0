"""``stoa bench poc``: the test plan of the proof of concept of 2016, repeated on one network of five on this machine.

Performance (one rate after another, with the time of each transfer), capacity (a load that lasts, and how disk and
memory grow), availability (faults under load, and how long recovery takes). One network does all of it, in this order.
Does not own: how a load is offered (``load.py``), faults (``drills.py``), what the report looks like.
"""

import tempfile
from contextlib import ExitStack
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Final, TextIO

from stoa.bench.bare import of_all_cores
from stoa.bench.cost import Watch, machine
from stoa.bench.drills import DRILLS, run_drill
from stoa.bench.growth import Sampler, growth
from stoa.bench.ledger import fsync_p50
from stoa.bench.load import Measured, percentile
from stoa.bench.market import Market
from stoa.bench.network import figures
from stoa.bench.poc_page import page
from stoa.bench.poc_report import BUDGET_MS, TRANSFERS, Lasting, Report, Step, keep
from stoa.bench.published import OTHERS, REFERENCE
from stoa.bench.site import Ground, Site, Told, by_gateway

RATES: Final = (1, 10, 100, 250, 500, 1_000, 2_500, 5_000)  # the reference's, and two beyond
LASTING_RATE: Final = 1_000
MAX_POINTS: Final = 400  # of a step, drawn
CURVE: Final = (0, 10, 25, 50, 75, 90, 95, 97, 98, 99, 100)  # percentiles drawn


@dataclass(frozen=True)
class Options:
    """What to run; 0 seconds leaves a part out. ``drills``: names of those to run."""

    rates: tuple[int, ...] = RATES
    seconds: int = 10  # of each rate
    sustained: int = 120
    sustained_rate: int = LASTING_RATE
    drills: tuple[str, ...] = tuple(drill.name for drill in DRILLS)
    drill_seconds: int = 20
    drill_rate: int = 100
    holders: int = 1_000
    refused_per_mille: int = 20
    fsync_delay_ms: float = 0.0
    first_port: int = 9_500
    linger_ms: int = 100


def run(options: Options, folder: Path, told: Told) -> Report:
    """Run the plan and write the report's files into the folder; ``told`` hears which part begins."""
    folder.mkdir(parents=True, exist_ok=True)
    started = datetime.now(UTC).isoformat(timespec="seconds")
    ground = Ground(5, options.fsync_delay_ms, options.first_port, options.linger_ms)
    with ExitStack() as opened:
        times = opened.enter_context((folder / TRANSFERS).open("w", encoding="utf-8"))
        scratch = opened.enter_context(tempfile.TemporaryDirectory(prefix="stoa-bench-"))
        whole = of_all_cores()
        told("founding and starting five validators and five ordering servers")
        site = opened.enter_context(Site(ground, Path(scratch) / "network"))
        site.start(site.plan.codes)
        report = _Run(options, site, site.set_up(options.holders), whole, times, told).report(started)
    keep(report, page(report), folder)
    return report


class _Run:
    def __init__(self, options: Options, site: Site, market: Market, whole: float, times: TextIO, told: Told) -> None:
        self._options, self._site, self._market, self._times, self._told = options, site, market, times, told
        self._whole = whole  # bare verifications a second of all cores
        self._fsync = fsync_p50(site.folder, options.fsync_delay_ms)
        self._bare: list[float] = []
        times.write("part,rate,due_seconds,latency_ms\n")

    def report(self, started: str) -> Report:
        """All parts, one after another."""
        options = self._options
        steps = [self._step("rate", rate, options.seconds) for rate in options.rates if options.seconds]
        lasting = self._lasting(steps) if options.sustained else None
        recoveries = []
        for drill in DRILLS:
            if drill.name in options.drills and options.drill_seconds:
                self._told(drill.en)
                recoveries.append(run_drill(self._site, self._market, drill, options.drill_rate, options.drill_seconds))
        bare = percentile(sorted(self._bare), 50)
        found = {"bare_verify_us": bare, "fsync_us_p50": self._fsync, "verifications_per_second": round(self._whole)}
        host = machine() | found
        return Report(started, host, asdict(options), steps, lasting, recoveries, REFERENCE, list(OTHERS))

    def _step(self, part: str, rate: int, seconds: int) -> Step:
        site, market = self._site, self._market
        self._told(f"{rate:,} transfers a second for {seconds} s")
        market.change_lane()
        envelopes = market.transfers(rate * seconds, self._options.refused_per_mille)
        codes = list(site.buses)
        with site.load() as load:
            watch = Watch(site.validators, site.servers, site.folder, codes)
            measured = load.offer(by_gateway(envelopes, codes), rate)
            costs = watch.stop(measured.final)
        self._bare.append(measured.bare_verify_us)
        self._times.writelines(f"{part},{rate},{due:.4f},{latency:.2f}\n" for due, latency in measured.times)
        return _summed_up(rate, seconds, measured, figures(measured, costs, self._whole, self._fsync)._asdict())

    def _lasting(self, steps: list[Step]) -> Lasting:
        options, site = self._options, self._site
        with Sampler(site, options.sustained) as sampler:
            step = self._step("sustained", options.sustained_rate, options.sustained)
        cpu_us = min(float(one.figures["cpu_us_all"]) for one in (*steps, step))
        grown = growth(sampler.samples, site.folder, len(site.buses), step.figures["final_per_second"], cpu_us)
        return Lasting(step, sampler.samples, grown)


def _summed_up(rate: int, seconds: int, measured: Measured, found: dict[str, object]) -> Step:
    times = sorted(measured.times)
    ordered = sorted(latency for _, latency in times)
    every = max(1, len(times) // MAX_POINTS)
    slowest = max(times, key=lambda one: one[1], default=(0.0, 0.0))
    points = [*times[::every], slowest] if times else []
    within = sum(one <= BUDGET_MS for one in ordered) / max(1, measured.offered)
    return Step(
        rate, seconds, found, round(slowest[1], 1), round(within, 5),
        [(round(due, 3), round(latency, 1)) for due, latency in points],
        [(float(part), percentile(ordered, part)) for part in CURVE],
    )  # fmt: skip
