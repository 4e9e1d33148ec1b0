"""The page of the network with five validators: who is there, who voted, what is wrong in words, renewed by itself."""

from collections.abc import Iterator
from typing import Any

import pytest
from litestar import Litestar
from litestar.testing import TestClient
from msgspec.structs import replace
from playwright.sync_api import Browser, expect

from stoa import __version__
from stoa.agreement.details import NoQuorum
from stoa.agreement.effects import Alarm
from stoa.api.app import create_app
from stoa.api.network import AlarmView, LogView, network_view
from stoa.api.serve import Door, free_port
from stoa.cli.network_running import _server, _validator, _why
from stoa.cli.shell import Common
from stoa.demo.dossier import Institution
from stoa.kernel.codec import encode
from stoa.kernel.time import DAY
from stoa.ledger.governance.model import BATCH_LINGER_MS, SetParameters, Setting
from stoa.ledger.governance.propose import Propose
from stoa.ledger.identity.register_party import RegisterParty
from stoa.network.looking import look_at
from stoa.network.plan import HERE, Member
from stoa.node import health
from stoa.node.commit import BAD_BATCH
from stoa.node.details import ALARMS, DETAILS, EVIDENCE
from stoa.ordering.condition import Condition, Kind
from stoa.web.handlers import handlers
from stoa.web.language import WORDS
from stoa.web.network import sentences
from stoa.wire.status import Status
from tests.api.house import CHAIN, House
from tests.api.test_network import until
from tests.node.puppets import ELSE, VERSION, Puppets
from tests.web.test_browser import DESK, JUDGED, PHONE, Visit

OTHERS = ("BROKER-A", "BROKER-B", "FSS", "VENUE")
RENEWED_MS = 15_000  # within this a page has renewed itself


@pytest.fixture(scope="module")
def five(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    made = House(tmp_path_factory.mktemp("five"), OTHERS)
    yield made
    made.close()


@pytest.fixture
def puppets(five: House) -> Puppets:
    assert five.puppets is not None
    return five.puppets


@pytest.fixture
def pages(five: House) -> Litestar:
    return create_app(five.services, handlers())


@pytest.fixture
def reader(pages: Litestar) -> Iterator[TestClient[Litestar]]:
    with TestClient(pages) as client:
        client.headers["accept-language"] = "en"
        yield client


def party(house: House, number: int) -> int:
    """One more block; its height."""
    return house.do("BROKER-A", RegisterParty(number, False, "BROKER-A")).height


def test_a_block_shows_its_certificate_and_who_made_it(five: House, reader: TestClient[Litestar]) -> None:
    height = party(five, 6_001)
    certificate = five.node.journal.certificate(height)
    assert certificate is not None
    text = reader.get(f"/explorer/blocks/{height}").text
    for vote in certificate.votes:
        assert f"<dt>{vote.validator}</dt>" in text
        assert vote.signature.hex() in text
    assert "epoch 1" in text
    assert "KSD · batch" in text
    assert "A later block" in reader.get("/explorer/blocks/0").text


def test_evidence_is_told_in_plain_words(five: House, reader: TestClient[Litestar], puppets: Puppets) -> None:
    puppets.say("FSS", encode(Status(CHAIN, "VENUE", 1, 0, ELSE, None)))
    assert "spoke under another&#39;s name" in reader.get("/network").text
    assert "speaks as VENUE" in reader.get("/network").text
    korean = reader.get("/network?lang=ko").text
    assert "다른 기관의 이름으로 말함" in korean
    assert "VENUE의 이름으로 말했습니다" in korean
    for kind in (BAD_BATCH, *(str(one.__struct_config__.tag) for one in DETAILS if one.kind == EVIDENCE)):
        assert all(words.named("evidence_kind", kind) != kind for words in WORDS.values())


def test_each_validators_version_and_how_the_log_is_are_shown_also_of_one_that_is_not_heard(
    five: House, reader: TestClient[Litestar], monkeypatch: pytest.MonkeyPatch
) -> None:
    condition = Condition(Kind.UNREACHABLE, "no leader")
    monkeypatch.setattr(health, "HEARD_SECONDS", -1.0)
    monkeypatch.setattr(type(five.node.engine), "condition", lambda _: condition)
    for language, log, silent in (("en", "No server answers", "not heard"), ("ko", "응답하는 서버가 없거나", "미확인")):
        text = reader.get(f"/network?lang={language}").text
        assert log in text
        for name in OTHERS:
            row = text.split(f'id="member-{name}"')[1].split("</tr>")[0]
            assert silent in row
            assert f"<td>{VERSION}</td>" in row
        mine = text.split('id="member-KSD"')[1].split("</tr>")[0]
        assert f"<td>{__version__}</td>" in mine


def test_proposals_are_shown_with_who_is_for_them_and_what_became_of_them(
    five: House, reader: TestClient[Litestar]
) -> None:
    change, height = SetParameters((Setting(BATCH_LINGER_MS, 9),)), five.node.health().height
    later = Propose("KSD", change, height + 1_000, five.node.health().time + DAY, "less waiting")
    sooner = replace(later, height=height + 3)
    five.do("KSD", later, sooner)
    party(five, 6_010)
    party(five, 6_011)
    until(lambda: "Lapsed" in reader.get("/network").text)
    english, korean = reader.get("/network?lang=en").text, reader.get("/network?lang=ko").text
    told = reader.get("/v1/proposals").json()["items"]
    assert [(one["stage"], one["yes"], one["quorum"]) for one in told[:2]] == [("lapsed", 1, 3), ("open", 1, 0)]
    whole = reader.get(f"/v1/proposals/{told[0]['number']}").json()
    assert [one["name"] for one in whole["reasons"]] == ["QuorumMissed"]
    assert whole["change"]["settings"] == [{"name": BATCH_LINGER_MS, "value": 9}]
    assert reader.get("/v1/proposals/99").status_code == 404
    row = english.split(f'id="proposal-{told[0]["number"]}"')[1].split("</tr>")[0]
    for words in ("Set parameters", "batch_linger_ms=9", "<td>KSD</td>", "Lapsed", "1 of 5 for it, 3 needed"):
        assert words in row
    for words in ("매개변수 변경", "폐기됨", "투표 중", "5곳 중 1곳 찬성, 정족수 3"):
        assert words in korean


def test_an_alarm_is_told_in_the_readers_language(five: House, reader: TestClient[Litestar]) -> None:
    five.node.voice.alarm(Alarm("split", NoQuorum(7, 3, "ab: FSS; cd: KSD")))
    english, korean = reader.get("/network?lang=en").text, reader.get("/network?lang=ko").text
    five.node.voice.alarm(Alarm("split", None))
    assert "block 7 cannot reach 3 votes: ab: FSS; cd: KSD" in english
    assert "블록 7은(는) 3표를 얻을 수 없습니다: ab: FSS; cd: KSD" in korean
    assert "cannot reach" not in korean


def test_the_command_line_tells_version_and_alarms_of_one_that_is_not_ready(five: House, pages: Litestar) -> None:
    five.node.voice.alarm(Alarm("split", NoQuorum(7, 3, "ab: FSS; cd: KSD")))
    with Door(pages, free_port()) as door:
        member = Member(Institution("KSD", "KSD", "KR", ()), HERE, door.port)
        found = look_at(CHAIN, member, "running", "stopped", "")
    five.node.voice.alarm(Alarm("split", None))
    assert (found.version, found.ordering.state) == (__version__, "stopped")
    assert "alarm split: block 7 cannot reach 3 votes" in found.health
    english, korean = (_why(found, Common(language=language)) for language in ("en", "ko"))
    assert _validator(found, Common(language="ko")) == "[red]준비 안 됨[/]"
    assert "alarm split: block 7 cannot reach 3 votes: ab: FSS; cd: KSD" in english
    assert [_server(found, Common(language=language)) for language in ("en", "ko")] == [
        "[red]stopped[/]",
        "[red]중지됨[/]",
    ]
    assert "경보 split: 블록 7은(는) 3표를 얻을 수 없습니다: ab: FSS; cd: KSD" in korean


@pytest.mark.parametrize("language", ["en", "ko"])
def test_everything_that_can_be_wrong_has_a_sentence(five: House, language: str) -> None:
    words = WORDS[language]
    view = network_view(five.services)
    assert len({words.named("log_state", kind) for kind in Kind}) == len(Kind)
    assert all(words.named("log_state", kind) != kind for kind in Kind)

    def said(**changes: Any) -> str:
        return " ".join(sentences(replace(view, **changes), words))

    assert said(away=True)
    assert said(log=LogView("gone", "", ""))
    assert said(log=LogView("replaced", "", ""))
    for kind in ALARMS:
        assert said(alarms=(AlarmView(kind, "x", {}, "x", "x"),)) not in ("", kind)
    gone = tuple(replace(one, present=False) for one in view.members)
    assert "FSS" in said(members=gone, missing=OTHERS)


@pytest.mark.browser
def test_the_page_follows_the_members_by_itself(
    chromium: Browser, five: House, pages: Litestar, puppets: Puppets, monkeypatch: pytest.MonkeyPatch
) -> None:
    party(five, 6_002)
    monkeypatch.setattr(health, "HEARD_SECONDS", 1.0)
    with Door(pages, free_port()) as door:
        here = Visit(chromium, door, viewport=DESK)
        here.open("/network")
        for name in ("KSD", *OTHERS):
            expect(here.page.locator(f"#member-{name}")).to_contain_text("heard")
        expect(here.page.locator("#network")).to_contain_text("Ready", timeout=RENEWED_MS)
        with puppets.without("BROKER-B", "FSS", "VENUE"):
            expect(here.page.locator("#member-FSS")).to_contain_text("not heard", timeout=RENEWED_MS)
            expect(here.page.locator("#network [role=status]")).to_contain_text("Missing: BROKER-B, FSS, VENUE")
        expect(here.page.locator("#network [role=status]")).to_have_count(0, timeout=RENEWED_MS)
        before = here.page.locator("table.votes tbody tr").first.inner_text()
        party(five, 6_003)
        expect(here.page.locator("table.votes tbody tr").first).not_to_have_text(before, timeout=RENEWED_MS)
        expect(here.page.locator("table.votes tbody tr").first).to_contain_text("signed")
        assert not here.wrong
        here.close()


@pytest.mark.browser
def test_five_members_are_accessible_and_fit_a_phone(chromium: Browser, five: House, pages: Litestar, axe: str) -> None:
    height = party(five, 6_004)
    complaints = []
    with Door(pages, free_port()) as door:
        for language, theme in JUDGED:
            desk = Visit(chromium, door, viewport=DESK, color_scheme=theme)
            phone = Visit(chromium, door, viewport=PHONE, has_touch=True)
            for path in ("/network", f"/explorer/blocks/{height}"):
                desk.open(path, language)
                complaints += [f"{path}: {one}" for one in desk.complain(axe)]
                phone.open(path, language)
                assert phone.page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"], path
            assert not desk.wrong + phone.wrong
            desk.close()
            phone.close()
    assert not complaints, "\n".join(complaints)
