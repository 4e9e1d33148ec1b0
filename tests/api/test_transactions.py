"""Submitting: accepted and final are told apart, a repetition is answered, a refusal has its number and its reasons."""

from collections.abc import Callable

import pytest
from litestar import Litestar
from litestar.testing import TestClient

from stoa.kernel import limits, signing
from stoa.kernel.codec import encode
from stoa.wire.envelope import Envelope, Signature, read_envelope, sign_body, transaction_id
from tests.api.house import CHAIN, House
from tests.ledger.hall import account, public, secret, send

OCTETS = {"content-type": "application/octet-stream"}
ORDER = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141
Api = TestClient[Litestar]


def submit(client: Api, raw: bytes, wait: float = 10) -> tuple[int, dict[str, object]]:
    answer = client.post(f"/v1/transactions?wait={wait}", content=raw, headers=OCTETS)
    return answer.status_code, answer.json()


def test_a_submission_becomes_final(house: House, client: Api) -> None:
    raw = house.signed("park", send("park", "kim", 1))
    status, view = submit(client, raw)
    assert (status, view["status"]) == (200, "final")
    found = client.get(str(view["url"])).json()
    assert found["receipt"]["applied"]
    assert found["receipt"]["events"][0]["tag"] == "settlement.moved.v1"
    assert found["body"]["instructions"][0]["units"] == 1


def test_accepted_is_not_final(house: House, client: Api) -> None:
    raw = house.signed("park", send("park", "kim", 1))
    status, view = submit(client, raw, wait=0)
    assert (status, view["status"], view["receipt"]) == (202, "accepted", None)
    later = client.get(f"{view['url']}?wait=10").json()
    assert (later["status"], later["transaction"]) == ("final", view["transaction"])


def test_a_repeated_submission_is_answered_with_how_it_stands(house: House, client: Api) -> None:
    raw = house.signed("park", send("park", "kim", 1))
    first, again = submit(client, raw), submit(client, raw)
    assert first == again


def test_an_envelope_may_come_as_json(house: House, client: Api) -> None:
    raw = house.signed("park", send("park", "kim", 1))
    assert client.post("/v1/transactions?wait=10", json={"envelope": raw.hex()}).json()["status"] == "final"
    for wrong in ({"envelope": "zz"}, {"envelope": raw.hex(), "more": 1}, {}, []):
        answer = client.post("/v1/transactions", json=wrong)
        assert (answer.status_code, answer.json()["name"]) == (400, "BadRequest")


def test_a_final_refusal_is_final_with_its_reason(house: House, client: Api) -> None:
    status, view = submit(client, house.signed("park", send("park", "kim", 10**9)))
    assert status == 200
    receipt = view["receipt"]
    assert isinstance(receipt, dict)
    assert not receipt["applied"]
    assert receipt["rejection"]["name"] == "InsufficientUnits"
    assert receipt["rejection"]["figures"]["account"].startswith("stoa1")


def test_nothing_known_of_a_transaction_is_404(client: Api) -> None:
    answer = client.get("/v1/transactions/" + "0" * 64)
    assert (answer.status_code, answer.json()["name"]) == (404, "NotFound")


def high_s(raw: bytes) -> bytes:
    envelope = read_envelope(raw)
    (one,) = envelope.signatures
    turned = one.signature[:32] + (ORDER - int.from_bytes(one.signature[32:])).to_bytes(32)
    return encode(Envelope(envelope.body, (Signature(one.account, one.key, turned),)))


def signed_by_another(body: bytes) -> bytes:
    signature = signing.sign(secret("eve"), transaction_id(body))
    return encode(Envelope(body, (Signature(account("park"), public("park"), signature),)))


def unknown_field(body: bytes) -> bytes:
    return sign_body(body[:-1] + b"\x00" + body[-1:], [(account("park"), secret("park"))])


def living(house: House, milliseconds: int) -> bytes:
    body = house.body("park", send("park", "kim", 1), life=milliseconds)
    return sign_body(body, [(account("park"), secret("park"))])


def good(house: House) -> bytes:
    return house.signed("park", send("park", "kim", 1))


WRONG: dict[str, tuple[str, Callable[[House], bytes]]] = {
    "cut": ("MalformedEnvelope", lambda house: good(house)[:-1]),
    "longer": ("MalformedEnvelope", lambda house: good(house) + b"\x00"),
    "empty": ("MalformedEnvelope", lambda house: b""),
    "large": ("MalformedEnvelope", lambda house: bytes(limits.MAX_ENVELOPE_BYTES + 1)),
    "field": ("MalformedEnvelope", lambda house: unknown_field(house.body("park", send("park", "kim", 1)))),
    "high-s": ("SignatureInvalid", lambda house: high_s(good(house))),
    "forged": ("SignatureInvalid", lambda house: signed_by_another(house.body("park", send("park", "kim", 1)))),
    "late": ("Expired", lambda house: living(house, -1)),
    "long": ("ValidTooLong", lambda house: living(house, 2 * limits.MAX_VALIDITY_MS)),
    "chain": ("WrongChain", lambda house: good(house).replace(CHAIN.encode(), b"tost")),
}


@pytest.mark.parametrize("name", WRONG)
def test_what_is_wrong_is_refused_with_number_and_sentence_and_counted(house: House, client: Api, name: str) -> None:
    expected, make = WRONG[name]
    before = house.node.gate.counted[expected]
    answer = client.post("/v1/transactions", content=make(house), headers=OCTETS | {"accept-language": "ko, en;q=0.5"})
    problem = answer.json()
    assert (answer.status_code, problem["name"]) == (422, expected)
    assert answer.headers["content-type"] == "application/problem+json"
    assert problem["code"] >= 1_000
    assert any("가" <= letter <= "힣" for letter in problem["detail"])
    assert problem["reasons"][0]["figures"]
    assert house.node.gate.counted[expected] == before + 1
    assert f'stoa_problems_total{{name="{expected}",status="422"}}' in client.get("/metrics").text
    assert not house.node.failure
    assert submit(client, house.signed("park", send("park", "kim", 1)))[0] == 200


def test_a_number_used_twice_is_refused_and_final(house: House, client: Api) -> None:
    sequence = house.node.next_sequence(account("park"), 2)
    first = house.signed("park", send("park", "kim", 1), lane=2, sequence=sequence)
    second = house.signed("park", send("park", "kim", 2), lane=2, sequence=sequence)
    assert submit(client, first)[1]["status"] == "final"
    receipt = submit(client, second)[1]["receipt"]
    assert isinstance(receipt, dict)
    assert receipt["rejection"]["name"] == "SequenceUsed"


def test_more_bytes_than_a_request_may_have_are_not_read(client: Api) -> None:
    answer = client.post("/v1/transactions", content=bytes(1_000_000), headers=OCTETS)
    assert (answer.status_code, answer.json()["name"]) == (413, "TooLarge")


def test_a_full_gate_says_when_to_come_back(house: House, client: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    raw = house.signed("park", send("park", "kim", 1))
    monkeypatch.setattr(house.node.gate, "_capacity", 0)
    answer = client.post("/v1/transactions", content=raw, headers=OCTETS)
    assert (answer.status_code, answer.json()["name"], answer.headers["retry-after"]) == (503, "Busy", "1")
    monkeypatch.undo()
    assert submit(client, raw)[0] == 200


def test_what_was_final_before_a_restart_is_answered_after_it(fresh: House) -> None:
    raw = fresh.signed("park", send("park", "kim", 1))
    with TestClient(fresh.app()) as client:
        before = submit(client, raw)
    fresh.close()
    fresh.open()
    with TestClient(fresh.app()) as client:
        assert submit(client, raw) == before
    assert fresh.node.gate.counted["accepted"] == 0


def test_a_stranger_who_copies_a_transaction_does_not_keep_it_out(house: House, client: Api) -> None:
    body = house.body("park", send("park", "kim", 1))
    theirs = sign_body(body, [(account("park"), secret("park"))])
    copy = sign_body(body, [(account("kim"), secret("kim"))])
    status, view = submit(client, copy)
    receipt = view["receipt"]
    assert isinstance(receipt, dict)
    assert receipt["rejection"]["name"] == "ThresholdNotMet"
    status, view = submit(client, theirs)
    receipt = view["receipt"]
    assert isinstance(receipt, dict)
    assert (status, receipt["applied"]) == (200, True)
    assert submit(client, copy)[1] == view


def test_a_stopped_node_is_not_ready_and_takes_nothing_in(fresh: House) -> None:
    fresh.node.failure = "Broken: for a test"
    with TestClient(fresh.app(), raise_server_exceptions=False) as client:
        assert client.get("/health/ready").status_code == 503
        assert client.get("/health/live").status_code == 200
    fresh.node.failure = ""
