"""The keystore's file: its form, and how it is sealed and checked.

The file is the canonical encoding of ``KeyFile``: argon2id cost and salt, a *proof* that only the right
passphrase opens, the entries (each secret sealed for its name, key, date, status), a *lid* sealed over all.
So a wrong passphrase, a changed byte, and a missing, added or swapped entry are told apart and refused.
Does not notice an older whole file put back in place.
"""

import secrets
from pathlib import Path
from typing import Annotated, Final, Literal

from msgspec import Meta

from stoa.custody import sealing
from stoa.custody.sealing import Cost, Sealer, Tampered
from stoa.custody.secret import Secret
from stoa.kernel.codec import Malformed, Shape, decoder, encode, read
from stoa.kernel.identifiers import PublicKey, account_id, address
from stoa.kernel.time import Time

MAX_KEYS: Final = 10_000
MAX_FILE_BYTES: Final = MAX_KEYS * 512
MIN_PASSPHRASE_BYTES: Final = 12
NAME: Final = r"^[A-Za-z0-9][A-Za-z0-9._@/-]{0,63}$"
_NOTHING: Final = Secret(b"")

Status = Literal["active", "retired"]


class KeystoreError(Exception):
    """The keystore cannot do this; the message says why and names no secret."""


class WrongPassphrase(KeystoreError):
    """The passphrase does not open the file."""


class Damaged(KeystoreError):
    """The file is not what was last written."""


class Key(Shape):
    """What may be known about a key."""

    name: Annotated[str, Meta(pattern=NAME)]
    public: PublicKey
    created: Time
    status: Status

    @property
    def account(self) -> bytes:
        """The account that this key alone controls (1 of 1)."""
        return account_id(1, (self.public,))

    @property
    def address(self) -> str:
        """The address of that account."""
        return address(self.account)


class Entry(Shape):
    """A key and its secret, sealed for exactly these particulars."""

    key: Key
    sealed: bytes


class KeyFile(Shape, tag="stoa.keystore.v1"):
    """The whole file."""

    cost: Cost
    salt: bytes
    proof: bytes
    entries: Annotated[tuple[Entry, ...], Meta(max_length=MAX_KEYS)]
    lid: bytes


_READER = decoder(KeyFile)


def load(path: Path) -> KeyFile:
    """The file's parts, not yet checked. Raises Damaged or FileNotFoundError."""
    if path.stat().st_size > MAX_FILE_BYTES:
        raise Damaged(f"{path.name} is larger than any keystore")
    try:
        return read(_READER, path.read_bytes())
    except Malformed:
        raise Damaged(f"{path.name} is not a keystore") from None


def require_long(passphrase: Secret) -> None:
    """Raise KeystoreError when the passphrase is too short for a new keystore."""
    if len(passphrase) < MIN_PASSPHRASE_BYTES:
        raise KeystoreError(f"a passphrase has at least {MIN_PASSPHRASE_BYTES} bytes, this one {len(passphrase)}")


def fresh(passphrase: Secret, cost: Cost) -> tuple[bytes, Sealer]:
    """A new salt and the sealer under it. Raises KeystoreError when the passphrase is too short."""
    require_long(passphrase)
    salt = secrets.token_bytes(sealing.SALT_BYTES)
    return salt, sealer_of(passphrase, salt, cost)


def sealer_of(passphrase: Secret, salt: bytes, cost: Cost) -> Sealer:
    """The sealer under a passphrase; takes as long as the cost says."""
    return Sealer(sealing.from_passphrase(passphrase, salt, cost))


def packed(sealer: Sealer, salt: bytes, cost: Cost, entries: dict[str, Entry]) -> bytes:
    """The file's bytes."""
    kept = tuple(entries[name] for name in sorted(entries))
    proof = sealer.seal(_NOTHING, _proof_context(cost, salt))
    return encode(KeyFile(cost, salt, proof, kept, sealer.seal(_NOTHING, encode(kept))))


def checked(sealer: Sealer, file: KeyFile) -> dict[str, Entry]:
    """The entries by name. Raises WrongPassphrase or Damaged."""
    try:
        sealer.unseal(file.proof, _proof_context(file.cost, file.salt))
    except Tampered:
        raise WrongPassphrase("the passphrase does not open this keystore") from None
    try:
        sealer.unseal(file.lid, encode(file.entries))
    except Tampered:
        raise Damaged("the keystore was changed by something else than this program") from None
    return {entry.key.name: entry for entry in file.entries}


def seal(sealer: Sealer, key: Key, secret: Secret) -> Entry:
    """The key's entry."""
    return Entry(key, sealer.seal(secret, encode(key)))


def unseal(sealer: Sealer, entry: Entry) -> Secret:
    """The entry's secret. Raises Damaged."""
    try:
        return sealer.unseal(entry.sealed, encode(entry.key))
    except Tampered:
        raise Damaged(f"the entry of {entry.key.name} was changed") from None


def _proof_context(cost: Cost, salt: bytes) -> bytes:
    return encode(("stoa.keystore.proof", cost, salt))
