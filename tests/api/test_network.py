"""One of five: what the door says of the others, certificates of a quorum, readiness, figures, evidence."""

import time
from collections.abc import Callable, Iterator
from typing import Any

import msgspec
import pytest
from litestar import Litestar
from litestar.testing import TestClient

from stoa import __version__
from stoa.agreement.details import NoQuorum, TooFewPromises
from stoa.agreement.effects import Alarm
from stoa.api.probing import create_probe_app
from stoa.client import BadProof, check_proof
from stoa.client.views import Keys, Transaction
from stoa.kernel import signing
from stoa.kernel.codec import encode
from stoa.ledger.identity.register_party import RegisterParty
from stoa.node import health
from stoa.node.details import ALARMS
from stoa.ordering.condition import unwell
from stoa.wire.proof import ReceiptProof, read_proof
from stoa.wire.status import Status
from stoa.wire.vote import certificate_valid
from tests.api.house import CHAIN, House
from tests.ledger.hall import secret
from tests.node.puppets import ELSE, Puppets

OTHERS = ("BROKER-A", "BROKER-B", "FSS", "VENUE")
MEMBERS = ("BROKER-A", "BROKER-B", "FSS", "KSD", "VENUE")
SECONDS = 15.0
Client = TestClient[Litestar]


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
def door(five: House) -> Iterator[Client]:
    with TestClient(five.app(), raise_server_exceptions=False) as client:
        yield client


def until(condition: Callable[[], Any]) -> Any:
    """What the condition gives, once it gives something."""
    deadline = time.monotonic() + SECONDS
    while time.monotonic() < deadline:
        if found := condition():
            return found
        time.sleep(0.02)
    raise AssertionError("waited in vain")


def party(house: House, number: int) -> str:
    """One more party, final; the transaction's id."""
    return house.do("BROKER-A", RegisterParty(number, False, "BROKER-A")).transaction.hex()


def keys_of(client: Client) -> tuple[dict[str, bytes], int]:
    told = client.get("/v1/keys").json()
    known = Keys(**told)
    return known.public(), known.quorum


def test_the_members_and_how_each_was_heard(five: House, door: Client) -> None:
    party(five, 5_001)
    height = five.node.health().height
    until(lambda: all(peer.height == height for peer in five.node.network().peers))
    told = door.get("/v1/network").json()
    assert (told["validator"], told["rule"], told["quorum"], told["epoch"]) == ("KSD", "majority", 3, 1)
    assert told["ready"] is True
    assert told["troubles"] == told["alarms"] == told["missing"] == []
    assert tuple(one["institution"] for one in told["members"]) == MEMBERS
    for one in told["members"]:
        assert one["present"]
        assert one["seconds"] < health.HEARD_SECONDS
        assert (one["lag"], one["epoch"]) == (0, 1)
    mine = next(one for one in told["members"] if one["institution"] == "KSD")
    assert mine["batch"] == told["recent"][0]["batch"] == dict(five.node.network().produced)["KSD"]
    newest = told["recent"][0]
    assert (newest["height"], newest["producer"], newest["epoch"]) == (height, "KSD", 1)
    assert len(newest["votes"]) >= 3
    assert set(newest["votes"]) <= set(MEMBERS)
    assert mine["voted"] == sum("KSD" in one["votes"] for one in told["recent"])
    assert told["log"] == {"kind": "well", "en": "", "ko": ""}


def test_where_the_servers_are_is_for_those_who_said_who_they_are(door: Client) -> None:
    bus = door.get("/v1/network").json()["bus"]
    assert (bus["connected"], bus["reconnections"], bus["server"], bus["trouble"]) == (True, 2, "", "")
    door.post("/v1/session", json={"user": "kim", "password": "correct horse battery"})
    assert door.get("/v1/network").json()["bus"]["server"] == "tls://127.0.0.1:1"


def test_the_certificate_travels_with_the_receipt(five: House, door: Client) -> None:
    digest = party(five, 5_002)
    answer = door.get(f"/v1/transactions/{digest}").json()
    keys, quorum = keys_of(door)
    assert (sorted(keys), quorum) == (list(MEMBERS), 3)
    certificate = msgspec.convert(answer, Transaction).certificate
    assert certificate is not None
    assert len(certificate.votes) >= quorum
    assert certificate.block_hash.hex() == answer["receipt"]["block_hash"]
    assert certificate_valid(CHAIN, certificate, keys, quorum)


def test_a_proof_is_checked_against_the_keys_of_a_quorum(five: House, door: Client) -> None:
    digest = party(five, 5_003)
    raw = bytes.fromhex(door.get(f"/v1/proofs/receipts/{digest}").json()["proof"])
    keys, quorum = keys_of(door)
    assert check_proof(raw, keys, quorum).transaction.hex() == digest  # type: ignore[union-attr]
    proof = read_proof(raw)
    assert isinstance(proof, ReceiptProof)
    voters = [vote.validator for vote in proof.certificate.votes]
    known = {name: keys[name] for name in voters[:2]}
    with pytest.raises(BadProof, match="lacks 3 valid votes"):
        check_proof(raw, known, quorum)
    strangers = dict.fromkeys(voters, signing.public_key(secret("a stranger")))
    with pytest.raises(BadProof, match="lacks 3 valid votes"):
        check_proof(raw, {**keys, **strangers}, quorum)
    with pytest.raises(BadProof, match="lacks 6 valid votes"):
        check_proof(raw, keys, 6)
    assert door.post("/v1/proofs/check", json={"proof": raw.hex()}).json()["holds"] is True


def test_a_vote_counted_twice_makes_no_quorum(five: House, door: Client) -> None:
    raw = bytes.fromhex(door.get(f"/v1/proofs/receipts/{party(five, 5_004)}").json()["proof"])
    proof = read_proof(raw)
    assert isinstance(proof, ReceiptProof)
    first = proof.certificate.votes[0]
    certificate = type(proof.certificate)(
        proof.certificate.height, proof.certificate.block_hash, (first,) * 3, proof.certificate.epoch
    )
    forged = ReceiptProof(proof.header, certificate, proof.receipt, proof.index, proof.size, proof.path)
    with pytest.raises(BadProof, match="lacks 3 valid votes"):
        check_proof(encode(forged), *keys_of(door))


def test_without_a_quorum_the_door_is_not_ready_and_names_who_is_missing(
    five: House, door: Client, puppets: Puppets, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert until(lambda: door.get("/health/ready").status_code == 200)
    monkeypatch.setattr(health, "HEARD_SECONDS", 0.6)
    with puppets.without("FSS", "VENUE"):
        assert until(lambda: door.get("/v1/network").json()["missing"] == ["FSS", "VENUE"])
        assert door.get("/health/ready").status_code == 200, "three of five are enough"
        party(five, 5_005)
    with puppets.without("BROKER-B", "FSS", "VENUE"):
        refused = until(lambda: _refused(door))
        assert refused["detail"] == (
            "The service is not available: 3 of 5 members must vote and 2 were heard within 1 s; "
            "missing: BROKER-B, FSS, VENUE"
        )
        korean = until(lambda: _refused(door, "ko"))
        assert korean["detail"] == (
            "서비스를 사용할 수 없습니다: 구성 기관 5곳 중 3곳이 투표해야 하나 1초 안에 2곳만 확인되었습니다. "
            "미확인: BROKER-B, FSS, VENUE"
        )
        assert door.get("/health/live").json() == {"status": "live", "version": __version__}
        assert not door.get("/v1/network").json()["ready"]
        raw = five.signed("BROKER-A", RegisterParty(5_006, False, "BROKER-A"))
        digest = five.node.submit(raw).transaction  # type: ignore[union-attr]
        assert five.node.wait(digest, 0.5) is None, "nothing becomes final"
        assert door.get(f"/v1/transactions/{digest.hex()}").json()["status"] == "accepted"
    located = five.node.wait(digest, SECONDS)
    assert located is not None
    assert until(lambda: door.get("/health/ready").status_code == 200)


def _refused(door: Client, language: str = "en") -> Any:
    answer = door.get("/health/ready", headers={"accept-language": language})
    return answer.json() if answer.status_code == 503 else None


@pytest.mark.parametrize(
    ("change", "en", "ko"),
    [
        ({"away": True}, "has left the quorum", "정족수에서 빠져 있습니다"),
        (
            {"alarms": {"split": NoQuorum(7, 3, "ab: A; cd: B")}},
            "alarm split: block 7 cannot reach 3 votes: ab: A; cd: B",
            "경보 split: 블록 7은(는) 3표를 얻을 수 없습니다: ab: A; cd: B",
        ),
        (
            {"log": unwell("unconnected")},
            "the ordering log is unreachable: There is no connection to any server of the log.",
            "순서 로그에 이상이 있습니다(unreachable): 로그의 어느 서버에도 연결되어 있지 않습니다.",
        ),
        ({"log": unwell("not_there", stream="S")}, "the ordering log is gone: S does", "(gone): S이(가) 없습니다."),
        ({"log": unwell("another", stream="S", found=1, known=2)}, "the ordering log is replaced: S", "(replaced): S"),
    ],
)
def test_each_trouble_has_a_sentence_in_both_languages(five: House, change: dict[str, Any], en: str, ko: str) -> None:
    network = until(lambda: five.node.network() if not health.missing(five.node.network()) else None)
    (told,) = health.troubles(network._replace(**change))
    assert en in told.en
    assert ko in told.ko
    assert list(health.troubles(network._replace(log=unwell("shorter", stream="S", last=1, read=2)))) == []


def test_an_alarm_is_told_as_a_code_with_its_figures_and_in_both_languages(five: House, door: Client) -> None:
    five.node.voice.alarm(Alarm("epoch", TooFewPromises(2, 7, 3)))
    told = door.get("/v1/network").json()["alarms"]
    five.node.voice.alarm(Alarm("epoch", None))
    assert told == [
        {
            "kind": "epoch",
            "code": "too_few_promises",
            "figures": {"promised": 2, "height": 7, "quorum": 3},
            "en": "2 members have promised behind block 7 or before, 3 must",
            "ko": "구성 기관 2곳이 블록 7 이하에서 약속했으며 3곳의 약속이 필요합니다",
        }
    ]
    assert door.get("/v1/network").json()["alarms"] == []


def test_a_validator_that_is_alone_misses_nobody(house: House, client: Client) -> None:
    network = house.node.network()
    assert (network.alone, health.missing(network), list(health.troubles(network))) == (True, (), [])
    assert client.get("/v1/network").json()["bus"] is None


def test_evidence_is_shown_with_what_proves_it(five: House, door: Client, puppets: Puppets) -> None:
    before = door.get("/v1/evidence").json()["count"]
    puppets.say("FSS", b"nonsense")
    forged = Status(CHAIN, "VENUE", 1, 0, ELSE, None)
    puppets.say("FSS", encode(forged))
    puppets.liars = {"BROKER-B"}
    party(five, 5_007)
    puppets.liars = set()
    found = until(lambda: told if (told := door.get("/v1/evidence").json())["count"] >= before + 3 else None)
    kinds = {one["kind"]: one for one in found["items"]}
    assert {"malformed", "false_name", "two_votes"} <= kinds.keys()
    assert kinds["two_votes"]["validator"] == "BROKER-B"
    assert bytes.fromhex(kinds["malformed"]["proof"])
    assert kinds["false_name"]["figures"] == {"name": "VENUE"}
    assert [kinds["false_name"][language] for language in ("en", "ko")] == [
        "speaks as VENUE",
        "VENUE의 이름으로 말했습니다",
    ]
    assert len(door.get("/v1/evidence?limit=1").json()["items"]) == 1
    assert door.get("/v1/evidence?limit=101").status_code == 400


def test_the_figures_of_the_network(five: House, door: Client) -> None:
    text = door.get("/metrics").text
    for line in (
        "stoa_members 5.0", "stoa_seat 1.0", "stoa_quorum 3.0", "stoa_epoch 1.0", "stoa_away 0.0",
        "stoa_bus_connected 1.0",
        'stoa_log_condition{condition="well"} 1.0', 'stoa_log_condition{condition="gone"} 0.0',
        "stoa_bus_reconnections_total 2.0", "stoa_bus_sent_total 10.0", "stoa_bus_dropped_total 1.0",
    ):  # fmt: skip
        assert f"\n{line}\n" in text, line
    for kind in ALARMS:
        assert f'stoa_alarm{{kind="{kind}"}} 0.0' in text
    for name in OTHERS:
        assert f'stoa_peer_height{{peer="{name}"}}' in text
        assert f'stoa_peer_age_seconds{{peer="{name}"}}' in text
    for stage in ("admit", "verify", "execute", "hash", "sync", "vote", "final"):
        assert float(text.split(f'stoa_stage_seconds_total{{stage="{stage}"}} ')[1].split()[0]) > 0, stage


def test_a_validator_without_a_gateway_has_its_probes_and_nothing_else(five: House) -> None:
    with TestClient(create_probe_app(five.node)) as client:
        assert client.get("/health/live").status_code == 200
        ready = until(lambda: answer if (answer := client.get("/health/ready")).status_code == 200 else None).json()
        assert (ready["height"], ready["views"]) == (five.node.health().height, -1)
        text = client.get("/metrics").text
        assert "stoa_height" in text
        assert "stoa_views_height" not in text
        for path in ("/", "/v1/blocks", "/v1/network"):
            answer = client.get(path)
            assert answer.status_code == 404
            assert answer.json()["name"] == "NotFound"
            assert answer.headers["content-type"].startswith("application/problem+json")
