"""A small fixed story, told on a real ledger in memory: every byte of it is on record beside this file.

Run as a program it prints the hash of each block and of each write set, for comparison between processes.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from stoa.kernel import merkle
from stoa.kernel.base import Instruction
from stoa.kernel.codec import encode
from stoa.kernel.identifiers import address
from stoa.kernel.time import DAY
from stoa.ledger.assets.model import LotPick
from stoa.ledger.catalog import Receipt, read_body
from stoa.ledger.compliance.attest import Attest
from stoa.ledger.genesis import encode_genesis, genesis_hash
from stoa.ledger.holds.freeze_units import FreezeUnits
from stoa.ledger.holds.place_hold import PlaceHold
from stoa.ledger.settlement.recover import Recover
from stoa.ledger.settlement.settle import Leg, Settle
from stoa.ledger.state import Writes
from stoa.wire.batch import BatchBody, sign_batch
from stoa.wire.block import Header, genesis_header
from stoa.wire.envelope import read_envelope
from stoa.wire.forms import to_form
from stoa.wire.vote import sign_vote
from tests.ledger.hall import CHAIN, EVIDENCE, Hall, account, force, secret, send

PRODUCER = "KSD"


class Chronicle(Hall):
    """A hall that makes a header, a batch signature and a vote for each of its blocks."""

    def __init__(self) -> None:
        self.blocks: list[dict[str, Any]] = []
        super().__init__()
        raw = encode_genesis(self.genesis)
        self.last = genesis_header(CHAIN, self.genesis.time, genesis_hash(raw), self.writes[-1].hash)
        self._record(self.last, [], [], self.writes[-1], {"genesis": raw.hex()})

    def block(self, *envelopes: bytes, later: int = 1_000) -> list[Receipt]:
        receipts = super().block(*envelopes, later=later)
        writes = self.writes[-1]
        body = BatchBody(CHAIN, PRODUCER, self.height, self.time, envelopes)
        self.last = Header(
            CHAIN, self.height, self.last.hash(), self.time, PRODUCER, self.height, self.time, len(envelopes),
            merkle.root(envelopes), merkle.root([encode(receipt) for receipt in receipts]), writes.hash,
        )  # fmt: skip
        vote = sign_vote(CHAIN, self.height, self.last.hash(), PRODUCER, secret(PRODUCER))
        signed = {"batch_signature": sign_batch(body, secret(PRODUCER)).signature.hex(), "vote": encode(vote).hex()}
        self._record(self.last, list(envelopes), receipts, writes, signed)
        return receipts

    def _record(
        self, header: Header, envelopes: list[bytes], receipts: list[Receipt], writes: Writes, more: dict[str, str]
    ) -> None:
        block = {"header": to_form(header), "bytes": encode(header).hex(), "hash": header.hash().hex(), **more}
        block["transactions"] = [
            {"envelope": raw.hex(), "body": to_form(read_body(read_envelope(raw).body))} for raw in envelopes
        ]
        block["receipts"] = [{"bytes": encode(receipt).hex(), **to_form(receipt)} for receipt in receipts]
        block["rows"] = dict(rows(writes))
        self.blocks.append(block)


def rows(writes: Writes) -> Iterator[tuple[str, str]]:
    """The write set by table and readable key, values as canonical bytes in hexadecimal."""
    tables = {table.prefix: table for table in writes.undo}
    for raw, value in writes.rows:
        table = tables[raw[:1]]
        key = table.unpack(raw)
        parts = key if isinstance(key, tuple) else (key,)
        text = " ".join(address(part) if isinstance(part, bytes) else str(part) for part in parts)
        yield f"{table.name} {text}", "removed" if value is None else value.hex()


def told() -> Chronicle:
    """Cash, a security, three holders; trades, a refusal, a pledge that ends, a freeze, force, and a recovery."""
    hall = Chronicle()
    hall.cash()
    hall.security()
    for name, country in (("kim", "KR"), ("lee", "KR"), ("ann", "US")):
        hall.person(name, country)
    hall.issue("HBT", "kim", 100, cost=1_000_000)
    hall.issue("HBT", "kim", 50, cost=600_000, locked=hall.time + 30 * DAY)
    hall.issue("USD", "lee", 500_000)
    trade: tuple[Instruction, ...] = (
        Settle(
            (
                Leg("HBT", account("kim"), account("lee"), 10, 120_000, (LotPick(0, 10),)),
                Leg("USD", account("lee"), account("kim"), 120_000, 0, ()),
            ),
            "trade 1",
        ),
    )
    hall.do(("kim", "lee"), *trade)
    hall.refused("kim", send("kim", "ann", 91))
    hall.do("kim", PlaceHold("HBT", account("kim"), 20, account("lee"), "pledge", hall.time + DAY))
    hall.do("FSS", FreezeUnits("HBT", account("kim"), 60, False, "inquiry", EVIDENCE))
    hall.do(("AGENT", "KSD"), force("kim", "ann", 90))
    hall.do("IDP", Attest(hall.parties["ann"], "identity", "IDP", "SG", hall.time + 365 * DAY))
    hall.block(
        hall.signed("lee", send("lee", "ann", 1)),
        hall.signed("ann", send("ann", "lee", 2)),
        hall.signed("kim", send("kim", "lee", 1)),
    )
    hall.wait(DAY)
    hall.second_account("kim2", "kim")
    hall.do(("BROKER-A", "KSD"), Recover(account("kim"), account("kim2"), "phone lost", EVIDENCE))
    return hall


if __name__ == "__main__":
    for block in told().blocks:
        print(block["header"]["height"], block["hash"], block["header"]["writes_hash"])  # noqa: T201 — a program's answer
