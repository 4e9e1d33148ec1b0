"""The truth is deterministic: no file of kernel, wire or ledger does what differs between machines.

The first half proves that each ban bites, and that ordinary code passes; the second half reads the truth.
"""

from pathlib import Path

import pytest

from tests.house.determinism import violations

ROOT = Path(__file__).resolve().parents[2]
ROOMS = ("kernel", "wire", "ledger")
TRUTH = [path for room in ROOMS for path in sorted((ROOT / "src/stoa" / room).rglob("*.py"))]

FORBIDDEN = {
    "clock": "import time",
    "clock, from": "from time import time_ns",
    "clock, late": "def f() -> int:\n    import time\n    return time.time_ns()",
    "calendar clock": "from datetime import datetime",
    "chance": "import random",
    "chance of the machine": "import secrets",
    "drawn identifier": "from uuid import uuid4",
    "environment": "import os.path",
    "files": "import io",
    "paths": "from pathlib import Path",
    "network": "import socket",
    "threads": "from threading import Lock",
    "tasks": "import asyncio",
    "decimal": "from decimal import Decimal",
    "math as a whole": "import math",
    "math of floats": "from math import gcd, sqrt",
    "float literal": "rate = 0.25",
    "imaginary literal": "x = 2j",
    "division": "share = pool / holders",
    "division in place": "pool /= 3",
    "float call": "x = float(y)",
    "hash": "key = hash(account)",
    "identity": "key = id(account)",
    "open": "text = open('f').read()",
    "async": "async def f() -> None: ...",
    "for over a literal": "for x in {1, 2}: pass",
    "for over a call": "for x in set(xs): pass",
    "for over frozenset": "for x in frozenset(xs): pass",
    "for over a set comprehension": "for x in {y for y in ys}: pass",
    "for over a difference": "for x in set(a) - set(b): pass",
    "for over a union": "for x in set(a).union(b): pass",
    "comprehension": "r = [x for x in set(xs)]",
    "dict comprehension": "r = {x: 1 for x in set(xs)}",
    "list of a set": "r = list({1, 2})",
    "tuple of a set": "r = tuple(set(xs))",
    "joined": "r = b''.join({a, b})",
    "unpacked": "r = [*set(xs)]",
    "enumerated": "r = enumerate(set(xs))",
    "yielded": "def f():\n    yield from {1, 2}",
    "by name": "def f(xs):\n    seen = set(xs)\n    for x in seen: pass",
    "by annotation": "def f(seen: frozenset[int]):\n    return [x for x in seen]",
    "by annotated variable": "def f():\n    seen: set[int] = g()\n    return list(seen)",
    "popped": "def f(xs):\n    seen = set(xs)\n    return seen.pop()",
}

ALLOWED = {
    "sorted": "for x in sorted(set(xs)): pass",
    "order-free": "n = len(set(xs)) + sum(x for x in {1, 2})",
    "membership": "ok = x in {1, 2}",
    "set from set": "r = {x + 1 for x in set(xs)}",
    "floor division": "share, rest = pool // holders, pool % holders",
    "exact math": "from math import gcd, isqrt",
    "rational": "from fractions import Fraction",
    "own word for time": "from stoa.kernel.time import Instant",
    "a name in another scope": "def f():\n    s = set()\n\ndef g(s: list[int]):\n    return list(s)",
    "list pop": "def f(xs: list[int]):\n    return xs.pop()",
}


@pytest.mark.parametrize("source", FORBIDDEN.values(), ids=FORBIDDEN)
def test_each_ban_bites(source: str) -> None:
    assert len(violations(source)) == 1


@pytest.mark.parametrize("source", ALLOWED.values(), ids=ALLOWED)
def test_ordinary_code_passes(source: str) -> None:
    assert violations(source) == []


def test_a_violation_says_where() -> None:
    assert violations("x = 1\ny = x / 2")[0].line == 2


@pytest.mark.parametrize("room", ROOMS)
def test_every_room_of_the_truth_is_read(room: str) -> None:
    assert any(room in path.parts for path in TRUTH)


@pytest.mark.parametrize("path", TRUTH, ids=[str(path.relative_to(ROOT)) for path in TRUTH])
def test_the_truth_is_deterministic(path: Path) -> None:
    found = violations(path.read_text(encoding="utf-8"))
    assert not found, "\n".join(f"{path.relative_to(ROOT)}:{line}: {what}" for line, what in found)
