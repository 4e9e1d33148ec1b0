"""What the pages may show to whom, what their files hold, and that text stays text. In process, without a browser."""

import csv
import io
from typing import Any

import msgspec
import pytest
from litestar import Litestar
from litestar.testing import TestClient

from stoa.kernel.identifiers import address
from stoa.ledger.catalog import read_holding
from stoa.wire.proof import RowProof, check_proof, read_proof
from tests.api.house import PASSWORD
from tests.ledger.hall import account
from tests.web.seed import Bazaar

Client = TestClient[Litestar]
KIM, LEE, SMITH, SATO = (address(account(name)) for name in ("kim", "lee", "smith", "sato"))
UNKNOWN = address(bytes(20))


def sign_in(client: Client, user: str) -> Any:
    return client.post(
        "/sign-in", data={"user": user, "password": PASSWORD, "next": "/portfolio"}, follow_redirects=False
    )


def eligibility(client: Client, **fields: object) -> str:
    answer = client.get("/eligibility", params={"asset": "HBT", **fields})
    assert answer.status_code == 200
    return answer.text


def test_a_page_is_under_a_strict_policy(client: Client) -> None:
    policy = client.get("/").headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert policy != client.get("/").headers["content-security-policy"], "a nonce is used once"


def test_a_name_with_markup_is_shown_as_text(client: Client) -> None:
    text = client.get("/").text
    assert "Jeju Solar &lt;script&gt;alert(1)&lt;/script&gt;" in text
    assert "<script>alert" not in text


@pytest.mark.parametrize(
    "path", [f"/portfolio/{KIM}", f"/portfolio/{KIM}/statement", f"/portfolio/{KIM}/statement/csv"]
)
def test_a_portfolio_is_for_its_owner_and_the_supervisor(client: Client, path: str) -> None:
    assert client.get(path).status_code == 401
    sign_in(client, "lee")
    assert client.get(path).status_code == 403
    for reader in ("kim", "fss"):
        client.cookies.clear()
        sign_in(client, reader)
        assert client.get(path).status_code == 200


def test_the_list_of_holders_is_for_those_who_keep_it(client: Client) -> None:
    assert LEE not in client.get("/securities/HBT").text
    sign_in(client, "agent")
    assert LEE in client.get("/securities/HBT").text


@pytest.mark.parametrize(
    "path",
    [
        "/securities/NONE", "/explorer/blocks/999999", "/explorer/blocks/-1", "/explorer/transactions/00",
        "/explorer/transactions/zz/proof", f"/explorer/accounts/{UNKNOWN}", "/explorer/accounts/x", "/portfolio/x",
        "/explorer?after=nonsense",
    ],
)  # fmt: skip
def test_what_is_not_there_is_a_page_that_says_so(client: Client, path: str) -> None:
    answer = client.get(path)
    assert answer.status_code == 404
    assert "Not found" in answer.text
    assert answer.headers["content-type"].startswith("text/html")


def test_signing_in_leads_only_to_pages_of_this_site(client: Client) -> None:
    for target in ("https://example.org/", "//example.org", "/\\example.org", "javascript:alert(1)"):
        answer = client.post(
            "/sign-in", data={"user": "kim", "password": PASSWORD, "next": target}, follow_redirects=False
        )
        assert (answer.status_code, answer.headers["location"]) == (303, "/")
        client.cookies.clear()


def test_a_wrong_password_is_told_and_a_session_ends_by_its_own_form_alone(client: Client) -> None:
    refused = client.post("/sign-in", data={"user": "kim", "password": "wrong wrong wrong"})
    assert refused.status_code == 401
    assert 'role="alert"' in refused.text
    sign_in(client, "kim")
    assert client.post("/sign-out").status_code == 403
    token = client.get("/").text.split('name="form_token" value="')[1].split('"')[0]
    assert client.post("/sign-out", data={"form_token": token}, follow_redirects=False).status_code == 303
    assert client.get(f"/portfolio/{KIM}").status_code == 401


def test_a_purchase_that_every_rule_allows(client: Client) -> None:
    text = eligibility(client, account=KIM, units=100, seller=LEE)
    assert "Yes, this may be bought" in text
    assert "8 of 8 hold" in text


def test_every_reason_is_told_with_its_figures(client: Client) -> None:
    text = eligibility(client, account=SMITH, units=3, seller=KIM)
    assert "No, for 2 reasons" in text
    for wanted in ("LOT-SIZE", "receiver&#39;s units after ≥ 10 · found: 3", "US-HOLDING", "days held ≥ 90"):
        assert wanted in text
    assert "HBT is not open to residents of JP" in eligibility(client, account=SATO, units=10, seller=KIM)
    assert "No, for" in eligibility(client, account=KIM, units=9_000, asset="HRO"), "the offering's own limit"


def test_rules_of_packs_are_shown_and_judged_with_the_others(client: Client) -> None:
    page = client.get("/securities/SOL").text
    for wanted in ("By rule pack: Rules of the Korean counter", "A person holds up to 500 of these.", "/packs/KR-OTC"):
        assert wanted in page
    assert "up to 900" not in page
    refused = eligibility(client, asset="SOL.B", account=KIM, units=501)
    assert "receiver&#39;s units after ≤ 500 · found: 501" in refused
    assert "From the rule pack" in refused
    assert "≤ 500" not in eligibility(client, asset="SOL.B", account=KIM, units=500).split("<details>")[0]
    assert "KR-RETAIL" not in eligibility(client, asset="SOL.A", account=KIM, units=501)


def test_a_pack_has_a_page_for_each_of_its_versions(client: Client) -> None:
    newest, first = client.get("/packs/KR-OTC").text, client.get("/packs/KR-OTC", params={"version": 1}).text
    assert ("up to 500" in newest, "up to 900" in newest, "in force" in newest) == (True, False, True)
    assert ("up to 500" in first, "up to 900" in first, "superseded" in first) == (False, True, True)
    assert "SOL.B" in newest
    assert client.get("/packs/KR-OTC", params={"version": 9}).status_code == 404
    assert client.get("/packs/NONE").status_code == 404


@pytest.mark.parametrize(
    "fields", [{"account": "x", "units": 1}, {"account": KIM, "units": 0}, {"account": KIM, "units": "٣"}]
)
def test_a_question_that_makes_no_sense_is_told_so(client: Client, fields: dict[str, object]) -> None:
    assert "notice warn" in eligibility(client, **fields)


def test_a_refusal_is_shown_with_its_sentence(client: Client) -> None:
    text = client.get("/explorer").text
    before = text.split("CountryNotOpen")[0]
    place = before.rsplit('href="/explorer/transactions/', 1)[1].split('"')[0]
    page = client.get(f"/explorer/transactions/{place}").text
    assert "HBT is not open to residents of JP." in page
    korean = client.get(f"/explorer/transactions/{place}?lang=ko").text
    assert "HBT은(는) JP 거주자에게 열려 있지 않습니다." in korean


def test_the_search_leads_to_the_thing_itself(client: Client) -> None:
    for asked, place in (("40", "/explorer/blocks/40"), (KIM, f"/explorer/accounts/{KIM}")):
        answer = client.get("/explorer/search", params={"q": asked}, follow_redirects=False)
        assert answer.headers["location"] == place
    assert "Nothing found" in client.get("/explorer/search", params={"q": "%"}).text


def test_a_statement_adds_up_in_every_form(client: Client) -> None:
    sign_in(client, "kim")
    span = "from=2026-03-03&to=2026-12-31"
    read = client.get(f"/portfolio/{KIM}/statement/json?{span}")
    assert "attachment" in read.headers["content-disposition"]
    whole = msgspec.json.decode(read.content)
    rows = list(
        csv.DictReader(io.StringIO(client.get(f"/portfolio/{KIM}/statement/csv?{span}").content.decode("utf-8-sig")))
    )
    assert len(rows) == len(whole["entries"]) > 0
    for balance in whole["statement"]["balances"]:
        moved = sum(int(row["delta"]) for row in rows if row["asset"] == balance["asset"])
        assert balance["opening"] + moved == balance["closing"]
    assert client.get(f"/portfolio/{KIM}/statement?from=2026-12-31&to=2026-01-01").status_code == 400
    assert client.get(f"/portfolio/{KIM}/statement/pdf").status_code == 404


def test_a_proof_of_a_holding_is_for_its_owner_and_checks_offline(client: Client, bazaar: Bazaar) -> None:
    path = f"/portfolio/{KIM}/proof/HBT"
    assert client.get(path).status_code == 401
    sign_in(client, "kim")
    raw = client.get(path).content
    members = bazaar.node.members()
    proof = read_proof(raw)
    check_proof(proof, members.keys, members.quorum)
    assert isinstance(proof, RowProof)
    assert read_holding(proof.key, proof.value).account == account("kim")
    token = client.get("/proofs").text.split('name="form_token" value="')[1].split('"')[0]
    shown = client.post("/proofs", files={"proof": raw}, data={"form_token": token})
    assert (shown.status_code, "The proof holds" in shown.text) == (200, True)
    broken = client.post("/proofs", files={"proof": raw[:-1] + bytes([raw[-1] ^ 1])}, data={"form_token": token})
    assert (broken.status_code, "The proof does not hold" in broken.text) == (422, True)
