"""Snapshots of the state: written from a read snapshot while the node runs, and where recovery may start from.

A snapshot counts only if the journal holds the very checkpoint that it carries, and its rows have that root. Does not
own: the file's form and checksums (``journal.snapshot``).
"""

from contextlib import closing
from pathlib import Path
from typing import Final

from msgspec import DecodeError

from stoa.journal.faults import Damaged
from stoa.journal.journal import Journal
from stoa.journal.snapshot import Snapshot, write_snapshot
from stoa.kernel import merkle
from stoa.kernel.base import Broken
from stoa.ledger.state import FinalState
from stoa.node.state_store import FIRST_ROW, Rows, Standing, Store
from stoa.wire.proof import row_leaf
from stoa.wire.vote import Checkpoint

KEPT: Final = 2  # snapshots in the folder; older ones are deleted when a new one is complete
ROWS_AT_ONCE: Final = 50_000  # rows of one write while a snapshot is loaded
_SUFFIX: Final = ".snapshot"


def write(folder: Path, chain: str, checkpoint: Checkpoint, view: FinalState) -> Path:
    """Write a snapshot of the checkpoint's state and read it back.

    Raises DiskFull, Fatal, and Broken when what was read back has another root.
    """
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{checkpoint.height:012}{_SUFFIX}"
    write_snapshot(path, chain, checkpoint, view.scan(FIRST_ROW))
    with closing(Snapshot(path)) as written:
        if _root(written) != checkpoint.state_root:
            raise Broken(f"{path.name} was read back with another root than was written")
    for old in _newest_first(folder)[KEPT:]:
        old.unlink()
    return path


def load(folder: Path, journal: Journal, store: Store) -> Standing | None:
    """Fill an empty store from the newest snapshot that the journal vouches for; None if there is none."""
    for path in _newest_first(folder):
        try:
            with closing(Snapshot(path)) as found:
                if _vouched(found, journal) and _root(found) == found.checkpoint.state_root:
                    return _fill(store, found, journal)
        except (Damaged, DecodeError):
            continue  # an older one, or genesis, will do
    return None


def _vouched(found: Snapshot, journal: Journal) -> bool:
    return found.chain == journal.chain and found.checkpoint in journal.checkpoints()


def _root(found: Snapshot) -> bytes:
    """The root over the file's rows; reading them all has checked every byte. Raises Damaged."""
    return merkle.root_of_hashes([merkle.leaf_hash(row_leaf(key, value)) for key, value in found.rows()])


def _fill(store: Store, found: Snapshot, journal: Journal) -> Standing:
    """Write all rows as one: after a crash on the way the store is empty."""
    header = journal.header(found.checkpoint.height)
    standing = Standing(header.height, header.hash(), header.time, _produced(journal, header.height))
    rows: Rows = []
    for row in found.rows():
        rows.append(row)
        if len(rows) == ROWS_AT_ONCE:
            store.write(rows, standing, sync=False)
            rows = []
    store.write(rows, standing)
    return standing


def _produced(journal: Journal, height: int) -> tuple[tuple[str, int], ...]:
    """The last batch number of each producer up to the height: no row of the state, so every header is asked."""
    return tuple(
        sorted({header.producer: header.number for header in map(journal.header, range(1, height + 1))}.items())
    )


def _newest_first(folder: Path) -> list[Path]:
    return sorted(folder.glob(f"*{_SUFFIX}"), reverse=True)
