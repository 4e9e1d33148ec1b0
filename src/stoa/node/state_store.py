"""The final state on disk: LMDB, one environment, one synced write transaction a block, readers that block nobody.

``Store`` is what the commit loop and recovery ask for; ``StateStore`` satisfies it and ``ledger.state.FinalState``.
Rows of the state start at byte 1; byte 0 is this store's own note of where it stands. LMDB has no checksums: what is
here can always be rebuilt from the journal; checkpoints tell if it should. Pages that are no pages any more are found
when the store is opened after an end that was no close: it is walked to its end once, and a walk that never ended (LMDB
may end the process on what it finds) counts as one that failed.
"""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final, Protocol

import lmdb
import msgspec

from stoa.journal import DiskFull, Fatal
from stoa.journal.disk import named
from stoa.journal.faults import NO_ROOM
from stoa.kernel.codec import Shape, decoder, encode
from stoa.ledger.state import FinalState
from stoa.wire.vote import Certificate

MAP_BYTES: Final = 1 << 38  # address space, not disk: the file grows as rows come
MAX_READERS: Final = 512
ONE_WRITE_BYTES: Final = 64 * 4_096  # LMDB puts at most so many pages into one call
FIRST_ROW: Final = b"\x01"
_STANDING: Final = b"\x00standing"
_FILE: Final = "data.mdb"
_LOCK_FILE: Final = "lock.mdb"
_OPEN: Final = "open"  # there while the store is open, and after an end that was no close
_WALKING: Final = "walking"  # there while the store is walked

Rows = list[tuple[bytes, bytes | None]]  # keys with their values, None for a row that is removed


class Standing(Shape):
    """Which block the rows belong to, the last batch number of each producer, sorted by producer, and the block's
    certificate, if it was final when its rows were written: the journal may have lost its own copy in a crash."""

    height: int
    block_hash: bytes
    time: int
    produced: tuple[tuple[str, int], ...]
    certificate: Certificate | None = None


_STANDING_READER: Final = decoder(Standing)


class Store(FinalState, Protocol):
    """The final state, written block by block. ``get`` and ``scan`` see every write at once."""

    def standing(self) -> Standing | None:
        """Where the store stands; None if it was never written."""

    def write(self, rows: Rows, standing: Standing, sync: bool = True) -> None:
        """Take a final block's rows in. After a crash all writes up to a synced one, or up to the synced one before it,
        are there, and nothing in part: what is missing is executed again from the journal."""


class Unusable(Exception):
    """The store cannot be read, or not to its end. It may be removed and built again."""


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

    def standing(self) -> Standing | None:
        """Which block this is the state after; None if nothing was written yet."""
        raw = self._transaction.get(_STANDING)
        return None if raw is None else _STANDING_READER.decode(raw)

    def close(self) -> None:
        """Give the reader's slot back."""
        self._transaction.abort()

    def __enter__(self) -> "Snapshot":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


class StateStore:
    """The environment. One writer; ``get`` and ``scan`` are the writer's own and see its last write.

    A store that is not ``durable`` is for one pass, such as a verification: it is never synced.
    """

    def __init__(self, folder: Path, durable: bool = True) -> None:
        """Open, or begin, the store in the folder; all its pages are read first if it was not closed in good order.

        Raises Unusable, and OSError or DiskFull when there is no room."""
        folder.mkdir(parents=True, exist_ok=True)
        self.folder = folder
        if (folder / _WALKING).exists():
            raise Unusable(f"{folder}: the last walk through its pages never ended")
        self._env = _opened(folder, max_readers=MAX_READERS, sync=durable, metasync=False)
        _reserve(folder / _LOCK_FILE)
        self._env.reader_check()
        self.unclosed = (folder / _OPEN).exists()  # by the end before this opening
        if self.unclosed:
            self._walk()
        (folder / _OPEN).touch()
        self._doubted = False
        self._writing: Any = None  # the transaction of writes that are not synced yet
        self._reading = Snapshot(self._env.begin())

    def _walk(self) -> None:
        """Read every page. Raises Unusable."""
        mark = self.folder / _WALKING
        mark.touch()
        try:
            with Snapshot(self._env.begin()) as view:
                for _ in view.scan(FIRST_ROW):
                    pass
        except lmdb.Error as error:
            self._env.close()
            raise Unusable(f"{self.folder / _FILE}: {error}") from error
        mark.unlink()

    def get(self, key: bytes) -> bytes | None:
        """The value after the last write, or None."""
        return self._reading.get(key)

    def scan(self, start: bytes) -> Iterator[tuple[bytes, bytes]]:
        """All rows with key >= start, in key order."""
        return self._reading.scan(start)

    def standing(self) -> Standing | None:
        """Where the store stands; None if it was never written."""
        return self._reading.standing()

    def write(self, rows: Rows, standing: Standing, sync: bool = True) -> None:
        """Take a final block's rows in, and sync them. All of it is there afterwards, or nothing.

        Without ``sync`` they are there with the next write that is synced, and other readers see nothing before.
        Raises DiskFull, Fatal when the disk failed a write or a sync, and Unusable, after which it is built again at
        the next start.
        """
        if self._writing is None:
            self._reading.close()
            self._writing = self._env.begin(write=True)
            self._reading = Snapshot(self._writing)
        try:
            self._put(rows, standing)
            if sync:
                self._writing.commit()
        except BaseException as error:
            self._writing.abort()
            sync = True
            if isinstance(error, lmdb.Error):
                raise self._fault(error) from error
            raise
        finally:
            if sync:
                self._writing = None
                self._reading = Snapshot(self._env.begin())

    def _fault(self, error: lmdb.Error) -> Exception:
        """What a write that failed means."""
        path = self.folder / _FILE
        if isinstance(error, lmdb.CorruptedError | lmdb.PageNotFoundError):  # of its free pages, which no walk sees
            (self.folder / _WALKING).touch()
            return Unusable(f"{path}: {error}; the state is built again at the next start")
        no_room = any(os.strerror(one) in str(error) for one in NO_ROOM)
        if no_room or isinstance(error, lmdb.MapFullError) or not _has_room(path):
            return DiskFull(f"no room on the disk: {path}: {error}")
        return Fatal(f"the disk under {path} failed: {error}")

    def _put(self, rows: Rows, standing: Standing) -> None:
        self._writing.cursor().putmulti([(key, value) for key, value in rows if value is not None])
        for key, value in rows:
            if value is None:
                self._writing.delete(key)
        self._writing.put(_STANDING, encode(standing))

    def clear(self) -> None:
        """Remove every row and the note, so that the state is built again in place."""
        self._reading.close()
        with self._env.begin(write=True) as transaction:
            transaction.drop(self._env.open_db(), delete=False)
        self._reading = Snapshot(self._env.begin())

    def snapshot(self) -> Snapshot:
        """A view for a reader on any thread, of the last synced write."""
        return Snapshot(self._env.begin())

    def doubt(self) -> None:
        """Something went wrong beside or in the store: all its pages are read when it is opened next."""
        self._doubted = True

    def close(self) -> None:
        """Close the environment; what is not synced is given up."""
        self._reading.close()
        self._env.close()
        if not self._doubted:
            (self.folder / _OPEN).unlink(missing_ok=True)


@contextmanager
def reading(folder: Path) -> Iterator[Snapshot]:
    """What a store holds, without changing anything. Raises Unusable, also when there is none."""
    env = _opened(folder, readonly=True, create=False)
    try:
        with Snapshot(env.begin()) as snapshot:
            yield snapshot
    finally:
        env.close()


def remove_store(folder: Path) -> None:
    """Delete a state store, so that it is rebuilt."""
    shutil.rmtree(folder, ignore_errors=True)


def _reserve(path: Path) -> None:
    """Have room for all of the file, which is mapped: to write where the disk has none would be the end (SIGBUS)."""
    with named(path), path.open("r+b") as file:
        os.posix_fallocate(file.fileno(), 0, max(1, path.stat().st_size))


def _has_room(path: Path) -> bool:
    """Whether the file may grow by a write; LMDB says of one that the disk cut short only that it failed."""
    with path.open("r+b") as file:
        size = path.stat().st_size
        try:
            os.posix_fallocate(file.fileno(), size, ONE_WRITE_BYTES)
        except OSError as error:
            return error.errno not in NO_ROOM
        file.truncate(size)
    return True


def _opened(folder: Path, **options: Any) -> Any:
    """The environment, seen to be as long as it says and to stand somewhere. Raises Unusable."""
    try:
        env = lmdb.open(str(folder), map_size=MAP_BYTES, **options)
    except lmdb.Error as error:
        raise Unusable(f"{folder}: {error}") from error
    try:
        claimed = (env.info()["last_pgno"] + 1) * env.stat()["psize"]
        if (folder / _FILE).stat().st_size < claimed:
            raise Unusable(f"{folder}: the file is shorter than its pages")  # to touch one would be the end (SIGBUS)
        with Snapshot(env.begin()) as snapshot:
            snapshot.standing()
    except (lmdb.Error, msgspec.DecodeError) as error:
        env.close()
        raise Unusable(f"{folder}: {error}") from error
    except Unusable:
        env.close()
        raise
    return env
