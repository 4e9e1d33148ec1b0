"""What the documents tell a reader to run, runs: Python and shell, page by page, from top to bottom.

A block says by its first line how it is meant: `run` is run and must succeed, `serve` runs beside the blocks after it,
`file=NAME` is a file that they use. A block without such a word is not run.
"""

import os
import re
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest

from stoa.api.serve import Door, free_port
from stoa.kernel.identifiers import address
from tests.api.house import AUDIENCE, House
from tests.docs.pages import DOCS, ROOT, WRITTEN, Block, blocks, name_of
from tests.ledger.hall import account, secret

PORT = "7080"
AT_A_DOOR = (ROOT / "README.md", DOCS / "guides/use-the-api.md")  # pages that speak with a running house
MEANT = ("run", "serve", "file=")
RUNNABLE = [page for page in WRITTEN if any(block.words.startswith(MEANT) for block in blocks(page))]
IN_A_FOLDER = [page for page in RUNNABLE if page not in AT_A_DOOR]
SECONDS = 120


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    house = House(tmp_path_factory.mktemp("house"))
    with Door(house.app(), free_port()) as door:
        yield door.url
    house.close()


@pytest.fixture
def shell(tmp_path: Path) -> dict[str, str]:
    """The environment of a reader who has this version installed."""
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    return os.environ | {
        "PATH": path,
        "HOME": str(tmp_path),
        "STOA_EXAMPLES": str(ROOT / "examples"),
        "STOA_PASSPHRASE": "a passphrase of the documents",
        "STOA_SECRET": secret("park").hex(),
        "STOA_API_KEY": secret("api kim").hex(),
        "STOA_MINE": address(account("kim")),
        "STOA_SELLER": address(account("park")),
        "STOA_BUYER": address(account("lee")),
    }


def run(block: Block, text: str, folder: Path, environment: dict[str, str]) -> str:
    """Run one block and return what it printed; it must succeed."""
    command = [sys.executable, "-c", text] if block.language == "python" else ["bash", "-euo", "pipefail", "-c", text]
    done = subprocess.run(
        command, cwd=folder, env=environment, capture_output=True, text=True, timeout=SECONDS, check=False
    )
    assert done.returncode == 0, f"{text}\n{done.stdout}\n{done.stderr}"
    return done.stdout


@contextmanager
def serving(text: str, folder: Path, environment: dict[str, str], port: int) -> Iterator[None]:
    """The block's command beside the others, until they are done."""
    with subprocess.Popen(["bash", "-c", f"exec {text}"], cwd=folder, env=environment) as process:
        try:
            until = time.monotonic() + 30
            while not _is_open(port):
                assert process.poll() is None and time.monotonic() < until, f"{text}: does not serve"  # noqa: PT018
                time.sleep(0.05)
            yield
        finally:
            process.terminate()
            assert process.wait(20) == 0


def _is_open(port: int) -> bool:
    with socket.socket() as probe:
        probe.settimeout(0.2)
        return probe.connect_ex(("127.0.0.1", port)) == 0


@pytest.mark.parametrize("page", AT_A_DOOR, ids=name_of)
def test_what_a_page_says_to_a_running_house_works(page: Path, url: str, shell: dict[str, str], tmp_path: Path) -> None:
    meant = [block for block in blocks(page) if block.words == "run"]
    assert meant
    for block in meant:
        if "curl" in block.text and shutil.which("curl") is None:
            pytest.skip("curl is not installed")
        text = block.text.replace(f"http://127.0.0.1:{PORT}", url).replace('"stoa")', f'"{AUDIENCE}")')
        assert run(block, text, tmp_path, shell)


def test_there_are_pages_to_run() -> None:
    assert len(IN_A_FOLDER) > 1


@pytest.mark.parametrize("page", IN_A_FOLDER, ids=name_of)
def test_what_a_page_does_in_a_folder_works(page: Path, shell: dict[str, str], tmp_path: Path) -> None:
    port = free_port()
    meant = [block for block in blocks(page) if block.words.startswith(MEANT)]
    with _page(tmp_path, shell, port) as do:
        for block in meant:
            do(block)


@contextmanager
def _page(folder: Path, environment: dict[str, str], port: int) -> Iterator[Callable[[Block], None]]:
    """Runs blocks one after another; what serves is stopped at the end."""
    with ExitStack() as beside:

        def do(block: Block) -> None:
            if block.words.startswith("file="):
                (folder / block.words.removeprefix("file=")).write_text(block.text, encoding="utf-8")
            elif block.words == "serve":
                _move(folder, port)
                beside.enter_context(serving(block.text.strip(), folder, environment, port))
            else:
                run(block, block.text, folder, environment)

        yield do


def _move(folder: Path, port: int) -> None:
    """Let the ledgers in the folder listen where nobody else does."""
    for settings in folder.glob("*/stoa.toml"):
        text = settings.read_text(encoding="utf-8")
        settings.write_text(re.sub(r"^port = \d+", f"port = {port}", text, flags=re.M), encoding="utf-8")
