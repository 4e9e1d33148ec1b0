"""The chain as rows: blocks, transactions with their outcome, raw receipts, and every event as JSON.

Writes once and changes nothing afterwards. What was refused is here as well, with its number and name.
"""

from collections.abc import Iterator
from typing import Final

import msgspec

from stoa.kernel.base import Event, figures
from stoa.kernel.codec import Malformed
from stoa.ledger.catalog import EVENTS as EVENT_KINDS
from stoa.ledger.catalog import Body, Receipt, read_body, read_receipt, tag_of
from stoa.readmodel.draft import At, Draft, Row
from stoa.readmodel.reasons import kept_by, reasons_of
from stoa.readmodel.schema import BLOCKS, EVENTS, RECEIPTS, TRANSACTIONS
from stoa.wire.block import Block, Header
from stoa.wire.envelope import read_envelope

APPLIED: Final = "Applied"  # the name of an outcome without a rejection; its code is 0
TAGS: Final[dict[type[Event], str]] = {kind: str(tag_of(kind)) for kind in EVENT_KINDS}

_json = msgspec.json.Encoder()


def as_json(value: object) -> str:
    """JSON text for a column."""
    return _json.encode(value).decode()


def header_row(header: Header, block_hash: bytes, receipts: int, votes: int) -> Row:
    """The row of a block, or of genesis."""
    return {
        "height": header.height,
        "hash": block_hash,
        "previous": header.previous,
        "time": header.time,
        "producer": header.producer,
        "number": header.number,
        "count": header.count,
        "receipts": receipts,
        "envelopes_root": header.envelopes_root,
        "receipts_root": header.receipts_root,
        "writes_hash": header.writes_hash,
        "votes": votes,
    }


def enter_block(draft: Draft, block: Block, block_hash: bytes, votes: int) -> list[tuple[At, str, Event]]:
    """Enter the block with all that is in it, and return its events in their order."""
    draft.add(BLOCKS, header_row(block.header, block_hash, len(block.receipts), votes))
    return [found for place in range(len(block.receipts)) for found in _enter_receipt(draft, block, place)]


def _enter_receipt(draft: Draft, block: Block, place: int) -> Iterator[tuple[At, str, Event]]:
    raw = block.receipts[place]
    receipt = read_receipt(raw)
    due = place >= len(block.envelopes)  # receipts of the transactions come first, then of what fell due
    envelope = None if due else block.envelopes[place]
    draft.add(TRANSACTIONS, _transaction(receipt, block.header.time, envelope))
    draft.add(RECEIPTS, {"height": receipt.height, "index": place, "receipt": raw, "envelope": envelope})
    for n, event in enumerate(receipt.events):
        tag, body = TAGS[type(event)], as_json(_fields(event))
        draft.add(EVENTS, {"height": receipt.height, "index": place, "n": n, "tag": tag, "body": body})
        yield At(receipt.height, block.header.time, place, n), tag, event


def _fields(event: Event) -> dict[str, object]:
    """The fields of an event by name, the rejections that it keeps decoded."""
    kept = kept_by(event)
    return figures(event) if kept is None else {**figures(event), "reasons": reasons_of(kept)}


def _transaction(receipt: Receipt, time: int, envelope: bytes | None) -> Row:
    body = _body(envelope)
    return {
        "height": receipt.height,
        "index": receipt.index,
        "id": receipt.transaction,
        "time": time,
        "due": envelope is None,
        "author": body.author if body else None,
        "lane": body.lane if body else 0,
        "sequence": body.sequence if body else 0,
        "tags": as_json([tag_of(type(ins)) for ins in body.instructions]) if body else "[]",
        "code": receipt.rejection.code if receipt.rejection else 0,
        "name": receipt.rejection.name if receipt.rejection else APPLIED,
        "failed": receipt.failed,
        "size": len(envelope) if envelope else 0,
    }


def _body(envelope: bytes | None) -> Body | None:
    """What was asked for; None for due work and for bytes that nobody can read."""
    try:
        return read_body(read_envelope(envelope).body) if envelope is not None else None
    except Malformed:
        return None
