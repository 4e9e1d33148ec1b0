"""The bus on real servers: what it carries, what it drops and counts, and how it comes back."""

import asyncio
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from stoa.bus.bus import Bus
from stoa.bus.faults import Disconnected, Silent, TooLarge
from stoa.bus.lane import Arrived, Lane
from stoa.bus.names import text_of, token
from stoa.bus.settings import MAX_PAYLOAD_BYTES, MAX_QUEUED_BYTES, MESSAGE_BYTES, BusSettings
from tests.bus.servers import READY_S, Servers, eventually, free_ports

SOON = 15.0  # seconds
MAX_QUEUED = MAX_QUEUED_BYTES // MESSAGE_BYTES


@pytest.fixture
def bus(one_server: Servers) -> Iterator[Bus]:
    bus = Bus(BusSettings(one_server.urls(), "BROKER-A"))
    assert bus.wait(READY_S)
    yield bus
    bus.close()


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Callable[[int], Servers]]:
    """Starts servers that a test may ruin."""
    started: list[Servers] = []

    def start(size: int) -> Servers:
        started.append(Servers(tmp_path, size))
        return started[-1].start()

    yield start
    for servers in started:
        servers.stop()


def said(bus: Bus, subject: str, heard: list[bytes]) -> None:
    """Speak until the subscription hears: it begins a moment after it was asked for."""
    bus.subscribe(subject, lambda _, payload: heard.append(payload))
    eventually(lambda: bus.publish(subject, b"first") or heard)
    eventually(lambda: bus.publish(subject, b"last") or heard[-1] == b"last")
    heard.clear()


def test_what_is_published_is_heard_with_its_subject(bus: Bus) -> None:
    heard: list[tuple[str, bytes]] = []
    bus.subscribe("news.*", lambda subject, payload: heard.append((subject, payload)))
    eventually(lambda: bus.publish("news.market", b"open") or ("news.market", b"open") in heard)
    counts = bus.counts()
    assert counts.connected
    assert counts.sent > 0
    assert counts.received > 0
    assert counts.dropped == counts.overflowed == counts.failed == 0


def test_who_stops_listening_hears_nothing_more(bus: Bus) -> None:
    heard, other = list[bytes](), list[bytes]()
    kept = bus.subscribe("stopping", lambda _, payload: heard.append(payload))
    eventually(lambda: bus.publish("stopping", b"1") or heard)
    kept.stop()
    said(bus, "stopping", other)
    heard.clear()
    bus.publish("stopping", b"2")
    eventually(lambda: b"2" in other)
    assert not heard


def test_a_question_is_answered_and_a_large_answer_comes_whole(bus: Bus) -> None:
    bus.serve("doubling", lambda _, payload: payload * 2)
    eventually(lambda: answered(bus, "doubling"))
    assert bus.request("doubling", b"x" * (MAX_PAYLOAD_BYTES // 2), SOON) == b"x" * MAX_PAYLOAD_BYTES


def answered(bus: Bus, subject: str) -> bool:
    try:
        return bool(bus.request(subject, b"?", 1.0))
    except Silent:
        return False


def test_where_nobody_answers_it_is_said_at_once(bus: Bus) -> None:
    mark = time.monotonic()
    with pytest.raises(Silent):
        bus.request("nobody.is.here", b"?", SOON)
    assert time.monotonic() - mark < SOON / 2


def test_an_answerer_that_fails_or_says_too_much_is_silent_at_once(bus: Bus) -> None:
    def answer(subject: str, payload: bytes) -> bytes:
        if payload == b"much":
            return bytes(MAX_PAYLOAD_BYTES + 1)
        return {b"?": b"!"}[payload]

    bus.serve("failing", answer)
    eventually(lambda: answered(bus, "failing"))
    mark = time.monotonic()
    with pytest.raises(Silent, match="KeyError"):
        bus.request("failing", b"unknown", SOON)
    with pytest.raises(Silent, match="TooLarge"):
        bus.request("failing", b"much", SOON)
    assert time.monotonic() - mark < SOON / 2
    assert bus.request("failing", b"?", SOON) == b"!"
    assert bus.counts().failed == 2


def test_an_answer_that_does_not_come_is_silence_in_time(bus: Bus) -> None:
    thinking = threading.Event()

    def answer(subject: str, payload: bytes) -> bytes:
        if payload != b"?":
            thinking.wait(SOON)
        return b"!"

    bus.serve("thinking", answer)
    eventually(lambda: answered(bus, "thinking"))
    mark = time.monotonic()
    with pytest.raises(Silent):
        bus.request("thinking", b"hard", 0.2)
    assert 0.15 < time.monotonic() - mark < SOON / 2
    thinking.set()


def test_what_no_message_can_carry_is_named(bus: Bus) -> None:
    with pytest.raises(TooLarge) as large:
        bus.publish("large", bytes(MAX_PAYLOAD_BYTES + 1))
    assert (large.value.size, large.value.most) == (MAX_PAYLOAD_BYTES + 1, MAX_PAYLOAD_BYTES)
    with pytest.raises(TooLarge):
        bus.request("large", bytes(MAX_PAYLOAD_BYTES + 1), 1.0)


def test_without_a_server_nothing_waits() -> None:
    bus = Bus(BusSettings((f"nats://127.0.0.1:{free_ports(1)[0]}",), "BROKER-A"))
    mark = time.monotonic()
    bus.publish("news", b"unheard")
    with pytest.raises(Disconnected):
        bus.request("news", b"?", SOON)
    assert not bus.wait(0.1)
    eventually(lambda: "127.0.0.1" in bus.counts().trouble)
    assert bus.counts()[:2] == (False, "")
    assert bus.counts().dropped == 1
    bus.close()
    assert time.monotonic() - mark < SOON / 2


def test_a_closed_bus_says_so(one_server: Servers) -> None:
    bus = Bus(BusSettings(one_server.urls(), "BROKER-A"))
    assert bus.wait(READY_S)
    bus.close()
    bus.close()
    bus.publish("news", b"unheard")
    with pytest.raises(Disconnected):
        bus.request("news", b"?", SOON)
    assert not bus.connected
    assert bus.counts().dropped == 1


def test_a_question_under_way_ends_with_its_connection(start: Callable[[int], Servers]) -> None:
    servers = start(1)
    bus = Bus(BusSettings(servers.urls(), "BROKER-A"))
    assert bus.wait(READY_S)
    bus.serve("never", lambda _, payload: b"!" if payload == b"?" else threading.Event().wait(1.0) or b"")
    eventually(lambda: answered(bus, "never"))
    threading.Timer(0.1, servers.kill, [0]).start()
    mark = time.monotonic()
    with pytest.raises(Disconnected):
        bus.request("never", b"hard", SOON)
    assert time.monotonic() - mark < SOON / 2
    bus.close()


def test_it_comes_back_and_listens_again(start: Callable[[int], Servers]) -> None:
    servers = start(1)
    bus = Bus(BusSettings(servers.urls(), "BROKER-A"))
    heard: list[bytes] = []
    said(bus, "news", heard)
    servers.kill(0)
    eventually(lambda: not bus.connected)
    bus.publish("news", b"unheard")
    servers.spawn(0)
    assert bus.wait(SOON)
    eventually(lambda: bus.publish("news", b"again") or b"again" in heard)
    assert b"unheard" not in heard
    assert bus.counts().connections == 2
    assert bus.counts().dropped >= 1
    bus.close()


def test_it_comes_back_though_the_library_was_stopped_while_it_closed(start: Callable[[int], Servers]) -> None:
    servers = start(1)
    bus = Bus(BusSettings(servers.urls(), "BROKER-A"))
    assert bus.wait(READY_S)
    assert bus._link

    async def never() -> None:
        await asyncio.get_running_loop().create_future()

    bus._link.client._flush_pending = never  # its first step, after which it tells that it has closed
    servers.kill(0)
    eventually(lambda: not bus.connected)
    servers.mend()
    eventually(lambda: bus.counts().connections == 2)
    bus.close()


def test_the_own_server_comes_first_another_while_it_is_away_and_then_it_again(
    start: Callable[[int], Servers], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("stoa.bus.bus.HOME_S", 0.2)
    servers = start(2)
    bus = Bus(BusSettings(servers.urls(), "BROKER-A"))
    assert bus.wait(READY_S)
    assert bus.counts().server == servers.url(0)
    heard: list[bytes] = []
    said(bus, "news", heard)
    servers.pause(0)  # its sockets stay open: only its silence tells
    eventually(lambda: bus.counts().server == servers.url(1))
    eventually(lambda: bus.publish("news", b"from away") or b"from away" in heard)
    servers.resume(0)
    eventually(lambda: bus.counts().server == servers.url(0))
    eventually(lambda: bus.publish("news", b"home") or b"home" in heard)
    bus.close()


def test_a_slow_handler_loses_the_oldest_and_keeps_nobody_waiting() -> None:
    gate, handled = threading.Event(), list[int]()

    def handle(arrived: Arrived) -> None:
        gate.wait(SOON)
        handled.append(int(arrived.payload))

    lane = Lane("slow", handle)
    for number in range(MAX_QUEUED + 100):
        lane.put(Arrived("one", b"%d" % number, ""))
    gate.set()
    eventually(lambda: handled and handled[-1] == MAX_QUEUED + 99)
    assert lane.overflowed in (99, 100), "the first may have been taken before the others came"
    assert handled[-MAX_QUEUED:] == list(range(100, MAX_QUEUED + 100))
    lane.close()


def test_who_floods_loses_his_own_words_and_delays_nobody() -> None:
    gate, handled = threading.Event(), list[str]()

    def handle(arrived: Arrived) -> None:
        gate.wait(SOON)
        handled.append(arrived.subject)

    lane = Lane("flooded", handle)
    lane.put(Arrived("say.flood", bytes(MAX_QUEUED_BYTES // 2), ""))
    for _ in range(3):
        lane.put(Arrived("say.quiet", b"vote", ""))
    for _ in range(2 * MAX_QUEUED):
        lane.put(Arrived("say.flood", b"", ""))
    gate.set()
    eventually(lambda: handled.count("say.quiet") == 3)
    assert handled[:8].count("say.quiet") == 3, "subjects take turns"
    assert lane.overflowed >= MAX_QUEUED
    lane.close()


def test_a_handler_that_raises_loses_one_message() -> None:
    handled: list[str] = []

    def handle(arrived: Arrived) -> None:
        if arrived.subject == "bad":
            raise ValueError
        handled.append(arrived.subject)

    lane = Lane("raising", handle)
    for subject in ("one", "bad", "two"):
        lane.put(Arrived(subject, b"", ""))
    eventually(lambda: handled == ["one", "two"])
    assert lane.failed == 1
    lane.close()


@pytest.mark.parametrize("text", ["BROKER-A", "BROKER.A", "a b", "_2e_", "_", "한글", "*", ">", "."])
def test_a_name_is_one_token_and_comes_back(text: str) -> None:
    assert set(token(text)).isdisjoint(". *>\t\r\n")
    assert text_of(token(text)) == text


@pytest.mark.parametrize("written", ["", ".", "_2E_", "_41_", "_zz_", "_ff_"])
def test_what_no_name_is_written_as_is_refused(written: str) -> None:
    with pytest.raises(ValueError, match=r".+"):
        text_of(written)


def test_a_question_under_way_ends_when_the_bus_is_closed(one_server: Servers) -> None:
    bus, other = (Bus(BusSettings(one_server.urls(), name)) for name in ("BROKER-A", "BROKER-B"))
    assert bus.wait(READY_S)
    assert other.wait(READY_S)
    thinking = threading.Event()
    other.serve("pondering", lambda _, payload: b"!" if payload == b"?" or thinking.wait(SOON) else b"")
    eventually(lambda: answered(bus, "pondering"))
    threading.Timer(0.1, bus.close).start()
    mark = time.monotonic()
    with pytest.raises(Disconnected):
        bus.request("pondering", b"hard", SOON)
    assert time.monotonic() - mark < SOON / 2
    thinking.set()
    other.close()
