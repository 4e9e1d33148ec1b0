"""Recovery: bring the state on disk to the last final block of the journal, by executing what is missing.

The journal decides. A store that is missing, damaged, of another chain or ahead of the journal is built again, from the
newest snapshot that the journal vouches for or else from genesis; every block that is executed again must give the
receipts and rows that its header commits to. Where one does not, a row of the store that was found may be wrong: it is
built again, too. If one still does not, the node is broken and stops.
"""

from collections.abc import Callable
from pathlib import Path

from stoa.journal.journal import Journal
from stoa.kernel.base import Broken
from stoa.ledger.genesis import apply_genesis, genesis_hash, read_genesis
from stoa.ledger.state import State, Writes
from stoa.node import snapshot
from stoa.node.log import LOG
from stoa.node.replay import WORTH_PROCESSES, Replay, standing_at
from stoa.node.state_store import Standing, StateStore, Store, Unusable, remove_store
from stoa.node.verifier import Verifier
from stoa.wire.block import Block, Header, genesis_header
from stoa.wire.vote import Vote

Progress = Callable[[int, int], None]  # (blocks done, blocks to do)


def found_state(view: State, document: bytes) -> tuple[Header, Writes]:
    """Enter genesis into an empty state; returns its header and write set."""
    genesis = read_genesis(document)
    apply_genesis(view, genesis)
    writes = view.seal()
    return genesis_header(genesis.chain, genesis.time, genesis_hash(document), writes.hash), writes


def open_state(
    folder: Path,
    journal: Journal,
    progress: Progress | None = None,
    snapshots: Path | None = None,
    processes: int = 0,
) -> tuple[StateStore, State, Standing]:
    """The store and the ledger's memory at the last final block, replaying what is missing. Raises Broken, Damaged.

    ``processes`` check signatures when there is much to replay.
    """
    store = _usable_store(folder, journal)
    empty = store.standing() is None
    try:
        if empty and snapshots is not None:
            snapshot.load(snapshots, journal, store)
        view, standing = bring_up(store, journal, progress, processes)
    except BaseException as failed:
        store.close()
        if empty or not isinstance(failed, Broken):
            raise
        LOG.error("rebuilt", why=str(failed))
    else:
        return store, view, standing
    remove_store(folder)
    return open_state(folder, journal, progress, snapshots, processes)


def bring_up(
    store: Store, journal: Journal, progress: Progress | None = None, processes: int = 0
) -> tuple[State, Standing]:
    """The ledger's memory over a store that is empty or belongs to the journal, both at the last final block."""
    view = State(store)
    standing = store.standing()
    if standing is None:
        standing = _found(view, store, journal)
    if standing.certificate is not None and journal.certificate(standing.height) is None:
        journal.certify(standing.certificate)  # lost in a crash; the store has a copy
        journal.sync()
    start, last = standing.height, max(journal.final, standing.height)
    replay = Replay(view, store, journal.header(start), dict(standing.produced))
    with Verifier(processes, WORTH_PROCESSES) as verifier:
        for header in replay.run(journal.replay(start + 1, last), verifier):
            if progress is not None:
                progress(header.height - start, last - start)
    return view, standing_at(replay.head, replay.produced)


def kept_tail(journal: Journal, height: int) -> tuple[Block, Vote] | None:
    """The block that was kept behind the final one of this height, and this validator's newest vote for it, if any."""
    if journal.height == height:
        return None
    votes = journal.votes(height + 1)
    return (journal.block(height + 1), max(votes, key=lambda vote: vote.epoch)) if votes else None


def belongs(standing: Standing, journal: Journal) -> bool:
    """Whether a store that stands there is of the journal's chain, and not ahead of it."""
    return standing.height <= journal.height and journal.header(standing.height).hash() == standing.block_hash


def _found(view: State, store: Store, journal: Journal) -> Standing:
    header, writes = found_state(view, journal.genesis)
    if header.hash() != journal.header(0).hash():
        raise Broken("the genesis document gives another header than the journal starts with")
    standing = standing_at(header, {})
    store.write(writes.rows, standing)
    view.finalised()
    return standing


def _usable_store(folder: Path, journal: Journal) -> StateStore:
    """The store, if it belongs to this journal; else an empty one. A damaged store is not a fault: it is rebuilt."""
    try:
        store = StateStore(folder)
    except Unusable as unusable:
        LOG.error("rebuilt", why=str(unusable))
        remove_store(folder)
        return StateStore(folder)
    standing = store.standing()
    if standing is None or belongs(standing, journal):
        return store
    store.close()
    LOG.error("rebuilt", why=f"{folder} stands at block {standing.height}, which the journal does not have")
    remove_store(folder)
    return StateStore(folder)
