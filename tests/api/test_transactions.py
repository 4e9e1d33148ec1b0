"""Submitting: accepted and final are told apart, a repetition is answered, a refusal has its number and its reasons."""

from litestar import Litestar
from litestar.testing import TestClient

from stoa.wire.envelope import read_envelope, transaction_id
from tests.api.house import House
from tests.ledger.hall import account, send


def test_a_submission_becomes_final(house: House, client: TestClient[Litestar]) -> None:
    raw = house.signed("park", send("park", "kim", 1))
    answer = client.post("/v1/transactions?wait=10", content=raw, headers={"content-type": "application/octet-stream"})
    assert answer.status_code == 200, answer.text
    view = answer.json()
    assert view["status"] == "final"
    assert view["receipt"]["applied"]
    assert view["receipt"]["events"][0]["tag"] == "settlement.moved.v1"
