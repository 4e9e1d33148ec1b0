"""Typed tables over layers: the act at hand, the block at hand, blocks not yet final, the final state.

One dictionary per table answers every read. Each write leaves its key and what was there before on its table's stacks:
popped, they make an act, or a whole block, as if it had never been; read once at the block's end, they give the block's
write set. What lies below is any ordered map of bytes.

Promises: reads see every earlier write; iteration is in key order, whatever layer a row lies in; the write set is the
same bytes on every machine. Does not own: disks. ``Final`` is implemented by the node.
"""

from bisect import bisect_left
from collections.abc import Callable, Iterable, Iterator
from functools import lru_cache
from heapq import merge
from itertools import takewhile
from operator import attrgetter, itemgetter
from struct import Struct
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
NUMBER: Final = _Part(Struct(">Q").pack, lambda raw: (int.from_bytes(raw[:8], "big"), raw[8:]))
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


Undo = dict[Table[Any, Any], tuple[list[Any], list[Any]]]  # the keys written, write by write, and what was there before


class Writes(NamedTuple):
    """A block's write set: rows in key order, None for a removed row, and the hash over them."""

    rows: list[tuple[bytes, bytes | None]]
    hash: bytes
    undo: Undo

    def before(self, table: Table[K, V]) -> dict[K, V | None]:
        """What was there before the block, of each row of the table that it wrote."""
        written, replaced = self.undo.get(table, ((), ()))
        return dict(zip(reversed(written), reversed(replaced), strict=True))


class Rows(dict[K, V | None]):
    """The rows of one table as they are now; one that is not here yet is fetched from the final state."""

    def __init__(self, table: Table[K, V], final: FinalState) -> None:
        super().__init__()
        self.table, self.final = table, final
        self.written: list[K] = []  # by the block at hand, write by write
        self.replaced: list[V | None] = []  # what was there before each of these writes
        self.fresh = _Fresh()

    def __missing__(self, key: K) -> V | None:
        raw = self.final.get(self.table.pack(key))
        value = self[key] = None if raw is None else self.table.decode(raw)
        return value

    def take_back(self) -> None:
        """Undo the last write."""
        self[self.written.pop()] = self.replaced.pop()

    def seal(self) -> tuple[list[K], list[V | None]]:
        """The block at hand has ended: its stacks are handed over."""
        stacks = self.written, self.replaced
        self.written, self.replaced = [], []
        self.fresh.sealed(stacks[0])
        return stacks


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
    """Keys of a table written since the final state, put in order only when somebody iterates."""

    def __init__(self) -> None:
        self._sealed: list[Any] = []  # of blocks that are not final, as far as nobody has iterated since
        self._noted = 0  # how many writes of the block at hand are known here
        self._known: dict[bytes, None] = {}
        self._sorted: list[bytes] = []

    def sealed(self, keys: Iterable[Any]) -> None:
        """The block at hand has ended; these are its keys."""
        self._sealed.extend(keys)
        self._noted = 0

    def under(self, rows: Rows[Any, Any], prefix: bytes, start: bytes) -> list[bytes]:
        """The keys with this prefix from ``start`` on, in order."""
        new = self._sealed + rows.written[self._noted :]
        if new:
            self._known.update(dict.fromkeys(map(rows.table.pack, new)))
            self._sorted = sorted(self._known)
            self._sealed.clear()
            self._noted = len(rows.written)
        found = []
        for at in range(bisect_left(self._sorted, start), len(self._sorted)):
            if not self._sorted[at].startswith(prefix):
                break
            found.append(self._sorted[at])
        return found

    def taken_back(self, left: int) -> None:
        """So many writes of the block at hand are left. A key that is known needlessly does no harm."""
        self._noted = min(self._noted, left)

    def clear(self) -> None:
        """All of them are final now."""
        self._sealed.clear()
        self._known.clear()
        self._sorted.clear()
        self._noted = 0


class State:
    """The ledger's memory. Not safe for threads: one for each reader."""

    def __init__(self, final: FinalState) -> None:
        self._final = final
        self.rows = Tables(final)
        self._writes: list[Table[Any, Any]] = []  # of the block at hand: whose row each of them changed
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
        self.change(table, key, self.rows[table][key], value)

    def change(self, table: Table[K, V], key: K, before: V | None, value: V | None) -> None:
        """Write a row of which the caller knows what it is before, None if it is not there: nothing is looked up."""
        rows = self.rows[table]
        self._writes.append(table)
        rows.written.append(key)
        rows.replaced.append(before)
        rows[key] = value

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
        rows = self.rows[table]
        fresh = ((raw, None) for raw in rows.fresh.under(rows, prefix, start))
        last = b""
        for raw, stored in merge(final, fresh, key=itemgetter(0)):
            if raw != last:
                yield raw, stored
            last = raw

    def mark(self) -> int:
        """A point to roll back to."""
        return len(self._writes)

    def rollback(self, mark: int) -> None:
        """Take back everything since the mark."""
        self.turn += 1
        taken = self._writes[mark:]
        del self._writes[mark:]
        for table in reversed(taken):
            self.rows[table].take_back()
        for table in dict.fromkeys(taken):
            rows = self.rows[table]
            rows.fresh.taken_back(len(rows.written))

    def seal(self) -> Writes:
        """End the block: its write set, which stays readable here and below which nothing is rolled back.

        Also what came back to what it was is in it: whether two equal values are one object is Python's affair.
        """
        undo: Undo = {}
        ordered: list[tuple[bytes, bytes | None]] = []
        for table in sorted(dict.fromkeys(self._writes), key=attrgetter("number")):
            rows, pack = self.rows[table], table.pack
            undo[table] = rows.seal()
            now = {pack(key): rows[key] for key in dict.fromkeys(undo[table][0])}
            ordered += [(raw, None if (row := now[raw]) is None else encode(row)) for raw in sorted(now)]
        writes = Writes(ordered, tagged("stoa.writes", encode(ordered)), undo)
        self._writes = []
        self.turn += 1
        self._pending.append(writes)
        return writes

    def finalised(self) -> None:
        """The oldest sealed block is in the final state now."""
        self._pending.pop(0)
        for rows in self.rows.values():
            rows.fresh.clear()
        for writes in self._pending:
            for table, (written, _) in writes.undo.items():
                self.rows[table].fresh.sealed(written)
        if not self._pending and not self._writes:
            for rows in self.rows.values():
                if len(rows) > CACHED_ROWS:
                    rows.clear()

    def discard(self) -> None:
        """Take back every sealed block that is not final, newest first, and what is at hand."""
        self.rollback(0)
        self.turn += 1
        while self._pending:
            writes = self._pending.pop()
            for table in writes.undo:
                self.rows[table].update(writes.before(table))
