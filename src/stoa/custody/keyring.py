"""The vault's key file: one slot a party with its sealed data key, changed only in place.

A slot is 128 bytes and never crosses a disk sector, so overwriting it is one write. Slot 0 is the head that
only the right master key opens. An erased party keeps its slot, with the time and without the key.
"""

import os
from pathlib import Path
from typing import Final

from stoa.custody import durable, sealing
from stoa.custody.sealing import Sealer, Tampered
from stoa.custody.secret import Secret

SLOT_BYTES: Final = 128
MAX_PARTIES: Final = 1_000_000
_SEALED_BYTES: Final = sealing.KEY_BYTES + sealing.OVERHEAD_BYTES
_HEAD: Final = b"stoa.vault.keys.v1"
_LIVE: Final = 1
_ERASED: Final = 2


class WrongMasterKey(Exception):
    """The master key does not open this vault."""


class Keyring:
    """The data keys in a file. Raises WrongMasterKey on opening."""

    def __init__(self, path: Path, master: Secret) -> None:
        self._sealer = Sealer(master)
        self._handle = os.open(path, os.O_RDWR | os.O_CREAT, durable.OWNER_ONLY)
        self._slots: dict[int, int] = {}
        self._erased: dict[int, int] = {}
        try:
            self._open_head()
            self._read_slots()
        except BaseException:
            self.close()
            raise
        durable.sync_directory(path.parent)

    def close(self) -> None:
        """Let go of the file."""
        os.close(self._handle)

    def parties(self) -> tuple[int, ...]:
        """The parties that have a key, ascending."""
        return tuple(sorted(self._slots.keys() - self._erased.keys()))

    def erased(self) -> dict[int, int]:
        """The parties whose key was destroyed, and when (milliseconds)."""
        return dict(self._erased)

    def is_erased(self, party: int) -> bool:
        """Whether the party's key was destroyed."""
        return party in self._erased

    def knows(self, party: int) -> bool:
        """Whether the party has, or had, a key."""
        return party in self._slots

    def sealer(self, party: int) -> Sealer | None:
        """The sealer under the party's data key, if it has one. Raises Tampered."""
        if party not in self._slots or party in self._erased:
            return None
        slot = os.pread(self._handle, SLOT_BYTES, self._slots[party] * SLOT_BYTES)
        return Sealer(self._sealer.unseal(slot[17 : 17 + _SEALED_BYTES], _context(party)))

    def add(self, party: int, now: int) -> Sealer:
        """A fresh data key for a new party, on disk when this returns. Raises ValueError when full."""
        if self._places > MAX_PARTIES:
            raise ValueError(f"a vault holds at most {MAX_PARTIES} parties")
        key, place = sealing.random_key(), self._places
        self._write(place, _slot(_LIVE, party, now, self._sealer.seal(key, _context(party))))
        self._slots[party] = place
        self._places += 1
        return Sealer(key)

    def destroy(self, party: int, now: int) -> None:
        """Overwrite the party's data key; gone from the file when this returns."""
        self._write(self._slots[party], _slot(_ERASED, party, now, b""))
        self._erased[party] = now

    def _open_head(self) -> None:
        size = os.fstat(self._handle).st_size
        if size < SLOT_BYTES:  # new, or torn before its first use
            self._write(0, (_HEAD + self._sealer.seal(Secret(b""), _HEAD)).ljust(SLOT_BYTES, b"\0"))
        elif size % SLOT_BYTES:  # a crash tore the last slot before anything was sealed under its key
            os.ftruncate(self._handle, size - size % SLOT_BYTES)
        head = os.pread(self._handle, SLOT_BYTES, 0)
        seal = head[len(_HEAD) : len(_HEAD) + sealing.OVERHEAD_BYTES]
        try:
            self._sealer.unseal(seal, _HEAD)
        except Tampered:
            raise WrongMasterKey("the master key does not open this vault") from None

    def _read_slots(self) -> None:
        self._places = os.fstat(self._handle).st_size // SLOT_BYTES
        for place in range(1, self._places):
            slot = os.pread(self._handle, 17, place * SLOT_BYTES)
            if slot[0] not in (_LIVE, _ERASED):
                continue  # a crash left the place without its bytes
            party = int.from_bytes(slot[1:9])
            self._slots[party] = place
            if slot[0] == _ERASED:
                self._erased[party] = int.from_bytes(slot[9:17])

    def _write(self, place: int, slot: bytes) -> None:
        os.pwrite(self._handle, slot, place * SLOT_BYTES)
        os.fsync(self._handle)


def _slot(state: int, party: int, now: int, sealed: bytes) -> bytes:
    return (bytes([state]) + party.to_bytes(8) + now.to_bytes(8) + sealed).ljust(SLOT_BYTES, b"\0")


def _context(party: int) -> bytes:
    return b"stoa.vault.key" + party.to_bytes(8)
