"""SHA-256 with a domain tag, so that bytes signed or hashed for one purpose mean nothing for another."""

from hashlib import sha256
from typing import Final

_TAGS: Final[dict[str, bytes]] = {}


def _prefix(tag: str) -> bytes:
    if tag not in _TAGS:  # closed set: tags are literals of our own code
        digest = sha256(tag.encode()).digest()
        _TAGS[tag] = digest + digest
    return _TAGS[tag]


def tagged(tag: str, *parts: bytes) -> bytes:
    """SHA-256(SHA-256(tag) ‖ SHA-256(tag) ‖ parts), 32 bytes: the tagged hash of BIP 340."""
    return sha256(_prefix(tag) + b"".join(parts)).digest()
