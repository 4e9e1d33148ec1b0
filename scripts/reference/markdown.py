"""Markdown: pages, tables, docstrings as text, anchors. Nothing of what is written about."""

import re
from collections.abc import Iterable, Sequence
from typing import Final

NOTE: Final = "*Written from the code by `make reference`; edit the code, not this page.*"


def page(title: str, lead: str, *parts: str) -> str:
    """A whole page."""
    return "\n\n".join([f"# {title}", NOTE, lead, *(part for part in parts if part)]) + "\n"


def table(head: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """A table; empty without rows."""
    lines = [_row([_cell(cell) for cell in row]) for row in rows]
    return "\n".join([_row(head), _row(["---"] * len(head)), *lines]) if lines else ""


def _row(cells: Sequence[str]) -> str:
    return "| " + " | ".join(cells) + " |"


def _cell(cell: object) -> str:
    return str(cell).replace("|", "\\|").replace("\n", " ")


def said(docstring: str | None) -> str:
    """A docstring as one paragraph, with its code marks turned into Markdown's."""
    return re.sub(r"``(.+?)``", r"`\1`", " ".join((docstring or "").split()))


def spec(docstring: str | None) -> str:
    """A package's docstring as paragraphs and lists, without its first one."""
    return re.sub(r"``(.+?)``", r"`\1`", (docstring or "").strip())


def link(name: str, page: str = "") -> str:
    """A link to the heading that is this one word."""
    return f"[{name}]({page}#{name.lower()})"


def number(value: int) -> str:
    """An integer for people: powers of two as such, others with separators."""
    if value >= 2**16 and value & (value - 1) == 0:
        return f"2^{value.bit_length() - 1}"
    if value >= 2**16 and (value + 1) & value == 0:
        return f"2^{(value + 1).bit_length() - 1} − 1"
    return f"{value:,}"
