"""One suite for every way in which validators hear each other: what ``peers.promise`` promises."""

import threading
import time
from collections.abc import Callable, Iterator

import pytest

from stoa.bus.bus import Bus
from stoa.bus.settings import BusSettings
from stoa.peers.nats import NatsPeers
from stoa.peers.promise import MAX_MESSAGE_BYTES, Peers, Silent, TooLarge
from tests.bus.servers import READY_S, Servers, eventually
from tests.peers.local import Hall

SOON = 15.0  # seconds
NAMES = ("BROKER-A", "BROKER.B", "OPERATOR")


class Ear:
    """A validator that keeps what it hears and answers with what it was asked."""

    def __init__(self, name: str, peers: Peers) -> None:
        self.name, self.peers = name, peers
        self.heard: list[tuple[str, bytes]] = []
        self.gate = threading.Event()
        peers.listen(lambda sender, message: self.heard.append((sender, message)), self.answer)

    def answer(self, sender: str, question: bytes) -> bytes:
        if question == b"raise":
            raise ValueError
        if question == b"wait":
            self.gate.wait(SOON)
        if question == b"much":
            return bytes(MAX_MESSAGE_BYTES)
        if question == b"too much":
            return bytes(MAX_MESSAGE_BYTES + 1)
        return f"{self.name} to {sender}: ".encode() + question


@pytest.fixture(params=["local", "nats"])
def ears(request: pytest.FixtureRequest) -> Iterator[list[Ear]]:
    """Three validators that hear each other."""
    buses: list[Bus] = []
    if request.param == "local":
        hall = Hall()
        ears = [Ear(name, hall.enter(name)) for name in NAMES]
    else:
        servers: Servers = request.getfixturevalue("one_server")
        chain = f"chain {time.monotonic_ns()}"
        buses = [Bus(BusSettings(servers.urls(), name)) for name in NAMES]
        assert all(bus.wait(READY_S) for bus in buses)
        ears = [Ear(name, NatsPeers(bus, chain, name)) for name, bus in zip(NAMES, buses, strict=True)]
    for ear in ears:
        for other in ears:
            eventually(lambda ear=ear, other=other: ear is other or answers(ear, other.name))  # type: ignore[misc]
    yield ears
    for ear in ears:
        ear.gate.set()
        ear.peers.close()
    for bus in buses:
        bus.close()


def answers(ear: Ear, name: str) -> bool:
    try:
        return bool(ear.peers.ask(name, b"there?", 1.0))
    except Silent:
        return False


def told(first: Ear, message: bytes, others: list[Ear]) -> None:
    """Tell it until all others heard it, as one does who must be heard."""
    eventually(lambda: first.peers.tell(message) or all((first.name, message) in ear.heard for ear in others))


def test_what_is_told_reaches_all_others_with_its_sender(ears: list[Ear]) -> None:
    for ear in ears:
        told(ear, f"I am {ear.name}".encode(), [other for other in ears if other is not ear])
    for ear in ears:
        assert {(sender, f"I am {sender}".encode()) for sender, _ in ear.heard} == set(ear.heard)
        assert {sender for sender, _ in ear.heard} == set(NAMES) - {ear.name}


def test_the_peer_that_is_asked_answers_and_knows_who_asks(ears: list[Ear]) -> None:
    first, second, third = ears
    assert first.peers.ask(second.name, b"height?", SOON) == b"BROKER.B to BROKER-A: height?"
    assert second.peers.ask(third.name, b"height?", SOON) == b"OPERATOR to BROKER.B: height?"


def test_the_largest_answer_comes_whole_and_a_larger_one_is_silence(ears: list[Ear]) -> None:
    assert len(ears[0].peers.ask(NAMES[1], b"much", SOON)) == MAX_MESSAGE_BYTES
    silent(lambda: ears[0].peers.ask(NAMES[1], b"too much", SOON), SOON / 2)


def silent(ask: Callable[[], bytes], within: float) -> None:
    mark = time.monotonic()
    with pytest.raises(Silent):
        ask()
    assert time.monotonic() - mark < within


def test_an_unknown_peer_and_one_that_fails_are_silent_at_once(ears: list[Ear]) -> None:
    silent(lambda: ears[0].peers.ask("NOBODY", b"there?", SOON), SOON / 2)
    silent(lambda: ears[0].peers.ask(NAMES[1], b"raise", SOON), SOON / 2)


def test_a_slow_peer_is_silent_in_time_and_hears_meanwhile(ears: list[Ear]) -> None:
    silent(lambda: ears[0].peers.ask(NAMES[1], b"wait", 0.1), SOON / 2)
    told(ears[0], b"a vote", ears[1:])


def test_a_handler_that_raises_hears_what_comes_next(ears: list[Ear]) -> None:
    heard, append = ears[1].heard, ears[1].heard.append

    class Raising(list[tuple[str, bytes]]):
        def append(self, item: tuple[str, bytes]) -> None:
            if item[1] == b"bad":
                raise ValueError
            append(item)

    ears[1].heard = Raising()
    ears[0].peers.tell(b"bad")
    eventually(lambda: ears[0].peers.tell(b"good") or (NAMES[0], b"good") in heard)


def test_what_is_too_large_is_named(ears: list[Ear]) -> None:
    with pytest.raises(TooLarge):
        ears[0].peers.tell(bytes(MAX_MESSAGE_BYTES + 1))
    with pytest.raises(TooLarge):
        ears[0].peers.ask(NAMES[1], bytes(MAX_MESSAGE_BYTES + 1), SOON)


def test_who_has_closed_neither_says_nor_hears(ears: list[Ear]) -> None:
    first, second, third = ears
    second.peers.close()
    told(first, b"to the others", [third])
    second.peers.tell(b"nothing")
    told(first, b"once more", [third])
    assert not [message for _, message in third.heard if message == b"nothing"]
    assert not [message for _, message in second.heard if message == b"once more"]
    silent(lambda: second.peers.ask(first.name, b"there?", SOON), SOON / 2)
