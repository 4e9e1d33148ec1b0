"""``make reference``: write every page that is not current. ``--check`` writes nothing and fails if there is one."""

import sys

from scripts.reference.pages import FOLDER, stale


def main() -> int:
    """Print what was written, or what is not current; return the exit code."""
    check = "--check" in sys.argv[1:]
    late = stale()
    for name, text in late.items():
        print(f"{name} is not current" if check else f"docs/reference/{name}")
        if not check:
            FOLDER.mkdir(parents=True, exist_ok=True)
            (FOLDER / name).write_text(text, encoding="utf-8")
    return int(check and bool(late))


if __name__ == "__main__":
    sys.exit(main())
