"""The draft: the rows that a few blocks change, kept in memory until they are written in one SQL transaction.

Handlers read and change rows here; each row is read at most once and written at most once, in bulk, however many
events touch it. Owns no meaning of any row.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Final, NamedTuple

from sqlalchemy import ClauseElement, ColumnElement, Connection, Table, and_, bindparam, delete, insert, select, tuple_
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.dml import Insert

from stoa.readmodel.schema import LARGEST

Key = tuple[Any, ...]
Row = dict[str, Any]

KEYS_PER_READ: Final = 500  # keys named in one SELECT; a key has up to three parts, and SQLite binds 32,766 values


class At(NamedTuple):
    """Where an event happened: its block and the block's time, its receipt, and its place among the events there."""

    height: int
    time: int
    receipt: int
    n: int


class Rows:
    """Rows of one table by primary key. A row is a plain dictionary; a changed one is handed back by ``put``."""

    def __init__(self, connection: Connection, table: Table) -> None:
        self._connection, self._table = connection, table
        self._keys = list(table.primary_key.columns)
        self._names = [column.name for column in self._keys]
        self._rows: dict[Key, Row | None] = {}
        self._changed: dict[Key, None] = {}
        self._stored: set[Key] = set()

    def load(self, keys: Iterable[Key]) -> None:
        """Read these rows now, together, as far as they are not known yet."""
        wanted = [key for key in dict.fromkeys(keys) if key not in self._rows]
        for start in range(0, len(wanted), KEYS_PER_READ):
            part = wanted[start : start + KEYS_PER_READ]
            self._rows.update(dict.fromkeys(part))
            found = self._connection.execute(select(self._table).where(self._among(part)))
            names = list(found.keys())
            for values in found:
                row = dict(zip(names, values, strict=True))
                key = tuple([row[name] for name in self._names])
                self._rows[key] = row
                self._stored.add(key)

    def _among(self, keys: list[Key]) -> ColumnElement[bool]:
        if len(self._keys) == 1:
            return self._keys[0].in_([key[0] for key in keys])
        return tuple_(*self._keys).in_(keys)

    def get(self, *key: Any) -> Row | None:
        """The row as it stands now, or None."""
        if key not in self._rows:
            self.load([key])
        return self._rows[key]

    def need(self, *key: Any) -> Row:
        """The row, which earlier events have made. A KeyError here is a bug."""
        row = self.get(*key)
        if row is None:
            raise KeyError(f"{self._table.name} has no row {key!r}")
        return row

    def put(self, row: Row) -> None:
        """The row is new, or has changed."""
        key = tuple([row[name] for name in self._names])
        self._rows[key] = row
        self._changed[key] = None

    def remove(self, *key: Any) -> None:
        """The row is gone."""
        self._rows[key] = None
        self._changed[key] = None

    def write(self) -> None:
        """Bring the table up to the draft."""
        kept = [row for key in self._changed if (row := self._rows[key]) is not None]
        gone = [key for key in self._changed if self._rows[key] is None and key in self._stored]
        if kept:
            _run_many(self._connection, _upsert(self._connection.dialect.name, self._table), kept)
        if gone:
            parts = [column == bindparam(f"key_{column.name}") for column in self._keys]
            rows = [dict(zip([f"key_{name}" for name in self._names], key, strict=True)) for key in gone]
            _run_many(self._connection, delete(self._table).where(and_(*parts)), rows)


def _upsert(dialect: str, table: Table) -> Insert:
    maker: Callable[[Table], Any] = postgresql.insert if dialect == "postgresql" else sqlite.insert
    statement = maker(table)
    others = {column.name: statement.excluded[column.name] for column in table.columns if not column.primary_key}
    upsert: Insert = statement.on_conflict_do_update(index_elements=list(table.primary_key.columns), set_=others)
    return upsert


def _run_many(connection: Connection, statement: ClauseElement, rows: list[Row]) -> None:
    """Run a statement once for each row, as the driver takes it: both drivers know every type of a column by itself,
    and what SQLAlchemy would convert on the way costs half of a projection's time."""
    compiled = statement.compile(dialect=connection.dialect)
    assert isinstance(compiled, SQLCompiler)
    names = compiled.positiontup
    values = rows if names is None else [tuple([row[name] for name in names]) for row in rows]
    connection.exec_driver_sql(compiled.string, values)


class Draft:
    """What is about to be written. ``moves`` counts the movements of the chain so far; ``joined`` are reports of
    joined lots that wait for the movement they belong to."""

    def __init__(self, connection: Connection, moves: int) -> None:
        self.connection, self.moves = connection, moves
        self.joined: list[Any] = []
        self._rows: dict[str, Rows] = {}
        self._added: dict[str, tuple[Table, list[Row]]] = {}

    def rows(self, table: Table) -> Rows:
        """The table's rows by key."""
        if table.name not in self._rows:
            self._rows[table.name] = Rows(self.connection, table)
        return self._rows[table.name]

    def add(self, table: Table, row: Row) -> None:
        """A row that is written once and never read back here."""
        if table.name not in self._added:
            self._added[table.name] = (table, [])
        self._added[table.name][1].append(row)

    def write(self) -> None:
        """Write everything, in the connection's transaction."""
        for table, rows in self._added.values():
            _run_many(self.connection, insert(table), rows)
        for keyed in self._rows.values():
            keyed.write()


Tagged = Mapping[str, Sequence[Any]]  # the events at hand, by tag
Handler = Callable[[Draft, At, Any], None]


def bounded(figure: int) -> int:
    """The figure, or the largest a column can hold: parties may state costs whose sum no database can."""
    return min(figure, LARGEST)
