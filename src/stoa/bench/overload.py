"""``stoa bench overload``: more than the network bears, and how long it takes until all is as before.

First its capacity is found: more than it can do for some seconds, each transfer offered until it is taken. Then a
multiple of that for as long as is wanted, each transfer offered once: who is told to come back later does not, so the
load stays what it is. Then at once a light load, whose times show when the network is well again. Does not own: the
load (``load.py``) or the processes (``site.py``).
"""

import tempfile
import threading
from dataclasses import dataclass
from pathlib import Path
from typing import Final, NamedTuple

from stoa.bench.growth import Sample, Sampler
from stoa.bench.load import LEAD_SECONDS, Measured
from stoa.bench.site import Ground, Site, Told, by_gateway
from stoa.intake.gate import RETRY_MS

NORMAL_MS: Final = 1_000.0  # from submit to final: as before
LIGHT_RATE: Final = 50
LIGHT_SECONDS: Final = 20
MIB: Final = 1024 * 1024


@dataclass(frozen=True)
class Options:
    """What to run. ``probe_rate`` is more than this machine can do."""

    probe_rate: int = 4_000
    probe_seconds: int = 5
    times: float = 2.0
    seconds: int = 30
    holders: int = 1_000
    first_port: int = 9_500
    linger_ms: int = 100


class Figures(NamedTuple):
    """What was seen. Times in milliseconds from due to final; memory in MiB of the mean member."""

    capacity_per_second: float
    offered_per_second: float
    offered: int
    final: int
    busy: int  # told to come back, after
    retry_ms: int
    lost: int
    unanswered: int
    forks: int
    latency_under_overload_ms: dict[str, float]  # of what was taken
    rss_before_mib: dict[str, float]
    rss_most_mib: dict[str, float]
    seconds_until_normal: (
        float  # from the end of the overload until every transfer was final within a second; -1: never
    )
    latency_after_ms: dict[str, float]


def run(options: Options, told: Told) -> Figures:
    """Run it on a network of five that is founded for it."""
    ground = Ground(5, first_port=options.first_port, linger_ms=options.linger_ms)
    with tempfile.TemporaryDirectory(prefix="stoa-bench-") as scratch, Site(ground, Path(scratch) / "network") as site:
        told("founding and starting five validators and five ordering servers")
        site.start(site.plan.codes)
        market = site.set_up(options.holders)
        told(f"looking for the capacity: {options.probe_rate:,} transfers a second for {options.probe_seconds} s")
        amount = options.probe_rate * options.probe_seconds
        with site.load() as load:
            probe = load.offer(by_gateway(market.lone_transfers(amount), site.plan.codes), options.probe_rate)
        capacity = probe.final / probe.seconds
        rate = max(1, round(capacity * options.times))
        told(f"{capacity:,.0f} a second; now {rate:,} for {options.seconds} s")
        heavy, light = market.lone_transfers(rate * options.seconds), market.lone_transfers(LIGHT_RATE * LIGHT_SECONDS)
        with Sampler(site, options.seconds) as sampler:
            over, after = _one_after_another(site, heavy, light, rate, options.seconds)
        return _figures(capacity, over, after, sampler.samples)


def _one_after_another(
    site: Site, heavy: list[bytes], light: list[bytes], rate: int, seconds: int
) -> tuple[Measured, Measured]:
    """Both loads; the light one begins when the last of the heavy one is due, whatever still waits of that."""
    codes, ended, found = site.plan.codes, threading.Event(), list[Measured]()
    crowd, few = by_gateway(heavy, codes), by_gateway(light, codes)
    moments = [(float(seconds), ended.set)]
    with site.load(once=True) as over, site.load() as after:
        thread = threading.Thread(target=lambda: found.append(over.offer(crowd, rate, moments)), daemon=True)
        thread.start()
        ended.wait()
        calm = after.offer(few, LIGHT_RATE)
        thread.join()
    return found[0], calm


def _figures(capacity: float, over: Measured, after: Measured, samples: list[Sample]) -> Figures:
    slow = [due for due, latency in after.times if latency > NORMAL_MS]
    well = after.final == after.offered
    return Figures(
        capacity_per_second=round(capacity, 1),
        offered_per_second=round(over.offered / over.seconds, 1),
        offered=over.offered,
        final=over.final,
        busy=over.busy,
        retry_ms=RETRY_MS,
        lost=over.lost + after.lost,
        unanswered=over.unanswered + after.unanswered,
        forks=over.forks + after.forks,
        latency_under_overload_ms=over.latency,
        rss_before_mib=_rss(samples[:1]),
        rss_most_mib=_rss(samples),
        seconds_until_normal=round(max(slow, default=0.0) + LEAD_SECONDS, 2) if well else -1.0,
        latency_after_ms=after.latency,
    )


def _rss(samples: list[Sample]) -> dict[str, float]:
    """The most of each program, in MiB."""
    return {
        "validator": round(max(one.validator_rss for one in samples) / MIB, 1),
        "server": round(max(one.server_rss for one in samples) / MIB, 1),
    }
