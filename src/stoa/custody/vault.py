"""The vault: personal data of an institution's customers, sealed per party, never on the ledger, erasable.

Each party's record is sealed under a data key of its own, kept in the ``keyring``. Erasing overwrites that
key, then removes the record: a copy of the records made earlier stays unreadable, even with the master key.

Promises: without the master key nothing can be read; a record opens only for the party it was sealed for. An
older record of the same party put back in place is not noticed.
Does not own: copies of the *key file*, and blocks that a disk keeps behind its own back: do not back the key
file up with the records, and keep it on an encrypted disk.
"""

import os
import secrets
import threading
from pathlib import Path
from typing import Final

import msgspec

from stoa.custody import durable
from stoa.custody.keyring import Keyring
from stoa.custody.person import Person
from stoa.custody.sealing import Tampered
from stoa.custody.secret import Secret

MAX_RECORD_BYTES: Final = 16 * 1024 * 1024
MAX_PARTY: Final = 2**63 - 1
MASTER_PURPOSE: Final = "stoa.vault"  # for ``Keystore.derived``

_READER = msgspec.msgpack.Decoder(Person)


class VaultError(ValueError):
    """The vault cannot keep this; the message says why and shows nothing personal."""


class Vault:
    """The records in a directory, held by one process at a time. Opening raises Busy or WrongMasterKey."""

    def __init__(self, directory: Path, master: Secret) -> None:
        self._records = directory / "records"
        durable.private_directory(directory)
        durable.private_directory(self._records)
        self._lock = threading.Lock()
        self._held = durable.take(directory / "lock", wait=False)
        try:
            self._keys = Keyring(directory / "keys", master)
        except BaseException:
            os.close(self._held)
            raise
        for party in self._keys.erased():  # a crash may have come between the key and the record
            self._path(party).unlink(missing_ok=True)

    def close(self) -> None:
        """Let go of the vault."""
        self._keys.close()
        os.close(self._held)

    def draw(self) -> int:
        """A party number that is in no relation to the person: random, 63 bits, not used here before."""
        while True:
            party = 1 + secrets.randbelow(MAX_PARTY)
            if not self._keys.knows(party):
                return party

    def parties(self) -> tuple[int, ...]:
        """The parties of whom something may be read, ascending."""
        with self._lock:
            return self._keys.parties()

    def erased(self) -> dict[int, int]:
        """The parties who were erased, and when (milliseconds): evidence that holds nothing personal."""
        with self._lock:
            return self._keys.erased()

    def put(self, party: int, person: Person, now: int) -> None:
        """Keep the record in place of the former one. Raises VaultError."""
        if not 1 <= party <= MAX_PARTY:
            raise VaultError("a party number is 1 to 2^63 - 1")
        plain = Secret(msgspec.msgpack.encode(person))
        try:
            _READER.decode(plain.reveal())  # a struct checks its bounds only when it is read
        except msgspec.ValidationError as error:
            raise VaultError(str(error)) from None
        if len(plain) > MAX_RECORD_BYTES:
            raise VaultError(f"a record has at most {MAX_RECORD_BYTES} bytes")
        with self._lock:
            if self._keys.is_erased(party):
                raise VaultError("this party was erased; a person who comes back gets a new number")
            sealer = self._keys.sealer(party) or self._keys.add(party, now)
            path = self._path(party)
            durable.private_directory(path.parent)
            durable.write(path, sealer.seal(plain, _context(party)))

    def get(self, party: int) -> Person | None:
        """The record, or None when there is none (any more). Raises Tampered."""
        with self._lock:
            sealer = self._keys.sealer(party)
            path = self._path(party)
            if sealer is None or not path.exists():
                return None
            plain = sealer.unseal(path.read_bytes(), _context(party))
        try:
            return _READER.decode(plain.reveal())
        except msgspec.MsgspecError:
            raise Tampered("the record is not a person's") from None

    def erase(self, party: int, now: int) -> bool:
        """Destroy the party's data key, then the record. False when there was nothing to erase."""
        with self._lock:
            if not self._keys.knows(party) or self._keys.is_erased(party):
                return False
            self._keys.destroy(party, now)
            path = self._path(party)
            path.unlink(missing_ok=True)
            durable.sync_directory(path.parent if path.parent.exists() else self._records)
            return True

    def _path(self, party: int) -> Path:
        name = f"{party:016x}"
        return self._records / name[:2] / name


def _context(party: int) -> bytes:
    return b"stoa.vault.record" + party.to_bytes(8)
