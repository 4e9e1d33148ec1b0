"""Names as parts of NATS subjects: every text becomes one token, two texts never the same, and back."""

import re
from typing import Final

_OTHERS: Final = re.compile(r"[^A-Za-z0-9-]")
_WRITTEN: Final = re.compile(r"_([0-9a-f]{2,8})_")


def token(text: str) -> str:
    """Letters, digits and hyphens stay; any other sign becomes its UTF-8 bytes in hex between two ``_``.

    A code may hold a dot, which would split a subject; a chain's name may hold anything.
    """
    if not text:
        raise ValueError("an empty text names nothing")
    return _OTHERS.sub(lambda found: f"_{found.group().encode().hex()}_", text)


def text_of(written: str) -> str:
    """The text behind a token. Raises ValueError when it is none."""
    text = _WRITTEN.sub(lambda found: bytes.fromhex(found.group(1)).decode(), written)
    if not text or token(text) != written:
        raise ValueError(f"{written!r} is no name")
    return text
