"""The description of the API, for programs: OpenAPI 3.1, served as JSON at ``/v1/openapi.json``.

Every error that a route may answer with is described, with the names it may carry.
"""

from collections.abc import Mapping
from typing import Final

from litestar.openapi.config import OpenAPIConfig
from litestar.openapi.datastructures import ResponseSpec
from litestar.openapi.plugins import JsonRenderPlugin
from litestar.openapi.spec import Components, SecurityScheme

import stoa
from stoa.api import problems

WHY: Final[Mapping[int, str]] = {
    400: "`BadRequest`: the request does not say what this route understands; the detail names field and rule.",
    401: "`NotAuthenticated`: a login or a signed request is needed, or what was shown is not valid.",
    403: "`NotAllowed`: the user may not see or do this, or the form token is missing.",
    404: "`NotFound`: there is no such thing.",
    405: "`MethodUnknown`: the route has no such method.",
    409: "`NotSigned`: the intent awaits no approval (any more).",
    413: "`TooLarge`: the body has too many bytes.",
    422: "Refused by the rules. `name` and `code` are the gravest reason's, `reasons` has all of them with figures.",
    429: "`TooMany`: more requests than may be; see `Retry-After`.",
    500: "`Fault`: something went wrong inside; the detail names its kind.",
    503: "`Busy` or `Unavailable`: nothing was taken in; try again after `Retry-After`.",
}
ALWAYS: Final = (400, 405, 429, 500)


def errors(*statuses: int) -> dict[int, ResponseSpec]:
    """The error answers of a route: those every route may give, and these."""
    return {
        status: ResponseSpec(
            problems.ProblemDocument, generate_examples=False, description=WHY[status], media_type=problems.MEDIA_TYPE
        )
        for status in sorted({*ALWAYS, *statuses})
    }


def description() -> OpenAPIConfig:
    """What ``/v1/openapi.json`` says before the routes."""
    return OpenAPIConfig(
        title="Stoa",
        version=stoa.__version__,
        summary="One institution's door to a shared ledger of securities",
        description=" ".join((stoa.api.__doc__ or "").split()),
        path="/v1/description",
        render_plugins=[JsonRenderPlugin()],
        use_handler_docstrings=True,
        components=Components(
            security_schemes={
                "session": SecurityScheme(type="apiKey", security_scheme_in="cookie", name="stoa_session"),
                "signedRequest": SecurityScheme(
                    type="apiKey",
                    security_scheme_in="header",
                    name="Stoa-Key",
                    description="With Stoa-Time, Stoa-Nonce and Stoa-Signature: the request signed by an API key.",
                ),
            }
        ),
    )
