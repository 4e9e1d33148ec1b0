"""Batches against the rules are skipped by all, recorded with what proves them, and named; copies and gaps are not."""

from collections.abc import Sequence

import msgspec
import pytest

from stoa.kernel import limits, merkle, signing
from stoa.kernel.codec import encode
from stoa.node.commit import BAD_BATCH, Admitted, Skipped
from stoa.node.sayings import said
from stoa.ordering.engine import Ordered
from stoa.wire.batch import BatchBody, BatchHead, head_signed, sign_batch
from tests.ledger.hall import CHAIN, secret
from tests.node.house import House
from tests.node.script import VALIDATOR
from tests.node.test_node import until


def batch(house: House, number: int, producer: str = "KSD", key: bytes = VALIDATOR.secret, off: int = 0) -> bytes:
    """A batch whose envelope nobody else has sent."""
    body = BatchBody(CHAIN, producer, number, house.clock() + off, (b"an envelope of no other batch",))
    return encode(sign_batch(body, key))


def skipped(house: House) -> Skipped:
    return house.node.skipped[-1]


def test_a_producer_that_signs_two_batches_under_one_number_is_named_with_both(running: House) -> None:
    running.party(1)
    running.node.engine.publish(batch(running, 1))
    until(lambda: running.node.evidence.count == 1)
    (row,) = running.node.evidence.shown
    assert (row.kind, row.validator) == ("two_batches", "KSD")
    first, second = msgspec.msgpack.decode(row.proof, type=tuple[BatchHead, BatchHead])
    assert (first.producer, first.number) == (second.producer, second.number) == ("KSD", 1)
    assert first.envelopes_root != second.envelopes_root
    assert all(head_signed(one, signing.public_key(VALIDATOR.secret)) for one in (first, second))
    assert running.party(2).applied, "and work goes on"


def test_a_copy_is_no_evidence_and_a_stranger_accuses_nobody_of_two(running: House) -> None:
    running.party(1)
    header = running.node.journal.header(1)
    block = running.node.journal.block(1)
    body = BatchBody(CHAIN, "KSD", 1, header.batch_time, block.envelopes)
    running.node.engine.publish(encode(sign_batch(body, VALIDATOR.secret)))
    running.node.engine.publish(batch(running, 1, key=secret("a stranger")))
    running.node.engine.publish(batch(running, 9))  # too early: it is put aside, no skip and no evidence
    until(lambda: running.node.skips == 2)
    assert running.node.evidence.count == 0


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"producer": "BANK"}, "not a validator"),
        ({"key": secret("a stranger")}, "signature is not valid"),
        ({"off": 6_000}, "ms off the log's"),
    ],
)
def test_a_batch_against_the_rules_is_recorded(running: House, changes: dict[str, object], why: str) -> None:
    running.node.engine.publish(batch(running, 1, **changes))  # type: ignore[arg-type]
    until(lambda: running.node.evidence.count == 1)
    row = running.node.evidence.shown[-1]
    assert row.kind == BAD_BATCH
    assert row.why == skipped(running).why
    assert why in said(row.why)
    claim = msgspec.msgpack.decode(row.proof, type=BatchHead)
    assert claim.producer == row.validator


def test_what_nobody_signed_accuses_who_put_it_into_the_log(running: House) -> None:
    commit, time = running.node._commit, running.clock()
    forged, late = batch(running, 1, key=secret("a stranger")), batch(running, 1, off=-6_000)
    for raw, culprit in ((forged, "BROKER-B"), (b"nonsense", "BROKER-B"), (late, "KSD")):
        found = commit.admit(Ordered(1, time, raw, "BROKER-B"))
        assert isinstance(found, Skipped)
        assert (found.evidence, found.by) == (BAD_BATCH, culprit)


def test_an_early_batch_is_judged_before_its_envelopes_are_hashed(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is judged again behind every block, so a flood of them must cost no hashing."""
    commit, time = house.node._commit, house.clock()
    early = [batch(house, number) for number in range(2, 20)]
    stranger, following = batch(house, 2, key=secret("a stranger")), batch(house, 1)
    hashed: list[int] = []
    root = merkle.root

    def counted(leaves: Sequence[bytes]) -> bytes:
        hashed.append(len(leaves))
        return root(leaves)

    monkeypatch.setattr(merkle, "root", counted)
    for position, raw in enumerate([*early, stranger], start=1):
        found = commit.admit(Ordered(position, time, raw, "KSD"))
        assert isinstance(found, Skipped)
        assert (found.early, found.evidence, found.head) == (True, "", None)
    assert hashed == []
    assert isinstance(commit.admit(Ordered(20, time, following, "KSD")), Admitted)
    assert len(hashed) == 1, "what is next is hashed once"


def test_of_what_cannot_be_read_the_beginning_is_kept(running: House) -> None:
    running.node.engine.publish(bytes(limits.MAX_BATCH_BYTES + 1))
    running.node.engine.publish(b"nonsense" * 1_000)
    until(lambda: running.node.evidence.count == 2)
    assert all(len(row.proof) < 1_050 for row in running.node.evidence.shown)
