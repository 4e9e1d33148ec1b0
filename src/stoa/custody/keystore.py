"""The keystore: an institution's secp256k1 secrets in one encrypted file (its form is in ``keyfile``).

Owns: the file's atomic change under a lock, and every use of a secret. A secret leaves this room in one way:
sealed under another passphrase, by ``export``.
Promises: an opened keystore holds no secret unsealed but for the moment of a signature; mode 0600.
Does not own: who may have a key used (``policy``, ``signer``).
"""

import re
import secrets
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from stoa.custody import durable, keyfile, sealing
from stoa.custody.keyfile import Damaged, Entry, Key, KeystoreError, WrongPassphrase
from stoa.custody.sealing import Cost
from stoa.custody.secret import Secret
from stoa.kernel import signing
from stoa.wire import envelope

__all__ = ["Damaged", "Key", "Keystore", "KeystoreError", "WrongPassphrase"]

_NAME: Final = re.compile(keyfile.NAME)


class Keystore:
    """An opened keystore, for several threads. Changes by other processes are taken in before a change."""

    def __init__(self, path: Path, passphrase: Secret) -> None:
        """Open the file. Raises WrongPassphrase, Damaged, or FileNotFoundError."""
        self._path = path
        self._lock = threading.RLock()
        file = keyfile.load(path)
        self._cost, self._salt = file.cost, file.salt
        self._sealer = keyfile.sealer_of(passphrase, file.salt, file.cost)
        self._hold(keyfile.checked(self._sealer, file))

    @classmethod
    def open(cls, path: Path, passphrase: Secret) -> "Keystore":
        """The keystore in the file. Raises WrongPassphrase, Damaged, or FileNotFoundError."""
        return cls(path, passphrase)

    @classmethod
    def create(cls, path: Path, passphrase: Secret, cost: Cost = sealing.RECOMMENDED) -> "Keystore":
        """A new, empty keystore. Raises KeystoreError when the file exists or the passphrase is too short."""
        salt, sealer = keyfile.fresh(passphrase, cost)
        durable.private_directory(path.parent)
        try:
            durable.write(path, keyfile.packed(sealer, salt, cost, {}), new=True)
        except FileExistsError:
            raise KeystoreError(f"{path.name} exists already") from None
        return cls(path, passphrase)

    def __repr__(self) -> str:
        return f"Keystore({self._path.name})"

    # -- looking

    def listing(self) -> tuple[Key, ...]:
        """All keys by name."""
        return tuple(self._entries[name].key for name in sorted(self._entries))

    def key(self, name: str) -> Key:
        """The key of this name. Raises KeystoreError."""
        return _named(self._entries, name).key

    def key_of(self, account: bytes) -> Key | None:
        """The active key that controls the account alone, if it is kept here."""
        return self._active.get(account)

    # -- using

    def sign(self, name: str, digest: bytes) -> bytes:
        """The 64-byte signature of a 32-byte digest. Raises KeystoreError for an unknown or retired key."""
        if len(digest) != 32:
            raise KeystoreError(f"a digest has 32 bytes, this one {len(digest)}")
        return signing.sign(self._secret(name).reveal(), digest)

    def sign_body(self, body: bytes, signers: Sequence[tuple[bytes, str]]) -> bytes:
        """The envelope of a transaction body, signed for each (account, key name). Raises KeystoreError."""
        held = [(account, self._secret(name)) for account, name in signers]
        return envelope.sign_body(body, [(account, secret.reveal()) for account, secret in held])

    def derived(self, name: str, purpose: str) -> Secret:
        """A 32-byte key for one purpose out of the named key, e.g. the vault's master key."""
        return sealing.from_key(self._secret(name), purpose)

    # -- changing

    def generate(self, name: str, now: int) -> Key:
        """A new random key. Raises KeystoreError for a bad or taken name, or when the keystore is full."""
        return self.generate_all([name], now)[0]

    def generate_all(self, names: Sequence[str], now: int) -> tuple[Key, ...]:
        """New random keys, all or none, in one write."""
        with self._changing() as entries:
            return tuple(self._add(entries, name, _draw(), now) for name in names)

    def import_secret(self, name: str, secret: Secret, now: int) -> Key:
        """Take in a 32-byte secret from elsewhere. Raises KeystoreError."""
        with self._changing() as entries:
            return self._add(entries, name, secret, now)

    def import_file(self, path: Path, passphrase: Secret, now: int) -> tuple[Key, ...]:
        """Take in every key of another keystore file, e.g. an exported one, under its own names."""
        other = Keystore(path, passphrase)
        with self._changing() as entries:
            return tuple(self._add(entries, key.name, other._secret(key.name), now) for key in other.listing())

    def export(self, name: str, path: Path, passphrase: Secret, cost: Cost = sealing.RECOMMENDED) -> None:
        """Write one key as a keystore file of its own, under its own passphrase. Raises KeystoreError."""
        key, secret = self.key(name), self._secret(name)
        Keystore.create(path, passphrase, cost).import_secret(name, secret, key.created)

    def retire(self, name: str) -> Key:
        """Keep the key but never sign with it again. Raises KeystoreError."""
        with self._changing() as entries:
            key = _named(entries, name).key
            retired = Key(key.name, key.public, key.created, "retired")
            entries[name] = keyfile.seal(self._sealer, retired, keyfile.unseal(self._sealer, entries[name]))
        return retired

    def remove(self, name: str) -> None:
        """Destroy the key's entry. Raises KeystoreError."""
        with self._changing() as entries:
            _named(entries, name)
            del entries[name]

    def rotate(self, passphrase: Secret) -> None:
        """Seal everything anew under another passphrase. Raises KeystoreError when it is too short."""
        salt, sealer = keyfile.fresh(passphrase, self._cost)
        with self._lock, durable.alone(self._path):
            entries = {
                name: keyfile.seal(sealer, entry.key, keyfile.unseal(self._sealer, entry))
                for name, entry in self._on_disk().items()
            }
            durable.write(self._path, keyfile.packed(sealer, salt, self._cost, entries))
            self._salt, self._sealer = salt, sealer
            self._hold(entries)

    # -- inside

    @contextmanager
    def _changing(self) -> Iterator[dict[str, Entry]]:
        """The entries as they are on disk, written back when the block ends without an error."""
        with self._lock, durable.alone(self._path):
            entries = self._on_disk()
            yield entries
            durable.write(self._path, keyfile.packed(self._sealer, self._salt, self._cost, entries))
            self._hold(entries)

    def _hold(self, entries: dict[str, Entry]) -> None:
        keys = (entry.key for entry in entries.values())
        self._active = {key.account: key for key in keys if key.status == "active"}
        self._entries = entries

    def _on_disk(self) -> dict[str, Entry]:
        file = keyfile.load(self._path)
        if file.salt != self._salt:
            raise KeystoreError("the passphrase was changed elsewhere: open the keystore again")
        return keyfile.checked(self._sealer, file)

    def _add(self, entries: dict[str, Entry], name: str, secret: Secret, now: int) -> Key:
        if not _NAME.match(name):
            raise KeystoreError("a key's name has 1 to 64 letters, digits or . _ @ / -")
        if name in entries:
            raise KeystoreError(f"there is a key named {name} already")
        if len(entries) >= keyfile.MAX_KEYS:
            raise KeystoreError(f"a keystore holds at most {keyfile.MAX_KEYS} keys")
        key = Key(name, _public(secret), now, "active")
        entries[name] = keyfile.seal(self._sealer, key, secret)
        return key

    def _secret(self, name: str) -> Secret:
        with self._lock:
            entry = _named(self._entries, name)
            if entry.key.status != "active":
                raise KeystoreError(f"the key {name} is retired")
            return keyfile.unseal(self._sealer, entry)


def _named(entries: dict[str, Entry], name: str) -> Entry:
    if name not in entries:
        raise KeystoreError("there is no key of this name")
    return entries[name]


def _public(secret: Secret) -> bytes:
    try:
        if len(secret) == signing.SECRET_BYTES:
            return signing.public_key(secret.reveal())
    except ValueError:
        pass
    raise KeystoreError("a secret is a number of 32 bytes in the range of the curve")


def _draw() -> Secret:
    """A random secret; the chance that 32 random bytes are out of the curve's range is 2^-128."""
    return Secret(secrets.token_bytes(signing.SECRET_BYTES))
