"""Custodied users: log in, have signed what the policy allows; forged forms and others' accounts do not pass."""

from litestar import Litestar
from litestar.testing import TestClient

from stoa.api.summaries import intent_of
from stoa.kernel.time import SECOND
from stoa.ledger.settlement.settle import Leg, Settle
from stoa.wire.envelope import read_envelope, signatures_valid
from stoa.wire.forms import to_form
from stoa.wire.request import sign_request
from tests.api.house import AUDIENCE, PASSWORD, House
from tests.ledger.hall import account, secret, send

Api = TestClient[Litestar]


def log_in(client: Api, user: str) -> dict[str, str]:
    answer = client.post("/v1/session", json={"user": user, "password": PASSWORD})
    assert answer.status_code == 201, answer.text
    return {"X-Form-Token": answer.json()["form_token"]}


def intent(name: str, to: str, units: int, **more: object) -> dict[str, object]:
    return {"account": to_form(account(name)), "instructions": [to_form(send(name, to, units))], **more}


def test_a_login_lasts_until_it_is_ended(client: Api) -> None:
    token = log_in(client, "kim")
    cookie = client.cookies.get("stoa_session")
    assert client.get("/v1/session").json()["user"] == "kim"
    assert client.delete("/v1/session", headers=token).status_code == 204
    client.cookies.set("stoa_session", cookie or "")
    assert client.get("/v1/session").status_code == 401


def test_one_may_log_in_again_but_not_at_the_wish_of_another_site(client: Api) -> None:
    log_in(client, "kim")
    login = {"user": "lee", "password": PASSWORD}
    assert client.post("/v1/session", json=login, headers={"Sec-Fetch-Site": "cross-site"}).status_code == 403
    assert client.get("/v1/session").json()["user"] == "kim"
    log_in(client, "lee")
    assert client.get("/v1/session").json()["user"] == "lee"


def test_the_cookie_is_out_of_reach_of_scripts_and_other_sites(client: Api) -> None:
    answer = client.post("/v1/session", json={"user": "kim", "password": PASSWORD})
    cookie = answer.headers["set-cookie"].lower()
    assert "httponly" in cookie
    assert "samesite=strict" in cookie


def test_a_wrong_password_says_no_more_than_that_and_is_slowed_down(fresh: House) -> None:
    with TestClient(fresh.app()) as client:
        told = [client.post("/v1/session", json={"user": user, "password": "wrong" * 3}) for user in ("kim", "nobody")]
        assert [answer.status_code for answer in told] == [401, 401]
        assert told[0].json()["reasons"] == told[1].json()["reasons"]
        for _ in range(30):
            answer = client.post("/v1/session", json={"user": "kim", "password": "wrong" * 3})
        assert answer.status_code == 429
        assert int(answer.headers["retry-after"]) >= 1


def test_a_change_needs_the_form_token_of_the_session(client: Api) -> None:
    token = log_in(client, "kim")
    for wrong in ({}, {"X-Form-Token": "0" * 64}):
        answer = client.post("/v1/intents", json=intent("kim", "lee", 1), headers=wrong)
        assert (answer.status_code, answer.json()["name"]) == (403, "NotAllowed")
    answer = client.post("/v1/intents", json=intent("kim", "lee", 1), headers=token | {"Sec-Fetch-Site": "cross-site"})
    assert answer.status_code == 403
    assert client.post("/v1/intents?wait=10", json=intent("kim", "lee", 1), headers=token).json()["status"] == "final"


def test_a_stranger_has_nothing_signed(client: Api) -> None:
    answer = client.post("/v1/intents", json=intent("kim", "lee", 1))
    assert (answer.status_code, answer.json()["name"]) == (401, "NotAuthenticated")


def test_custody_refuses_with_all_its_reasons(client: Api) -> None:
    token = log_in(client, "kim")
    answer = client.post("/v1/intents", json=intent("lee", "kim", 1), headers=token)
    assert answer.status_code == 422
    assert answer.json()["name"] == "NotSigned"
    assert "AccountNotGranted" in [reason["name"] for reason in answer.json()["reasons"]]
    told = client.post("/v1/intents/explain", json=intent("kim", "lee", 10**6), headers=token).json()
    names = [reason["name"] for reason in told["reasons"]]
    assert names == ["OverTransactionLimit", "OverDailyLimit", "InsufficientUnits"]


def test_a_large_intent_waits_for_an_officer_and_holds_up_no_other(house: House) -> None:
    with TestClient(house.app()) as kim, TestClient(house.app()) as officer:
        his, hers = log_in(kim, "kim"), log_in(officer, "officer")
        waiting = kim.post("/v1/intents", json=intent("kim", "lee", 60), headers=his).json()
        assert (waiting["status"], waiting["needed"]) == ("pending", 1)
        assert kim.post("/v1/intents?wait=10", json=intent("kim", "lee", 2), headers=his).json()["receipt"]["applied"]
        listed = [one["transaction"] for one in officer.get("/v1/intents").json()]
        assert waiting["transaction"] in listed
        path = f"/v1/intents/{waiting['transaction']}/approve"
        assert kim.post(path, headers=his).status_code == 422
        done = officer.post(f"{path}?wait=10", headers=hers).json()
        assert done["status"] == "final"
        assert done["receipt"]["applied"]
        assert officer.post(path, headers=hers).status_code == 409


def test_who_may_not_approve_does_not_see_it(house: House) -> None:
    with TestClient(house.app()) as kim, TestClient(house.app()) as lee:
        his, _ = log_in(kim, "kim"), log_in(lee, "lee")
        waiting = kim.post("/v1/intents", json=intent("kim", "lee", 70), headers=his).json()
        assert waiting["transaction"] not in [one["transaction"] for one in lee.get("/v1/intents").json()]
        declined = kim.post(f"/v1/intents/{waiting['transaction']}/decline", headers=his).json()
        assert declined["status"] == "declined"


def test_an_intent_waits_through_a_restart_in_its_own_lane(fresh: House) -> None:
    with TestClient(fresh.app()) as kim:
        token = log_in(kim, "kim")
        waiting = kim.post("/v1/intents", json=intent("kim", "lee", 60), headers=token).json()
    fresh.close()
    fresh.open()
    with TestClient(fresh.app()) as kim, TestClient(kim.app) as officer:
        token, hers = log_in(kim, "kim"), log_in(officer, "officer")
        assert kim.post("/v1/intents?wait=10", json=intent("kim", "lee", 2), headers=token).json()["receipt"]["applied"]
        done = officer.post(f"/v1/intents/{waiting['transaction']}/approve?wait=10", headers=hers).json()
        assert done["receipt"]["applied"]


def test_a_signed_envelope_can_be_taken_away_for_others_to_sign(client: Api) -> None:
    token = log_in(client, "kim")
    view = client.post("/v1/intents", json=intent("kim", "lee", 3, submit=False), headers=token).json()
    assert view["status"] == "signed"
    assert signatures_valid(read_envelope(bytes.fromhex(view["envelope"])))


def test_a_request_signed_by_an_api_key_counts_once(house: House, client: Api) -> None:
    path = f"/v1/accounts/{to_form(account('kim'))}/holdings?x=%2Fa"
    now, nonce = house.services.clock(), bytes(range(16))
    seal = sign_request(secret("api kim"), AUDIENCE, "GET", path, b"", now, nonce)
    headers = {
        "Stoa-Key": seal.key.hex(), "Stoa-Time": str(seal.time), "Stoa-Nonce": nonce.hex(),
        "Stoa-Signature": seal.signature.hex(),
    }  # fmt: skip
    assert client.get(path, headers=headers).status_code == 200
    again = client.get(path, headers=headers)
    assert (again.status_code, again.json()["reasons"][0]["name"]) == (401, "Replayed")
    elsewhere = client.get(path.replace("holdings", "lots"), headers=headers)
    assert elsewhere.json()["reasons"][0]["name"] == "BadSignature"
    assert client.get(path, headers=headers | {"Stoa-Key": "00"}).status_code == 400
    late = sign_request(secret("api kim"), AUDIENCE, "GET", path, b"", now - 120 * SECOND, bytes(16))
    old = {"Stoa-Time": str(late.time), "Stoa-Nonce": bytes(16).hex(), "Stoa-Signature": late.signature.hex()}
    assert client.get(path, headers=headers | old).json()["reasons"][0]["name"] == "StaleRequest"


def test_what_comes_to_nothing_takes_no_lane(house: House) -> None:
    with TestClient(house.app()) as kim:
        token, lanes = log_in(kim, "kim"), kim.app.state.lanes
        nonsense = {"account": to_form(account("lee")), "instructions": [{"tag": "nothing"}]}
        assert kim.post("/v1/intents", json=nonsense, headers=token).status_code == 400
        assert kim.post("/v1/intents", json=intent("lee", "kim", 1), headers=token).status_code == 422
        assert kim.post("/v1/intents/explain", json=intent("lee", "kim", 1), headers=token).status_code == 200
        assert lanes.take(account("lee"), 0, 1)[0] == 1


def test_the_policy_hears_of_every_unit_that_a_body_moves(house: House) -> None:
    legs = (
        Leg("HBT", account("kim"), account("lee"), 5, 500, ()),
        Leg("USD", account("lee"), account("kim"), 500, 0, ()),
    )
    body = house.body("kim", Settle(legs, "x"), send("kim", "lee", 7))
    heard = [(one.tag, one.asset, one.units) for one in intent_of(body, 0).summaries]
    assert heard == [
        ("settlement.settle.v1", "HBT", 5), ("settlement.settle.v1", "USD", 500), ("settlement.transfer.v1", "HBT", 7),
    ]  # fmt: skip
    assert {one.account for one in intent_of(body, 0).summaries} == {account("kim")}
