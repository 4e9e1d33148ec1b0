"""Typed tables over layers: the act at hand, the block at hand, blocks not yet final, the final state.

One dictionary per table answers every read; an undo list makes an act, or a whole block, as if it had never been; the
same list, read once at the block's end, gives the block's write set. What lies below is any ordered map of bytes.

Promises: reads see every earlier write; iteration is in key order, whatever layer a row lies in; the write set is the
same bytes on every machine. Does not own: disks. ``Final`` is implemented by the node.
"""

from collections.abc import Callable, Iterator
from heapq import merge
from typing import Any, Final, Generic, NamedTuple, Protocol, TypeVar

from stoa.kernel.codec import decoder, encode
from stoa.kernel.hashing import tagged

K = TypeVar("K")
V = TypeVar("V")

CACHED_ROWS: Final = 500_000  # rows kept decoded per table between blocks
_ABSENT: Final = object()


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


TEXT: Final = _Part(lambda text: text.encode() + b"\0", _unpack_text)  # text without NUL; order is by code point
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


class Writes(NamedTuple):
    """A block's write set: rows in key order, None for a removed row, and the hash over them."""

    rows: list[tuple[bytes, bytes | None]]
    hash: bytes
    undo: list[tuple["Table[Any, Any]", Any, Any]]  # what was there before, for invariants and for taking a block back


class State:
    """The ledger's memory. Not safe for threads: one for each reader."""

    def __init__(self, final: FinalState) -> None:
        self._final = final
        self._rows: list[dict[Any, Any]] = [{} for _ in range(256)]
        self._undo: list[tuple[Table[Any, Any], Any, Any]] = []
        self._pending: list[Writes] = []
        self._unfinal: list[dict[bytes, None]] = [{} for _ in range(256)]
        self.memo: dict[str, tuple[object, object]] = {}  # values derived from a row, with the row they derive from

    def get(self, table: Table[K, V], key: K) -> V | None:
        """The row, or None."""
        value = self._rows[table.number].get(key, _ABSENT)
        if value is _ABSENT:
            raw = self._final.get(table.pack(key))
            value = None if raw is None else table.decode(raw)
            self._rows[table.number][key] = value
        return value  # type: ignore[no-any-return]

    def need(self, table: Table[K, V], key: K) -> V:
        """The row, which the caller knows to be there. A KeyError here is a bug."""
        value = self.get(table, key)
        if value is None:
            raise KeyError(f"{table.name} has no row {key!r}")
        return value

    def put(self, table: Table[K, V], key: K, value: V | None) -> None:
        """Write the row; None removes it."""
        rows = self._rows[table.number]
        old = rows.get(key, _ABSENT)
        if old is _ABSENT:
            old = self.get(table, key)
        self._undo.append((table, key, old))
        rows[key] = value
        if table.scanned:
            self._unfinal[table.number][table.pack(key)] = None

    def scan(self, table: Table[K, V], first: tuple[Any, ...], limit: int, after: K | None = None) -> list[tuple[K, V]]:
        """Up to ``limit`` rows whose keys start with these parts, in key order, from behind the key ``after``."""
        prefix = table.pack_prefix(first)
        start = prefix if after is None else table.pack(after) + b"\0"
        found: list[tuple[K, V]] = []
        for raw in self._keys(table, prefix, start):
            key = table.unpack(raw)
            value = self.get(table, key)
            if value is not None:
                if len(found) == limit:
                    break
                found.append((key, value))
        return found

    def _keys(self, table: Table[Any, Any], prefix: bytes, start: bytes) -> Iterator[bytes]:
        assert table.scanned, f"{table.name} is not read in order"
        fresh = sorted(raw for raw in self._unfinal[table.number] if raw >= start and raw.startswith(prefix))
        last = b""
        for raw in merge(self._final_keys(prefix, start), fresh):
            if raw != last:
                yield raw
            last = raw

    def _final_keys(self, prefix: bytes, start: bytes) -> Iterator[bytes]:
        for raw, _ in self._final.scan(start):
            if not raw.startswith(prefix):
                return
            yield raw

    def mark(self) -> int:
        """A point to roll back to."""
        return len(self._undo)

    def rollback(self, mark: int) -> None:
        """Take back everything since the mark."""
        while len(self._undo) > mark:
            table, key, old = self._undo.pop()
            self._rows[table.number][key] = old

    def changes(self, mark: int = 0) -> dict[tuple[int, Any], tuple[Table[Any, Any], Any, Any]]:
        """Rows changed since the mark, first change first: (table, value before, value now)."""
        changed: dict[tuple[int, Any], tuple[Table[Any, Any], Any, Any]] = {}
        for table, key, old in self._undo[mark:]:
            if (table.number, key) not in changed:
                changed[table.number, key] = (table, old, self._rows[table.number][key])
        return changed

    def seal(self) -> Writes:
        """End the block: its write set, which stays readable here and below which nothing is rolled back."""
        rows = [
            (table.pack(key), None if now is None else encode(now))
            for (_, key), (table, old, now) in self.changes().items()
            if now is not old
        ]
        rows.sort()
        writes = Writes(rows, tagged("stoa.writes", encode(rows)), self._undo)
        self._undo = []
        self._pending.append(writes)
        return writes

    def finalised(self) -> None:
        """The oldest sealed block is in the final state now."""
        self._pending.pop(0)
        if self._pending or self._undo:
            return
        for number, rows in enumerate(self._rows):
            self._unfinal[number].clear()
            if len(rows) > CACHED_ROWS:
                rows.clear()

    def discard(self) -> None:
        """Take back every sealed block that is not final, newest first, and what is at hand."""
        self.rollback(0)
        while self._pending:
            self._undo = self._pending.pop().undo
            self.rollback(0)
