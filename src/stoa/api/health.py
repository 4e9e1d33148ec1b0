"""Probes: live while the process answers, ready while its word on finality can be relied on; and the figures.

With pages and API or without them (``gateway = false``) the three routes are the same.
"""

from typing import Final

import msgspec
from litestar import Response, get
from litestar.datastructures import State
from prometheus_client.exposition import CONTENT_TYPE_LATEST, generate_latest

from stoa import __version__
from stoa.api.openapi import errors
from stoa.api.problems import Problem, Unavailable
from stoa.api.projector import Projector
from stoa.node.details import NodeStopped, ViewsBehind, ViewsStopped
from stoa.node.health import troubles
from stoa.node.node import Node
from stoa.node.sayings import Saying, both

MAX_LAG: Final = 100  # final blocks that the views may be behind and still count as following
RETRY_MS: Final = 1_000


class Standing(msgspec.Struct, frozen=True):
    """How the node is: the last block, what the views show (-1: there are no views), what waits; its version."""

    chain: str
    height: int
    block_hash: str
    time: int
    views: int
    waiting: int
    version: str


class Probe:
    """What readiness is judged by: a node, and the projector of its views where there are views."""

    def __init__(self, node: Node, projector: Projector | None = None) -> None:
        self._node, self._projector = node, projector

    def standing(self) -> Standing:
        """How the node is. Raises Problem with the sentence that says why it is not ready."""
        health, projector = self._node.health(), self._projector
        if health.failure:
            raise unready(both(NodeStopped(health.failure)))
        if projector and projector.failure:
            raise unready(both(ViewsStopped(projector.failure)))
        why = tuple(troubles(self._node.network()))
        if why:
            raise unready(*why)
        if projector and projector.lag > MAX_LAG:
            raise unready(both(ViewsBehind(projector.lag)))
        views = projector.height if projector else -1
        head = health.height, health.block_hash.hex(), health.time
        return Standing(health.chain, *head, views, health.waiting, __version__)


def unready(*why: Saying) -> Problem:
    """The problem that says all of it, in the language of whoever asks."""
    return Problem(Unavailable("; ".join(one.en for one in why), "; ".join(one.ko for one in why), RETRY_MS))


@get("/health/live", operation_id="live", tags=["health"], responses=errors(), sync_to_thread=False)
def live() -> dict[str, str]:
    """The process answers, and says its program's version."""
    return {"status": "live", "version": __version__}


@get("/health/ready", operation_id="ready", tags=["health"], responses=errors(503), sync_to_thread=True)
def ready(state: State) -> Standing:
    """The node makes blocks with a quorum of the members, and the views follow; else 503 and the sentence why."""
    probe: Probe = state.probe
    return probe.standing()


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
