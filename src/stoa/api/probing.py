"""The application of a validator without a gateway: probes and figures on its port, and nothing else."""

from litestar import Litestar
from litestar.datastructures import State
from litestar.exceptions import HTTPException

from stoa.api import health
from stoa.api.bell import Bell
from stoa.api.headers import harden
from stoa.api.limits import Buckets, Rate, rate_limit
from stoa.api.metrics import NodeFigures, registry
from stoa.api.problems import Problem, answer, answer_fault, answer_http
from stoa.node.node import Node

MAX_BODY_BYTES = 1_024  # nothing is ever sent here


def create_probe_app(node: Node) -> Litestar:
    """Live, ready and metrics of the node."""
    bell = Bell()
    return Litestar(
        route_handlers=[*health.HANDLERS],
        state=State({"bell": bell, "probe": health.Probe(node), "metrics": registry(NodeFigures(node))}),
        exception_handlers={Problem: answer, HTTPException: answer_http, Exception: answer_fault},
        middleware=[rate_limit(Buckets(Rate()))],
        before_send=[harden],
        on_shutdown=[bell.close],
        request_max_body_size=MAX_BODY_BYTES,
        openapi_config=None,
        logging_config=None,
    )
