"""The house rules about files: how long, what named, what said first, what never in a commit.

Each rule is a function from a path and its text to complaints, so that a test can show it a bad example.
Limits only ever tighten.
"""

import ast
import re
from collections.abc import Iterator
from pathlib import PurePosixPath

FILE_LINES = 400
FUNCTION_LINES = 70
SCREEN_LINES = 40  # nine functions in ten stay below this
TRACKED_BYTES = 400 * 1024

ROOMS_WITHOUT_A_SUBJECT = frozenset("util utils common helper helpers misc shared stuff".split())
PICTURES = frozenset({".png", ".jpg", ".svg", ".webp"})

MACHINE_PATH = re.compile(r"(?:^|[^\w.~-])/(?:farm|home|root|tmp|work|Users)/[\w.]", re.MULTILINE)
REGISTRY = re.compile(
    r'"resolved": *"http|^ *(?:--)?(?:extra-)?(?:index-url|find-links)\b|url *= *"http[^"]*\.(?:whl|tar\.gz)'
    r"|registry\.npmjs\.|pypi\.org/simple|files\.pythonhosted\.",
    re.MULTILINE,
)


def name(path: PurePosixPath) -> Iterator[str]:
    """A name says what is inside; these say that nobody thought about it."""
    for part in (*path.parts[:-1], path.stem):
        if part.lower() in ROOMS_WITHOUT_A_SUBJECT:
            yield f"{part!r} names no subject"


def length(text: str) -> Iterator[str]:
    """One idea a file."""
    if (lines := text.count("\n")) > FILE_LINES:
        yield f"{lines} lines, at most {FILE_LINES}"


def docstring(text: str) -> Iterator[str]:
    """The first lines say what a file owns, promises and does not own."""
    if text.strip() and not ast.get_docstring(ast.parse(text)):
        yield "no module docstring"


def functions(text: str) -> Iterator[str]:
    """A function fits a screen."""
    for function, lines in function_lengths(text):
        if lines > FUNCTION_LINES:
            yield f"{function}() has {lines} lines, at most {FUNCTION_LINES}"


def function_lengths(text: str) -> Iterator[tuple[str, int]]:
    """Yield each function's name and its lines from `def` to its last one."""
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node.name, (node.end_lineno or node.lineno) - node.lineno + 1


def size(path: PurePosixPath, content: bytes) -> Iterator[str]:
    """The history stays light; only the documents' pictures may weigh more."""
    if len(content) > TRACKED_BYTES and not (path.parts[0] == "docs" and path.suffix in PICTURES):
        yield f"{len(content) // 1024} KB, at most {TRACKED_BYTES // 1024}"


def addresses(text: str) -> Iterator[str]:
    """A commit names no path of one machine and no address that parts were downloaded from."""
    for pattern, what in ((MACHINE_PATH, "a path of one machine"), (REGISTRY, "a registry's address")):
        for match in pattern.finditer(text):
            line = text.count("\n", 0, match.start()) + 1
            yield f"line {line}: {what}: {match.group().strip()!r}"
