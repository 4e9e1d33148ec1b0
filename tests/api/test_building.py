"""Building and explaining: any language can sign what is built here, and hears every reason first."""

from litestar import Litestar
from litestar.testing import TestClient

from stoa.ledger.catalog import read_body
from stoa.wire.envelope import sign_body, transaction_id
from stoa.wire.forms import to_form
from tests.api.house import House
from tests.ledger.hall import account, secret, send

Api = TestClient[Litestar]
PARK, KIM = to_form(account("park")), to_form(account("kim"))


def test_what_is_built_can_be_signed_and_submitted(house: House, client: Api) -> None:
    built = client.post("/v1/build", json={"author": PARK, "instructions": [to_form(send("park", "kim", 3))]}).json()
    body = bytes.fromhex(built["body"])
    assert transaction_id(body).hex() == built["transaction"]
    assert read_body(body).instructions == (send("park", "kim", 3),)
    raw = sign_body(body, [(account("park"), secret("park"))])
    assert client.post("/v1/transactions?wait=10", json={"envelope": raw.hex()}).json()["receipt"]["applied"]


def test_a_form_that_describes_nothing_is_refused_by_place_and_rule(client: Api) -> None:
    good = to_form(send("park", "kim", 3))
    wrong = {
        "Transfer.units: Expected `int` >= 1": good | {"units": 0},
        "Transfer: there is no field 'unit'": good | {"unit": 1},
        "names no known kind": good | {"tag": "settlement.transfer.v9"},
        "Transfer.to: the address has a typing error": good | {"to": KIM[:-1] + ("q" if KIM[-1] != "q" else "p")},
        "Transfer: the field 'lots' is missing": {name: value for name, value in good.items() if name != "lots"},
    }
    for why, form in wrong.items():
        answer = client.post("/v1/build", json={"author": PARK, "instructions": [form]})
        assert answer.status_code == 400
        assert why in answer.json()["detail"]


def test_explain_tells_every_reason_with_figures(house: House, client: Api) -> None:
    data = {"author": KIM, "instructions": [to_form(send("park", "kim", 10**9))]}
    told = client.post("/v1/explain", json=data).json()
    assert not told["allowed"]
    assert [reason["name"] for reason in told["reasons"]] == ["NotAuthorised", "InsufficientUnits"]
    assert told["reasons"][1]["figures"]["asset"] == "HBT"
    signed = client.post("/v1/explain", json=data | {"signers": [PARK]}).json()
    assert [reason["name"] for reason in signed["reasons"]] == ["InsufficientUnits"]
    height = house.node.health().height
    raw = house.body("park", send("park", "kim", 1)).hex()
    assert client.post("/v1/explain", json={"body": raw}).json()["allowed"]
    assert house.node.health().height == height


def test_may_i_buy_this_and_if_not_why(client: Api) -> None:
    params = {"security": "HBT", "account": KIM, "units": 5}
    assert client.get("/v1/eligibility", params=params).json()["allowed"]
    stranger = to_form(account("stranger"))
    told = client.get("/v1/eligibility", params=params | {"account": stranger}).json()
    assert [reason["name"] for reason in told["reasons"]] == ["AccountUnknown"]
    told = client.get("/v1/eligibility", params=params | {"seller": PARK, "units": 10**9}).json()
    assert "InsufficientUnits" in [reason["name"] for reason in told["reasons"]]
    assert client.get("/v1/eligibility", params=params | {"security": "NONE"}).status_code == 404


def test_what_can_no_more_be_issued_is_asked_of_whoever_may_sell(client: Api) -> None:
    asset = client.get("/v1/assets/HBT").json()
    params = {"security": "HBT", "account": KIM, "units": asset["authorised"] - asset["supply"] + 1}
    told = client.get("/v1/eligibility", params=params).json()
    assert [reason["name"] for reason in told["reasons"]] == ["AuthorisedExceeded"]  # more than anyone has
    assert told["reasons"][0]["figures"]["supply"] == asset["supply"]
    stranger = client.get("/v1/eligibility", params=params | {"account": to_form(account("stranger"))}).json()
    assert [reason["name"] for reason in stranger["reasons"]] == ["AccountUnknown"]
