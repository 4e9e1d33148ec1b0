"""What doors may ask of a running node: take this in, wait for that, show the state, explain, prove.

Each door asks on its own thread and reads from snapshots; nothing here changes what the node does.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from stoa.intake.gate import Accepted, Gate
from stoa.journal import Journal
from stoa.kernel.base import Rejection
from stoa.ledger import due, machine
from stoa.ledger.catalog import Body
from stoa.ledger.governance.members import members
from stoa.ledger.identity.model import LANES
from stoa.ledger.state import State
from stoa.node import proofs, snapshot
from stoa.node.checkpoints import Checkpoints, make_checkpoint
from stoa.node.commit import Commit
from stoa.node.finality import Finality, Members
from stoa.node.health import Health
from stoa.node.places import Located, Places
from stoa.node.state_store import Snapshot, StateStore
from stoa.node.waking import SNAPSHOT_FOLDER
from stoa.wire.proof import ReceiptProof, RowProof
from stoa.wire.vote import Checkpoint


class Doors:
    """The part of a node that doors see."""

    folder: Path
    chain: str
    journal: Journal
    store: StateStore
    finality: Finality
    gate: Gate
    failure: str
    _places: Places
    _commit: Commit
    _checkpoints: Checkpoints
    _clock: Callable[[], int]

    def submit(self, raw: bytes) -> Accepted | Rejection:
        """Take a signed transaction in; accepted is not final."""
        return self.gate.submit(raw)

    def wait(self, transaction: bytes, timeout: float) -> Located | None:
        """The final receipt, waiting up to ``timeout`` seconds; None if it is not there yet."""
        return self._places.wait(transaction, timeout)

    def located(self, transaction: bytes) -> Located | None:
        """The final receipt, if this node remembers it."""
        return self._places.get(transaction)

    @contextmanager
    def reader(self) -> Iterator[State]:
        """The state after the last final block, for one thread."""
        with self.store.snapshot() as view:
            yield State(view)

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

    def prove_receipt(self, height: int, index: int) -> ReceiptProof:
        """A proof of one receipt. Raises NothingToProve, LookupError."""
        return proofs.receipt_proof(self.journal, height, index)

    def prove_holding(self, asset: str, account: bytes) -> RowProof:
        """A proof of one line of the register: after the last final block, or where several must sign, at a checkpoint
        that they do now, else the newest that they did. Raises NothingToProve."""
        if self._commit.members.quorum > 1:
            self._checkpoints.demand()
            return self._checkpoints.holding_proof(asset, account)
        return proofs.holding_proof(self.chain, self.store, self.finality, asset, account)

    def checkpoint(self) -> Checkpoint:
        """Sign a root over the whole state and keep it in the journal; where several must sign, the newest that they
        did. Raises NothingToProve, DiskFull, Fatal."""
        if self._commit.members.quorum > 1:
            self._checkpoints.demand()
            return self._checkpoints.newest()
        with self.store.snapshot() as view:
            return make_checkpoint(view, self.journal, self.finality)

    def snapshot(self) -> Path:
        """Write the state to a file that recovery may start from, and return where it is; where several must sign, at
        the newest checkpoint that they did. Raises NothingToProve, DiskFull, Fatal."""
        written: list[Path] = []

        def write(checkpoint: Checkpoint, view: Snapshot) -> None:
            written.append(snapshot.write(self.folder / SNAPSHOT_FOLDER, self.chain, checkpoint, view))

        if self._commit.members.quorum > 1:
            self._checkpoints.demand()
            self._checkpoints.reading(write)
        else:
            with self.store.snapshot() as view:
                write(make_checkpoint(view, self.journal, self.finality), view)
        return written[0]
