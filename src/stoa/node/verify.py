"""``stoa verify``: prove a journal from genesis, trusting nothing but the genesis document.

Its meaning: every block is executed again and must give the same receipts and rows, which also tells who the members
were at each height. The record itself: checksums, hash chain, roots, and the signatures of those members under batches
and certificates. Then the invariants over all rows, and the checkpoints. Last
the state store, if one is given: its rows must be the ones just computed.
"""

import tempfile
from collections.abc import Iterator
from itertools import zip_longest
from pathlib import Path
from typing import Final, NamedTuple

from stoa.journal.check import inspect
from stoa.journal.faults import Damaged
from stoa.journal.flaws import Authority
from stoa.journal.journal import Journal
from stoa.kernel import merkle
from stoa.kernel.base import Broken
from stoa.ledger.governance.members import members_at
from stoa.ledger.state import State
from stoa.node.commit import standing_at
from stoa.node.proofs import state_hashes
from stoa.node.recovery import Progress, found_state, replay_block
from stoa.node.state_store import FIRST_ROW, StateStore

MAX_FLAWS: Final = 100


class Verified(NamedTuple):
    """What a verification found. Without flaws, everything it names was checked and holds."""

    chain: str
    height: int
    block_hash: bytes
    transactions: int
    rows: int
    state_root: bytes
    flaws: tuple[str, ...]


def verify(journal_folder: Path, state_folder: Path | None = None, progress: Progress | None = None) -> Verified:
    """Check a journal from genesis, and the state store beside it if its folder is given. Changes nothing."""
    with tempfile.TemporaryDirectory(prefix="stoa-verify-") as scratch:
        store = StateStore(Path(scratch), durable=False)
        try:
            return _replayed(journal_folder, state_folder, store, progress)
        finally:
            store.close()


def _record_flaws(folder: Path, view: State) -> Iterator[str]:
    """Damage in the record itself, located by segment, offset and height. The replayed view knows the members of each
    height; beyond where replay stopped, the last members that it knows are asked for."""

    def authority(height: int) -> Authority:
        keys, quorum = members_at(view, height)
        return Authority(keys, keys, quorum)

    report = inspect(folder, authority)
    for damage in report.damages[:MAX_FLAWS]:
        yield str(damage)


def _replayed(folder: Path, state_folder: Path | None, store: StateStore, progress: Progress | None) -> Verified:
    view, transactions = State(store), 0
    flaws: list[str] = []
    with Journal.open(folder, readonly=True) as journal:
        header, writes = found_state(view, journal.genesis)
        try:
            if header.hash() != journal.header(0).hash():
                raise Broken("the genesis document gives another header than the journal starts with")
            store.write(writes.rows, standing_at(header, {}))
            view.finalised()
            for block, _ in journal.replay():
                writes = replay_block(view, block)
                header = block.header
                store.write(writes.rows, standing_at(header, {}))
                view.finalised()
                transactions += header.count
                if progress is not None:
                    progress(header.height, journal.height)
        except (Broken, Damaged, ValueError) as error:
            flaws.append(str(error))
            view.discard()
        flaws = [*_record_flaws(folder, view), *flaws]
        with store.snapshot() as snapshot:
            root = merkle.root_of_hashes(state_hashes(snapshot))
        checkpoint = journal.latest_checkpoint(header.height)
        if checkpoint is not None and checkpoint.height == header.height and checkpoint.state_root != root:
            flaws.append(f"the checkpoint at {header.height} has another state root than replay gives")
    if state_folder is not None:
        flaws += _store_flaws(store, state_folder)
    return Verified(header.chain, header.height, header.hash(), transactions, store.rows(), root, tuple(flaws))


def _store_flaws(computed: StateStore, folder: Path) -> Iterator[str]:
    """Rows of the state store that differ from the computed ones."""
    kept = StateStore(folder)
    try:
        with computed.snapshot() as ours, kept.snapshot() as theirs:
            rows = zip_longest(ours.scan(FIRST_ROW), theirs.scan(FIRST_ROW))
            for number, (right, found) in enumerate(rows):
                if right != found:
                    yield f"row {number} of the state store differs from replay: {(found or right or (b'',))[0].hex()}"
                    return
    finally:
        kept.close()
