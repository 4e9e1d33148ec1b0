"""The pages in a real Chromium: quiet, within their policy, asking nobody else, accessible, live, whole on a phone."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, Page, expect

from stoa.api.serve import Door
from stoa.ledger.settlement.transfer import Transfer
from stoa.wire.proof import ReceiptProof, check_proof, read_proof
from tests.api.house import PASSWORD
from tests.ledger.hall import account
from tests.web.seed import Bazaar
from tests.web.test_pages import KIM, LEE, SMITH

pytestmark = pytest.mark.browser

PAGES = (
    "/", "/securities/HBT", "/securities/HRO", "/securities/SOL", "/portfolio", f"/portfolio/{KIM}/statement",
    "/eligibility", f"/eligibility?asset=HBT&account={SMITH}&units=3&seller={KIM}", "/explorer", "/explorer/blocks/40",
    f"/explorer/accounts/{KIM}", "/explorer/search?q=H", "/network", "/proofs",
    "/sign-in", "/securities/NONE",
)  # fmt: skip
JUDGED = (("en", "light"), ("ko", "dark"))  # by axe-core, which takes its time: each theme and language once
SERIOUS = ("serious", "critical")
PHONE = {"width": 360, "height": 740}
DESK = {"width": 1_280, "height": 800}


class Visit:
    """A browser's context on the door, with everything that went wrong in it."""

    def __init__(self, browser: Browser, door: Door, **look: Any) -> None:
        self.context = browser.new_context(base_url=door.url, **look)
        self.page: Page = self.context.new_page()
        self.wrong: list[str] = []
        self.page.on("console", self._console)
        self.page.on("pageerror", lambda error: self.wrong.append(f"error: {error}"))
        self.page.on("request", self._request)

    def _console(self, message: Any) -> None:
        if message.type in ("error", "warning") and "404 (Not Found)" not in message.text:
            self.wrong.append(f"{message.type}: {message.text}")

    def _request(self, request: Any) -> None:
        if urlsplit(request.url).hostname not in ("127.0.0.1", None):
            self.wrong.append(f"outside request: {request.url}")

    def sign_in(self, user: str) -> None:
        self.page.goto("/sign-in")
        self.page.fill("[name=user]", user)
        self.page.fill("[name=password]", PASSWORD)
        self.page.click("main button")
        self.page.wait_for_url("**/")

    def open(self, path: str, language: str = "en") -> None:
        self.page.goto(f"{path}{'&' if '?' in path else '?'}lang={language}")
        expect(self.page.locator("#height")).not_to_have_text("Connecting …" if language == "en" else "연결 중 …")

    def complain(self, axe: str) -> list[str]:
        """What axe-core finds that is serious."""
        self.page.evaluate(axe)
        found = self.page.evaluate("axe.run(document, {resultTypes: ['violations']})")
        return [
            f"{one['id']}: {node['html'][:160]}"
            for one in found["violations"]
            if one["impact"] in SERIOUS
            for node in one["nodes"]
        ]

    def close(self) -> None:
        self.context.close()


@pytest.fixture
def visit(chromium: Browser, door: Door) -> Iterator[Any]:
    opened: list[Visit] = []

    def begin(**look: Any) -> Visit:
        opened.append(Visit(chromium, door, **look))
        return opened[-1]

    yield begin
    for one in opened:
        one.close()


@pytest.mark.parametrize(("language", "theme"), [("en", "light"), ("en", "dark"), ("ko", "light"), ("ko", "dark")])
def test_every_page_is_quiet_and_accessible(visit: Any, axe: str, language: str, theme: str) -> None:
    here: Visit = visit(viewport=DESK, color_scheme=theme)
    here.sign_in("kim")
    complaints = []
    for path in PAGES:
        here.open(path, language)
        assert here.page.evaluate("document.documentElement.lang") == language
        if (language, theme) in JUDGED:
            complaints += [f"{path}: {one}" for one in here.complain(axe)]
    assert not here.wrong
    assert not complaints, "\n".join(complaints)


@pytest.mark.parametrize("language", ["en", "ko"])
def test_nothing_is_wider_than_a_phone(visit: Any, language: str) -> None:
    here: Visit = visit(viewport=PHONE, has_touch=True)
    here.sign_in("kim")
    wide = []
    for path in PAGES:
        here.open(path, language)
        width = here.page.evaluate("document.documentElement.scrollWidth")
        if width > PHONE["width"]:
            wide.append((path, width))
    assert not wide


def test_a_new_block_reaches_the_open_page_by_itself(visit: Any, bazaar: Bazaar) -> None:
    here: Visit = visit(viewport=DESK)
    here.open("/")
    line = here.page.locator("#line-HBT")
    before = line.inner_text()
    bazaar.do("lee", Transfer("HBT", account("lee"), account("kim"), 11, 11 * 12_345, ()))
    expect(line).to_contain_text("$123.45")
    assert line.inner_text() != before
    expect(here.page.locator("#height")).to_have_text(f"Block {bazaar.projector.height}")
    assert not here.wrong


def test_charts_are_drawn(visit: Any) -> None:
    here: Visit = visit(viewport=DESK)
    for path in ("/securities/HBT", "/explorer"):
        here.open(path)
        expect(here.page.locator("[data-chart] canvas").first).to_be_visible()
    here.page.click("#theme")
    expect(here.page.locator("[data-chart] canvas").first).to_be_visible()
    assert not here.wrong


def test_the_theme_is_remembered(visit: Any) -> None:
    here: Visit = visit(viewport=DESK, color_scheme="light")
    here.open("/")
    here.page.click("#theme")
    here.open("/explorer")
    assert here.page.evaluate("document.documentElement.dataset.theme") == "dark"
    assert here.page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(16, 20, 22)"


def test_the_form_tells_why_not(visit: Any) -> None:
    here: Visit = visit(viewport=DESK)
    here.open("/eligibility")
    here.page.fill("[name=account]", SMITH)
    here.page.fill("[name=units]", "3")
    here.page.fill("[name=seller]", LEE)
    here.page.click("main button")
    expect(here.page.locator("[role=status]")).to_contain_text("No, for 2 reasons")
    expect(here.page.locator(".rules .fails")).to_have_count(2)
    expect(here.page.locator(".rules .holds")).to_have_count(6)


def test_a_downloaded_proof_checks_offline_and_on_the_page(visit: Any, bazaar: Bazaar, tmp_path: Path) -> None:
    here: Visit = visit(viewport=DESK)
    here.sign_in("kim")
    here.open("/explorer")
    here.page.locator("#chain a[href^='/explorer/transactions/']").first.click()
    with here.page.expect_download() as waiting:
        here.page.click("text=Download the proof")
    file = tmp_path / "receipt.proof"
    waiting.value.save_as(file)
    members = bazaar.node.members()
    proof = read_proof(file.read_bytes())
    check_proof(proof, members.keys, members.quorum)
    assert isinstance(proof, ReceiptProof)
    here.open("/proofs")
    here.page.set_input_files("[name=proof]", file)
    here.page.click("main button")
    expect(here.page.locator("[role=status]")).to_contain_text("The proof holds")
    assert not here.wrong
