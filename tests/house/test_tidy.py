"""Every file that is or could be committed keeps the house rules; and each rule can fail."""

import subprocess
from collections.abc import Iterator
from pathlib import Path, PurePosixPath

import pytest

from tests.house import tidy

ROOT = Path(__file__).resolve().parents[2]
CODE_ROOTS = frozenset({"src", "scripts", "tests"})


def repository() -> Iterator[PurePosixPath]:
    """The files git tracks, and the new ones it would not ignore."""
    listing = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    try:
        done = subprocess.run(listing, cwd=ROOT, capture_output=True, check=True, text=True)
    except (OSError, subprocess.CalledProcessError):
        pytest.skip("not a git checkout, so there is no list of its files", allow_module_level=True)
    for path in sorted(set(done.stdout.split("\0")) - {""}):
        if (ROOT / path).is_file():
            yield PurePosixPath(path)


FILES = list(repository())
CODE = [path for path in FILES if path.suffix == ".py" and path.parts[0] in CODE_ROOTS]


def complaints(path: PurePosixPath) -> Iterator[str]:
    content = (ROOT / path).read_bytes()
    yield from tidy.name(path)
    yield from tidy.size(path, content)
    if b"\0" not in content:
        yield from tidy.addresses(content.decode("utf-8"))
    if path in CODE:
        text = content.decode("utf-8")
        yield from tidy.length(text)
        yield from tidy.docstring(text)
        yield from tidy.functions(text)


def test_every_file_is_tidy() -> None:
    found = [f"{path}: {complaint}" for path in FILES for complaint in complaints(path)]
    assert not found, "\n" + "\n".join(found)


def test_nine_functions_in_ten_fit_a_screen() -> None:
    source = [(ROOT / path).read_text(encoding="utf-8") for path in CODE if path.parts[0] == "src"]
    lengths = [lines for text in source for _, lines in tidy.function_lengths(text)]
    long = [lines for lines in lengths if lines >= tidy.SCREEN_LINES]
    assert len(long) * 10 <= len(lengths), f"{len(long)} of {len(lengths)} functions are longer"


@pytest.mark.parametrize("path", ["src/stoa/utils/a.py", "src/stoa/ledger/helpers.py", "tests/common/x.txt"])
def test_a_name_without_a_subject_is_found(path: str) -> None:
    assert list(tidy.name(PurePosixPath(path)))


def test_a_long_file_is_found() -> None:
    assert list(tidy.length("\n" * (tidy.FILE_LINES + 1)))
    assert not list(tidy.length("\n" * tidy.FILE_LINES))


def test_a_missing_docstring_is_found() -> None:
    assert list(tidy.docstring("import ast\n"))
    assert not list(tidy.docstring(""))


def test_a_long_function_is_found() -> None:
    body = "    pass\n" * tidy.FUNCTION_LINES
    assert list(tidy.functions(f"def f():\n{body}"))
    assert list(tidy.functions(f"class A:\n  async def f():\n{body}"))
    assert not list(tidy.functions("def f():\n" + "    pass\n" * (tidy.FUNCTION_LINES - 1)))


def test_a_heavy_file_is_found_unless_it_is_a_picture_of_the_documents() -> None:
    heavy = bytes(tidy.TRACKED_BYTES + 1)
    assert list(tidy.size(PurePosixPath("data.bin"), heavy))
    assert list(tidy.size(PurePosixPath("src/console.png"), heavy))
    assert not list(tidy.size(PurePosixPath("docs/console.png"), heavy))


@pytest.mark.parametrize(
    "text",
    [
        "cd " + "/work" + "/main",
        "see " + "/root" + "/.cache",
        "x\n" + "/tmp" + "/v/bin/pip",
        '"resolved"' + ': "https://example.org/x.tgz"',
        "--" + "index-url https://example.org",
        "--" + "find-links wheels",
        "https://" + "registry" + ".npmjs.org/htmx.org",
        'url = "' + 'https://example.org/x.whl"',
    ],
)
def test_an_address_is_found(text: str) -> None:
    assert list(tidy.addresses(text))


@pytest.mark.parametrize("text", ["docs/work/plan", "https://example.org/tmp/x", "make lock uses no index-url"])
def test_an_ordinary_text_is_no_address(text: str) -> None:
    assert not list(tidy.addresses(text))
