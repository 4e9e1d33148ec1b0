"""The application: routes, problem documents, limits and headers, put together from the services of one house."""

from collections.abc import Sequence

from litestar import Litestar
from litestar.datastructures import State
from litestar.types import ControllerRouterHandler

from stoa.api.services import Services


def create_app(services: Services, extra_handlers: Sequence[ControllerRouterHandler] = ()) -> Litestar:
    """The API, with the routes of other doors beside it (pages). ``state.services`` of a request are the services."""
    return Litestar(route_handlers=[*extra_handlers], state=State({"services": services}), openapi_config=None)
