"""One seeded house for all tests of the pages: in process for rules, behind a real door for a real browser."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from litestar import Litestar
from litestar.testing import TestClient
from playwright.sync_api import Browser, sync_playwright

from stoa.api.serve import Door, free_port
from tests.web.seed import Bazaar

ARGUMENTS = (
    "--headless --no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking "
    "--disable-component-update --disable-sync"
).split()


@pytest.fixture(scope="session")
def bazaar(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bazaar]:
    made = Bazaar(tmp_path_factory.mktemp("bazaar"))
    yield made
    made.close()


@pytest.fixture(scope="session")
def door(bazaar: Bazaar) -> Iterator[Door]:
    with Door(bazaar.pages(), free_port()) as opened:
        yield opened


@pytest.fixture
def client(bazaar: Bazaar) -> Iterator[TestClient[Litestar]]:
    with TestClient(bazaar.pages(), raise_server_exceptions=False) as client:
        client.headers["accept-language"] = "en"
        yield client


@pytest.fixture(scope="module")  # while it is open no other event loop can run in this thread
def chromium() -> Iterator[Browser]:
    found = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
    if found is None:
        pytest.skip("no Chromium on this machine")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=found, args=ARGUMENTS)
        yield browser
        browser.close()


@pytest.fixture(scope="session")
def axe() -> str:
    """The text of axe-core."""
    path = Path(__file__).resolve().parents[2] / "node_modules/axe-core/axe.min.js"
    if not path.is_file():
        pytest.skip("axe-core is not installed: make setup")
    return path.read_text(encoding="utf-8")
