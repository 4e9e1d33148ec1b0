"""secp256k1 ECDSA over 32-byte digests, low-S, 64-byte compact signatures, 33-byte compressed keys.

The one file that knows the library (libsecp256k1 through ``btclib_secp256k1``). Signing is deterministic (RFC 6979).
A high-S, malformed or out-of-range signature is simply not valid: libsecp256k1 refuses it.
"""

from functools import lru_cache
from typing import Any, Final

from btclib_secp256k1 import dsa, ffi, keys, lib
from btclib_secp256k1.context import ctx

SECRET_BYTES: Final = 32
SIGNATURE_BYTES: Final = 64
PUBLIC_BYTES: Final = 33
_PARSED_KEYS: Final = 65_536  # parsed public keys kept ready: parsing costs a square root, a seventh of a verification

_SIGNATURE: Final = ffi.typeof("secp256k1_ecdsa_signature *")
_verify = lib.secp256k1_ecdsa_verify
_parse_compact = lib.secp256k1_ecdsa_signature_parse_compact


def public_key(secret: bytes) -> bytes:
    """The 33-byte compressed public key of a 32-byte secret. Raises ValueError when the secret is out of range."""
    return keys.pubkey_from_prvkey(secret)


def sign(secret: bytes, digest: bytes) -> bytes:
    """The 64-byte low-S signature of a 32-byte digest."""
    return dsa.sign(digest, secret, compact=True)


@lru_cache(maxsize=_PARSED_KEYS)
def _parsed(public: bytes) -> Any:
    try:
        return keys.parse(public) if len(public) == PUBLIC_BYTES else None
    except ValueError:
        return None


def verify(public: bytes, digest: bytes, signature: bytes) -> bool:
    """Whether the signature of the digest by the key is valid and in its one accepted form (64 bytes, low-S)."""
    if len(signature) != SIGNATURE_BYTES or len(digest) != 32:
        return False
    key = _parsed(public)
    if key is None:
        return False
    parsed = ffi.new(_SIGNATURE)
    if not _parse_compact(ctx, parsed, signature):
        return False
    return bool(_verify(ctx, parsed, digest, key))


def is_public_key(public: bytes) -> bool:
    """Whether the bytes are a point of the curve in compressed form."""
    return _parsed(public) is not None
