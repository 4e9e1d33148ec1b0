"""A walk through one segment that goes on after damage, because somebody knows where the records start.

Owns the step: the record at an offset, or the bytes up to where the next one is known to start. The scrub and whoever
writes a segment anew take it; ``check.inspect``, which trusts no index, finds the next record by its marker instead.
"""

from bisect import bisect_left
from typing import NamedTuple

from stoa.journal.disk import File
from stoa.journal.record import Record, Unreadable, read_record
from stoa.journal.segment import Row


class Stretch(NamedTuple):
    """Some bytes of a segment."""

    start: int
    end: int
    row: Row | None  # the record that should start here, as the index has it
    found: Record | Unreadable


def stretch(file: File, start: int, marker: bytes, rows: list[Row], end: int) -> Stretch:
    """The next stretch of a segment whose records end at ``end``: a whole record, or what is damaged."""
    number = bisect_left(rows, start, key=_start)
    row = rows[number] if number < len(rows) and _start(rows[number]) == start else None
    try:
        record = read_record(file, start, marker)
        return Stretch(start, record.end, row, record)
    except Unreadable as flaw:
        number += row is not None
        return Stretch(start, _start(rows[number]) if number < len(rows) else end, row, flaw)


def _start(row: Row) -> int:
    return row[2]
