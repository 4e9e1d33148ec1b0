"""The documents as the tests read them: which there are, their links, headings and fenced blocks."""

import re
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).resolve().parents[2]
DOCS = ROOT / "docs"
PAGES = sorted([ROOT / "README.md", ROOT / "ARCHITECTURE.md", *DOCS.rglob("*.md")])
WRITTEN = [page for page in PAGES if DOCS / "reference" not in page.parents]  # by hand
_LINK = re.compile(r"!?\[[^\]]*\]\(([^)\s]+)\)")
_FENCE = re.compile(r"^```(\S+)?(?: ([^\n]*))?\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_MARK = re.compile(r"[^\w\- ]", re.UNICODE)


class Block(NamedTuple):
    """A fenced block: its language, what stands behind it, its text."""

    language: str
    words: str
    text: str


def text_of(page: Path) -> str:
    return page.read_text(encoding="utf-8")


def links(page: Path) -> list[str]:
    """The targets of links that lead to files or headings of the repository."""
    found = _LINK.findall(_FENCE.sub("", text_of(page)))
    return [target for target in found if not re.match(r"[a-z]+:", target)]


def anchors(page: Path) -> set[str]:
    """The headings as a reader's browser knows them."""
    heads = re.findall(r"^#+ (.*)$", _FENCE.sub("", text_of(page)), re.MULTILINE)
    return {_MARK.sub("", re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", head).lower()).replace(" ", "-") for head in heads}


def blocks(page: Path) -> list[Block]:
    return [Block(*(part or "" for part in found)) for found in _FENCE.findall(text_of(page))]


def name_of(page: Path) -> str:
    return str(page.relative_to(ROOT))
