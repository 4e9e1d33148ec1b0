"""A final state in memory: what a replay without a state store, and every test, stands on."""

from bisect import bisect_left, insort
from collections.abc import Iterator

from stoa.ledger.state import Writes


class MemoryFinal:
    """An ordered map of bytes, satisfying ``FinalState``."""

    def __init__(self) -> None:
        self._rows: dict[bytes, bytes] = {}
        self._keys: list[bytes] = []

    def get(self, key: bytes) -> bytes | None:
        """The value, or None."""
        return self._rows.get(key)

    def scan(self, start: bytes) -> Iterator[tuple[bytes, bytes]]:
        """All rows with key >= start, in key order."""
        for at in range(bisect_left(self._keys, start), len(self._keys)):
            yield self._keys[at], self._rows[self._keys[at]]

    def write(self, writes: Writes) -> None:
        """Take a block's rows in."""
        for key, value in writes.rows:
            if value is None:
                if self._rows.pop(key, None) is not None:
                    del self._keys[bisect_left(self._keys, key)]
            else:
                if key not in self._rows:
                    insort(self._keys, key)
                self._rows[key] = value
