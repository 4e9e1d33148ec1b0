"""Sealed bytes: AES-256-GCM under a key from a passphrase (argon2id, RFC 9106) or a key (HKDF, RFC 5869).

Promises: what was changed, moved to another place or sealed under another key is refused, not returned wrong.
The *context* (associated data) of a seal says where the bytes belong. Nonces are random 96-bit numbers.
"""

import secrets
from typing import Annotated, Final

from argon2.low_level import Type, hash_secret_raw
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from msgspec import Meta

from stoa.custody.secret import Secret
from stoa.kernel.codec import Shape

KEY_BYTES: Final = 32
NONCE_BYTES: Final = 12
SALT_BYTES: Final = 16
OVERHEAD_BYTES: Final = NONCE_BYTES + 16  # a seal is nonce ‖ ciphertext ‖ tag


class Cost(Shape):
    """Parameters of argon2id. Bounded, so that a forged file cannot ask for a terabyte of memory."""

    passes: Annotated[int, Meta(ge=1, le=64)]
    memory_kib: Annotated[int, Meta(ge=8, le=4 * 1024 * 1024)]
    lanes: Annotated[int, Meta(ge=1, le=64)]


RECOMMENDED: Final = Cost(passes=3, memory_kib=65_536, lanes=4)  # RFC 9106, section 4, second option


class Tampered(Exception):
    """The seal is broken: other bytes, another key or another place than it was made for."""


class Sealer:
    """Seals and opens under one key, which it does not give out."""

    def __init__(self, key: Secret) -> None:
        self._cipher = AESGCM(key.reveal())

    def seal(self, plain: Secret, context: bytes) -> bytes:
        """The plain bytes, sealed for this context."""
        nonce = secrets.token_bytes(NONCE_BYTES)
        return nonce + self._cipher.encrypt(nonce, plain.reveal(), context)

    def unseal(self, sealed: bytes, context: bytes) -> Secret:
        """The plain bytes behind a seal made for this context. Raises Tampered."""
        if len(sealed) < OVERHEAD_BYTES:
            raise Tampered("the seal is too short")
        try:
            return Secret(self._cipher.decrypt(sealed[:NONCE_BYTES], sealed[NONCE_BYTES:], context))
        except InvalidTag:
            raise Tampered("the seal does not open") from None


def random_key() -> Secret:
    """A fresh 256-bit key."""
    return Secret(secrets.token_bytes(KEY_BYTES))


def from_passphrase(passphrase: Secret, salt: bytes, cost: Cost) -> Secret:
    """The key behind a passphrase; takes as long as the cost says (90 ms for the recommended one)."""
    return Secret(
        hash_secret_raw(passphrase.reveal(), salt, cost.passes, cost.memory_kib, cost.lanes, KEY_BYTES, Type.ID)
    )


def from_key(key: Secret, purpose: str) -> Secret:
    """A key for one purpose out of another key; nobody gets back from it to the other or to a third."""
    return Secret(HKDF(SHA256(), KEY_BYTES, salt=None, info=purpose.encode()).derive(key.reveal()))
