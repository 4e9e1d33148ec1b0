"""The loop: a batch in its place becomes a block, and a block becomes final.

This is the one file where ``ordering``, ``ledger`` and ``journal`` meet. The order of its steps is the safety argument:
execute, write the journal, sync, vote, gather the certificate, and only then change the state on disk and tell anyone.
What is on disk as state is therefore never rolled back, and what anyone was told is in a synced journal.
"""

from collections.abc import Callable, Sequence
from time import perf_counter
from typing import Final, NamedTuple

from stoa.journal.journal import Journal
from stoa.kernel import limits, merkle, signing
from stoa.kernel.base import Broken
from stoa.kernel.codec import Malformed, encode
from stoa.ledger import machine
from stoa.ledger.catalog import Receipt
from stoa.ledger.governance.members import members
from stoa.ledger.governance.model import CLOCK_TOLERANCE_MS, PARAMETERS
from stoa.ledger.state import State
from stoa.node.finality import Finality
from stoa.node.replay import standing_at
from stoa.node.state_store import Rows, Standing, Store
from stoa.ordering.engine import Ordered
from stoa.wire.batch import Batch, header_digest, read_batch
from stoa.wire.block import Block, Header
from stoa.wire.vote import Certificate

STAGES: Final = ("execute", "hash", "sync", "vote", "final")


class FinalBlock(NamedTuple):
    """A block that nobody will take back, with what shows it."""

    block: Block
    receipts: list[Receipt]
    certificate: Certificate


class Admitted(NamedTuple):
    """A batch that makes the next block, and the Merkle root over its envelopes."""

    batch: Batch
    envelopes_root: bytes


class Skipped(NamedTuple):
    """A batch that makes no block, here and on every other node alike, and why."""

    position: int
    producer: str
    number: int
    why: str


class Commit:
    """One validator's chain. One thread."""

    def __init__(
        self, view: State, store: Store, journal: Journal, finality: Finality, head: Header, standing: Standing
    ) -> None:
        self.view, self.store, self.journal, self.finality = view, store, journal, finality
        self.head = head
        self.members = members(view)  # as they were after the head: they govern the next block
        self.produced: dict[str, int] = dict(standing.produced)
        self.seconds: dict[str, float] = dict.fromkeys(STAGES, 0.0)
        self._head_hash = head.hash()

    def admit(self, ordered: Ordered) -> Admitted | Skipped:
        """The batch, if by the rules that all nodes share it makes the next block."""
        if len(ordered.batch) > limits.MAX_BATCH_BYTES:
            return Skipped(ordered.position, "", 0, f"larger than {limits.MAX_BATCH_BYTES} bytes")
        try:
            batch = read_batch(ordered.batch)
        except Malformed as error:
            return Skipped(ordered.position, "", 0, str(error))
        root = merkle.root(batch.body.envelopes)
        why = self._objection(ordered, batch, root)
        return Skipped(ordered.position, batch.body.producer, batch.body.number, why) if why else Admitted(batch, root)

    def _objection(self, ordered: Ordered, batch: Batch, root: bytes) -> str:
        body = batch.body
        if body.chain != self.head.chain:
            return f"for the ledger {body.chain}"
        key = self.members.keys.get(body.producer)
        if key is None:
            return "the producer is not a validator"
        expected = self.produced.get(body.producer, 0) + 1
        if body.number != expected:
            return f"number {body.number} where {expected} is next"
        tolerance = self.view.need(PARAMETERS, CLOCK_TOLERANCE_MS)
        if abs(body.time - ordered.time) > tolerance:
            return f"its time is {body.time - ordered.time} ms off the log's, {tolerance} are allowed"
        digest = header_digest(body.chain, body.producer, body.number, body.time, root, len(body.envelopes))
        return "" if signing.verify(key, digest, batch.signature) else "the producer's signature is not valid"

    def block(self, admitted: Admitted, verified: Sequence[bool | None] | None = None) -> FinalBlock:
        """Execute the batch, make the block durable, certify it, and bring the state on disk up to it."""
        mark = perf_counter()
        batch, body = admitted.batch, admitted.batch.body
        place = machine.Place(self.head.chain, self.head.height + 1, max(self.head.time, body.time))
        receipts = machine.execute_block(self.view, place, body.envelopes, verified)
        mark = self._spent("execute", mark)
        writes = self.view.seal()
        raw = tuple([encode(receipt) for receipt in receipts])
        header = Header(
            place.chain, place.height, self._head_hash, place.time, body.producer, body.number, body.time,
            len(body.envelopes), admitted.envelopes_root, merkle.root(raw), writes.hash,
        )  # fmt: skip
        block = Block(header, batch.signature, body.envelopes, raw)
        vote = self.finality.vote(header)
        mark = self._spent("hash", mark)
        self.journal.append(block, (vote,))
        self.journal.sync()
        mark = self._spent("sync", mark)
        certificate = self.finality.take(vote, self.members)
        if certificate is None:
            raise Broken(f"{self.members.quorum} validators must vote, and an embedded network has one")
        self.journal.certify(certificate)
        mark = self._spent("vote", mark)
        self._advance(header, writes.rows)
        self._spent("final", mark)
        return FinalBlock(block, receipts, certificate)

    def _advance(self, header: Header, rows: Rows) -> None:
        produced = {**self.produced, header.producer: header.number}
        self.store.write(rows, standing_at(header, produced))
        self.view.finalised()
        self.members = members(self.view)
        self.head, self._head_hash = header, header.hash()
        self.produced = produced  # last: who waits for this number then reads the state that the block left

    def _spent(self, stage: str, since: float) -> float:
        now = perf_counter()
        self.seconds[stage] += now - since
        return now


Listener = Callable[[FinalBlock], None]
