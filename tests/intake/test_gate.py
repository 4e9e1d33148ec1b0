"""The gate refuses with a reason, in its stated order, counts what it does, and grows no further than it may."""

import threading
import time
from collections import Counter
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from stoa.intake.gate import MOST_WAIT_SECONDS, RETRY_MS, Accepted, Busy, Duplicate, Gate, Stopped, Waiting
from stoa.kernel import limits
from stoa.kernel.base import Rejection
from stoa.kernel.codec import encode
from stoa.kernel.identifiers import ACCOUNT_BYTES
from stoa.ledger.catalog import Body, Expired, MalformedEnvelope, SignatureInvalid, ValidTooLong, WrongChain
from stoa.ledger.identity.register_party import RegisterParty
from stoa.wire.envelope import Envelope, read_envelope, sign_body, transaction_id
from tests.ledger.hall import CHAIN, START, account, secret

CURVE_ORDER = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141
AT_ONCE = 0.0


def body(sequence: int = 1, chain: str = CHAIN, valid_until: int = START) -> Body:
    """A body of BROKER-A, valid to the last millisecond of the tests' clock."""
    return Body(
        chain, account("BROKER-A"), 0, sequence, valid_until, (RegisterParty(1_000 + sequence, False, "BROKER-A"),)
    )


def envelope(sequence: int = 1, signer: str = "BROKER-A", **fields: object) -> bytes:
    return sign_body(encode(body(sequence, **fields)), [(account("BROKER-A"), secret(signer))])  # type: ignore[arg-type]


def badly_signed(raw: bytes) -> bytes:
    """The same transaction with a bit of its signature flipped."""
    read = read_envelope(raw)
    one = read.signatures[0]
    flipped = bytes([one.signature[0] ^ 1]) + one.signature[1:]
    return encode(Envelope(read.body, (replace(one, signature=flipped),)))


def high_s(raw: bytes) -> bytes:
    """The same transaction with the other signature that plain ECDSA would accept."""
    read = read_envelope(raw)
    one = read.signatures[0]
    s = CURVE_ORDER - int.from_bytes(one.signature[32:], "big")
    return encode(Envelope(read.body, (replace(one, signature=one.signature[:32] + s.to_bytes(32, "big")),)))


def gate(now: int = START, **bounds: int) -> Gate:
    return Gate(CHAIN, lambda: now, **bounds)


def raws(taken: list[Waiting]) -> list[bytes]:
    return [waiting.raw for waiting in taken]


# ---- refusals


def test_what_is_in_order_is_taken_in() -> None:
    hall, raw = gate(), envelope()
    assert hall.submit(raw) == Accepted(transaction_id(encode(body())))
    assert raws(hall.take(10, 10_000, AT_ONCE, AT_ONCE)) == [raw]


@pytest.mark.parametrize(
    ("raw", "why"),
    [
        (b"", "the right fields"),
        (b"\xc1", "the right fields"),
        (envelope()[:-1], "the right fields"),
        (envelope() + b"\0", "the right fields"),
        (b"\x93" + envelope()[1:] + b"\0", "the right fields"),  # one field more than an envelope has
        (encode((encode(body()), ())), "the right fields"),  # nobody signed
        (encode((encode((*(getattr(body(), name) for name in body().__struct_fields__), 1)), (b"",))), "right fields"),
        (b"\x92\xc5" + len(encode(body())).to_bytes(2, "big") + envelope()[3:], "canonical"),  # a wide length
        (bytes(limits.MAX_ENVELOPE_BYTES + 1), "at most 65536 bytes, this one 65537"),
    ],
)
def test_bytes_that_are_no_envelope(raw: bytes, why: str) -> None:
    hall = gate()
    refused = hall.submit(raw)
    assert isinstance(refused, MalformedEnvelope)
    assert why in refused.sentence()
    assert hall.counted == {"MalformedEnvelope": 1}


def test_a_field_that_the_body_does_not_know() -> None:
    fields = tuple(getattr(body(), name) for name in body().__struct_fields__)
    for altered in ((*fields, 0), fields[:-1], (*fields[:-1], (("no.such.v1",),)), (*fields[:3], 0, *fields[4:])):
        raw = sign_body(encode(altered), [(account("BROKER-A"), secret("BROKER-A"))])
        assert isinstance(gate().submit(raw), MalformedEnvelope)


@given(st.binary(max_size=300))
def test_no_bytes_raise(raw: bytes) -> None:
    assert isinstance(gate().submit(raw), MalformedEnvelope)


GOOD = envelope()
ACCOUNT = GOOD.rindex(account("BROKER-A"))


@pytest.mark.parametrize("at", range(len(GOOD)))
def test_no_flipped_byte_passes_but_of_the_account_that_is_signed_for(at: int) -> None:
    """Whose key it is, only the ledger knows; so a copy with another account comes in, and blocks nothing."""
    hall = gate()
    for mask in (1, 128, 255):
        verdict = hall.submit(GOOD[:at] + bytes([GOOD[at] ^ mask]) + GOOD[at + 1 :])
        assert isinstance(verdict, Accepted) == (ACCOUNT <= at < ACCOUNT + ACCOUNT_BYTES)
    assert isinstance(hall.submit(GOOD), Accepted)


@pytest.mark.parametrize(
    ("raw", "kind"),
    [
        (envelope(chain="other"), WrongChain),
        (envelope(valid_until=START - 1), Expired),
        (envelope(valid_until=START + limits.MAX_VALIDITY_MS + 1), ValidTooLong),
        (badly_signed(envelope()), SignatureInvalid),
        (high_s(envelope()), SignatureInvalid),
        (envelope(signer="BROKER-B"), None),  # whose key it is, is the ledger's question
        (envelope(valid_until=START + limits.MAX_VALIDITY_MS), None),
    ],
)
def test_each_refusal(raw: bytes, kind: type[Rejection] | None) -> None:
    verdict = gate().submit(raw)
    assert isinstance(verdict, kind or Accepted)


def test_the_refusals_come_in_their_order() -> None:
    """One envelope with everything wrong; each reason is mended in turn, and the next one shows."""
    hall = gate(capacity=1)
    hall.submit(GOOD)
    late, soon = START - 1, START + limits.MAX_VALIDITY_MS + 1
    expected = [
        (badly_signed(envelope(2, chain="other", valid_until=late)) + b"\0", MalformedEnvelope),
        (badly_signed(envelope(2, chain="other", valid_until=late)), WrongChain),
        (badly_signed(envelope(2, valid_until=late)), Expired),
        (badly_signed(envelope(2, valid_until=soon)), ValidTooLong),
        (GOOD, Duplicate),
        (badly_signed(envelope(2)), Busy),
    ]
    verdicts = [hall.submit(raw) for raw, _ in expected]
    assert [type(verdict) for verdict in verdicts] == [kind for _, kind in expected]
    hall.take(1, 10_000, AT_ONCE, AT_ONCE)
    assert isinstance(hall.submit(badly_signed(envelope(2))), SignatureInvalid)
    assert isinstance(hall.submit(envelope(2)), Accepted)
    assert hall.counted == Counter(
        ["accepted", "accepted", "SignatureInvalid", *(kind.__name__ for _, kind in expected)]
    )


def test_figures_are_in_the_refusals() -> None:
    hall = gate(capacity=1)
    accepted = hall.submit(GOOD)
    assert isinstance(accepted, Accepted)
    assert hall.submit(GOOD) == Duplicate(accepted.transaction)
    assert hall.submit(envelope(2)) == Busy(1, RETRY_MS)
    assert hall.submit(envelope(2, chain="other")) == WrongChain("other", CHAIN)
    assert hall.submit(envelope(2, valid_until=START - 1)) == Expired(START - 1, START)


# ---- duplicates


@pytest.mark.parametrize(
    "other",
    [
        badly_signed(GOOD),
        high_s(GOOD),
        envelope(signer="BROKER-B"),  # a stranger's key, whose signature is valid for the gate
        sign_body(encode(body()), [(account("KIM"), secret("KIM"))]),  # the author's signature is still missing
    ],
)
def test_a_copy_that_others_signed_does_not_block_the_valid_one(other: bytes) -> None:
    hall = gate()
    hall.submit(other)
    assert isinstance(hall.submit(GOOD), Accepted)
    assert isinstance(hall.submit(GOOD), Duplicate)


def test_a_duplicate_is_known_also_after_it_left_for_a_batch() -> None:
    hall = gate()
    hall.submit(GOOD)
    hall.take(1, 10_000, AT_ONCE, AT_ONCE)
    assert isinstance(hall.submit(GOOD), Duplicate)
    assert hall.waiting() == 0


# ---- bounds


def test_memory_is_bounded() -> None:
    hall = gate(remembered=5)
    envelopes = [envelope(sequence) for sequence in range(1, 21)]
    for raw in envelopes:
        assert isinstance(hall.submit(raw), Accepted)
        hall.take(1, 10_000, AT_ONCE, AT_ONCE)
    known = [hall.is_waiting(transaction_id(read_envelope(raw).body)) for raw in envelopes]
    assert known == [False] * 15 + [True] * 5


def test_who_comes_while_more_comes_in_than_goes_out_is_told_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("stoa.intake.gate.ALWAYS_TAKEN", 2)
    hall, now = gate(), time.monotonic()
    assert [type(hall.submit(envelope(sequence))) for sequence in (1, 2)] == [Accepted, Accepted]
    monkeypatch.setattr("stoa.intake.gate.time.monotonic", lambda: now + MOST_WAIT_SECONDS)
    assert isinstance(hall.submit(envelope(3)), Accepted), "they have not waited long"
    monkeypatch.setattr("stoa.intake.gate.time.monotonic", lambda: now + MOST_WAIT_SECONDS + 1)
    assert hall.submit(envelope(4)) == Busy(3, RETRY_MS)
    hall.take(2, 10_000, AT_ONCE, AT_ONCE)
    assert isinstance(hall.submit(envelope(4)), Accepted), "few wait, however long: the network may stand still"


def test_bytes_are_bounded_too() -> None:
    hall = gate(capacity_bytes=2 * len(GOOD))
    kinds = [type(hall.submit(envelope(sequence))) for sequence in (1, 2, 3)]
    assert kinds == [Accepted, Accepted, Busy]
    hall.take(1, 10_000, AT_ONCE, AT_ONCE)
    assert isinstance(hall.submit(envelope(3)), Accepted)


def test_threads_submit_at_once() -> None:
    """Every envelope is sent by all threads: each is accepted once, and all of them come out once."""
    hall = gate()
    envelopes = [envelope(sequence) for sequence in range(1, 101)]
    verdicts: list[Accepted | Rejection] = []
    start = threading.Barrier(8)

    def submit_all(order: int) -> None:
        mine = list(envelopes)
        Random(order).shuffle(mine)
        start.wait()
        verdicts.extend([hall.submit(raw) for raw in mine])

    threads = [threading.Thread(target=submit_all, args=(order,)) for order in range(8)]
    for thread in threads:
        thread.start()
    taken: list[bytes] = []
    while len(taken) < len(envelopes):
        got = raws(hall.take(7, 10**6, 0.001, 5.0))
        assert got
        taken += got
    for thread in threads:
        thread.join()
    assert sorted(taken) == sorted(envelopes)
    assert hall.counted == {"accepted": 100, "Duplicate": 700}
    assert len(verdicts) == 800
    assert hall.take(7, 10**6, AT_ONCE, AT_ONCE) == []


# ---- cutting


def filled(count: int) -> tuple[Gate, list[bytes]]:
    hall, envelopes = gate(), [envelope(sequence) for sequence in range(1, count + 1)]
    for raw in envelopes:
        assert isinstance(hall.submit(raw), Accepted)
    return hall, envelopes


def test_a_batch_is_cut_at_a_number() -> None:
    hall, envelopes = filled(5)
    batches = [raws(hall.take(2, 10**6, AT_ONCE, AT_ONCE)) for _ in range(4)]
    assert batches == [envelopes[:2], envelopes[2:4], envelopes[4:], []]


def test_a_batch_is_cut_at_bytes() -> None:
    hall, envelopes = filled(5)
    size = len(envelopes[0])
    batches = [raws(hall.take(10, 2 * size + 1, AT_ONCE, AT_ONCE)) for _ in range(3)]
    assert batches == [envelopes[:2], envelopes[2:4], envelopes[4:]]
    hall, envelopes = filled(2)
    assert raws(hall.take(10, 1, AT_ONCE, AT_ONCE)) == envelopes[:1], "one larger than the bound goes alone"


def test_a_batch_lingers_from_the_arrival_of_its_first() -> None:
    hall, envelopes = filled(2)
    time.sleep(0.06)
    mark = time.monotonic()
    assert raws(hall.take(10, 10**6, 0.05, 5.0)) == envelopes, "they have waited while another batch was made"
    assert time.monotonic() - mark < 0.04
    hall.submit(envelope(3))
    mark = time.monotonic()
    timer = threading.Timer(0.02, hall.submit, (envelope(4),))
    timer.start()
    assert len(hall.take(10, 10**6, 0.1, 5.0)) == 2
    assert 0.05 < time.monotonic() - mark < 1.0


@pytest.mark.parametrize(("most", "most_bytes"), [(2, 10**6), (10, 1)])
def test_a_full_batch_does_not_linger(most: int, most_bytes: int) -> None:
    hall, _ = filled(2)
    mark = time.monotonic()
    assert hall.take(most, most_bytes, 30.0, 30.0)
    assert time.monotonic() - mark < 5.0


def test_take_ends_when_nothing_comes_or_the_gate_closes() -> None:
    hall = gate()
    assert hall.take(1, 1, 1.0, 0.01) == []
    threading.Timer(0.02, hall.close).start()
    mark = time.monotonic()
    assert hall.take(1, 1, 30.0, 30.0) == []
    assert time.monotonic() - mark < 5.0
    assert hall.submit(GOOD) == Stopped()


def test_what_is_given_back_goes_first_in_its_order() -> None:
    hall, envelopes = filled(4)
    first, second = hall.take(2, 10**6, AT_ONCE, AT_ONCE), hall.take(1, 10**6, AT_ONCE, AT_ONCE)
    hall.give_back(second)
    hall.give_back(first)
    assert hall.waiting() == 4
    assert isinstance(hall.submit(envelopes[0]), Duplicate)
    assert raws(hall.take(10, 10**6, AT_ONCE, AT_ONCE)) == envelopes
    hall.give_back([])
    assert hall.take(10, 10**6, AT_ONCE, AT_ONCE) == []


# ---- what other validators hand over


def test_what_is_handed_over_waits_in_its_order_behind_what_is_there() -> None:
    hall, mine, theirs = gate(), envelope(), [envelope(sequence=number) for number in (2, 3)]
    hall.submit(mine)
    assert hall.take_over([*theirs, theirs[0], mine], "VENUE") == 4
    taken = hall.take(10, 10_000, AT_ONCE, AT_ONCE)
    assert raws(taken) == [mine, *theirs]
    assert [one.sender for one in taken] == ["", "VENUE", "VENUE"]


def test_what_no_batch_can_hold_is_dropped_and_where_room_ends_is_said() -> None:
    hall = gate(capacity=2)
    assert hall.take_over([bytes(limits.MAX_ENVELOPE_BYTES + 1), b"1", b"2", b"3"], "VENUE") == 3
    assert raws(hall.take(10, 10_000, AT_ONCE, AT_ONCE)) == [b"1", b"2"]


def test_a_closed_gate_takes_nothing_over() -> None:
    hall = gate()
    hall.close()
    assert hall.take_over([envelope()], "VENUE") == 0
