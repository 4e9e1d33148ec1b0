"""How disk and memory grow under a lasting load, and when they would be full.

A line is laid through the samples of the second half (least squares), so that what is allocated once at the start does
not count as growth.
"""

import shutil
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Final

import msgspec

from stoa.bench.cost import KEPT, allocated, machine, rss_bytes
from stoa.bench.site import Site

SAMPLES: Final = 120  # at most, over the whole load
LEAST_SECONDS: Final = 0.5  # between two
DAY_SECONDS: Final = 86_400


class Sample(msgspec.Struct, frozen=True):
    """One look at the members: bytes of the mean member, by what is kept, and of its two processes in memory."""

    second: float
    disk: dict[str, int]
    validator_rss: int
    server_rss: int


class Growth(msgspec.Struct, frozen=True):
    """For one second of the load, bytes of one member; and when this machine, with all members on it, is full.

    None where nothing grows. ``processor_limit`` is transfers a second of this machine's processors at the least that
    one cost in any part of the run, the load's own cost included.
    """

    disk_bytes_per_second: dict[str, float]
    disk_bytes_per_transfer: float
    validator_rss_per_second: float
    server_rss_per_second: float
    disk_free_bytes: int
    disk_full_days: float | None
    disk_full_days_alone: float | None  # for one member that has as much disk to itself
    memory_bytes: int
    memory_full_hours: float | None
    processor_limit: int


class Sampler:
    """Looks now and then, on a thread of its own. Use as a context."""

    def __init__(self, site: Site, seconds: float) -> None:
        self._site, self._every = site, max(LEAST_SECONDS, seconds / SAMPLES)
        self._pids = (site.validators, site.servers)
        self.samples: list[Sample] = []
        self._start, self._ended = time.monotonic(), threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)

    def __enter__(self) -> "Sampler":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        self._thread.join()

    def _run(self) -> None:
        while True:
            with suppress(OSError):  # a process that has ended grows no more
                self.samples.append(self._look())
            if self._ended.wait(self._every):
                return

    def _look(self) -> Sample:
        codes, (validators, servers) = list(self._pids[0]), self._pids
        folder = self._site.folder
        disk = {
            name: sum(allocated(folder / code / inner) for code in codes) // len(codes) for name, inner in KEPT.items()
        }
        return Sample(
            round(time.monotonic() - self._start, 2), disk,
            sum(rss_bytes(pid) for pid in validators.values()) // len(validators),
            sum(rss_bytes(pid) for pid in servers.values()) // len(servers),
        )  # fmt: skip


def growth(samples: Sequence[Sample], folder: Path, members: int, final_per_second: float, cpu_us: float) -> Growth:
    """What the samples say. ``cpu_us``: the least processor time that all of this took for a transfer."""
    disk = {name: _slope(samples, lambda one, name=name: one.disk[name]) for name in KEPT}  # type: ignore[misc]
    total = sum(max(0.0, one) for one in disk.values())
    validator, server = _slope(samples, lambda one: one.validator_rss), _slope(samples, lambda one: one.server_rss)
    free, host = shutil.disk_usage(folder).free, machine()
    left = host["memory_bytes"] - (samples[-1].validator_rss + samples[-1].server_rss) * members if samples else 0
    return Growth(
        disk_bytes_per_second={name: round(one, 1) for name, one in disk.items()},
        disk_bytes_per_transfer=round(total / max(final_per_second, 1e-9), 1),
        validator_rss_per_second=round(validator, 1),
        server_rss_per_second=round(server, 1),
        disk_free_bytes=free,
        disk_full_days=_until(free, total * members, DAY_SECONDS),
        disk_full_days_alone=_until(free, total, DAY_SECONDS),
        memory_bytes=host["memory_bytes"],
        memory_full_hours=_until(left, (max(0.0, validator) + max(0.0, server)) * members, 3_600),
        processor_limit=round(host["cores"] * 1e6 / cpu_us) if cpu_us else 0,
    )


def _until(room: float, per_second: float, unit: float) -> float | None:
    return round(room / per_second / unit, 2) if per_second > 0 else None


def _slope(samples: Sequence[Sample], value: Callable[[Sample], int]) -> float:
    """Of the line through the second half."""
    later = samples[len(samples) // 2 :]
    if len(later) < 2:
        return 0.0
    middle = sum(one.second for one in later) / len(later)
    mean = sum(value(one) for one in later) / len(later)
    spread = sum((one.second - middle) ** 2 for one in later)
    return sum((one.second - middle) * (value(one) - mean) for one in later) / spread if spread else 0.0
