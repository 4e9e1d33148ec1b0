"""Receipts as the API shows them, and where the receipt of a transaction is found.

A transaction is *unknown*, *accepted* (it waits for its block; nothing is promised) or *final* (a certificate covers
its block; nothing will change). A final transaction may have been refused: then its receipt has the reason.
"""

from typing import Any, Literal

import msgspec
from sqlalchemy import select

from stoa.api.facts import event_form
from stoa.api.problems import Reason, reason_of
from stoa.api.services import Services
from stoa.journal.journal import Journal
from stoa.ledger.catalog import read_body, read_receipt
from stoa.node.places import Located
from stoa.readmodel.schema import TRANSACTIONS
from stoa.wire.envelope import read_envelope
from stoa.wire.forms import to_form


class ReceiptView(msgspec.Struct, frozen=True):
    """A receipt, decoded, beside the canonical bytes (hexadecimal) that a proof is about.

    ``height`` and ``index`` say where it is, ``failed`` which instruction was refused (-1: the envelope, or none).
    ``certificate`` has the votes of a quorum for the block's hash: they are what makes it final.
    """

    transaction: str
    height: int
    index: int
    time: int
    applied: bool
    rejection: Reason | None
    failed: int
    events: list[dict[str, Any]]
    block_hash: str
    certificate: dict[str, Any] | None
    proof: str
    bytes: str


class TransactionView(msgspec.Struct, frozen=True):
    """What has become of a transaction. ``receipt`` is there once it is final."""

    transaction: str
    status: Literal["accepted", "final"]
    url: str
    receipt: ReceiptView | None = None
    body: dict[str, Any] | None = None


class Place(msgspec.Struct, frozen=True):
    """Where a receipt is. ``settled``: it is what became of the transaction for good; else only one envelope of it was
    refused, such as a copy with a stranger's signature, and another may yet be what counts."""

    height: int
    index: int
    settled: bool = True


def url_of(transaction: bytes) -> str:
    """Where the transaction is asked after."""
    return f"/v1/transactions/{transaction.hex()}"


def place_of(services: Services, transaction: bytes) -> Place | None:
    """Where the receipt of a final transaction is: as the node remembers it, or else as the views have it."""
    located = services.node.located(transaction)
    if located is not None:
        return place_at(located)
    table = TRANSACTIONS.c
    settled = (table.code == 0) | (table.failed >= 0)
    mine = select(table.height, table["index"], settled).where(table.id == transaction)
    with services.views.read() as views:
        row = views.execute(mine.order_by(settled.desc(), table.height, table["index"]).limit(1)).first()
    return None if row is None else Place(row[0], row[1], bool(row[2]))


def place_at(located: Located) -> Place:
    """The place of what the node remembers."""
    receipt = read_receipt(located.receipt)
    return Place(located.height, located.index, receipt.applied or receipt.failed >= 0)


def receipt_at(journal: Journal, place: Place, language: str) -> ReceiptView:
    """The receipt there. Raises LookupError."""
    block = journal.block(place.height)
    if not 0 <= place.index < len(block.receipts):
        raise LookupError(f"block {place.height} has no receipt {place.index}")
    raw, certificate = block.receipts[place.index], journal.certificate(place.height)
    receipt = read_receipt(raw)
    return ReceiptView(
        transaction=receipt.transaction.hex(),
        height=place.height,
        index=place.index,
        time=block.header.time,
        applied=receipt.applied,
        rejection=None if receipt.rejection is None else reason_of(receipt.rejection, language, receipt.failed),
        failed=receipt.failed,
        events=[event_form(event) for event in receipt.events],
        block_hash=block.header.hash().hex(),
        certificate=None if certificate is None else to_form(certificate),
        proof=f"/v1/proofs/receipts/{receipt.transaction.hex()}",
        bytes=raw.hex(),
    )


def body_at(journal: Journal, place: Place) -> dict[str, Any] | None:
    """What was asked for there; None for work that fell due, and for bytes that nobody can read."""
    block = journal.block(place.height)
    if place.index >= len(block.envelopes):
        return None
    try:
        form: dict[str, Any] = to_form(read_body(read_envelope(block.envelopes[place.index]).body))
    except ValueError:
        return None
    return form


def final_view(services: Services, transaction: bytes, place: Place, language: str) -> TransactionView:
    """The final transaction with its receipt and what it asked for."""
    receipt = receipt_at(services.node.journal, place, language)
    body = body_at(services.node.journal, place)
    return TransactionView(transaction.hex(), "final", url_of(transaction), receipt, body)


def view_of(services: Services, transaction: bytes, language: str) -> TransactionView | None:
    """What is known of the transaction; None if nothing is."""
    place = place_of(services, transaction)
    if place is not None:
        return final_view(services, transaction, place, language)
    if services.node.gate.is_waiting(transaction):
        return TransactionView(transaction.hex(), "accepted", url_of(transaction))
    return None
