"""SHA-256 with a domain tag, so that bytes signed or hashed for one purpose mean nothing for another."""

from hashlib import sha256
from typing import Final


class _Prefixes(dict[str, bytes]):
    """SHA-256(tag) twice, by tag. A closed set: tags are literals of our own code."""

    def __missing__(self, tag: str) -> bytes:
        digest = sha256(tag.encode()).digest()
        prefix = self[tag] = digest + digest
        return prefix


_PREFIXES: Final = _Prefixes()


def tagged(tag: str, *parts: bytes) -> bytes:
    """SHA-256(SHA-256(tag) ‖ SHA-256(tag) ‖ parts), 32 bytes: the tagged hash of BIP 340."""
    return sha256(_PREFIXES[tag] + b"".join(parts)).digest()
