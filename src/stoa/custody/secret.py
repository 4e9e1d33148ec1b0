"""A value that does not print itself: passphrases, keys and personal bytes on their way through our frames.

Promises: no ``repr``, format, pickle or traceback with locals shows it; comparison takes constant time.
Does not own: wiping of memory, which Python cannot promise.
"""

import hmac
import unicodedata
from typing import NoReturn


class Secret:
    """Bytes, or text as NFKC in UTF-8 (systems differ in how they compose what a Korean keyboard types)."""

    __slots__ = ("_value",)

    def __init__(self, value: bytes | str) -> None:
        self._value = unicodedata.normalize("NFKC", value).encode() if isinstance(value, str) else bytes(value)

    def reveal(self) -> bytes:
        """The bytes themselves: pass them on at once, never bind them to a name."""
        return self._value

    def __len__(self) -> int:
        return len(self._value)

    def __repr__(self) -> str:
        return "Secret(hidden)"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Secret) and hmac.compare_digest(self._value, other._value)

    __hash__ = None  # type: ignore[assignment]  # a secret is no dictionary key

    def __reduce__(self) -> NoReturn:
        raise TypeError("a secret is not pickled or copied to another process")
