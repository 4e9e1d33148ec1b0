"""Recovery: bring the state on disk to where the journal says it is, by executing what is missing.

The journal decides. A store that is missing, damaged, of another chain or ahead of the journal is built again from
genesis; every block that is executed again must give the receipts and rows that its header commits to, or the node is
broken and stops.
"""

from collections.abc import Callable, Sequence
from pathlib import Path

import lmdb

from stoa.journal.journal import Journal
from stoa.kernel import merkle
from stoa.kernel.base import Broken
from stoa.kernel.codec import Malformed, encode
from stoa.ledger import machine
from stoa.ledger.genesis import apply_genesis, genesis_hash, read_genesis
from stoa.ledger.state import State, Writes
from stoa.node.commit import standing_at
from stoa.node.state_store import Standing, StateStore, remove_store
from stoa.wire.block import Block, Header, genesis_header

Progress = Callable[[int, int], None]  # (blocks done, blocks to do)


def found_state(view: State, document: bytes) -> tuple[Header, Writes]:
    """Enter genesis into an empty state; returns its header and write set."""
    genesis = read_genesis(document)
    apply_genesis(view, genesis)
    writes = view.seal()
    return genesis_header(genesis.chain, genesis.time, genesis_hash(document), writes.hash), writes


def replay_block(view: State, block: Block, verified: Sequence[bool] | None = None) -> Writes:
    """Execute a block again and compare it with its header. Raises Broken where they differ."""
    header = block.header
    place = machine.Place(header.chain, header.height, header.time)
    receipts = [encode(receipt) for receipt in machine.execute_block(view, place, block.envelopes, verified)]
    writes = view.seal()
    if merkle.root(receipts) != header.receipts_root:
        differing = [
            index for index, pair in enumerate(zip(receipts, block.receipts, strict=False)) if pair[0] != pair[1]
        ]
        raise Broken(f"replay of block {header.height} gives other receipts, first at {differing[:1]}")
    if writes.hash != header.writes_hash:
        raise Broken(f"replay of block {header.height} writes other rows than its header commits to")
    return writes


def open_state(folder: Path, journal: Journal, progress: Progress | None = None) -> tuple[StateStore, State, Standing]:
    """The store and the ledger's memory at the journal's last block, replaying what is missing."""
    store = _usable_store(folder, journal)
    view = State(store)
    standing = store.standing()
    if standing is None:
        header, writes = found_state(view, journal.genesis)
        if header.hash() != journal.header(0).hash():
            raise Broken("the genesis document gives another header than the journal starts with")
        standing = standing_at(header, {})
        store.write(writes.rows, standing)
        view.finalised()
    produced = dict(standing.produced)
    start, last = standing.height, journal.height
    for block, _ in journal.replay(start + 1):
        writes = replay_block(view, block)
        produced[block.header.producer] = block.header.number
        standing = standing_at(block.header, produced)
        store.write(writes.rows, standing)
        view.finalised()
        if progress is not None:
            progress(block.header.height - start, last - start)
    return store, view, standing


def _usable_store(folder: Path, journal: Journal) -> StateStore:
    """The store, if it belongs to this journal; else an empty one."""
    try:
        store = StateStore(folder)
        standing = store.standing()
        if standing is None or (
            standing.height <= journal.height and journal.header(standing.height).hash() == standing.block_hash
        ):
            return store
        store.close()
    except (lmdb.Error, Malformed, ValueError):
        pass  # a damaged store is not a fault: it is rebuilt from the journal
    remove_store(folder)
    return StateStore(folder)
