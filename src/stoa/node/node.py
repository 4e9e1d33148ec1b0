"""One validator, running: a thread that cuts batches, a thread that makes blocks final, and what doors may ask it.

Doors submit bytes and wait for receipts; they read the state from snapshots, each on its own thread. Nothing they do
can stop the loop: a fault in it stops the node, is kept as ``failure`` and ends every wait.
"""

import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Final, NamedTuple

import msgspec

from stoa.intake.gate import Accepted, Gate, Waiting
from stoa.journal.journal import Journal
from stoa.kernel.base import Rejection
from stoa.kernel.codec import encode
from stoa.ledger import due, machine
from stoa.ledger.catalog import Body
from stoa.ledger.governance.members import Members, members, members_at
from stoa.ledger.governance.model import BATCH_BYTES, BATCH_LINGER_MS, BATCH_TRANSACTIONS, PARAMETERS
from stoa.ledger.identity.model import LANES
from stoa.ledger.state import State
from stoa.node import proofs
from stoa.node.commit import Commit, FinalBlock, Listener, Skipped
from stoa.node.finality import Finality, Validator
from stoa.node.recovery import Progress, open_state
from stoa.node.verifier import Verifier
from stoa.ordering.embedded import EmbeddedEngine
from stoa.ordering.engine import Engine, LogClosed, LogFull
from stoa.wire.batch import BatchBody, sign_batch
from stoa.wire.proof import ReceiptProof, RowProof
from stoa.wire.vote import Checkpoint

MAX_REMEMBERED: Final = 200_000  # places of receipts kept in memory; older ones are in the read model
MAX_SKIPPED: Final = 100  # skipped batches kept to be looked at
IDLE_SECONDS: Final = 0.2
JOURNAL_FOLDER: Final = "journal"
STATE_FOLDER: Final = "state"


class Located(msgspec.Struct, frozen=True):
    """Where a transaction's receipt is, and the receipt's bytes."""

    height: int
    index: int
    receipt: bytes


class Health(NamedTuple):
    """How the node is. ``failure`` is empty while it is well."""

    chain: str
    height: int
    block_hash: bytes
    time: int
    waiting: int
    failure: str


def wall_clock() -> int:
    """Milliseconds since 1970, UTC."""
    return time.time_ns() // 1_000_000


class Node:
    """A validator of an embedded network. ``start`` it, ``close`` it."""

    def __init__(
        self,
        folder: Path,
        validator: Validator,
        processes: int = 0,
        clock: Callable[[], int] = wall_clock,
        progress: Progress | None = None,
    ) -> None:
        self.folder, self._clock, self.validator = folder, clock, validator
        self.journal = Journal.open(folder / JOURNAL_FOLDER)
        self.chain = self.journal.chain
        self.store, view, standing = open_state(folder / STATE_FOLDER, self.journal, progress)
        self.finality = Finality(self.chain, validator)
        self._commit = Commit(view, self.store, self.journal, self.finality, self.journal.head, standing)
        self._certify_tail()
        self.gate = Gate(self.chain, clock)
        self.engine: Engine = EmbeddedEngine(clock)
        self.verifier = Verifier(processes)
        self.skipped: list[Skipped] = []
        self.skips = 0
        self.failure = ""
        self._listeners: list[Listener] = []
        self._found: OrderedDict[bytes, Located] = OrderedDict()
        self._passed: dict[bytes, None] = {}
        self._final = threading.Condition()
        self._stopping = threading.Event()
        self._threads = [
            threading.Thread(target=self._guarded, args=(work,), name=f"stoa-{name}", daemon=True)
            for name, work in (("batches", self._cut_batches), ("blocks", self._make_blocks))
        ]

    def _certify_tail(self) -> None:
        """Certificates that a crash kept from the disk are made again: this validator's vote is in the journal."""
        for height in range(max(1, self.journal.final), self.journal.height + 1):
            if self.journal.certificate(height) is None:
                who = members_at(self._commit.view, height)
                for vote in self.journal.votes(height):
                    if certificate := self.finality.take(vote, who):
                        self.journal.certify(certificate)
        self.journal.sync()

    # running

    def start(self) -> None:
        """Begin to take transactions and make blocks."""
        for thread in self._threads:
            thread.start()

    def close(self) -> None:
        """Stop after the block at hand, and close what is open."""
        self._stopping.set()
        self.engine.close()
        for thread in self._threads:
            if thread.is_alive():
                thread.join()
        self.verifier.close()
        self.store.close()
        self.journal.close()
        with self._final:
            self._final.notify_all()

    def listen(self, listener: Listener) -> None:
        """Call this after every block that becomes final, on the node's own thread: be brief."""
        self._listeners.append(listener)

    def _guarded(self, work: Callable[[], None]) -> None:
        try:
            work()
        except Exception as error:  # noqa: BLE001 - whatever it was, the node must stop and say so
            self.failure = f"{type(error).__name__}: {error}"
            self._stopping.set()
            self.engine.close()
            with self._final:
                self._final.notify_all()

    def _cut_batches(self) -> None:
        while not self._stopping.is_set():
            taken = self.gate.take(*self._batch_limits(), timeout=IDLE_SECONDS)
            if (taken or self.work_is_due()) and not self._published(taken):
                self.gate.give_back(taken)

    def _published(self, taken: list[Waiting]) -> bool:
        """Publish a batch and wait for its block: one is in flight at a time. False if it made no block."""
        institution = self.validator.institution
        number, skips = self._produced() + 1, self.skips
        self._passed.update(dict.fromkeys(waiting.raw for waiting in taken))
        body = BatchBody(self.chain, institution, number, self._clock(), tuple(one.raw for one in taken))
        try:
            self.engine.publish(encode(sign_batch(body, self.validator.secret)))
        except LogFull as full:
            self._stopping.wait(full.retry_ms / 1_000)
            return False
        except LogClosed:
            return False
        with self._final:
            self._final.wait_for(lambda: self._stopping.is_set() or self._produced() >= number or self.skips > skips)
        return self._produced() >= number

    def _produced(self) -> int:
        return self._commit.produced.get(self.validator.institution, 0)

    def _batch_limits(self) -> tuple[int, int, float]:
        with self.reader() as view:
            names = (BATCH_TRANSACTIONS, BATCH_BYTES, BATCH_LINGER_MS)
            most, most_bytes, linger = (view.need(PARAMETERS, name) for name in names)
        return most, most_bytes, linger / 1_000

    def _make_blocks(self) -> None:
        position = 0
        while not self._stopping.is_set():
            ordered = self.engine.read(position, IDLE_SECONDS)
            if ordered is None:
                continue
            position = ordered.position
            admitted = self._commit.admit(ordered)
            if isinstance(admitted, Skipped):
                self._skip(admitted)
                continue
            self._announce(self._commit.block(admitted, self._verified(admitted.batch.body.envelopes)))

    def _skip(self, skipped: Skipped) -> None:
        with self._final:
            self.skipped = [*self.skipped[-MAX_SKIPPED:], skipped]
            self.skips += 1
            self._final.notify_all()

    def _verified(self, envelopes: Sequence[bytes]) -> list[bool]:
        """Verdicts: what this node's own gate has checked is not checked again, the rest is."""
        unknown = [raw for raw in envelopes if raw not in self._passed]
        verdicts = dict(zip(unknown, self.verifier.start(unknown).get().verdicts, strict=True))
        return [verdicts.get(raw, True) for raw in envelopes]

    def _announce(self, final: FinalBlock) -> None:
        for raw in final.block.envelopes:
            self._passed.pop(raw, None)
        with self._final:
            for receipt, raw in zip(final.receipts, final.block.receipts, strict=True):
                self._found.setdefault(receipt.transaction, Located(receipt.height, receipt.index, raw))
            while len(self._found) > MAX_REMEMBERED:
                self._found.popitem(last=False)
            self._final.notify_all()
        for listener in self._listeners:
            listener(final)

    # what doors ask

    def submit(self, raw: bytes) -> Accepted | Rejection:
        """Take a signed transaction in; accepted is not final."""
        return self.gate.submit(raw)

    def wait(self, transaction: bytes, timeout: float) -> Located | None:
        """The final receipt, waiting up to ``timeout`` seconds; None if it is not there yet."""
        with self._final:
            self._final.wait_for(lambda: transaction in self._found or self._stopping.is_set(), timeout)
            return self._found.get(transaction)

    def located(self, transaction: bytes) -> Located | None:
        """The final receipt, if this node remembers it."""
        with self._final:
            return self._found.get(transaction)

    @contextmanager
    def reader(self) -> Iterator[State]:
        """The state after the last final block, for one thread."""
        with self.store.snapshot() as snapshot:
            yield State(snapshot)

    def explain(self, body: Body, signers: Sequence[bytes]) -> machine.Explained:
        """Every reason against a transaction if these accounts signed it now."""
        with self.reader() as view:
            place = machine.Place(self.chain, self._commit.head.height + 1, max(self._commit.head.time, self._clock()))
            return machine.explain(view, place, body, signers)

    def work_is_due(self) -> bool:
        """Whether something has fallen due that no final block has done yet."""
        with self.reader() as view:
            next_time = due.next_due(view)
        return next_time is not None and next_time <= self._clock()

    def next_sequence(self, account: bytes, lane: int) -> int:
        """The sequence number that the lane takes next, as far as is final."""
        with self.reader() as view:
            return (view.get(LANES, (account, lane)) or 0) + 1

    def members(self) -> Members:
        """The validators' public keys and the quorum."""
        with self.reader() as view:
            return members(view)

    def health(self) -> Health:
        """How the node is, for probes and pages."""
        head = self._commit.head
        return Health(self.chain, head.height, head.hash(), head.time, self.gate.waiting(), self.failure)

    def seconds(self) -> dict[str, float]:
        """Time spent in each stage of making blocks so far."""
        return dict(self._commit.seconds)

    def prove_receipt(self, height: int, index: int) -> ReceiptProof:
        """A proof of one receipt."""
        return proofs.receipt_proof(self.journal, height, index)

    def prove_holding(self, asset: str, account: bytes) -> RowProof:
        """A proof of one line of the register after the last final block."""
        return proofs.holding_proof(self.chain, self.store, self.finality, asset, account)

    def checkpoint(self) -> Checkpoint:
        """Sign a root over the whole state and keep it in the journal."""
        with self.store.snapshot() as snapshot:
            checkpoint = proofs.sign_checkpoint(snapshot, proofs.state_hashes(snapshot), self.finality)
        self.journal.checkpoint(checkpoint)
        self.journal.sync()
        return checkpoint
