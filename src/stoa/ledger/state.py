"""Typed tables over layers: the act at hand, the block at hand, blocks not yet final, the final state.

One dictionary per table answers every read; an undo list makes an act, or a whole block, as if it had never been; the
same list, read once at the block's end, gives the block's write set. What lies below is any ordered map of bytes.

Promises: reads see every earlier write; iteration is in key order, whatever layer a row lies in; the write set is the
same bytes on every machine. Does not own: disks. ``Final`` is implemented by the node.
"""

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Callable, Iterator
from functools import lru_cache
from heapq import merge
from itertools import chain, takewhile
from operator import itemgetter
from typing import TYPE_CHECKING, Any, Final, Generic, NamedTuple, Protocol, TypeVar

from stoa.kernel.codec import decoder, encode
from stoa.kernel.hashing import tagged

K = TypeVar("K")
V = TypeVar("V")

CACHED_ROWS: Final = 500_000  # rows kept decoded per table between blocks

PAGE: Final = 1_000  # rows read at once by a walk


class FinalState(Protocol):
    """The state of the last final block, as an ordered map of bytes."""

    def get(self, key: bytes) -> bytes | None:
        """The value, or None."""

    def scan(self, start: bytes) -> Iterator[tuple[bytes, bytes]]:
        """All rows with key >= start, in key order."""


class _Part(NamedTuple):
    pack: Callable[[Any], bytes]
    unpack: Callable[[bytes], tuple[Any, bytes]]


def _unpack_text(raw: bytes) -> tuple[str, bytes]:
    text, _, rest = raw.partition(b"\0")
    return text.decode(), rest


@lru_cache(maxsize=65_536)
def _pack_text(text: str) -> bytes:
    return text.encode() + b"\0"


TEXT: Final = _Part(_pack_text, _unpack_text)  # text without NUL; order is by code point
NUMBER: Final = _Part(lambda n: n.to_bytes(8, "big"), lambda raw: (int.from_bytes(raw[:8], "big"), raw[8:]))
ACCOUNT: Final = _Part(lambda account: account, lambda raw: (raw[:20], raw[20:]))
DIGEST: Final = _Part(lambda digest: digest, lambda raw: (raw[:32], raw[32:]))


class Table(Generic[K, V]):
    """One kind of row. ``number`` is permanent: it is the first byte of every key.

    A key of one part is that part; of several, a tuple of them. ``scanned`` tables may be read in key order.
    """

    def __init__(self, number: int, name: str, parts: tuple[_Part, ...], value: type[V], scanned: bool = False) -> None:
        self.number, self.name, self.parts, self.scanned = number, name, parts, scanned
        self.value = value
        self.prefix = bytes([number])
        self.decode: Callable[[bytes], V] = decoder(value).decode
        self.pack: Callable[[K], bytes] = self._packer()

    def _packer(self) -> Callable[[Any], bytes]:
        prefix, packs = self.prefix, [part.pack for part in self.parts]
        if len(packs) == 1:
            only = packs[0]
            return lambda key: prefix + only(key)
        if len(packs) == 2:
            first, second = packs
            return lambda key: prefix + first(key[0]) + second(key[1])
        if len(packs) == 3:
            first, second, third = packs
            return lambda key: prefix + first(key[0]) + second(key[1]) + third(key[2])
        return lambda key: prefix + b"".join([pack(part) for pack, part in zip(packs, key, strict=True)])

    def pack_prefix(self, parts: tuple[Any, ...]) -> bytes:
        """The bytes that start the keys of all rows whose first parts are these."""
        return self.prefix + b"".join(part.pack(value) for part, value in zip(self.parts, parts, strict=False))

    def unpack(self, raw: bytes) -> K:
        """The key behind its bytes."""
        rest, values = raw[1:], []
        for part in self.parts:
            value, rest = part.unpack(rest)
            values.append(value)
        return values[0] if len(values) == 1 else tuple(values)  # type: ignore[return-value]


Undo = list[tuple[Table[Any, Any], Any, Any]]  # for each write, in order: table, key, and what was there before


class Writes(NamedTuple):
    """A block's write set: rows in key order, None for a removed row, and the hash over them."""

    rows: list[tuple[bytes, bytes | None]]
    hash: bytes
    undo: Undo  # for invariants, and for taking a block back


class Rows(dict[K, V | None]):
    """The rows of one table as they are now; one that is not here yet is fetched from the final state."""

    def __init__(self, table: Table[K, V], final: FinalState) -> None:
        super().__init__()
        self.table, self.final = table, final
        self.fresh = _Fresh()

    def __missing__(self, key: K) -> V | None:
        raw = self.final.get(self.table.pack(key))
        value = self[key] = None if raw is None else self.table.decode(raw)
        return value


class Tables(dict[Table[Any, Any], Rows[Any, Any]]):
    """The rows of every table: ``tables[TABLE][key]`` is the row, or None."""

    def __init__(self, final: FinalState) -> None:
        super().__init__()
        self.final = final

    def __missing__(self, table: Table[Any, Any]) -> Rows[Any, Any]:
        rows = self[table] = Rows(table, self.final)
        return rows

    if TYPE_CHECKING:  # a dictionary's own subscript is the fastest read there is; only its types are told here

        def __getitem__(self, table: Table[K, V]) -> Rows[K, V]: ...


class _Fresh:
    """Keys of a table written since the final state: noted as they come, put in order only when somebody iterates."""

    def __init__(self) -> None:
        self.keys: list[Any] = []
        self._known: dict[bytes, None] = {}
        self._sorted: list[bytes] = []

    def under(self, table: Table[Any, Any], prefix: bytes, start: bytes) -> list[bytes]:
        """The keys with this prefix from ``start`` on, in order."""
        if self.keys:
            self._known.update(dict.fromkeys(map(table.pack, self.keys)))
            self._sorted = sorted(self._known)
            self.keys.clear()
        found = []
        for at in range(bisect_left(self._sorted, start), len(self._sorted)):
            if not self._sorted[at].startswith(prefix):
                break
            found.append(self._sorted[at])
        return found

    def clear(self) -> None:
        """All of them are final now."""
        self.keys.clear()
        self._known.clear()
        self._sorted.clear()


class State:
    """The ledger's memory. Not safe for threads: one for each reader."""

    def __init__(self, final: FinalState) -> None:
        self._final = final
        self.rows = Tables(final)
        self._undo: Undo = []
        self._pending: list[Writes] = []
        self.turn = 0  # rises when writes are taken back or sealed; within a turn an equal mark is an equal state
        self.memo: dict[str, tuple[object, object]] = {}  # derived values, with what they were derived from

    def get(self, table: Table[K, V], key: K) -> V | None:
        """The row, or None."""
        return self.rows[table][key]

    def need(self, table: Table[K, V], key: K) -> V:
        """The row, which the caller knows to be there. A KeyError here is a bug."""
        value = self.rows[table][key]
        if value is None:
            raise KeyError(f"{table.name} has no row {key!r}")
        return value

    def put(self, table: Table[K, V], key: K, value: V | None) -> None:
        """Write the row; None removes it."""
        rows = self.rows[table]
        self._undo.append((table, key, rows[key]))
        rows[key] = value
        if table.scanned:
            rows.fresh.keys.append(key)

    def add(self, table: Table[K, V], key: K, value: V) -> None:
        """Write a row that the caller knows not to be there: nothing is looked up."""
        rows = self.rows[table]
        self._undo.append((table, key, None))
        rows[key] = value
        if table.scanned:
            rows.fresh.keys.append(key)

    def scan(self, table: Table[K, V], first: tuple[Any, ...], limit: int, after: K | None = None) -> list[tuple[K, V]]:
        """Up to ``limit`` rows whose keys start with these parts, in key order, from behind the key ``after``."""
        prefix = table.pack_prefix(first)
        start = prefix if after is None else table.pack(after) + b"\0"
        found: list[tuple[K, V]] = []
        rows = self.rows[table]
        for raw, stored in self._stored(table, prefix, start):
            key: K = table.unpack(raw)
            # what only passes by is not kept: a walk may be longer than the memory
            value: V | None = rows[key] if stored is None or key in rows else table.decode(stored)
            if value is not None:
                if len(found) == limit:
                    break
                found.append((key, value))
        return found

    def walk(self, table: Table[K, V], first: tuple[Any, ...] = ()) -> Iterator[tuple[K, V]]:
        """All rows whose keys start with these parts, in key order, a page at a time: for checks of a whole state."""
        after: K | None = None
        while rows := self.scan(table, first, PAGE, after):
            yield from rows
            after = rows[-1][0]

    def _stored(self, table: Table[Any, Any], prefix: bytes, start: bytes) -> Iterator[tuple[bytes, bytes | None]]:
        """Keys in order, each once, with the bytes of a final row, or None where the key is of a newer one alone."""
        assert table.scanned, f"{table.name} is not read in order"
        final = takewhile(lambda row: row[0].startswith(prefix), self._final.scan(start))
        fresh = ((raw, None) for raw in self.rows[table].fresh.under(table, prefix, start))
        last = b""
        for raw, stored in merge(final, fresh, key=itemgetter(0)):
            if raw != last:
                yield raw, stored
            last = raw

    def mark(self) -> int:
        """A point to roll back to."""
        return len(self._undo)

    def rollback(self, mark: int) -> None:
        """Take back everything since the mark."""
        self.turn += 1
        while len(self._undo) > mark:
            table, key, old = self._undo.pop()
            self.rows[table][key] = old

    def changes(self, mark: int = 0) -> Iterator[tuple[Table[Any, Any], Any, Any, Any]]:
        """Rows written since the mark: table, key, value before, value now. Each once, in no stated order.

        Also those that came back to what they were: whether two equal values are one object is Python's affair.
        """
        for table, before in self._before(mark).items():
            rows = self.rows[table]
            for key, old in before.items():
                yield table, key, old, rows[key]

    def _before(self, mark: int) -> dict[Table[Any, Any], dict[Any, Any]]:
        """What was there at the mark, of every row written since."""
        first: dict[Table[Any, Any], dict[Any, Any]] = defaultdict(dict)
        for table, key, old in self._undo[mark:]:
            first[table].setdefault(key, old)
        return first

    def seal(self) -> Writes:
        """End the block: its write set, which stays readable here and below which nothing is rolled back."""
        written: dict[bytes, Any] = {}
        for table, keys in self._before(0).items():
            rows, pack = self.rows[table], table.pack
            for key in keys:
                written[pack(key)] = rows[key]
        ordered = [(raw, None if (now := written[raw]) is None else encode(now)) for raw in sorted(written)]
        writes = Writes(ordered, tagged("stoa.writes", encode(ordered)), self._undo)
        self._undo = []
        self.turn += 1
        self._pending.append(writes)
        return writes

    def finalised(self) -> None:
        """The oldest sealed block is in the final state now."""
        self._pending.pop(0)
        for rows in self.rows.values():
            rows.fresh.clear()
        for table, key, _ in chain(*(writes.undo for writes in self._pending), self._undo):
            if table.scanned:
                self.rows[table].fresh.keys.append(key)
        if not self._pending and not self._undo:
            for rows in self.rows.values():
                if len(rows) > CACHED_ROWS:
                    rows.clear()

    def discard(self) -> None:
        """Take back every sealed block that is not final, newest first, and what is at hand."""
        self.rollback(0)
        while self._pending:
            self._undo = self._pending.pop().undo
            self.rollback(0)
