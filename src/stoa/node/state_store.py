"""The final state on disk: LMDB, one environment, one synced write transaction a block, readers that block nobody.

Implements ``ledger.state.FinalState``. Rows of the state start at byte 1; byte 0 is this store's own note of where it
stands. LMDB has no checksums: what is here can always be rebuilt from the journal; checkpoints tell if it should.
"""

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import lmdb

from stoa.kernel.codec import Shape, decoder, encode

MAP_BYTES: Final = 1 << 38  # address space, not disk: the file grows as rows come
MAX_READERS: Final = 512
FIRST_ROW: Final = b"\x01"
_STANDING: Final = b"\x00standing"


class Standing(Shape):
    """Which block the rows belong to, and the last batch number of each producer, sorted by producer."""

    height: int
    block_hash: bytes
    time: int
    produced: tuple[tuple[str, int], ...]


_STANDING_READER: Final = decoder(Standing)


class Snapshot:
    """A consistent view of the state after one block, for one thread. Close it, or use it as a context."""

    def __init__(self, transaction: Any) -> None:
        self._transaction = transaction

    def get(self, key: bytes) -> bytes | None:
        """The value, or None."""
        value: bytes | None = self._transaction.get(key)
        return value

    def scan(self, start: bytes) -> Iterator[tuple[bytes, bytes]]:
        """All rows with key >= start, in key order."""
        cursor = self._transaction.cursor()
        if cursor.set_range(max(start, FIRST_ROW)):
            yield from cursor

    def standing(self) -> Standing:
        """Which block this is the state after."""
        return _STANDING_READER.decode(self._transaction.get(_STANDING))

    def close(self) -> None:
        """Give the reader's slot back."""
        self._transaction.abort()

    def __enter__(self) -> "Snapshot":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


class StateStore:
    """The environment. One writer; ``get`` and ``scan`` are the writer's own and see its last block.

    A store that is not ``durable`` is for one pass, such as a verification: it is never synced.
    """

    def __init__(self, folder: Path, durable: bool = True) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.folder = folder
        self._env = lmdb.open(str(folder), map_size=MAP_BYTES, max_readers=MAX_READERS, sync=durable)
        self._env.reader_check()
        self._reading = Snapshot(self._env.begin())

    def get(self, key: bytes) -> bytes | None:
        """The value after the last written block, or None."""
        return self._reading.get(key)

    def scan(self, start: bytes) -> Iterator[tuple[bytes, bytes]]:
        """All rows with key >= start, in key order."""
        return self._reading.scan(start)

    def standing(self) -> Standing | None:
        """Where the store stands; None if it was never written."""
        return self._reading.standing() if self._reading.get(_STANDING) is not None else None

    def write(self, rows: list[tuple[bytes, bytes | None]], standing: Standing) -> None:
        """Take a final block's rows in, and sync them. All of it is there afterwards, or nothing."""
        self._reading.close()
        try:
            with self._env.begin(write=True) as transaction:
                cursor = transaction.cursor()
                cursor.putmulti([(key, value) for key, value in rows if value is not None])
                for key, value in rows:
                    if value is None:
                        transaction.delete(key)
                transaction.put(_STANDING, encode(standing))
        finally:
            self._reading = Snapshot(self._env.begin())

    def snapshot(self) -> Snapshot:
        """A view for a reader on any thread, of the last written block."""
        return Snapshot(self._env.begin())

    def rows(self) -> int:
        """How many rows the state has."""
        return int(self._env.stat()["entries"]) - (self._reading.get(_STANDING) is not None)

    def close(self) -> None:
        """Close the environment."""
        self._reading.close()
        self._env.close()


def remove_store(folder: Path) -> None:
    """Delete a state store, so that it is rebuilt."""
    shutil.rmtree(folder, ignore_errors=True)
