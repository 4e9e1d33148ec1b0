"""One box for everything: a height, a hash, an address, a number or a code, and what the ledger knows by it."""

from collections.abc import Iterator
from typing import Final

import msgspec
from sqlalchemy import Column, Connection, Table, select

from stoa.kernel.identifiers import BadAddress, address, parse_address
from stoa.readmodel.schema import (
    ACCOUNTS,
    ASSETS,
    BLOCKS,
    DISTRIBUTIONS,
    INSTITUTIONS,
    LARGEST,
    OFFERINGS,
    PARTIES,
    SECURITIES,
    TRANSACTIONS,
)

MOST_HITS: Final = 10  # of one kind
LONGEST_QUESTION: Final = 120
NAMED: Final[tuple[tuple[str, Table, str], ...]] = (  # kind, table, column of the title; all have a code
    ("security", SECURITIES, "name"),
    ("asset", ASSETS, "name"),
    ("offering", OFFERINGS, "asset"),
    ("distribution", DISTRIBUTIONS, "asset"),
    ("institution", INSTITUTIONS, "name"),
)


class Hit(msgspec.Struct, frozen=True):
    """Something found: ``kind`` (block, transaction, account, party, or one of NAMED)
    and the ``key`` to ask for it with."""

    kind: str
    key: str
    title: str


def search(db: Connection, text: str) -> tuple[Hit, ...]:
    """What the text may mean, the exact things first; codes are found by their beginning."""
    text = text.strip()[:LONGEST_QUESTION]
    return (*_numbered(db, text), *_hashed(db, text), *_addressed(db, text), *_coded(db, text)) if text else ()


def _numbered(db: Connection, text: str) -> Iterator[Hit]:
    if not (text.isascii() and text.isdigit()) or int(text) > LARGEST:
        return
    if db.scalar(select(BLOCKS.c.height).where(BLOCKS.c.height == int(text))) is not None:
        yield Hit("block", text, text)
    if db.scalar(select(PARTIES.c.party).where(PARTIES.c.party == int(text))) is not None:
        yield Hit("party", text, text)


def _hashed(db: Connection, text: str) -> Iterator[Hit]:
    try:
        digest = bytes.fromhex(text)
    except ValueError:
        return
    height = db.scalar(select(BLOCKS.c.height).where(BLOCKS.c.hash == digest))
    if height is not None:
        yield Hit("block", str(height), text)
    if db.scalar(select(TRANSACTIONS.c.height).where(TRANSACTIONS.c.id == digest).limit(1)) is not None:
        yield Hit("transaction", digest.hex(), text)


def _addressed(db: Connection, text: str) -> Iterator[Hit]:
    try:
        account = parse_address(text)
    except BadAddress:
        return
    custodian = db.scalar(select(ACCOUNTS.c.custodian).where(ACCOUNTS.c.account == account))
    if custodian is not None:
        yield Hit("account", address(account), custodian)


def _coded(db: Connection, text: str) -> Iterator[Hit]:
    for kind, table, title in NAMED:
        code: Column[str] = table.c.code
        wanted = select(code, table.c[title]).where(code.startswith(text.upper(), autoescape=True))
        for found, name in db.execute(wanted.order_by(code).limit(MOST_HITS)):
            yield Hit(kind, found, name)
