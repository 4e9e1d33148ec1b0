"""Sentences never enter the truth: no file of kernel, wire or ledger puts a rejection into words.

A later version may word a sentence better. Were the old words in an event or a row, validators that are upgraded one
after the other would make different bytes of the same block.
"""

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
WORDED = ROOT / "src/stoa/kernel/base.py"  # where a rejection learns to speak
TRUTH = [path for room in ("kernel", "wire", "ledger") for path in sorted((ROOT / "src/stoa" / room).rglob("*.py"))]


def worded(source: str) -> list[int]:
    """The lines that ask anything for its sentence, called or handed on."""
    names = [node for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Attribute)]
    return sorted(node.lineno for node in names if node.attr == "sentence")


@pytest.mark.parametrize("source", ["x = why.sentence()", "x = why.sentence('ko')", "x = map(Why.sentence, reasons)"])
def test_a_sentence_is_found(source: str) -> None:
    assert worded(f"y = 1\n{source}") == [2]


def test_a_rejection_itself_passes() -> None:
    assert worded("kept = encode(why)\nx = why.code") == []


def test_no_sentence_enters_the_truth() -> None:
    assert WORDED in TRUTH
    assert len(TRUTH) > 50
    found = [(path, line) for path in TRUTH if path != WORDED for line in worded(path.read_text(encoding="utf-8"))]
    assert not found, "\n".join(f"{path.relative_to(ROOT)}:{line}: puts a rejection into words" for path, line in found)
