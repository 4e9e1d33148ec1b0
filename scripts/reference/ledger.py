"""Pages of the ledger's own words: instructions, events, rejections."""

from typing import Any

from scripts.reference.fields import KINDS, hints_of, nested, words
from scripts.reference.markdown import page, said, spec, table
from stoa.api.catalog import DOORS
from stoa.custody import refusals as custody
from stoa.kernel.base import Rejection
from stoa.kernel.codec import Shape
from stoa.ledger import (
    assets,
    compliance,
    corporate_actions,
    governance,
    holds,
    identity,
    offerings,
    settlement,
)
from stoa.ledger.catalog import EVENTS, INSTRUCTIONS, REJECTIONS, VERBS, tag_of

DOMAINS = (identity, compliance, assets, holds, settlement, offerings, corporate_actions, governance)


def _domain(kind: type) -> str:
    return kind.__module__.split(".")[2]


def _fields(kind: type[Shape]) -> str:
    return table(("field", "holds"), [(f"`{name}`", words(hint)) for name, hint in hints_of(kind).items()])


def _shapes(kinds: list[type[Any]]) -> str:
    """The shapes inside the fields of these, each once."""
    found = sorted({one for kind in kinds for one in nested(kind)}, key=lambda one: one.__name__)
    parts = [f"### {one.__name__}\n\n{_tagged(one)}{said(one.__doc__)}\n\n{_fields(one)}" for one in found]
    return "\n\n".join(["## Shapes in fields", *parts])


def _tagged(kind: type[Shape]) -> str:
    tag = kind.__struct_config__.tag
    return f"Tag `{tag}`. " if tag is not None else ""


KINDS_OF_FIELD = "## Kinds of field\n\n" + table(("kind", "holds"), [(name, holds_) for name, _, holds_ in KINDS])


def instructions() -> str:
    """Every instruction under its domain, with the domain's specification before it."""
    parts = []
    for domain in DOMAINS:
        name = domain.__name__.rsplit(".", 1)[1]
        mine = [kind for kind in INSTRUCTIONS if _domain(kind) == name]
        parts.append(f"## {name}\n\n{spec(domain.__doc__)}")
        parts += [_instruction(kind) for kind in mine]
    lead = (
        "A transaction carries 1 to 64 of these and is atomic. In JSON each is an object of its fields by name, with "
        "its `tag`. *Refused for* is the order in which the ledger looks; `explain` gives every reason that applies. "
        "A movement's own reasons are those of [settlement](#settlement)."
    )
    return page("Instructions", lead, *parts, _shapes(list(INSTRUCTIONS)), KINDS_OF_FIELD)


def _instruction(kind: type[Any]) -> str:
    refused = said(VERBS[kind].rejections.__doc__)
    return f"### {kind.__name__}\n\n`{tag_of(kind)}`. {said(kind.__doc__)}\n\n{_fields(kind)}\n\nRefused for: {refused}"


def events() -> str:
    """Every event under its domain."""
    parts = []
    for domain in DOMAINS:
        name = domain.__name__.rsplit(".", 1)[1]
        mine = [kind for kind in EVENTS if _domain(kind) == name]
        parts.append(f"## {name}")
        parts += [f"### {kind.__name__}\n\n`{tag_of(kind)}`. {said(kind.__doc__)}\n\n{_fields(kind)}" for kind in mine]
    lead = "What happened, in the receipt of the transaction or of the due work that did it, in order."
    return page("Events", lead, *parts, _shapes(list(EVENTS)), KINDS_OF_FIELD)


def rejections() -> str:
    """The ledger's rejections by number, then what doors and custody refuse with."""
    ledger = sorted(REJECTIONS, key=lambda kind: int(tag_of(kind)))
    doors = sorted(DOORS, key=lambda kind: int(tag_of(kind)))
    lead = (
        "A rejection is a value with figures; its number and name never change. The receipt keeps the gravest; "
        "`explain` gives all of them. Sentences are templates over the figures."
    )
    mine = [
        (f"`{kind.__name__}`", said(kind.__doc__), kind.en, kind.ko)
        for kind in vars(custody).values()
        if isinstance(kind, type) and issubclass(kind, custody.Refusal) and kind is not custody.Refusal
    ]
    return page(
        "Rejections",
        lead,
        "## The ledger\n\n" + _numbered(ledger),
        "## The gate and the API\n\nThese never enter a receipt: nothing was taken in.\n\n" + _numbered(doors),
        "## Custody\n\nReasons of an institution's signing policy and logins. They have names and no numbers.\n\n"
        + table(("name", "means", "English", "한국어"), mine),
    )


def _numbered(kinds: list[type[Rejection]]) -> str:
    rows = [(tag_of(kind), f"`{kind.__name__}`", said(kind.__doc__), kind.en, kind.ko) for kind in kinds]
    return table(("number", "name", "means", "English", "한국어"), rows)
