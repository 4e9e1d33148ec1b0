"""Who may see what: the owner, his keeper, the registrar, the supervisor; strangers and other customers may not."""

import pytest
from litestar import Litestar
from litestar.testing import TestClient

from stoa.wire.forms import to_form
from tests.api.house import PASSWORD, PEOPLE, House
from tests.ledger.hall import account

Api = TestClient[Litestar]
KIM = to_form(account("kim"))
ACCOUNT = [f"/v1/accounts/{KIM}"] + [
    f"/v1/accounts/{KIM}/{what}" for what in ("holdings", "lots", "statement", "entries", "income")
]
PARTY = [f"/v1/parties/{PEOPLE['kim']}"] + [
    f"/v1/parties/{PEOPLE['kim']}/{what}" for what in ("holdings", "calendar", "subscriptions")
]
PROOF = [f"/v1/proofs/holdings/HBT/{KIM}"]
HOLDERS = ["/v1/securities/HBT/holders"]
PUBLIC = [
    "/v1/securities", "/v1/securities/HBT", "/v1/securities/HBT/rules", "/v1/securities/HBT/documents",
    "/v1/securities/HBT/income", "/v1/securities/HBT/prices", "/v1/assets", "/v1/assets/USD", "/v1/offerings",
    "/v1/distributions", "/v1/blocks", "/v1/blocks/0", "/v1/blocks/1", "/v1/blocks/1/transactions", "/v1/transactions",
    "/v1/receipts/1/0", "/v1/search?q=HBT", "/v1/institutions", "/v1/keys", "/v1/catalog", "/v1/openapi.json",
    "/v1/log", "/v1/log/inclusion?height=1&size=2", "/v1/log/consistency?first=1&second=2", "/v1/packs",
    "/v1/proposals", f"/v1/accounts/{KIM}/next-sequence", "/health/live", "/health/ready", "/metrics",
]  # fmt: skip

MAY = {
    "": (),
    "kim": (*ACCOUNT, *PARTY, *PROOF),
    "lee": (),
    "officer": (),
    "broker-a": (*ACCOUNT, *PARTY, *PROOF),
    "broker-b": (),
    "agent": HOLDERS,
    "ksd": (*ACCOUNT, *PARTY, *PROOF, *HOLDERS),
    "fss": (*ACCOUNT, *PARTY, *PROOF, *HOLDERS),
}


@pytest.mark.parametrize("user", MAY)
def test_each_sees_what_concerns_him(client: Api, user: str) -> None:
    if user:
        assert client.post("/v1/session", json={"user": user, "password": PASSWORD}).status_code == 201
    for path in (*ACCOUNT, *PARTY, *PROOF, *HOLDERS):
        answer = client.get(path)
        expected = 200 if path in MAY[user] else 403 if user else 401
        assert answer.status_code == expected, (path, answer.text)


@pytest.mark.parametrize("path", PUBLIC)
def test_what_is_public_is_for_everyone(client: Api, path: str) -> None:
    assert client.get(path).status_code == 200


def test_a_stranger_is_not_told_whether_an_account_exists(client: Api) -> None:
    nobody = to_form(account("nobody at all"))
    there, not_there = (client.get(f"/v1/accounts/{one}").json() for one in (KIM, nobody))
    assert {**there, "instance": ""} == {**not_there, "instance": ""}


def test_who_is_shut_out_sees_nothing_more(fresh: House) -> None:
    with TestClient(fresh.app()) as client:
        client.post("/v1/session", json={"user": "kim", "password": PASSWORD})
        assert client.get(ACCOUNT[0]).status_code == 200
        fresh.users.set_active("kim", False)
        assert client.get(ACCOUNT[0]).status_code == 401


def test_lists_go_on_from_their_cursor(house: House, client: Api) -> None:
    seen: list[int] = []
    after = ""
    while True:
        page = client.get("/v1/blocks", params={"limit": 3, "after": after}).json()
        seen += [block["height"] for block in page["items"]]
        after = page["next"]
        if not after:
            break
    assert seen == sorted(seen, reverse=True)
    assert seen[-1] == 0
    assert client.get("/v1/blocks", params={"limit": 501}).status_code == 400
    assert client.get("/v1/blocks", params={"after": "x"}).status_code == 400
    assert client.get("/v1/blocks", params={"after": "9" * 19}).status_code == 400
