"""Facts as the API shows them: events and receipts as JSON, the rejections that an event keeps decoded in their place.

A rejection is kept as canonical bytes. Here it stands with its number, name, sentences and figures beside those bytes,
so that the exact event can be had back from its JSON (``stoa.client`` does that).
"""

from typing import Any

import msgspec
from msgspec.structs import asdict

from stoa.kernel.base import Event, figures
from stoa.ledger.catalog import Receipt, read_rejection
from stoa.readmodel.reasons import Reason, kept_by, reason_of
from stoa.wire.forms import schema_of, to_form


class KeptReason(Reason, frozen=True):
    """A rejection that an event keeps: what it says, and its canonical ``bytes`` (hexadecimal)."""

    bytes: str
    figures: dict[str, Any]


def event_form(event: Event) -> dict[str, Any]:
    """The event as JSON."""
    form: dict[str, Any] = to_form(event)
    kept = kept_by(event)
    return form if kept is None else form | {"reasons": [_reason(raw) for raw in kept]}


def receipt_form(receipt: Receipt) -> dict[str, Any]:
    """The receipt as JSON."""
    form: dict[str, Any] = to_form(receipt)
    return form | {"events": [event_form(event) for event in receipt.events]}


def event_schema(kind: type[Event]) -> dict[str, Any]:
    """The JSON schema of such an event as the API shows it."""
    schema = schema_of(kind)
    if "reasons" in kind.__struct_fields__:
        _, parts = msgspec.json.schema_components([KeptReason])
        schema["properties"]["reasons"]["items"] = parts[KeptReason.__name__]
    return schema


def _reason(raw: bytes) -> dict[str, Any]:
    rejection = read_rejection(raw)
    words = asdict(reason_of(rejection))
    return asdict(KeptReason(**words, bytes=raw.hex(), figures=figures(rejection)))
