"""``stoa catalog``: the closed lists of the ledger: what may be asked, what may be said to it, what may happen."""

from typing import TYPE_CHECKING

from cyclopts import App

from stoa.cli.shell import PLAIN, Common, app

if TYPE_CHECKING:
    from stoa.kernel.codec import Shape

catalog = App(name="catalog", help="List the instructions, rejections and events of the ledger.")
app.command(catalog)


def _first_line(kind: "type[Shape]") -> str:
    return " ".join((kind.__doc__ or "").split("\n\n")[0].split())


@catalog.command
def instructions(*, common: Common = PLAIN) -> None:
    """List what a signer may ask for, with the fields of each."""
    from stoa.ledger.catalog import INSTRUCTIONS, tag_of

    rows = [
        {"tag": tag_of(kind), "fields": list(kind.__struct_fields__), "meaning": _first_line(kind)}
        for kind in INSTRUCTIONS
    ]
    common.rows("instructions", rows)


@catalog.command
def rejections(*, common: Common = PLAIN) -> None:
    """List why the ledger refuses, by permanent number."""
    from stoa.ledger.catalog import REJECTIONS, tag_of

    rows = [
        {"code": tag_of(kind), "name": kind.__name__, "sentence": kind.ko if common.tongue == "ko" else kind.en}
        for kind in sorted(REJECTIONS, key=lambda kind: int(tag_of(kind)))
    ]
    common.rows("rejections", rows)


@catalog.command
def events(*, common: Common = PLAIN) -> None:
    """List what receipts report."""
    from stoa.ledger.catalog import EVENTS, tag_of

    rows = [
        {"tag": tag_of(kind), "fields": list(kind.__struct_fields__), "meaning": _first_line(kind)} for kind in EVENTS
    ]
    common.rows("events", rows)
