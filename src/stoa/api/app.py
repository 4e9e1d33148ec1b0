"""The application: routes, problem documents, limits and headers, put together from the services of one house."""

from collections.abc import Sequence
from typing import Any, Final

from anyio import CapacityLimiter
from litestar import Litestar, Request, Response, Router
from litestar.datastructures import State
from litestar.di import Provide
from litestar.exceptions import HTTPException
from litestar.types import ControllerRouterHandler

from stoa.api import (
    accounts,
    building,
    catalog,
    chain,
    events,
    health,
    intents,
    log,
    network,
    packs,
    primary,
    proofs,
    proposals,
    securities,
    sessions,
    snapshots,
    transactions,
)
from stoa.api.bell import Bell
from stoa.api.feed import Feed
from stoa.api.headers import harden
from stoa.api.health import Probe
from stoa.api.lanes import Lanes
from stoa.api.limits import MAX_BODY_BYTES, MAX_PROOFS, Buckets, Rate, rate_limit
from stoa.api.metrics import DoorFigures, NodeFigures, Refused, registry
from stoa.api.openapi import description
from stoa.api.problems import Problem, ProblemDocument, answer, answer_fault, answer_http
from stoa.api.services import Services
from stoa.api.viewer import House, Viewer, identify
from stoa.ledger.catalog import read_body

ROUTES: Final = (
    transactions, building, intents, sessions, securities, packs, primary, accounts, chain, network, proposals,
    proofs, log, events, catalog, snapshots,
)  # fmt: skip
PREFIX: Final = "/v1"


async def provide_services(state: State) -> Services:
    """The house."""
    services: Services = state.services
    return services


async def provide_viewer(request: Request[Any, Any, Any], services: House) -> Viewer:
    """Who asks."""
    return await identify(request, services)


def create_app(
    services: Services, extra_handlers: Sequence[ControllerRouterHandler] = (), rate: Rate | None = None
) -> Litestar:
    """The API, with the routes of other doors beside it (pages).

    Handlers may ask for ``services: House`` and ``viewer: Asking``; ``state`` has the bell, the feed and the lanes.
    """
    bell, refused = Bell(), Refused()
    services.node.listen(lambda _: bell.ring())  # whichever comes last: the receipt here,
    services.projector.listen(lambda _: bell.ring())  # or the block in the views
    feed = Feed(services.node.journal, services.projector, bell)
    lanes = Lanes(services.node.next_sequence)
    lanes.claim(read_body(one.intent.body) for one in services.signer.pending(services.clock()))
    v1 = Router(PREFIX, route_handlers=[handler for room in ROUTES for handler in room.HANDLERS])
    state = State(
        {
            "services": services,
            "bell": bell,
            "feed": feed,
            "lanes": lanes,
            "refused": refused,
            "probe": Probe(services.node, services.projector),
            "metrics": registry(NodeFigures(services.node), DoorFigures(services.projector, refused, feed)),
            "snapshots": snapshots.Snapshots(services.node),
            "proving": CapacityLimiter(MAX_PROOFS),
        }
    )
    return Litestar(
        route_handlers=[v1, *health.HANDLERS, *extra_handlers],
        state=state,
        dependencies={"services": Provide(provide_services), "viewer": Provide(provide_viewer)},
        exception_handlers={
            Problem: _counted(answer),
            HTTPException: _counted(answer_http),
            Exception: _counted(answer_fault),
        },
        middleware=[rate_limit(Buckets(rate or Rate()))],
        before_send=[harden],
        on_shutdown=[bell.close],
        request_max_body_size=MAX_BODY_BYTES,
        openapi_config=description(),
        logging_config=None,
    )


def _counted(handler: Any) -> Any:
    """The handler, with each document it gives counted under its name."""

    def count(request: Request[Any, Any, Any], error: Exception) -> Response[ProblemDocument]:
        response: Response[ProblemDocument] = handler(request, error)
        request.app.state.refused.count(response.content.name, response.content.status)
        return response

    return count
