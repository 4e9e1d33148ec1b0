"""Fail when src/ holds a function, class, method or import that src/ itself never uses.

Tests are deliberately not counted as users: a feature reachable only by its own test is dead. Fields of
structs are not judged, since a codec reads them by reflection. What a framework calls by name is listed
below; what a user of the Python client calls is listed in scripts/public_api.py.
"""

import sys
from pathlib import Path

from vulture import Vulture  # type: ignore[import-untyped]

ROOT = Path(__file__).resolve().parent.parent
MIN_CONFIDENCE = 60
JUDGED = {"class", "function", "import", "method", "property", "unreachable_code"}

# Decorators that hand a function to a framework, which then calls it.
REGISTERING = [
    "@get*", "@post*", "@put*", "@patch*", "@delete*", "@route*", "@websocket*",  # litestar
    "@app.*", "@*_app.*", "@*.command*", "@*.default*",  # cyclopts
    "@event.listens_for*", "@compiles*", "@validates*",  # sqlalchemy
    "@register*", "@*.register*",
]  # fmt: skip
# Names that a framework looks up: alembic's two directions, ast visitors, httpx's authentication.
CALLED_BY_NAME = ["upgrade", "downgrade", "visit_*", "auth_flow"]


def main() -> int:
    """Print every finding as `path:line: what`; return the exit code."""
    vulture = Vulture(ignore_names=CALLED_BY_NAME, ignore_decorators=REGISTERING)
    vulture.scavenge([str(ROOT / "src"), str(ROOT / "scripts")])
    found = [item for item in vulture.get_unused_code(MIN_CONFIDENCE) if item.typ in JUDGED]
    for item in found:
        path = Path(item.filename).resolve().relative_to(ROOT)
        print(f"{path}:{item.first_lineno}: unused {item.typ} {item.name!r}")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
