"""``stoa verify``: prove a journal from genesis, trusting nothing but the genesis document.

Its meaning: every block is executed again and must give the same receipts and rows, which also tells who the members
were at each height; on the way every difference that a block makes to the register must be explained by its events,
every checkpoint must have the root of the rows computed so far, and a state store that is given must hold the rows of
the block at which it stands. Then the invariants over all rows. The record itself: checksums, hash chain, roots, and
the signatures of those members under batches, votes, certificates and checkpoints.
"""

import tempfile
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, closing
from itertools import zip_longest
from pathlib import Path
from typing import Final, NamedTuple

from stoa.journal.check import inspect
from stoa.journal.faults import BodyDropped, Damaged
from stoa.journal.flaws import Authority
from stoa.journal.journal import Journal
from stoa.kernel import merkle
from stoa.kernel.base import Broken
from stoa.ledger.catalog import Receipt
from stoa.ledger.explained import unexplained
from stoa.ledger.governance.members import members_at
from stoa.ledger.invariants import check_all
from stoa.ledger.state import State, Writes
from stoa.node.proofs import state_hashes
from stoa.node.recovery import Progress, found_state
from stoa.node.replay import WORTH_PROCESSES, Replay, standing_at
from stoa.node.state_store import FIRST_ROW, Snapshot, StateStore, Unusable, reading
from stoa.node.verifier import Verifier
from stoa.wire.block import Block, Header
from stoa.wire.vote import Certificate, Checkpoint

MAX_FLAWS: Final = 100  # of one kind


class Verified(NamedTuple):
    """What a verification found. Without flaws, everything it names was checked and holds."""

    chain: str
    height: int
    block_hash: bytes
    transactions: int
    rows: int
    state_root: bytes
    flaws: tuple[str, ...]


def verify(
    journal_folder: Path, state_folder: Path | None = None, progress: Progress | None = None, processes: int = 0
) -> Verified:
    """Check a journal from genesis, and the state store beside it if its folder is given. Changes nothing.

    ``processes`` check signatures beside this one. Raises NoJournal.
    """
    with ExitStack() as stack:
        try:
            journal = stack.enter_context(Journal.open(journal_folder, readonly=True))
        except Damaged as damaged:
            return _unreadable(journal_folder, damaged)
        scratch = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="stoa-verify-")))
        store = stack.enter_context(closing(StateStore(scratch, durable=False)))
        verifier = stack.enter_context(Verifier(processes, WORTH_PROCESSES))
        walk = _Walk(journal, store)
        if state_folder is not None:
            try:
                walk.compare_with(stack.enter_context(reading(state_folder)))
            except Unusable as unusable:
                walk.flaws.append(f"the state store cannot be read: {unusable}")
        walk.replay(verifier, progress)
        walk.check_invariants()
        return walk.verified([*_record_flaws(journal_folder, walk.view), *walk.flaws])


class _Walk:
    """One replay of a journal into an empty store, and what is compared on the way."""

    def __init__(self, journal: Journal, store: StateStore) -> None:
        self.journal, self.store, self.view = journal, store, State(store)
        self.head, self.transactions = journal.header(0), 0
        self.flaws: list[str] = []
        self._unexplained = 0
        self._kept: Snapshot | None = None
        self._kept_height = -1
        self._checkpoints: list[Checkpoint] = []

    def compare_with(self, kept: Snapshot) -> None:
        """Have the rows compared with these, at the block where they stand."""
        standing = kept.standing()
        if standing is None:
            self.flaws.append("the state store is empty")
        elif standing.height > self.journal.height:
            self.flaws.append(f"the state store stands at block {standing.height}, and there are {self.journal.height}")
        else:
            self._kept, self._kept_height = kept, standing.height

    def replay(self, verifier: Verifier, progress: Progress | None) -> None:
        """Execute all blocks, as far as they can be read and are right."""
        last = self.journal.height
        try:
            self._checkpoints = list(self.journal.checkpoints())
            replay = self._founded()
            for header in replay.run(self._blocks(), verifier):
                self._pass(header)
                if progress is not None:
                    progress(header.height, last)
        except (Broken, Damaged, ValueError) as error:
            self.flaws.append(str(error))
            self.view.discard()

    def _blocks(self) -> Iterator[tuple[Block, Certificate | None]]:
        """As far as their bodies are kept here."""
        try:
            yield from self.journal.replay()
        except BodyDropped as dropped:
            self.flaws.append(str(dropped))

    def check_invariants(self) -> None:
        """Over the state as far as it was computed."""
        failures = check_all(State(self.store))
        self.flaws += [f"{failure.invariant}: {failure.where}" for failure in failures[:MAX_FLAWS]]

    def verified(self, flaws: list[str]) -> Verified:
        """The result."""
        hashes = state_hashes(self.store)
        return Verified(
            self.journal.chain, self.head.height, self.head.hash(), self.transactions,
            len(hashes), merkle.root_of_hashes(hashes), tuple(flaws),
        )  # fmt: skip

    def _founded(self) -> Replay:
        header, writes = found_state(self.view, self.journal.genesis)
        if header.hash() != self.head.hash():
            raise Broken("the genesis document gives another header than the journal starts with")
        self.store.write(writes.rows, standing_at(header, {}))
        self.view.finalised()
        self._pass(header)
        return Replay(self.view, self.store, header, {}, self._explain)

    def _explain(self, header: Header, writes: Writes, receipts: Sequence[Receipt]) -> None:
        """Work that was set or due was done before the transactions, and its receipts stand behind theirs."""
        in_order = [*receipts[header.count :], *receipts[: header.count]]
        for failure in unexplained(writes, [event for receipt in in_order for event in receipt.events]):
            self._unexplained += 1
            if self._unexplained <= MAX_FLAWS:
                self.flaws.append(f"block {header.height}: {failure.invariant}: {failure.where}")

    def _pass(self, header: Header) -> None:
        """The view and the store are after this block."""
        self.head = header
        self.transactions += header.count
        checkpoints = [checkpoint for checkpoint in self._checkpoints if checkpoint.height == header.height]
        if checkpoints:
            hashes = state_hashes(self.store)
            root = merkle.root_of_hashes(hashes)
            if any((checkpoint.state_root, checkpoint.size) != (root, len(hashes)) for checkpoint in checkpoints):
                self.flaws.append(f"the checkpoint at {header.height} has another state root than replay gives")
        if self._kept is not None and self._kept_height == header.height:
            self.flaws += _store_flaws(self.store, self._kept, header)


def _store_flaws(computed: StateStore, kept: Snapshot, header: Header) -> Iterator[str]:
    """The first place where the state store differs from what was computed up to the same block."""
    standing = kept.standing()
    if standing is None or standing.block_hash != header.hash():
        yield f"the state store stands at another block {header.height}"
    for number, (right, found) in enumerate(zip_longest(computed.scan(FIRST_ROW), kept.scan(FIRST_ROW))):
        if right != found:
            yield f"row {number} of the state store differs from replay: {(found or right or (b'',))[0].hex()}"
            return


def _record_flaws(folder: Path, view: State) -> Iterator[str]:
    """Damage in the record itself, located by segment, offset and height. The replayed view knows the members of each
    height; beyond where replay stopped, the last members that it knows are asked for."""

    def authority(height: int) -> Authority:
        keys, quorum = members_at(view, height)
        return Authority(keys, keys, quorum)

    report = inspect(folder, authority)
    yield from map(str, report.damages[:MAX_FLAWS])
    height = report.head.height if report.head else 0
    if report.certified < height - 1:  # the certificate of the last block may be on its way
        yield f"no certificate covers the blocks {report.certified + 1} to {height}"


def _unreadable(folder: Path, damaged: Damaged) -> Verified:
    """Of a journal that does not open nothing is executed; all damage in it is located."""
    report = inspect(folder)
    flaws = tuple(map(str, report.damages[:MAX_FLAWS])) or (str(damaged),)
    return Verified(report.head.chain if report.head else "", 0, bytes(32), 0, 0, merkle.EMPTY, flaws)
