"""Checkpoints: at heights that are the same for all, each validator signs the root over all rows of its state, and the
equal signatures of a quorum are what the journal keeps. Nothing stops for it. Between these heights one is made when
somebody needs a proof of the state as it is: whoever stands at that very block signs. So does who was killed: rows that
changed meanwhile may lie untouched for long, so it asks after its start, until it has held its root against a quorum's.

The snapshot is taken on the thread that makes blocks, right after the block; the rows are read by a thread of its own,
which rests between slices. Who gets another root than a quorum knows that its own state is corrupt, and says so. Does
not own: mending the state (``node``), or making proofs (``proofs``).
"""

import threading
import time
from collections import defaultdict, deque
from collections.abc import Callable
from typing import Final

from stoa.agreement.effects import Evidence
from stoa.journal.journal import Journal
from stoa.kernel import limits
from stoa.ledger.governance.members import members_at
from stoa.ledger.governance.model import CHECKPOINT_BLOCKS, parameter
from stoa.ledger.state import State
from stoa.node import proofs
from stoa.node.details import AnotherRoot
from stoa.node.finality import Finality
from stoa.node.log import LOG
from stoa.node.state_store import Snapshot, StateStore
from stoa.wire.proof import RowProof
from stoa.wire.status import Rooted, RootWanted, Word
from stoa.wire.vote import Checkpoint, checkpoint_valid

REST_SECONDS: Final = 0.004  # after each slice of about a millisecond: a fifth of one core at most
IDLE_SECONDS: Final = 0.2
DEMAND_SECONDS: Final = 1.0  # between two roots that somebody asked for
DOUBT_SECONDS: Final = 2.0  # until who was killed first asks; then twice as long each time, as roots may take long
MOST_DOUBT_SECONDS: Final = 600.0
PATIENCE_SECONDS: Final = 10.0  # how long who asks for one waits for a quorum
TELL_SECONDS: Final = 2.0  # how often the newest root is told again, for those who missed it or were slower


class _Stopped(Exception):
    """The node is closing; the checkpoint at hand is given up."""


def make_checkpoint(
    view: Snapshot, journal: Journal, finality: Finality, rest: Callable[[], object] = lambda: None
) -> Checkpoint:
    """Sign a root over the snapshot's rows and keep it in the journal, alone. Raises DiskFull, Fatal."""
    checkpoint = proofs.sign_checkpoint(view, proofs.state_hashes(view, rest), finality)
    journal.checkpoint(checkpoint)
    journal.sync()
    return checkpoint


Write = Callable[[Checkpoint, Snapshot, Callable[[], object]], object]


class Checkpoints:
    """At every height that the parameter ``checkpoint_blocks`` divides; 0 is never. ``say`` tells the others,
    ``corrupt`` the node."""

    def __init__(
        self,
        store: StateStore,
        journal: Journal,
        finality: Finality,
        say: Callable[[Word], None],
        corrupt: Callable[[AnotherRoot], None],
        write: Write | None,
        accuse: Callable[[Evidence], None],
        doubted: bool,
    ) -> None:
        """``write`` keeps a file of the state that a quorum signed; ``accuse`` hears who signed another root;
        ``doubted`` is a state that may have changed since it was written."""
        self._doubted, self._doubt_rest = doubted, DOUBT_SECONDS
        self._ask_at = time.monotonic() + DOUBT_SECONDS
        self._accuse = accuse
        self._write = write
        self._store, self._journal, self._finality = store, journal, finality
        self._say, self._corrupt = say, corrupt
        self._changed = threading.Condition()
        self._due: Snapshot | None = None  # after the newest block of such a height; at most one waits
        self._mine: tuple[Checkpoint, Snapshot] | None = None  # signed here, and no quorum has the same yet
        self._agreed: Checkpoint | None = None  # the newest that a quorum signed
        self._told: Checkpoint | None = None
        self._roots: dict[str, Checkpoint] = {}  # the newest of each validator, unjudged
        self._named: deque[Checkpoint] = deque(maxlen=limits.MAX_VALIDATORS)  # other roots than a quorum's, noted
        self._demanded = -DEMAND_SECONDS  # when a root was last made because somebody asked
        self._proving = threading.Lock()
        self._proven: tuple[Checkpoint, Snapshot] | None = None  # signed by a quorum, and readable
        latest = journal.latest_checkpoint()
        self._height = latest.height if latest else 0  # of the newest that is kept

    def final(self, height: int, every: int) -> None:
        """The block is final and its rows are written, ``every`` being the parameter right after it. On the thread that
        made it; skipped while one is under way."""
        if every and height % every == 0 and self._due is None:
            snapshot = self._store.snapshot()
            with self._changed:
                self._due = snapshot
                self._changed.notify_all()

    def heard(self, sender: str, word: Rooted | RootWanted) -> None:
        """A validator told its root, or wants the others'. On any thread."""
        if isinstance(word, RootWanted):
            if word.chain == self._journal.chain:
                self._wanted(word.height)
            return
        one = word.checkpoint
        if word.chain != self._journal.chain or [vote.validator for vote in one.votes] != [sender]:
            return
        with self._changed:
            known = self._roots.get(sender)
            if (known is None or known.height <= one.height) and (known or len(self._roots) < limits.MAX_VALIDATORS):
                self._roots[sender] = one
                self._changed.notify_all()

    def _wanted(self, height: int) -> bool:
        """Sign the root after this block, if the state stands just there, not too often. Whether it will be done."""
        now = time.monotonic()
        with self._changed:
            busy = self._due is not None or (self._mine is not None and self._mine[0].height == height)
            if busy or now - self._demanded < DEMAND_SECONDS:
                return False
            self._demanded = now
            snapshot = self._store.snapshot()
            standing = snapshot.standing()
            if standing is not None and standing.height == height:
                self._due = snapshot
                self._changed.notify_all()
                return True
        snapshot.close()
        return False

    def demand(self) -> None:
        """Have the state as it is now signed by a quorum, in bounded time; on a busy ledger it may be older or fail."""
        until = time.monotonic() + PATIENCE_SECONDS
        while time.monotonic() < until:
            height = self._journal.final
            with self._proving:
                if self._proven is not None and self._proven[0].height == height:
                    return
            self._wanted(height)
            self._say(RootWanted(self._journal.chain, height))
            with self._changed:
                self._changed.wait(DEMAND_SECONDS)

    def _doubt(self) -> None:
        """Ask the others for their roots, so that the own can be held against them."""
        now, height = time.monotonic(), self._journal.final
        if self._doubted and now >= self._ask_at and self._wanted(height):
            self._say(RootWanted(self._journal.chain, height))
            self._doubt_rest = min(2 * self._doubt_rest, MOST_DOUBT_SECONDS)
            self._ask_at = now + self._doubt_rest

    def run(self, stopping: threading.Event) -> None:
        """Until the node stops."""
        waited = 0.0
        try:
            while not stopping.is_set():
                with self._changed:
                    self._changed.wait(IDLE_SECONDS)
                waited += IDLE_SECONDS
                self._doubt()
                if self._due is not None:
                    self._sign(self._due, stopping)
                if self._told is not None and waited >= TELL_SECONDS:
                    waited = 0.0
                    self._say(Rooted(self._journal.chain, self._told))
                self._judge(stopping)
        except _Stopped:
            return
        finally:
            self._close()

    def _sign(self, snapshot: Snapshot, stopping: threading.Event) -> None:
        hashes = proofs.state_hashes(snapshot, lambda: _rest(stopping))
        checkpoint = proofs.sign_checkpoint(snapshot, hashes, self._finality)
        with self._changed:
            before, self._mine, self._due = self._mine, (checkpoint, snapshot), None
            self._roots[checkpoint.votes[0].validator] = self._told = checkpoint
        if before:
            before[1].close()
        self._say(Rooted(self._journal.chain, checkpoint))

    def _judge(self, stopping: threading.Event) -> None:
        """Keep what a quorum has signed alike, and hold the own root against it."""
        groups: dict[tuple[int, bytes, bytes, int], list[Checkpoint]] = defaultdict(list)
        with self._changed:
            for one in self._roots.values():
                if self._height <= one.height <= self._journal.final:
                    groups[one.height, one.block_hash, one.state_root, one.size].append(one)
        for same in groups.values():
            found = self._certified(same)
            if found is not None and (found.height > self._height or self._agreed is None):
                self._keep(found)
        self._name_others()
        self._compare(stopping)

    def _name_others(self) -> None:
        """Who signed another root than the quorum after the same block, each once."""
        agreed = self._agreed
        if agreed is None:
            return
        with self._changed:
            here = [one for name, one in self._roots.items() if name != self._finality.name]
        for one in here:
            same_block = (one.height, one.block_hash) == (agreed.height, agreed.block_hash)
            if same_block and (one.state_root, one.size) != (agreed.state_root, agreed.size) and one not in self._named:
                self._named.append(one)
                with self._store.snapshot() as view:
                    keys = members_at(State(view), one.height).keys
                if checkpoint_valid(self._journal.chain, one, keys, 1):
                    self._accuse(Evidence("wrong_state", one.votes[0].validator, one.height, (one, agreed)))

    def _certified(self, same: list[Checkpoint]) -> Checkpoint | None:
        first = same[0]
        with self._store.snapshot() as view:
            who = members_at(State(view), first.height)
        chain, good = self._journal.chain, [one for one in same if one.votes[0].validator in who.keys]
        votes = [one.votes[0] for one in good if checkpoint_valid(chain, one, who.keys, 1)]
        if len(votes) < who.quorum or self._journal.header(first.height).hash() != first.block_hash:
            return None
        votes.sort(key=lambda vote: vote.validator)
        return Checkpoint(first.height, first.block_hash, first.state_root, first.size, tuple(votes))

    def _keep(self, found: Checkpoint) -> None:
        if found.height > self._height:
            self._journal.checkpoint(found)
            self._journal.sync()
        self._height, self._agreed = found.height, found

    def _compare(self, stopping: threading.Event) -> None:
        """The own root with the quorum's, when both are there."""
        mine, agreed = self._mine, self._agreed
        if mine is None or agreed is None or mine[0].height != agreed.height:
            return
        self._doubted = False
        if mine[0].state_root == agreed.state_root:
            if self._write is not None:
                self._write(agreed, mine[1], lambda: _rest(stopping))
            self._mine = None
            LOG.info("checkpoint", height=agreed.height, rows=agreed.size, votes=len(agreed.votes))
            with self._proving:
                before, self._proven = self._proven, (agreed, mine[1])
            with self._changed:
                self._changed.notify_all()
            if before:
                before[1].close()
            return
        self._mine = self._told = None
        mine[1].close()
        self._corrupt(AnotherRoot(agreed.height, len(agreed.votes)))

    def newest(self) -> Checkpoint:
        """The newest one that a quorum signed and whose state can still be read. Raises NothingToProve."""
        with self._proving:
            return self._readable()[0]

    def holding_proof(self, asset: str, account: bytes) -> RowProof:
        """The line of the register as it stood at that checkpoint. Raises NothingToProve."""
        with self._proving:
            checkpoint, snapshot = self._readable()
            return proofs.row_proof(self._journal.chain, checkpoint, snapshot, asset, account)

    def reading(self, read: Callable[[Checkpoint, Snapshot], None]) -> None:
        """Read that checkpoint's state; one at a time. Raises NothingToProve."""
        with self._proving:
            read(*self._readable())

    def _readable(self) -> tuple[Checkpoint, Snapshot]:
        if self._proven is None:
            with self._store.snapshot() as view:
                every = parameter(State(view), CHECKPOINT_BLOCKS)
            after = f"one is made at every block that {every} divides" if every else "none are made by themselves"
            raise proofs.NothingToProve(f"no checkpoint of a quorum can be read yet: {after}")
        return self._proven

    def _close(self) -> None:
        """Give the snapshots back; after the last judgement."""
        with self._changed, self._proving:
            for snapshot in (self._due, *(pair[1] for pair in (self._mine, self._proven) if pair)):
                if snapshot is not None:
                    snapshot.close()
            self._due = self._mine = self._proven = None


def _rest(stopping: threading.Event) -> None:
    if stopping.wait(REST_SECONDS):
        raise _Stopped
