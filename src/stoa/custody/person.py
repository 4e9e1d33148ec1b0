"""What an institution knows about its customer: what the vault keeps and the ledger never sees."""

from typing import Annotated, Final, Literal

import msgspec
from msgspec import Meta

from stoa.kernel.identifiers import Country

MAX_TEXT: Final = 500
MAX_ITEMS: Final = 64
MAX_DOCUMENT_BYTES: Final = 4 * 1024 * 1024

_Text = Annotated[str, Meta(max_length=MAX_TEXT)]


class Contact(msgspec.Struct, frozen=True, omit_defaults=True):
    """A way to reach the person."""

    kind: Literal["email", "phone", "post"]
    value: _Text


class Document(msgspec.Struct, frozen=True, omit_defaults=True):
    """A paper that was shown: what it is, its number, who issued it, and the copy that was kept."""

    kind: _Text  # e.g. passport, resident-registration, business-registration, lei
    number: _Text
    country: Country | None = None
    media_type: _Text = ""
    content: Annotated[bytes, Meta(max_length=MAX_DOCUMENT_BYTES)] = b""


class Person(msgspec.Struct, frozen=True, omit_defaults=True):
    """A natural or legal person. Unknown fields are passed over: a later version may have written them."""

    name: _Text
    kind: Literal["natural", "legal"] = "natural"
    local_name: _Text = ""  # in the person's own script
    country: Country | None = None  # of residence or seat
    born: _Text = ""  # ISO 8601 date of birth or incorporation
    contacts: Annotated[tuple[Contact, ...], Meta(max_length=MAX_ITEMS)] = ()
    documents: Annotated[tuple[Document, ...], Meta(max_length=MAX_ITEMS)] = ()
    notes: Annotated[str, Meta(max_length=8_000)] = ""

    def __repr__(self) -> str:
        return "Person(hidden)"  # a log line is no place for a name
