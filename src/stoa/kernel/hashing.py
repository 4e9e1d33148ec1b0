"""SHA-256 with a domain tag, so that bytes signed or hashed for one purpose mean nothing for another."""

from hashlib import sha256
from typing import Any, Final


class _Begun(dict[str, Any]):
    """By tag, a hash that has taken in SHA-256(tag) twice: its first block, the same for ever. A closed set: tags are
    literals of our own code."""

    def __missing__(self, tag: str) -> Any:
        digest = sha256(tag.encode()).digest()
        begun = self[tag] = sha256(digest + digest)
        return begun


_BEGUN: Final = _Begun()


def tagged(tag: str, *parts: bytes) -> bytes:
    """SHA-256(SHA-256(tag) ‖ SHA-256(tag) ‖ parts), 32 bytes: the tagged hash of BIP 340."""
    hashed = _BEGUN[tag].copy()
    for part in parts:
        hashed.update(part)
    digest: bytes = hashed.digest()
    return digest
