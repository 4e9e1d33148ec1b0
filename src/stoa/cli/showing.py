"""How answers look on a terminal: tables of rows, tables of fields, times as dates.

For people only; ``--json`` gives every value as it is. Numbers stay in the smallest unit of their asset.
"""

import json
from collections.abc import Mapping, Sequence
from typing import Any, Final

from rich.markup import escape
from rich.table import Table

from stoa.kernel.time import iso

MAX_COLUMNS: Final = 7  # wider rows are written as lines, field by field
TIMES: Final = frozenset(
    "time record payment announced created opens closes until expires issued effective acquired locked made ended "
    "opened registered adopted placed last_time valid_until".split()
)
FIRST_TIME: Final = 1_000_000_000_000  # smaller numbers are no times of a ledger


def rows_table(rows: Sequence[Mapping[str, Any]], title: str = "") -> Table:
    """A table of rows that have the same fields."""
    if rows and len(rows[0]) > MAX_COLUMNS:
        return _lines_table(rows, title)
    table = Table(title=title or None, title_justify="left")
    for name in rows[0] if rows else ("nothing",):
        table.add_column(_label(name), overflow="fold")
    for row in rows:
        table.add_row(*(_cell(name, value) for name, value in row.items()))
    return table


def _lines_table(rows: Sequence[Mapping[str, Any]], title: str) -> Table:
    """A table of wide rows: the first field beside all others that say something."""
    first, *others = rows[0]
    table = Table(title=title or None, title_justify="left", show_lines=True)
    table.add_column(_label(first), no_wrap=True)
    table.add_column(overflow="fold")
    for row in rows:
        said = [f"[dim]{_label(name)}[/] {_cell(name, row[name])}" for name in others if row[name] not in ("", [], 0)]
        table.add_row(_cell(first, row[first]), "  ".join(said))
    return table


def fields_table(value: Mapping[str, Any], title: str = "") -> Table:
    """A table of one thing's fields; a list of things inside becomes a table of its own."""
    table = Table(title=title or None, title_justify="left", show_header=False)
    table.add_column(no_wrap=True)
    table.add_column(overflow="fold")
    for name, item in value.items():
        nested = isinstance(item, list) and item and isinstance(item[0], dict)
        table.add_row(_label(name), rows_table(item) if nested else _cell(name, item))
    return table


def _label(name: str) -> str:
    return escape(name.replace("_", " "))


def _cell(name: str, value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int) and name in TIMES and value >= FIRST_TIME:
        return iso(value)
    if isinstance(value, (list, tuple)) and all(isinstance(item, (str, int)) for item in value):
        return escape(", ".join(str(item) for item in value))
    if isinstance(value, (dict, list, tuple)):
        return escape(json.dumps(value, ensure_ascii=False))
    return escape(str(value))
