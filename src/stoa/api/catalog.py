"""Routes of what there is: every instruction, event and refusal with its number, fields and sentences; every route."""

from typing import Any, Final

import msgspec
from litestar import Request, get

from stoa.api.facts import event_schema
from stoa.api.openapi import errors
from stoa.api.problems import REFUSALS
from stoa.intake.gate import Busy, Duplicate, Stopped
from stoa.kernel.base import Rejection
from stoa.ledger.catalog import EVENT_BY_TAG, INSTRUCTION_BY_TAG, REJECTIONS
from stoa.wire.forms import schema_of


class Kind(msgspec.Struct, frozen=True):
    """An instruction or event: its permanent tag, what it means, and the JSON schema of its form."""

    tag: str
    name: str
    text: str
    form: dict[str, Any]


class RefusalKind(msgspec.Struct, frozen=True):
    """A refusal: its permanent number and name, what it means, and its sentences over its figures."""

    code: int
    name: str
    text: str
    en: str
    ko: str
    figures: tuple[str, ...]


class Catalog(msgspec.Struct, frozen=True):
    """Everything the ledger can be asked for, can say, and can refuse with; then what doors refuse with."""

    instructions: tuple[Kind, ...]
    events: tuple[Kind, ...]
    rejections: tuple[RefusalKind, ...]


def _text(kind: type) -> str:
    return " ".join((kind.__doc__ or "").split())


def _kind(tag: str, kind: type, form: dict[str, Any]) -> Kind:
    return Kind(tag, kind.__name__, _text(kind), form)


def _refusal(kind: type[Rejection]) -> RefusalKind:
    tag = kind.__struct_config__.tag
    assert isinstance(tag, int)
    return RefusalKind(tag, kind.__name__, _text(kind), kind.en, kind.ko, kind.__struct_fields__)


DOORS: Final[tuple[type[Rejection], ...]] = (Duplicate, Busy, Stopped, *REFUSALS)
CATALOG: Final = Catalog(
    tuple(_kind(tag, kind, schema_of(kind)) for tag, kind in INSTRUCTION_BY_TAG.items()),
    tuple(_kind(tag, kind, event_schema(kind)) for tag, kind in EVENT_BY_TAG.items()),
    tuple(_refusal(kind) for kind in [*REJECTIONS, *DOORS]),
)


@get("/catalog", operation_id="catalog", tags=["catalog"], responses=errors(), sync_to_thread=False)
def catalog() -> Catalog:
    """Instructions, events and refusals. A tag or number in it keeps its meaning for ever."""
    return CATALOG


@get("/openapi.json", include_in_schema=False, sync_to_thread=False)
def openapi(request: Request[Any, Any, Any]) -> dict[str, Any]:
    """The description of this API."""
    return request.app.openapi_schema.to_schema()


HANDLERS: Final = (catalog, openapi)
