"""A state store in memory that keeps its promise and not one more: after a crash, what was synced and nothing in part.

It shares the steps of a simulated disk, so that the power can go within a write. Then the write that was being synced
may be there or not; and once in a while the whole store is torn away.
"""

from bisect import bisect_left
from collections.abc import Iterator

from stoa.node.state_store import Rows, Standing
from tests.journal.simulated_disk import SimulatedDisk

TORN_AWAY = 0.15  # of the crashes


class SimulatedStore:
    """Satisfies ``Store``."""

    def __init__(self, disk: SimulatedDisk) -> None:
        self._disk = disk
        self._durable: tuple[dict[bytes, bytes], Standing | None] = {}, None
        self._begin()

    def get(self, key: bytes) -> bytes | None:
        return self._rows.get(key)

    def scan(self, start: bytes) -> Iterator[tuple[bytes, bytes]]:
        if not self._keys:
            self._keys = sorted(self._rows)
        for key in self._keys[bisect_left(self._keys, start) :]:
            yield key, self._rows[key]

    def standing(self) -> Standing | None:
        return self._standing

    def write(self, rows: Rows, standing: Standing, sync: bool = True) -> None:
        self._disk.step()
        for key, value in rows:
            if value is None:
                self._rows.pop(key, None)
            else:
                self._rows[key] = value
        self._keys, self._standing = [], standing
        if sync:
            self._syncing = True
            self._disk.step()
            self._durable = dict(self._rows), standing
            self._syncing = False

    def crash(self) -> None:
        """The process ended, with or without the machine."""
        random = self._disk.random
        if self._syncing and random.random() < 0.5:
            self._durable = dict(self._rows), self._standing
        if random.random() < TORN_AWAY:
            self.remove()
        self._begin()

    def remove(self) -> None:
        """Nothing is left."""
        self._durable = {}, None
        self._begin()

    def _begin(self) -> None:
        self._rows, self._standing = dict(self._durable[0]), self._durable[1]
        self._keys: list[bytes] = []
        self._syncing = False
