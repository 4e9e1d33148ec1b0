"""Mutual TLS on a real server, and what each institution's certificate lets it say."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from stoa.bus.bus import Bus
from stoa.bus.settings import BusSettings
from stoa.ordering.engine import LogFull
from stoa.ordering.jetstream import JetStreamEngine
from stoa.ordering.jetstream_log import Log, open_log
from stoa.peers.nats import NatsPeers
from tests.bus.certificates import Authority
from tests.bus.servers import READY_S, Servers, eventually

# What a server permits an institution: to publish under its own name, to read the log, to be asked and told.
PERMITTED = """
  {{ user: "CN={me}", permissions: {{
    publish: ["log.*.*.{me}", "say.*.{me}", "ask.*.*.{me}", "$JS.API.STREAM.INFO.*", "$JS.API.STREAM.CREATE.*",
              "$JS.API.CONSUMER.CREATE.*", "$JS.API.CONSUMER.MSG.NEXT.*.*"],
    subscribe: ["say.>", "ask.*.{me}.*", "_INBOX.{me}.>"], allow_responses: true }} }}
"""
SECURED = """
tls {{ cert_file: "{certificate}", key_file: "{key}", ca_file: "{ca}", verify_and_map: true, handshake_first: true }}
authorization {{ users: [ {users} ] }}
"""
NAMES = ("BROKER-A", "BROKER-B")
LOG = Log("tls", 1, 1, 16 * 1024 * 1024)


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("authority"))


@pytest.fixture(scope="module")
def server(authority: Authority, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Servers]:
    certificate, key = authority.sign("server-0")
    users = ", ".join(PERMITTED.format(me=name).strip() for name in NAMES)
    extra = SECURED.format(certificate=certificate, key=key, ca=authority.ca, users=users)
    servers = Servers(tmp_path_factory.mktemp("secured"), 1, extra).start()
    yield servers
    servers.stop()


def settings(server: Servers, authority: Authority, name: str, certified: str = "") -> BusSettings:
    certificate, key = authority.sign(certified or name)
    return BusSettings(server.urls(), name, str(authority.ca), str(certificate), str(key))


@pytest.fixture
def buses(server: Servers, authority: Authority) -> Iterator[list[Bus]]:
    buses = [Bus(settings(server, authority, name)) for name in NAMES]
    assert all(bus.wait(READY_S) for bus in buses), [bus.counts() for bus in buses]
    yield buses
    for bus in buses:
        bus.close()


def test_with_its_certificate_an_institution_does_all_that_it_needs(buses: list[Bus]) -> None:
    identity = buses[0].run(lambda client: open_log(client, LOG), READY_S).identity
    engines = [JetStreamEngine(bus, LOG, name, identity) for bus, name in zip(buses, NAMES, strict=True)]
    position = engines[0].publish(b"batch")
    for engine in engines:
        ordered = engine.read(position - 1, READY_S)
        assert ordered
        assert ordered.batch == b"batch"
    peers = [NatsPeers(bus, "tls", name) for bus, name in zip(buses, NAMES, strict=True)]
    heard: list[tuple[str, bytes]] = []
    peers[1].listen(lambda sender, message: heard.append((sender, message)), lambda sender, question: question)
    eventually(lambda: peers[0].tell(b"vote") or ("BROKER-A", b"vote") in heard)
    assert peers[0].ask("BROKER-B", b"height?", READY_S) == b"height?"
    for engine in engines:
        engine.close()


def test_nobody_speaks_in_anothers_name(buses: list[Bus], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("stoa.ordering.jetstream.PUBLISH_S", 0.5)
    identity = buses[0].run(lambda client: open_log(client, LOG), READY_S).identity
    forger = JetStreamEngine(buses[0], LOG, "BROKER-B", identity)
    with pytest.raises(LogFull):
        forger.publish(b"forged")
    eventually(lambda: "permissions violation" in buses[0].counts().trouble.lower())
    heard: list[bytes] = []
    buses[1].subscribe("say.tls.*", lambda _, message: heard.append(message))
    eventually(lambda: buses[0].publish("say.tls.BROKER-A", b"own") or heard)
    buses[0].publish("say.tls.BROKER-B", b"forged")
    buses[0].publish("say.tls.BROKER-A", b"after")
    eventually(lambda: b"after" in heard)
    assert b"forged" not in heard
    assert buses[0].connected


def test_nobody_hears_anothers_answers(buses: list[Bus]) -> None:
    buses[0].subscribe("_INBOX.BROKER-B.>", lambda _, message: None)
    eventually(lambda: "permissions violation for subscription" in buses[0].counts().trouble.lower())


def refused(bus: Bus) -> str:
    eventually(lambda: bus.counts().trouble)
    assert not bus.wait(0.3)
    trouble = bus.counts().trouble
    bus.close()
    return trouble


def test_a_certificate_of_another_authority_is_refused(server: Servers, authority: Authority, tmp_path: Path) -> None:
    stranger = Authority(tmp_path / "stranger")
    certificate, key = stranger.sign("BROKER-A")
    refused(Bus(BusSettings(server.urls(), "BROKER-A", str(authority.ca), str(certificate), str(key))))
    refused(Bus(BusSettings(server.urls(), "BROKER-A", str(authority.ca))))
    assert "certificate" in refused(Bus(BusSettings(server.urls(), "A", str(stranger.ca), str(certificate), str(key))))


def test_a_certificate_that_names_no_institution_is_refused(server: Servers, authority: Authority) -> None:
    refused(Bus(settings(server, authority, "BROKER-A", certified="NOBODY")))


def test_a_server_without_tls_gets_no_word(one_server: Servers, authority: Authority) -> None:
    refused(Bus(settings(one_server, authority, "BROKER-A")))


def test_files_that_are_not_there_are_said_and_tried_again(server: Servers, authority: Authority) -> None:
    certificate, key = authority.sign("BROKER-B")
    late = certificate.with_name("late.pem")
    bus = Bus(BusSettings(server.urls(), "BROKER-B", str(authority.ca), str(late), str(key)))
    eventually(lambda: "No such file" in bus.counts().trouble)
    late.write_bytes(certificate.read_bytes())
    assert bus.wait(READY_S)
    bus.close()
