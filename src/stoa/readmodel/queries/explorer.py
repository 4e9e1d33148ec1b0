"""The ledger itself: blocks, transactions with what they asked and what became of them, and receipts."""

import json
from typing import Any, Final

import msgspec
from sqlalchemy import Connection, Select, select

from stoa.kernel.base import figures
from stoa.kernel.identifiers import address
from stoa.ledger.catalog import read_body, read_receipt, tag_of
from stoa.readmodel.queries.paging import PAGE, Page, behind, bounded_limit, fill, numbers, page
from stoa.readmodel.schema import BLOCKS, EVENTS, RECEIPTS, TRANSACTIONS
from stoa.readmodel.views import tip
from stoa.wire.envelope import read_envelope

MOST_EVENTS: Final = 1_000  # of one transaction in one answer


class BlockLine(msgspec.Struct, frozen=True):
    """A block; genesis is at height 0. ``receipts`` counts those of due work as well; ``final``: a certificate covers
    it; ``votes`` are those of its own certificate, 0 if a later one covers it."""

    height: int
    hash: str
    previous: str
    time: int
    producer: str
    number: int
    count: int
    receipts: int
    envelopes_root: str
    receipts_root: str
    writes_hash: str
    votes: int
    final: bool


class TransactionLine(msgspec.Struct, frozen=True):
    """A transaction, or with ``due`` a piece of work that fell due. ``code`` 0: applied; else the rejection's number
    and name, and ``failed`` the place of the instruction refused (-1: the envelope). ``tags`` are what it asked for."""

    height: int
    index: int
    id: str
    time: int
    due: bool
    author: str
    lane: int
    sequence: int
    tags: tuple[str, ...]
    code: int
    name: str
    failed: int
    size: int


class EventLine(msgspec.Struct, frozen=True):
    """A fact, the ``n``-th of its receipt, with its fields by name."""

    height: int
    index: int
    n: int
    tag: str
    body: dict[str, Any]


class TransactionDetail(msgspec.Struct, frozen=True):
    """``instructions`` are tag and fields; ``en`` and ``ko`` say why it was refused; ``figures`` are what was found."""

    line: TransactionLine
    signers: tuple[str, ...]
    instructions: tuple[dict[str, Any], ...]
    en: str
    ko: str
    figures: dict[str, Any]
    events: tuple[EventLine, ...]


class RawReceipt(msgspec.Struct, frozen=True):
    """The bytes that a proof is about. ``envelope`` is None for due work."""

    height: int
    index: int
    receipt: bytes
    envelope: bytes | None


def blocks(db: Connection, after: str = "", limit: int = PAGE) -> Page[BlockLine]:
    """Blocks, the newest first. The cursor is the last height. Raises BadCursor."""
    limit, certified = bounded_limit(limit), _certified(db)
    wanted = select(BLOCKS).order_by(BLOCKS.c.height.desc()).limit(limit + 1)
    if after:
        wanted = wanted.where(BLOCKS.c.height < numbers(after, 1)[0])
    found = db.execute(wanted).all()
    return page(found, limit, lambda row: _block(row, certified), lambda row: str(row.height))


def block(db: Connection, height: int) -> BlockLine | None:
    """The block, or None."""
    row = db.execute(select(BLOCKS).where(BLOCKS.c.height == height)).first()
    return _block(row, _certified(db)) if row else None


def _certified(db: Connection) -> int:
    at = tip(db)
    return at.certified if at else 0


def _block(row: Any, certified: int) -> BlockLine:
    return fill(BlockLine, row, final=row.height <= certified)


def transactions(
    db: Connection, height: int | None = None, author: bytes = b"", after: str = "", limit: int = PAGE
) -> Page[TransactionLine]:
    """Of a block in its order, or else the newest first, of one author or of all. Raises BadCursor."""
    limit, table = bounded_limit(limit), TRANSACTIONS.c
    key = (table.height, table["index"])
    wanted = select(TRANSACTIONS)
    if height is not None:
        wanted = wanted.where(table.height == height)
    if author:
        wanted = wanted.where(table.author == author)
    if after:
        wanted = wanted.where(behind(key, numbers(after, 2), newest_first=height is None))
    order = key if height is not None else tuple(column.desc() for column in key)
    found = db.execute(wanted.order_by(*order).limit(limit + 1)).all()
    return page(found, limit, _transaction, lambda row: f"{row.height}.{row._mapping['index']}")


def _transaction(row: Any) -> TransactionLine:
    return fill(
        TransactionLine, row, author=address(row.author) if row.author else "", tags=tuple(json.loads(row.tags))
    )


def transaction(db: Connection, transaction: bytes) -> TransactionDetail | None:
    """The transaction, or piece of due work, of this id; None if there is none.

    The same bytes may be ordered twice: then this is where they were applied, or else last refused.
    """
    row = db.execute(_by_id(select(TRANSACTIONS), transaction)).first()
    if row is None:
        return None
    line = _transaction(row)
    raw = _raw(db, line.height, line.index)
    rejection = read_receipt(raw.receipt).rejection
    signers, instructions = _asked(raw.envelope) if line.author else ((), ())
    return TransactionDetail(
        line,
        signers,
        instructions,
        rejection.sentence("en") if rejection else "",
        rejection.sentence("ko") if rejection else "",
        figures(rejection) if rejection else {},
        events_of(db, line.height, line.index),
    )


def receipt(db: Connection, transaction: bytes) -> RawReceipt | None:
    """The receipt of a transaction as its block commits to it, or None."""
    row = db.execute(_by_id(select(TRANSACTIONS), transaction)).first()
    return _raw(db, row.height, row._mapping["index"]) if row else None


def _by_id(query: Select[Any], transaction: bytes) -> Select[Any]:
    table = TRANSACTIONS.c
    best = (table.code != 0, table.height.desc(), table["index"].desc())
    return query.where(table.id == transaction).order_by(*best).limit(1)


def _raw(db: Connection, height: int, index: int) -> RawReceipt:
    row = db.execute(select(RECEIPTS).where(RECEIPTS.c.height == height, RECEIPTS.c["index"] == index)).one()
    return RawReceipt(height, index, row.receipt, row.envelope)


def _asked(envelope: bytes | None) -> tuple[tuple[str, ...], tuple[dict[str, Any], ...]]:
    """Who signed an envelope, and what for."""
    assert envelope is not None
    signed = read_envelope(envelope)
    signers = tuple(dict.fromkeys(address(one.account) for one in signed.signatures))
    asked = read_body(signed.body).instructions
    return signers, tuple({"tag": tag_of(type(one)), **figures(one)} for one in asked)


def events_of(db: Connection, height: int, index: int) -> tuple[EventLine, ...]:
    """The first facts of one receipt, in their order."""
    table = EVENTS.c
    wanted = select(EVENTS).where(table.height == height, table["index"] == index).order_by(table.n)
    return tuple(_event(row) for row in db.execute(wanted.limit(MOST_EVENTS)))


def _event(row: Any) -> EventLine:
    return fill(EventLine, row, body=json.loads(row.body))
