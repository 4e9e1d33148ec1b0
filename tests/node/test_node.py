"""A running node: final receipts, due work, health, waits, what stops it and what does not."""

import errno
import logging
import os
import threading
import time
from collections.abc import Callable

import msgspec
import pytest
from msgspec.structs import replace

from stoa.intake.gate import Busy, Duplicate, Stopped
from stoa.journal import Journal
from stoa.kernel import limits
from stoa.kernel.codec import encode
from stoa.ledger.catalog import read_receipt
from stoa.ledger.errors import KeyNotOfAccount, SequenceUsed
from stoa.ledger.holds.place_hold import PlaceHold
from stoa.ledger.identity.register_party import RegisterParty
from stoa.node.commit import Admitted, FinalBlock, Skipped
from stoa.node.finality import CannotValidate, Validator
from stoa.node.producer import SKIPPED_SECONDS
from stoa.node.sayings import said
from stoa.ordering.engine import Ordered
from stoa.wire.batch import Batch, BatchBody, sign_batch
from stoa.wire.envelope import read_envelope, sign_body
from tests.ledger.hall import CHAIN, account, secret
from tests.node.house import PATIENCE, House
from tests.node.script import VALIDATOR
from tests.ordering.simulated import SimulatedEngine


def party(number: int) -> RegisterParty:
    return RegisterParty(1_000 + number, False, "BROKER-A")


def until(true: Callable[[], object]) -> None:
    """Wait for it, or fail."""
    deadline = time.monotonic() + PATIENCE
    while not true():
        assert time.monotonic() < deadline
        time.sleep(0.005)


# ---- what is final


def test_a_receipt_is_final_and_stays_after_a_restart(running: House) -> None:
    receipt = running.party(7)
    root = running.root()
    assert (receipt.height, receipt.index) == (1, 0)
    assert running.node.health().height == 1
    node = running.reopen()
    assert (node.health().height, running.root()) == (1, root)
    node.start()
    assert running.party(8).height == 2


def test_many_submissions_at_once_are_all_final(running: House) -> None:
    envelopes = [running.signed("BROKER-A", party(100 + at), sequence=at) for at in range(1, 301)]
    ids = [running.send(raw) for raw in envelopes]
    receipts = [running.receipt(transaction) for transaction in ids]
    assert all(receipt.rejection is None for receipt in receipts)
    places = [(receipt.height, receipt.index) for receipt in receipts]
    assert places == sorted(places)
    assert running.node.next_sequence(account("BROKER-A"), 0) == 301


def test_a_repeated_submission_changes_nothing(running: House) -> None:
    raw = running.signed("BROKER-A", party(7))
    transaction = running.send(raw)
    receipt = running.receipt(transaction)
    assert running.node.submit(raw) == Duplicate(transaction)
    assert running.node.health().height == 1
    running.reopen().start()
    again = running.receipt(running.send(raw))  # the gate has forgotten, the ledger has not
    assert again.rejection == SequenceUsed(account("BROKER-A"), 0, 1, 2)
    assert again.transaction == receipt.transaction


def test_a_copy_with_a_strangers_key_hides_no_receipt(running: House) -> None:
    raw = running.signed("BROKER-A", party(7))
    body = read_envelope(raw).body
    stolen = sign_body(body, [(account("BROKER-A"), secret("thief"))])
    transaction = running.send(stolen)
    assert isinstance(running.receipt(transaction).rejection, KeyNotOfAccount)
    running.send(raw)
    until(lambda: running.node.health().height == 2)
    receipt = running.receipt(transaction)
    assert (receipt.rejection, receipt.height) == (None, 2)
    running.send(sign_body(body, [(account("BROKER-A"), secret("other"))]))
    until(lambda: running.node.health().height == 3)
    assert running.receipt(transaction) == receipt


def test_a_wait_ends_in_time(running: House) -> None:
    mark = time.monotonic()
    assert running.node.wait(bytes(32), 0.05) is None
    assert 0.04 < time.monotonic() - mark < 5.0
    assert running.node.located(bytes(32)) is None


# ---- due work


def test_due_work_happens_without_a_transaction_and_only_when_due(running: House) -> None:
    running.cash_for("kim")
    expires = running.clock() + 60_000
    running.do("kim", PlaceHold("USD", account("kim"), 100, account("BANK"), "lien", expires))
    height = running.node.health().height
    time.sleep(0.5)
    assert running.node.health().height == height, "an empty block was made for nothing"
    assert not running.node.work_is_due()
    running.clock.now = expires
    until(lambda: running.node.health().height == height + 1)
    assert not running.node.work_is_due()
    block = running.node.journal.block(height + 1)
    assert block.envelopes == ()
    assert [type(event).__name__ for event in read_receipt(block.receipts[0]).events] == ["HoldReduced"]
    time.sleep(0.5)
    assert running.node.health().height == height + 1


def test_much_due_work_goes_on_block_after_block(running: House, monkeypatch: pytest.MonkeyPatch) -> None:
    """More than one block may do: the blocks follow at once, and each does its bounded part."""
    running.cash_for("kim")
    expires, count = running.clock() + 60_000, 60
    holds = [PlaceHold("USD", account("kim"), 1, account("BANK"), "lien", expires) for _ in range(count)]
    running.do("kim", *holds)
    monkeypatch.setattr(limits, "MAX_DUE_STEPS", 5)
    height, mark = running.node.health().height, time.monotonic()
    running.clock.now = expires
    until(lambda: not running.node.work_is_due())
    assert running.node.health().height == height + count // 5
    assert time.monotonic() - mark < 0.2 * count // 5, "it rested between the blocks"


# ---- what stops it


def test_a_fault_of_the_disk_stops_the_node_and_says_so(running: House, monkeypatch: pytest.MonkeyPatch) -> None:
    running.party(7)
    monkeypatch.setattr(os, "fdatasync", failing(errno.EIO))
    transaction = running.send(running.signed("BROKER-A", party(8)))
    mark = time.monotonic()
    assert running.node.wait(transaction, PATIENCE) is None
    assert time.monotonic() - mark < PATIENCE / 2, "whoever waits is let go"
    assert "Fatal" in running.node.health().failure
    assert "Input/output error" in running.node.health().failure
    assert running.node.health().height == 1
    assert running.node.submit(running.signed("BROKER-A", party(9))) == Stopped()
    monkeypatch.undo()
    running.reopen().start()
    assert running.node.next_sequence(account("BROKER-A"), 0) in (2, 3), "the block may have reached the disk"
    running.party(9)


def test_a_full_disk_stops_the_node_and_loses_nothing(running: House, monkeypatch: pytest.MonkeyPatch) -> None:
    running.party(7)
    root = running.root()
    monkeypatch.setattr(os, "pwritev", failing(errno.ENOSPC))
    assert running.node.wait(running.send(running.signed("BROKER-A", party(8))), PATIENCE) is None
    assert "DiskFull: no room on the disk" in running.node.health().failure
    monkeypatch.undo()
    node = running.reopen()
    assert (node.health().height, running.root()) == (1, root)
    node.start()
    assert running.party(8).height == 2


def failing(number: int) -> Callable[..., None]:
    def fail(*_: object) -> None:
        raise OSError(number, os.strerror(number))

    return fail


def test_a_fault_in_the_loop_ends_every_wait(running: House, monkeypatch: pytest.MonkeyPatch) -> None:
    waits: list[object] = []
    waiter = threading.Thread(target=lambda: waits.append(running.node.wait(bytes(32), PATIENCE * 3)))
    waiter.start()
    monkeypatch.setattr("stoa.ledger.machine.execute_block", failing(errno.EDOM))
    running.send(running.signed("BROKER-A", party(7)))
    waiter.join(PATIENCE)
    assert waits == [None]
    assert "OSError" in running.node.health().failure


def test_a_listener_that_fails_stops_nothing(running: House, caplog: pytest.LogCaptureFixture) -> None:
    seen: list[FinalBlock] = []
    running.node.listen(lambda _: 1 // 0)
    running.node.listen(seen.append)
    with caplog.at_level(logging.INFO, "stoa.node"):
        running.party(7)
        running.party(8)
        until(lambda: len(caplog.records) >= 4)
    assert [final.block.header.height for final in seen] == [1, 2]
    assert running.node.health().failure == ""
    lines = [msgspec.json.decode(record.message) for record in caplog.records]
    assert [line["event"] for line in lines] == ["listener", "block", "listener", "block"]
    assert "ZeroDivisionError" in lines[0]["exception"]
    assert {"height": 2, "transactions": 1, "refused": 0, "due": 0}.items() <= lines[3].items()
    assert lines[3]["execute_ms"] > 0
    assert lines[3]["sync_ms"] > 0


@pytest.mark.parametrize("round_", range(8))
def test_a_busy_node_closes(house: House, round_: int) -> None:
    """Also while a batch is in flight: nobody waits for a block that will not come."""
    house.node.start()
    envelopes = [house.signed("BROKER-A", party(100 + at), sequence=at) for at in range(1, 40)]
    for at, raw in enumerate(envelopes):
        house.send(raw)
        if at == 4 * round_:
            break
    mark = time.monotonic()
    house.node.close()
    assert time.monotonic() - mark < 5.0
    assert house.node.submit(envelopes[-1]) == Stopped()
    house.open().start()
    house.party(7)


def test_a_node_that_was_never_started_closes(house: House) -> None:
    house.node.close()
    house.open()


@pytest.mark.parametrize(
    "validator",
    [Validator("KSD", secret("other")), Validator("BANK", secret("BANK votes")), Validator("X", secret("X"))],
)
def test_who_is_no_validator_makes_no_blocks(house: House, validator: Validator) -> None:
    house.node.close()
    node = house.open(validator)
    with pytest.raises(CannotValidate, match=validator.institution):
        node.start()
    assert node.health().height == 0, "but it may read"


# ---- batches


def batch(house: House, secret_: bytes = VALIDATOR.secret, **fields: object) -> Ordered:
    body = BatchBody(CHAIN, "KSD", 1, house.clock(), (house.signed("BROKER-A", party(7)),))
    time_of_log = fields.pop("log", house.clock())
    assert isinstance(time_of_log, int)
    return Ordered(1, time_of_log, encode(sign_batch(replace(body, **fields), secret_)))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("fields", "why"),
    [
        ({"chain": "other"}, "for the ledger other"),
        ({"producer": "BANK"}, "the producer is not a validator"),
        ({"number": 2}, "number 2 where 1 is next"),
        ({"log": 1_800_000_005_001}, "its time is -5001 ms off the log's, 5000 are allowed"),
        ({"log": 1_799_999_994_999}, "its time is 5001 ms off the log's, 5000 are allowed"),
        ({"secret_": secret("other")}, "the producer's signature is not valid"),
    ],
)
def test_each_rule_by_which_a_batch_makes_no_block(house: House, fields: dict[str, object], why: str) -> None:
    skipped = house.node._commit.admit(batch(house, **fields))  # type: ignore[arg-type]
    assert isinstance(skipped, Skipped)
    assert said(skipped.why) == why
    assert isinstance(house.node._commit.admit(batch(house)), Admitted)


def test_a_batch_that_is_no_batch_or_too_large_is_skipped(house: House) -> None:
    commit, good = house.node._commit, batch(house)
    for raw, why in (
        (b"", "right fields"),
        (good.batch + b"\0", "right fields"),
        (bytes(limits.MAX_BATCH_BYTES + 1), "larger than"),
    ):
        skipped = commit.admit(Ordered(1, house.clock(), raw))
        assert isinstance(skipped, Skipped)
        assert why in said(skipped.why)
    other = sign_batch(BatchBody(CHAIN, "KSD", 1, house.clock(), (b"other",)), VALIDATOR.secret)
    read = msgspec.msgpack.decode(good.batch, type=Batch)
    forged = commit.admit(Ordered(1, house.clock(), encode(Batch(read.body, other.signature))))
    assert isinstance(forged, Skipped), "a signature of other envelopes"


def test_a_skipped_batch_gives_its_transactions_back(house: House) -> None:
    """The log's clock is off for a while: batches make no block, and nothing is lost."""
    house.node.engine = OffBy(house, 6_000)
    house.node.start()
    transaction = house.send(house.signed("BROKER-A", party(7)))
    until(lambda: house.node.skips >= 3)
    assert house.node.located(transaction) is None
    assert "ms off the log's" in said(house.node.skipped[-1].why)
    assert house.node.network().alarms["batch"].code == "batch_clock_off"
    house.node.engine.off = 0
    assert house.receipt(transaction).rejection is None
    assert house.node.health().waiting == 0


def test_a_batch_that_is_skipped_again_and_again_is_tried_less_and_less(house: House) -> None:
    """Each attempt is evidence in the book of every member."""
    house.node.engine = OffBy(house, 6_000)
    house.node.start()
    house.send(house.signed("BROKER-A", party(7)))
    until(lambda: house.node.skips >= 1)
    began = time.monotonic()
    until(lambda: house.node.skips >= 5)
    assert time.monotonic() - began > SKIPPED_SECONDS * (4 + 8)


class OffBy(SimulatedEngine):
    """An engine that loses nothing and whose clock is off."""

    def __init__(self, house: House, off: int) -> None:
        super().__init__(lambda: house.clock() + self.off, 0)
        self.off = off
        self.random.random = lambda: 1.0  # type: ignore[method-assign]


@pytest.mark.parametrize("seed", range(4))
def test_a_node_lives_with_an_engine_at_its_worst(house: House, seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Batches are shown twice, late or never: every transaction is final once, in order."""
    monkeypatch.setattr("stoa.node.producer.REPUBLISH_SECONDS", 0.02)
    house.node.engine = SimulatedEngine(house.clock, seed, capacity=3)
    house.node.start()
    ids = []
    for at in range(1, 31):
        ids.append(house.send(house.signed("BROKER-A", party(100 + at), sequence=at)))
        time.sleep(0.002)
    assert all(house.receipt(transaction).rejection is None for transaction in ids)
    with Journal.open(house.journal_folder, readonly=True) as journal:
        assert sum(len(block.envelopes) for block, _ in journal.replay()) == 30
    assert house.node.failure == ""


def test_a_full_gate_says_so(house: House) -> None:
    house.node.gate._capacity = 1
    house.send(house.signed("BROKER-A", party(7)))
    refused = house.node.submit(house.signed("BROKER-A", party(8), sequence=2))
    assert isinstance(refused, Busy)
    assert house.node.health().waiting == 1
