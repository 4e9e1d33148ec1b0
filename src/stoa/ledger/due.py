"""Work that falls due: what must happen at a time without anybody asking, in time order, a bounded amount a block.

A domain schedules an item under a kind; the catalog knows which function does that kind. A long piece of work does as
many steps as it is allowed and stays due; it keeps its own place in its own rows.

What must happen in one very block, whatever its time, is work at a height: a domain keeps its own bounded agenda of it,
and the catalog knows the function. It is done first and wholly.
"""

from typing import Annotated, Final, Protocol

from msgspec import Meta

from stoa.kernel.base import Context
from stoa.kernel.codec import Shape, encode
from stoa.kernel.hashing import tagged
from stoa.ledger.state import NUMBER, TEXT, State, Table


class DueItem(Shape):
    """What to do, and about what. ``ref`` is the domain's own key as text."""

    kind: str
    ref: Annotated[str, Meta(max_length=200)]


class DueWork(Protocol):
    """Does up to ``budget`` steps of an item. Returns the steps done and whether the item is finished."""

    def __call__(self, view: State, ctx: Context, ref: str, budget: int) -> tuple[int, bool]: ...


class HeightWork(Protocol):
    """Does all that is set for the block of ``ctx.height``."""

    def __call__(self, view: State, ctx: Context) -> None: ...


DUE: Final = Table[tuple[int, int], DueItem](8, "due", (NUMBER, NUMBER), DueItem, scanned=True)
COUNTERS: Final = Table[str, int](9, "counter", (TEXT,), int)


def next_number(view: State, name: str) -> int:
    """The next number of a named series, from 1."""
    number = (view.get(COUNTERS, name) or 0) + 1
    view.put(COUNTERS, name, number)
    return number


def schedule(view: State, time: int, kind: str, ref: str) -> None:
    """Have the work done in the first block at or after the time (milliseconds)."""
    view.put(DUE, (time, next_number(view, "due")), DueItem(kind, ref))


def next_due(view: State) -> int | None:
    """When the earliest item falls due, or None."""
    rows = view.scan(DUE, (), 1)
    return rows[0][0][0] if rows else None


def due_id(chain: str, height: int, key: tuple[int, int]) -> bytes:
    """The id under which a piece of due work is receipted in a block."""
    return tagged("stoa.due", encode((chain, height, key)))


def height_id(chain: str, height: int, kind: str) -> bytes:
    """The id under which a kind of work at a height is receipted in its block."""
    return tagged("stoa.height", encode((chain, height, kind)))
