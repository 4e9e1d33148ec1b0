"""The benchmark's crowd: so many holders of one security, written straight into a state store.

They are whole (persons, accounts, claims, lines, lots, positions, counts), so every invariant holds over them; but they
are no part of the journal, so such a folder is good for measuring only. Their keys are no keys: nobody signs for them.
"""

from collections.abc import Iterator
from itertools import chain
from pathlib import Path
from typing import Any, Final

from stoa.bench.market import ASSET
from stoa.kernel.codec import encode
from stoa.kernel.time import DAY
from stoa.ledger.assets.model import HOLDINGS, LOTS, PORTFOLIO, SUPPLY, Holding, Lot
from stoa.ledger.compliance.model import (
    BY_CATEGORY,
    BY_COUNTRY,
    CLAIMS,
    COUNTS,
    IDENTITY,
    POSITIONS,
    TOTAL,
    Claim,
    Position,
)
from stoa.ledger.identity.model import ACCOUNTS, PARTIES, Account, Party
from stoa.ledger.state import Table
from stoa.node.state_store import Rows, StateStore

UNITS: Final = 100  # of each
COUNTRIES: Final = ("KR", "US")  # in turn
_FIRST_PARTY: Final = 10_000_000
_AT_ONCE: Final = 100_000  # rows of one write

Row = tuple[bytes, bytes]


def account_of(number: int, holders: int) -> bytes:
    """The account of this holder, spread over all that an account may be."""
    return (number * (2**160 // holders)).to_bytes(20, "big")


def write_crowd(folder: Path, holders: int, time: int) -> None:
    """Add the crowd to the store of a node that is not running. ``time`` is when they came, in milliseconds."""
    store = StateStore(folder, durable=False)
    standing = store.standing()
    assert standing is not None
    rows: Rows = []
    for row in chain(_persons(holders, time), _register(holders, time), _totals(store, holders)):
        rows.append(row)
        if len(rows) == _AT_ONCE:
            store.write(rows, standing)
            rows = []
    store.write(rows, standing)
    store.close()


def _persons(holders: int, time: int) -> Iterator[Row]:
    party, claims = encode(Party(False, "BROKER", time)), [
        encode(Claim(country, time, time + 365 * DAY, False)) for country in COUNTRIES
    ]  # fmt: skip
    for at in range(holders):
        yield PARTIES.pack(_FIRST_PARTY + at), party
    for at in range(holders):
        yield CLAIMS.pack((_FIRST_PARTY + at, IDENTITY, "IDP")), claims[at % len(COUNTRIES)]
    for at in range(holders):
        keys = (b"\2" + at.to_bytes(32, "big"),)
        account = Account(_FIRST_PARTY + at, "BROKER", 1, keys, False, b"", time)
        yield ACCOUNTS.pack(account_of(at, holders)), encode(account)


def _register(holders: int, time: int) -> Iterator[Row]:
    line, lot = encode(Holding(UNITS, 0, 0, 0, 0, 1, 0)), encode(Lot(UNITS, time, b"", 0, 0))
    portfolio, positions = encode((ASSET,)), [encode(Position(UNITS, country, "")) for country in COUNTRIES]
    for at in range(holders):
        yield POSITIONS.pack((_FIRST_PARTY + at, ASSET)), positions[at % len(COUNTRIES)]
    for at in range(holders):
        yield HOLDINGS.pack((ASSET, account_of(at, holders))), line
    for at in range(holders):
        yield LOTS.pack((ASSET, account_of(at, holders), 0)), lot
    for at in range(holders):
        yield PORTFOLIO.pack(account_of(at, holders)), portfolio


def _totals(store: StateStore, holders: int) -> Iterator[Row]:
    """The supply and the counts, raised by the crowd."""
    yield _raised(store, SUPPLY, ASSET, UNITS * holders)
    for by, value in ((TOTAL, ""), (BY_CATEGORY, "")):
        yield _raised(store, COUNTS, (ASSET, by, value), holders)
    for at, country in enumerate(COUNTRIES):
        share = (holders - at + len(COUNTRIES) - 1) // len(COUNTRIES)
        yield _raised(store, COUNTS, (ASSET, BY_COUNTRY, country), share)


def _raised(store: StateStore, table: Table[Any, int], key: Any, by: int) -> Row:
    raw = table.pack(key)
    before = store.get(raw)
    return raw, encode(by + (table.decode(before) if before else 0))
