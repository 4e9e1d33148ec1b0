"""A hall whose blocks are kept as the journal would keep them: with headers, roots, hashes and certificates."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

from sqlalchemy import select

from stoa.kernel import merkle
from stoa.kernel.codec import encode
from stoa.ledger.catalog import Receipt
from stoa.ledger.genesis import encode_genesis, genesis_hash
from stoa.readmodel.project import Certified, found, project
from stoa.readmodel.schema import METADATA
from stoa.readmodel.views import Views
from stoa.wire.block import Block, genesis_header
from stoa.wire.vote import Certificate, sign_vote
from tests.ledger.hall import CHAIN, START, Hall, secret


class Chain(Hall):
    """The same hall; ``blocks`` are what it has made so far, each with its certificate."""

    def __init__(self, validators: Sequence[str] = ("KSD",)) -> None:
        self.blocks: list[Certified] = []
        super().__init__(validators=validators)
        self.document = encode_genesis(self.genesis)
        self.first = genesis_header(CHAIN, START, genesis_hash(self.document), self.writes[0].hash)

    def block(self, *envelopes: bytes, later: int = 1_000) -> list[Receipt]:
        receipts = super().block(*envelopes, later=later)
        head = self.blocks[-1][0].header if self.blocks else self.first
        raw = tuple(encode(receipt) for receipt in receipts)
        header = head.__class__(
            CHAIN, self.height, head.hash(), self.time, "KSD", self.height, self.time, len(envelopes),
            merkle.root(envelopes), merkle.root(raw), self.writes[-1].hash,
        )  # fmt: skip
        vote = sign_vote(CHAIN, self.height, header.hash(), "KSD", secret("KSD"))
        certificate = Certificate(self.height, header.hash(), (vote,))
        self.blocks.append((Block(header, b"", envelopes, raw), certificate))
        return receipts

    def replay(self, start: int) -> Iterable[Certified]:
        return iter(self.blocks[start - 1 :])

    def views(self, url: str | Path, group: int = 7) -> Views:
        """Views of everything so far, projected as a node would: a few blocks at a time."""
        views = Views.open(url)
        found(views, self.document, self.first)
        for start in range(0, len(self.blocks), group):
            project(views, self.blocks[start : start + group])
        return views


def rows(views: Views, names: Sequence[str] = ()) -> dict[str, list[tuple[object, ...]]]:
    """Every row of these tables, or of all, in an order that does not depend on the database."""
    with views.read() as connection:
        return {
            table.name: sorted((tuple(row) for row in connection.execute(select(table))), key=repr)
            for table in METADATA.sorted_tables
            if not names or table.name in names
        }
