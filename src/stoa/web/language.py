"""Languages: which one a request wants, and the words of each, one catalogue file a language.

A catalogue is TOML: tables of short names and sentences with ``str.format`` fields. A word that is missing is a bug,
so asking for one raises KeyError.
"""

import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from babel.core import Locale, negotiate_locale

DEFAULT: Final = "en"
NAMES: Final[Mapping[str, str]] = {"en": "English", "ko": "한국어"}
MAX_ACCEPTED: Final = 16  # entries of an Accept-Language header that are looked at
_FOLDER: Final = Path(__file__).parent / "words"


class Words:
    """The catalogue of one language."""

    def __init__(self, language: str, entries: Mapping[str, str]) -> None:
        self.language, self.locale = language, Locale.parse(language)
        self.entries = entries

    def __call__(self, key: str, **fields: object) -> str:
        """The words of this name, its fields filled in. Plain text: templates escape it."""
        sentence = self.entries[key]
        return sentence.format(**fields) if fields else sentence

    def named(self, family: str, value: str) -> str:
        """The word for a code of a closed family, e.g. a phase; the code itself where there is none."""
        return self.entries.get(f"{family}.{value}", value)

    def country(self, code: str) -> str:
        """The country's name, or its code where the language has none."""
        return str(self.locale.territories.get(code, code))


def _flat(tree: Mapping[str, object], prefix: str = "") -> dict[str, str]:
    found: dict[str, str] = {}
    for name, value in tree.items():
        if isinstance(value, dict):
            found |= _flat(value, f"{prefix}{name}.")
        else:
            found[prefix + name] = str(value)
    return found


def _load(language: str) -> Words:
    return Words(language, _flat(tomllib.loads((_FOLDER / f"{language}.toml").read_text(encoding="utf-8"))))


WORDS: Final[Mapping[str, Words]] = {language: _load(language) for language in NAMES}


def chosen(asked: str | None, remembered: str | None, accepted: str) -> str:
    """The language: what the address asks for, else the cookie's, else the browser's best, else English."""
    for one in (asked, remembered):
        if one is not None and one in NAMES:
            return one
    wanted = [_quality(part) for part in accepted.split(",")[:MAX_ACCEPTED] if part.strip()]
    names = [name for _, name in sorted(wanted, key=lambda pair: -pair[0]) if name]
    return negotiate_locale(names, list(NAMES), sep="-") or DEFAULT


def _quality(part: str) -> tuple[float, str]:
    name, _, weight = part.strip().partition(";q=")
    try:
        return float(weight or 1), name.partition("-")[0].lower()
    except ValueError:
        return 0.0, ""
