"""The verbs of the loop: a batch in its place becomes a block, and a block becomes final.

This is the one file where ``ordering``, ``ledger`` and ``journal`` meet. The order of its verbs is the safety argument:
execute, keep (write the journal with the vote, sync), and only when a quorum has voted finalise: change the state on
disk and tell. What is on disk as state is therefore never rolled back, and what anyone was told is in a synced journal.
Which verb comes next is decided by ``agreement`` and carried out by ``round.py``.
"""

from collections.abc import Callable, Sequence
from time import perf_counter
from typing import Final, NamedTuple

from stoa.journal.journal import Journal
from stoa.kernel import limits, merkle
from stoa.kernel.codec import Malformed, encode
from stoa.ledger import machine
from stoa.ledger.catalog import Receipt
from stoa.ledger.governance.members import members
from stoa.ledger.governance.model import CLOCK_TOLERANCE_MS, parameter
from stoa.ledger.state import State, Writes
from stoa.node.details import (
    BatchClockOff,
    BatchElsewhere,
    BatchNotNext,
    BatchNotSigned,
    BatchTooLarge,
    BatchUnreadable,
    Objection,
    ProducerUnknown,
)
from stoa.node.replay import standing_at
from stoa.node.state_store import Standing, Store
from stoa.ordering.engine import Ordered
from stoa.wire.batch import Batch, BatchBody, BatchHead, head_of, head_signed, read_batch
from stoa.wire.block import Block, Header
from stoa.wire.vote import Certificate, Vote

BAD_BATCH: Final = "bad_batch"
QUOTED_BYTES: Final = 1_000  # of a batch that cannot be read, kept as evidence
READ_BACK_MS: Final = 60_000  # of the log, before the last final block: a batch may wait there for one before it
STAGES: Final = ("admit", "verify", "execute", "hash", "sync", "vote", "final")


class FinalBlock(NamedTuple):
    """A block that nobody will take back, with what shows it."""

    block: Block
    receipts: list[Receipt]
    certificate: Certificate


class Admitted(NamedTuple):
    """A batch that makes the next block, and its head."""

    batch: Batch
    head: BatchHead


class Skipped(NamedTuple):
    """A batch that makes no block, here and on every other node alike, and why. ``evidence`` is its kind, with its
    ``proof``, where the batch is against the rules; a copy or a gap is not. ``by`` did that: who signed it, or else who
    put it into the log, since a name in a batch that nobody signed accuses nobody."""

    position: int
    producer: str
    number: int
    why: Objection
    early: bool = False  # it may make a later block: batches before it are missing
    head: BatchHead | None = None  # if it is a batch of a member, and not early
    evidence: str = ""
    proof: object = None
    by: str = ""


class Made(NamedTuple):
    """The block that is executed and not final."""

    block: Block
    receipts: list[Receipt]
    writes: Writes


class Commit:
    """One validator's chain. One thread."""

    def __init__(self, view: State, store: Store, journal: Journal, head: Header, standing: Standing) -> None:
        """Over a view and a store that stand after the block of the given header, the last final one."""
        self.view, self.store, self.journal = view, store, journal
        self.head = head
        self.members = members(view)  # as they were after the head: they govern the next block
        self.produced: dict[str, int] = dict(standing.produced)
        self.made: Made | None = None
        self.seconds: dict[str, float] = dict.fromkeys(STAGES, 0.0)
        self._head_hash = head.hash()
        self._kept = 0.0  # when the executed block was kept, from when on votes are waited for

    def admit(self, ordered: Ordered, timely: bool = True) -> Admitted | Skipped:
        """The batch, if by the rules that all nodes share it makes the next block. Its time counts if ``timely``."""
        mark = perf_counter()
        try:
            return self._admit(ordered, timely)
        finally:
            self.spent("admit", mark)

    def _admit(self, ordered: Ordered, timely: bool) -> Admitted | Skipped:
        quoted = ordered.batch[:QUOTED_BYTES]
        if len(ordered.batch) > limits.MAX_BATCH_BYTES:
            large = BatchTooLarge(limits.MAX_BATCH_BYTES)
            return Skipped(ordered.position, "", 0, large, evidence=BAD_BATCH, proof=quoted, by=ordered.publisher)
        try:
            batch = read_batch(ordered.batch)
        except Malformed as error:
            unread = BatchUnreadable(str(error))
            return Skipped(ordered.position, "", 0, unread, evidence=BAD_BATCH, proof=quoted, by=ordered.publisher)
        body = batch.body
        next_number = self.produced.get(body.producer, 0) + 1
        why = self._objection(ordered, body, next_number, timely)
        member = body.chain == self.head.chain and body.producer in self.members.keys
        # an early one is judged again behind every block, so what it holds is not looked at yet
        if why is not None and member and body.number > next_number:
            return Skipped(ordered.position, body.producer, body.number, why, early=True)
        head = head_of(batch, merkle.root(body.envelopes))
        if why is None and not head_signed(head, self.members.keys[body.producer]):
            why = BatchNotSigned()
        if why is None:
            return Admitted(batch, head)
        if not member or body.number == next_number:
            return Skipped(
                ordered.position, body.producer, body.number, why, evidence=BAD_BATCH, proof=head,
                head=head if member else None, by=self._culprit(ordered, head),
            )  # fmt: skip
        return Skipped(ordered.position, body.producer, body.number, why, head=head)

    def _culprit(self, ordered: Ordered, head: BatchHead) -> str:
        """Who signed the batch. Else who published it, or, where that is not known, whom it names."""
        key = self.members.keys.get(head.producer)
        signed = key is not None and head_signed(head, key)
        return head.producer if signed else ordered.publisher or head.producer

    def _objection(self, ordered: Ordered, body: BatchBody, expected: int, timely: bool) -> Objection | None:
        """What speaks against a batch before its envelopes are looked at, if anything does."""
        if body.chain != self.head.chain:
            return BatchElsewhere(body.chain)
        if body.producer not in self.members.keys:
            return ProducerUnknown()
        if body.number != expected:
            return BatchNotNext(body.number, expected)
        tolerance = parameter(self.view, CLOCK_TOLERANCE_MS)
        if timely and abs(body.time - ordered.time) > tolerance:
            return BatchClockOff(body.time - ordered.time, tolerance)
        return None

    def read_back(self) -> int:
        """From when on the log may hold what comes behind the last final block, by any server's clock that the members
        would have accepted. In milliseconds."""
        return max(0, self.head.batch_time - 3 * parameter(self.view, CLOCK_TOLERANCE_MS) - READ_BACK_MS)

    def execute(self, admitted: Admitted, verified: Sequence[bool | None] | None = None) -> Header:
        """Execute the batch in memory as the next block, and return its header."""
        return self._execute(admitted.batch, admitted.head.envelopes_root, verified)

    def redo(self, block: Block, vouched: bool) -> Header:
        """Execute a block that is known already, and return the header that it has here.

        ``vouched``: a certificate says that its signatures verify.
        """
        header = block.header
        body = BatchBody(header.chain, header.producer, header.number, header.batch_time, block.envelopes)
        verified = [True] * len(block.envelopes) if vouched else None
        return self._execute(Batch(body, block.batch_signature), merkle.root(block.envelopes), verified)

    def _execute(self, batch: Batch, envelopes_root: bytes, verified: Sequence[bool | None] | None) -> Header:
        assert self.made is None, "one block at a time"
        mark, body = perf_counter(), batch.body
        place = machine.Place(self.head.chain, self.head.height + 1, max(self.head.time, body.time))
        receipts = machine.execute_block(self.view, place, body.envelopes, verified)
        mark = self.spent("execute", mark)
        writes = self.view.seal()
        raw = tuple([encode(receipt) for receipt in receipts])
        header = Header(
            place.chain, place.height, self._head_hash, place.time, body.producer, body.number, body.time,
            len(body.envelopes), envelopes_root, merkle.root(raw), writes.hash,
        )  # fmt: skip
        self.made = Made(Block(header, batch.signature, body.envelopes, raw), receipts, writes)
        self.spent("hash", mark)
        return header

    def take_back(self) -> None:
        """Undo the executed block in memory. In the journal another block takes its place, if it was kept."""
        self.view.discard()
        self.made, self._kept = None, 0.0

    def keep(self, vote: Vote | None) -> None:
        """Write the executed block to the journal with this validator's vote, and sync. Raises DiskFull, Fatal."""
        mark = perf_counter()
        self.journal.append(self._made.block, (vote,) if vote else ())
        self.journal.sync()
        self._kept = self.spent("sync", mark)

    def finalise(self, certificate: Certificate) -> FinalBlock:
        """Keep the certificate of the kept block, and bring the state on disk up to it."""
        made, mark = self._made, self._kept or perf_counter()
        self.journal.certify(certificate)
        mark, self._kept = self.spent("vote", mark), 0.0
        header = made.block.header
        produced = {**self.produced, header.producer: header.number}
        self.store.write(made.writes.rows, standing_at(header, produced, certificate))
        self.view.finalised()
        self.members = members(self.view)
        self.head, self._head_hash, self.made = header, certificate.block_hash, None
        self.produced = produced  # last: who waits for this number then reads the state that the block left
        self.spent("final", mark)
        return FinalBlock(made.block, made.receipts, certificate)

    @property
    def _made(self) -> Made:
        assert self.made is not None
        return self.made

    def spent(self, stage: str, since: float) -> float:
        """Count the seconds since then for the stage, and return the time now. ``vote`` includes waiting for votes."""
        now = perf_counter()
        self.seconds[stage] += now - since
        return now


Listener = Callable[[FinalBlock], None]
