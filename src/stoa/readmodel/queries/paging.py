"""What every answer is made with: pages of bounded length with a cursor, rows turned into structs, exact sums."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final, Generic, TypeVar

import msgspec
from sqlalchemy import Column, ColumnElement, and_, false, func, or_

from stoa.kernel.identifiers import ACCOUNT_BYTES, address

T = TypeVar("T")
S = TypeVar("S", bound=msgspec.Struct)

PAGE: Final = 50  # items of a page that nobody asked to be longer
LONGEST_PAGE: Final = 500
_HALF: Final = 2**31


class Page(msgspec.Struct, Generic[T], frozen=True):
    """Items, and the cursor to ask for what follows; empty when nothing does."""

    items: tuple[T, ...]
    next: str


class BadCursor(ValueError):
    """The text is not a cursor that this question gave."""


def bounded_limit(limit: int) -> int:
    """How many items to answer with, whatever was asked for."""
    return max(1, min(limit, LONGEST_PAGE))


def page(found: Sequence[Any], limit: int, make: Callable[[Any], T], cursor: Callable[[Any], str]) -> Page[T]:
    """A page of the first ``limit`` rows; one row more was read to know whether there are any."""
    shown = found[:limit]
    return Page(tuple(make(row) for row in shown), cursor(shown[-1]) if len(found) > limit else "")


def numbers(cursor: str, count: int) -> tuple[int, ...]:
    """A cursor of this many numbers, written with dots. Raises BadCursor."""
    parts = cursor.split(".")
    if len(parts) != count or not all(part.isascii() and part.isdigit() and len(part) < 20 for part in parts):
        raise BadCursor(f"{cursor!r} is not a cursor of this list")
    return tuple(int(part) for part in parts)


def behind(columns: Sequence[Column[Any]], key: Sequence[Any], newest_first: bool = False) -> ColumnElement[bool]:
    """The rows that come after the one with this key, in the order of these columns, all rising or all falling."""
    found: ColumnElement[bool] = false()
    for column, value in reversed(list(zip(columns, key, strict=True))):
        further = column < value if newest_first else column > value
        found = or_(further, and_(column == value, found))
    return found


def fill(kind: type[S], row: Any, **more: Any) -> S:
    """The struct, from columns of the same names; ``more`` gives the fields that no column has."""
    values: Mapping[str, Any] = row._mapping
    given = {name: readable(values[name]) for name in kind.__struct_fields__ if name in values and name not in more}
    return kind(**given, **more)


def readable(value: Any) -> Any:
    """Bytes as people read them: an address, or hexadecimal."""
    if isinstance(value, bytes):
        return address(value) if len(value) == ACCOUNT_BYTES else value.hex()
    return value


def halves(column: ColumnElement[int]) -> tuple[ColumnElement[int], ColumnElement[int]]:
    """Two sums that ``joined`` makes one of, exact where the sum of a column would be too large for a database."""
    low = column % _HALF
    return func.coalesce(func.sum((column - low) // _HALF), 0), func.coalesce(func.sum(low), 0)


def joined(high: Any, low: Any) -> int:
    """The sum behind two halves."""
    return int(high) * _HALF + int(low)
