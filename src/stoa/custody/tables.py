"""The tables behind an institution's doors: users, sessions, API keys, nonces, failures, in one SQLite file.

Promises: what a transaction wrote is on disk when it ends (WAL, ``synchronous=FULL``), for the owner alone.
Owns the schema and the connection; each table's meaning is in the file that uses it.
"""

import os
from pathlib import Path
from sqlite3 import Connection as Sqlite
from typing import Any, Final

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Connection,
    Engine,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    create_engine,
    event,
)

from stoa.custody import durable

META: Final = MetaData()
BUSY_MS: Final = 5_000

USERS: Final = Table(
    "users",
    META,
    Column("id", String(64), primary_key=True),
    Column("password", String(256), nullable=False),
    Column("roles", LargeBinary, nullable=False),
    Column("accounts", LargeBinary, nullable=False),
    Column("party", BigInteger),
    Column("language", String(2), nullable=False),
    Column("active", Boolean, nullable=False),
    Column("created", BigInteger, nullable=False),
)
SESSIONS: Final = Table(
    "sessions",
    META,
    Column("hash", LargeBinary(32), primary_key=True),
    Column("user", String(64), nullable=False),
    Column("created", BigInteger, nullable=False),
    Column("seen", BigInteger, nullable=False),
    Index("sessions_by_user", "user", "created"),
)
API_KEYS: Final = Table(
    "api_keys",
    META,
    Column("public", LargeBinary(33), primary_key=True),
    Column("user", String(64), nullable=False),
    Column("label", String(120), nullable=False),
    Column("created", BigInteger, nullable=False),
    Index("api_keys_by_user", "user"),
)
NONCES: Final = Table(
    "nonces",
    META,
    Column("key", LargeBinary(33), primary_key=True),
    Column("nonce", LargeBinary(16), primary_key=True),
    Column("time", BigInteger, nullable=False),
    Index("nonces_by_time", "time"),
)
ATTEMPTS: Final = Table(
    "attempts",
    META,
    Column("subject", LargeBinary(32), primary_key=True),
    Column("failures", Integer, nullable=False),
    Column("last", BigInteger, nullable=False),
    Index("attempts_by_last", "last"),
)


def connect(path: Path) -> Engine:
    """The engine on the file, created with its tables when it is new."""
    durable.private_directory(path.parent)
    os.close(os.open(path, os.O_RDWR | os.O_CREAT, durable.OWNER_ONLY))  # SQLite's own files take over its mode
    engine = create_engine(f"sqlite:///{path}")
    event.listen(engine, "connect", _prepare)
    event.listen(engine, "begin", _begin)
    META.create_all(engine)
    return engine


def reading(engine: Engine) -> Engine:
    """The same engine for transactions that only read, which wait for nobody."""
    return engine.execution_options(reading=True)


def _prepare(connection: Sqlite, _record: Any) -> None:
    connection.isolation_level = None  # the driver must not begin transactions of its own accord
    connection.execute("PRAGMA journal_mode=WAL")
    connection.execute("PRAGMA synchronous=FULL")
    connection.execute("PRAGMA secure_delete=ON")
    connection.execute(f"PRAGMA busy_timeout={BUSY_MS}")


def _begin(connection: Connection) -> None:
    read_only = connection.get_execution_options().get("reading", False)
    # whoever reads in order to write must have nobody in between
    connection.exec_driver_sql("BEGIN" if read_only else "BEGIN IMMEDIATE")
