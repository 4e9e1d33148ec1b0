"""Probes and metrics. Live: the process answers. Ready: the node makes blocks and the views follow."""

import threading
from collections import Counter
from collections.abc import Iterator
from typing import Final

import msgspec
from litestar import Response, get
from litestar.datastructures import State
from prometheus_client import CollectorRegistry
from prometheus_client.exposition import CONTENT_TYPE_LATEST, generate_latest
from prometheus_client.metrics_core import CounterMetricFamily, GaugeMetricFamily, Metric

from stoa.api.feed import Feed
from stoa.api.openapi import errors
from stoa.api.problems import Problem, Unavailable
from stoa.api.services import Services
from stoa.api.viewer import House

MAX_LAG: Final = 100  # final blocks that the views may be behind and still count as following
RETRY_MS: Final = 1_000


class Standing(msgspec.Struct, frozen=True):
    """How the node is: the last block, what the views show, what waits."""

    chain: str
    height: int
    block_hash: str
    time: int
    views: int
    waiting: int


class Refused:
    """How many problem documents were given out, by name and status. Names are of a closed set."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._counted: Counter[tuple[str, int]] = Counter()

    def count(self, name: str, status: int) -> None:
        """One more."""
        with self._lock:
            self._counted[name, status] += 1

    def counted(self) -> dict[tuple[str, int], int]:
        """So far."""
        with self._lock:
            return dict(self._counted)


class Collector:
    """Reads the figures when they are asked for; the loop that makes blocks counts nothing for it."""

    def __init__(self, services: Services, refused: Refused, feed: Feed) -> None:
        self._services, self._refused, self._feed = services, refused, feed

    def collect(self) -> Iterator[Metric]:
        """Called by prometheus_client."""
        node = self._services.node
        health = node.health()
        for name, text, value in (
            ("stoa_height", "Height of the last final block", health.height),
            ("stoa_views_height", "Height of the last block that the views show", self._services.projector.height),
            ("stoa_waiting_transactions", "Transactions accepted and not yet in a block", health.waiting),
            ("stoa_subscribers", "Subscribers of the event feed", self._feed.subscribers),
            ("stoa_failed", "1 when the node has stopped", int(bool(health.failure))),
        ):
            yield GaugeMetricFamily(name, text, value=float(value))
        gate = CounterMetricFamily("stoa_submissions", "What became of submissions at the gate", labels=["outcome"])
        for outcome, count in sorted(dict(node.gate.counted).items()):
            gate.add_metric([outcome], float(count))
        yield gate
        stages = CounterMetricFamily(
            "stoa_stage_seconds", "Time spent in each stage of making blocks", labels=["stage"]
        )
        for stage, seconds in node.seconds().items():
            stages.add_metric([stage], seconds)
        yield stages
        yield CounterMetricFamily("stoa_skipped_batches", "Batches that made no block", value=float(node.skips))
        problems = CounterMetricFamily("stoa_problems", "Problem documents given out", labels=["name", "status"])
        for (name, status), count in sorted(self._refused.counted().items()):
            problems.add_metric([name, str(status)], float(count))
        yield problems


def registry(services: Services, refused: Refused, feed: Feed) -> CollectorRegistry:
    """The metrics of this door, apart from those of any other in the process."""
    made = CollectorRegistry(auto_describe=False)
    made.register(Collector(services, refused, feed))
    return made


@get("/health/live", operation_id="live", tags=["health"], responses=errors(), sync_to_thread=False)
def live() -> dict[str, str]:
    """The process answers."""
    return {"status": "live"}


@get("/health/ready", operation_id="ready", tags=["health"], responses=errors(503), sync_to_thread=False)
def ready(services: House) -> Standing:
    """The node makes blocks and the views follow; else 503."""
    health, projector = services.node.health(), services.projector
    for why in (health.failure, projector.failure):
        if why:
            raise Problem(Unavailable(why, RETRY_MS))
    if projector.lag > MAX_LAG:
        raise Problem(Unavailable(f"the views are {projector.lag} blocks behind", RETRY_MS))
    return Standing(health.chain, health.height, health.block_hash.hex(), health.time, projector.height, health.waiting)


@get(
    "/metrics",
    operation_id="metrics",
    tags=["health"],
    media_type="text/plain",
    responses=errors(),
    sync_to_thread=True,
)
def metrics(state: State) -> Response[bytes]:
    """Figures for Prometheus."""
    return Response(generate_latest(state.metrics), media_type=CONTENT_TYPE_LATEST)


HANDLERS: Final = (live, ready, metrics)
