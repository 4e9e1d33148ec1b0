"""The producer over a log that takes nothing for a while: one number, one content, and a time that stays near."""

import threading

import pytest

from stoa.ledger.identity.register_party import RegisterParty
from stoa.node import producer
from stoa.ordering.engine import LogFull
from stoa.wire.batch import BatchBody, read_batch
from tests.node.house import House
from tests.node.test_node import OffBy, until

RETRY_MS = 5


class Reluctant(OffBy):
    """A log that takes nothing until it is told to; ``offered`` is what it was asked to take."""

    def __init__(self, house: House) -> None:
        super().__init__(house, 0)
        self.offered: list[bytes] = []
        self.takes = threading.Event()

    def publish(self, batch: bytes) -> int:
        self.offered.append(batch)
        if not self.takes.is_set():
            raise LogFull(RETRY_MS)
        return super().publish(batch)

    def bodies(self) -> list[BatchBody]:
        """The distinct batches that were offered, in their order."""
        return [read_batch(raw).body for raw in dict.fromkeys(self.offered)]


def party(number: int) -> RegisterParty:
    return RegisterParty(number, False, "BROKER-A")


def test_a_batch_that_finds_no_place_is_signed_again_with_a_newer_time_and_nothing_else_new(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its time would else be old by the time the log takes it, and every member would skip it."""
    monkeypatch.setattr(producer, "FRESH_SECONDS", 0.05)
    house.node.engine = log = Reluctant(house)
    house.node.start()
    first = house.send(house.signed("BROKER-A", party(101)))
    until(lambda: log.offered)
    second = house.send(house.signed("BROKER-A", party(102), sequence=2))  # must wait for a number of its own
    for _ in range(3):
        signed = len(log.bodies())
        house.clock.now += 1_000
        until(lambda before=signed: len(log.bodies()) > before)
    bodies = log.bodies()
    assert [one.time for one in bodies] == sorted({one.time for one in bodies}), "each is newer than the one before"
    assert {(one.number, one.envelopes) for one in bodies} == {(1, bodies[0].envelopes)}
    assert len(bodies[0].envelopes) == 1
    log.takes.set()
    receipts = [house.receipt(transaction) for transaction in (first, second)]
    assert [(one.height, one.rejection) for one in receipts] == [(1, None), (2, None)]
    made = house.node.journal.header(1)
    assert made.batch_time in [one.time for one in log.bodies() if one.number == 1][-2:]
    assert house.node.skips == 0, "none was too old"


def test_the_same_bytes_are_offered_while_they_are_fresh(house: House) -> None:
    house.node.engine = log = Reluctant(house)
    house.node.start()
    transaction = house.send(house.signed("BROKER-A", party(101)))
    until(lambda: len(log.offered) >= 5)
    assert len(log.bodies()) == 1
    log.takes.set()
    assert house.receipt(transaction).rejection is None
