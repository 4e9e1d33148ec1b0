"""The page of routes, from the API's own OpenAPI description."""

from typing import Any

from litestar import Litestar, Router
from litestar.di import Provide

from scripts.reference.markdown import page, said, table
from stoa.api import health
from stoa.api.app import PREFIX, ROUTES, provide_services, provide_viewer
from stoa.api.openapi import WHY, description


def schema() -> dict[str, Any]:
    """The description, without a house behind the routes."""
    v1 = Router(PREFIX, route_handlers=[handler for room in ROUTES for handler in room.HANDLERS])
    asked = {"services": Provide(provide_services), "viewer": Provide(provide_viewer)}
    app = Litestar([v1, *health.HANDLERS], dependencies=asked, openapi_config=description(), logging_config=None)
    return app.openapi_schema.to_schema()


def routes() -> str:
    """Every route under its tag."""
    by_tag: dict[str, list[str]] = {}
    for path, methods in schema()["paths"].items():
        for method, operation in methods.items():
            by_tag.setdefault(operation["tags"][0], []).append(_route(path, method.upper(), operation))
    lead = (
        "The same as JSON: `GET /v1/openapi.json`, and the forms of instructions and events: `GET /v1/catalog`. "
        "Every refusal and error is a problem document (RFC 9457). `Accept-Language: ko` gives Korean sentences."
    )
    tags = [f"## {tag}\n\n" + "\n\n".join(found) for tag, found in sorted(by_tag.items())]
    return page("API", lead, *tags, "## Errors\n\n" + table(("status", "when"), WHY.items()))


def _route(path: str, method: str, operation: dict[str, Any]) -> str:
    asked = [
        (f"`{one['name']}`", one["in"], said(one.get("description", ""))) for one in operation.get("parameters", ())
    ]
    answers = ", ".join(status for status in operation["responses"])
    parts = [
        f"### `{method} {path}`",
        said(operation.get("description", "")),
        table(("parameter", "in", ""), asked),
        _body(operation),
        f"Answers {answers}.",
    ]
    return "\n\n".join(part for part in parts if part)


def _body(operation: dict[str, Any]) -> str:
    content = operation.get("requestBody", {}).get("content", {})
    kinds = [f"`{kind}` {_schema(media.get('schema', {}))}".strip() for kind, media in content.items()]
    return "Takes " + " or ".join(kinds) + "." if kinds else ""


def _schema(found: dict[str, Any]) -> str:
    return found["$ref"].rsplit("/", 1)[1].rsplit("_", 1)[-1] if "$ref" in found else ""
