"""The views' database: opened, read from, and emptied when it no longer means what the code means.

Owns the connection, its isolation and the cursor row. A reader sees one consistent state, that after some block; the
one writer is ``project``. Views that were made by another version of the schema are emptied on opening: whoever feeds
them sees height -1 and starts from genesis, which is all that a migration would have to achieve.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final, Self

import msgspec
from sqlalchemy import Connection, Engine, create_engine, event, inspect, select
from sqlalchemy.engine import make_url

from stoa.readmodel.schema import CURSOR, METADATA, schema_version

NOTHING: Final = -1  # the height of views that do not even know genesis
BUSY_SECONDS: Final = 30  # how long a SQLite reader or writer waits for the other


class Tip(msgspec.Struct, frozen=True):
    """How far the views have come. ``certified``: the highest block that a certificate covers."""

    chain: str
    height: int
    hash: bytes
    time: int
    certified: int
    moves: int


class Views:
    """An open database of views. Safe for threads: each reader takes a connection of its own."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine

    @classmethod
    def open(cls, url: str | Path) -> Self:
        """Open views at a path (SQLite) or a database URL (``sqlite:///…``, ``postgresql://…``), made if absent.

        Views of another schema version are emptied. Raises sqlalchemy.exc.OperationalError without a database.
        """
        views = cls(_engine(url))
        if not views._current():
            views.clear()
        return views

    def _current(self) -> bool:
        with self.engine.begin() as connection:
            if not inspect(connection).has_table(CURSOR.name):
                return False
            columns = {column["name"] for column in inspect(connection).get_columns(CURSOR.name)}
            if "version" not in columns:
                return False
            return connection.scalar(select(CURSOR.c.version)) == schema_version()

    def clear(self) -> None:
        """Drop every table and make it anew, in one transaction."""
        with self.engine.begin() as connection:
            stored = type(METADATA)()
            stored.reflect(connection)
            stored.drop_all(connection)
            METADATA.create_all(connection)

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """A connection that sees the views as they stand now, however they move on meanwhile."""
        with self.engine.connect() as connection:
            if connection.dialect.name == "postgresql":
                connection = connection.execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True)
            yield connection

    @property
    def height(self) -> int:
        """Of the last block in the views; 0 when there is only genesis, -1 when there is nothing."""
        with self.read() as connection:
            found = tip(connection)
        return found.height if found else NOTHING

    def close(self) -> None:
        """Let go of every connection."""
        self.engine.dispose()


def tip(connection: Connection) -> Tip | None:
    """The cursor, or None when nothing has been projected."""
    row = connection.execute(select(*(CURSOR.c[field] for field in Tip.__struct_fields__))).first()
    return Tip(*row) if row else None


def _engine(url: str | Path) -> Engine:
    parsed = make_url(f"sqlite:///{url}" if isinstance(url, Path) else url)
    if parsed.get_backend_name() == "postgresql":
        return create_engine(parsed.set(drivername="postgresql+psycopg"))
    engine = create_engine(parsed, connect_args={"timeout": BUSY_SECONDS})
    event.listen(engine, "connect", _set_up_sqlite)
    event.listen(engine, "begin", _begin_sqlite)
    return engine


def _set_up_sqlite(connection: Any, _: Any) -> None:
    connection.isolation_level = None  # the driver begins no transaction of its own: a read is a transaction as well
    for pragma in ("journal_mode = WAL", "synchronous = NORMAL", "foreign_keys = OFF"):
        connection.execute(f"PRAGMA {pragma}")


def _begin_sqlite(connection: Connection) -> None:
    connection.exec_driver_sql("BEGIN")
