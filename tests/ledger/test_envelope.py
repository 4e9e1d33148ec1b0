"""The envelope at the machine: lanes, keys, time, and every kind of bytes that is not a transaction of this ledger."""

import pytest
from msgspec.structs import replace

from stoa.kernel import limits, signing
from stoa.kernel.base import Instruction
from stoa.kernel.codec import encode
from stoa.kernel.identifiers import account_id
from stoa.ledger.catalog import Body, Receipt, checked_body
from stoa.ledger.compliance.adopt_rules import AdoptRules
from stoa.ledger.compliance.conditions import ALWAYS, Condition, Not
from stoa.ledger.compliance.model import Terms
from stoa.ledger.identity.model import LANES
from stoa.ledger.identity.open_account import OpenAccount
from stoa.ledger.identity.rotate_keys import RotateKeys
from stoa.ledger.settlement.transfer import Transfer
from stoa.wire.envelope import Envelope, Signature, sign_body, transaction_id
from tests.ledger.hall import CHAIN, TRUST, Hall, account, public, rule, secret, send

ORDER = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141


@pytest.fixture
def paid(hall: Hall) -> Hall:
    hall.issue("HBT", "kim", 100)
    return hall


def body(hall: Hall, *instructions: Instruction, lane: int = 0, sequence: int = 1, **changes: object) -> Body:
    """A body of kim's that is right until a field is changed."""
    acts = instructions or (send("kim", "lee", 1),)
    right = Body(CHAIN, account("kim"), lane, sequence, hall.time + 60_000, acts)
    return replace(right, **changes)


def signed(body: Body, *names: str) -> bytes:
    return sign_body(checked_body(body), [(account(name), secret(name)) for name in names or ("kim",)])


def outcome(hall: Hall, raw: bytes) -> str:
    """The name of the refusal, or ``applied``."""
    receipt = hall.block(raw)[0]
    return receipt.rejection.name if receipt.rejection else "applied"


def lane(hall: Hall, number: int = 0) -> int:
    return hall.view.get(LANES, (account("kim"), number)) or 0


def test_a_repeated_transaction_is_refused_also_within_a_block(paid: Hall) -> None:
    raw = signed(body(paid))
    assert [receipt.applied for receipt in paid.block(raw, raw)] == [True, False]
    assert outcome(paid, raw) == "SequenceUsed"
    assert paid.units("HBT", "lee") == 1


def test_a_gap_is_refused_and_uses_nothing(paid: Hall) -> None:
    assert outcome(paid, signed(body(paid, sequence=2))) == "SequenceAhead"
    assert lane(paid) == 0
    assert outcome(paid, signed(body(paid, sequence=1))) == "applied"
    assert outcome(paid, signed(body(paid, sequence=2))) == "applied"


def test_lanes_do_not_wait_for_one_another(paid: Hall) -> None:
    for number, sequence in ((7, 1), (0, 1), (7, 2), (limits.MAX_LANE, 1)):
        assert outcome(paid, signed(body(paid, lane=number, sequence=sequence))) == "applied"
    assert (lane(paid, 7), lane(paid, 0), lane(paid, 1)) == (2, 1, 0)
    assert outcome(paid, signed(body(paid, lane=7, sequence=2))) == "SequenceUsed"


def test_a_genuine_but_refused_transaction_uses_its_sequence(paid: Hall) -> None:
    raw = signed(body(paid, send("kim", "lee", 999)))
    assert outcome(paid, raw) == "InsufficientUnits"
    assert outcome(paid, raw) == "SequenceUsed"
    assert lane(paid) == 1


def test_instructions_happen_all_or_none(paid: Hall) -> None:
    before = paid.units("HBT", "kim")
    receipt = paid.block(signed(body(paid, send("kim", "lee", 1), send("kim", "lee", 2), send("kim", "lee", 999))))[0]
    assert (receipt.rejection is not None and receipt.rejection.name, receipt.failed) == ("InsufficientUnits", 2)
    assert (receipt.events, paid.units("HBT", "kim"), paid.count()) == ((), before, 1)
    written = {key[0] for key, _ in paid.writes[-1].rows}
    assert written == {LANES.number}


def test_later_instructions_see_the_earlier_ones(paid: Hall) -> None:
    back = Transfer("HBT", account("lee"), account("kim"), 100, 0, ())
    assert outcome(paid, signed(body(paid, send("kim", "lee", 100), back), "kim", "lee")) == "applied"
    assert paid.units("HBT", "kim") == 100


@pytest.mark.parametrize(
    ("ahead", "expected"),
    [(0, "Expired"), (1_000, "applied"), (86_400_000 + 1_000, "applied"), (86_400_000 + 1_001, "ValidTooLong")],
)
def test_a_transaction_is_valid_up_to_its_time_and_for_a_day_at_most(paid: Hall, ahead: int, expected: str) -> None:
    """The block comes 1,000 ms after ``hall.time``."""
    assert outcome(paid, signed(body(paid, valid_until=paid.time + ahead))) == expected


def test_signatures_that_are_worth_nothing(paid: Hall) -> None:
    raw = checked_body(body(paid))
    good = signing.sign(secret("kim"), transaction_id(raw))
    high = good[:32] + (ORDER - int.from_bytes(good[32:], "big")).to_bytes(32, "big")
    other = signing.sign(secret("lee"), transaction_id(raw))
    for signature in (high, other, bytes(64), good[:63] + bytes([good[63] ^ 1])):
        sent = encode(Envelope(raw, (Signature(account("kim"), public("kim"), signature),)))
        assert outcome(paid, sent) == "SignatureInvalid"
    stolen = encode(Envelope(raw, (Signature(account("kim"), public("lee"), other),)))
    assert outcome(paid, stolen) == "KeyNotOfAccount"
    stranger = encode(Envelope(raw, (Signature(account("eve"), public("eve"), good),)))
    assert outcome(paid, stranger) == "ThresholdNotMet"  # the author did not sign
    both = sign_body(raw, [(account("kim"), secret("kim")), (account("eve"), secret("eve"))])
    assert outcome(paid, both) == "SignerUnknown"
    assert lane(paid) == 0
    assert outcome(paid, encode(Envelope(raw, (Signature(account("kim"), public("kim"), good),)))) == "applied"


def test_the_order_of_envelope_refusals(paid: Hall) -> None:
    wrong = body(paid, chain="other", valid_until=0, sequence=9, author=account("eve"))
    for fixed, expected in (
        ({}, "WrongChain"),
        ({"chain": CHAIN}, "Expired"),
        ({"valid_until": paid.time + 10**9}, "ValidTooLong"),
        ({"valid_until": paid.time + 60_000}, "SignerUnknown"),
        ({"author": account("kim")}, "KeyNotOfAccount"),
    ):
        wrong = replace(wrong, **fixed)
        raw = checked_body(wrong)
        forged = Signature(wrong.author, public("lee"), bytes(64))
        assert outcome(paid, encode(Envelope(raw, (forged,)))) == expected
    unsigned = Signature(account("kim"), public("kim"), bytes(64))
    assert outcome(paid, encode(Envelope(checked_body(wrong), (unsigned,)))) == "SignatureInvalid"
    assert outcome(paid, signed(wrong)) == "SequenceAhead"


def shared(hall: Hall, threshold: int, *names: str) -> bytes:
    """An m-of-n account of kim's party."""
    keys = tuple(sorted(public(name) for name in names))
    hall.do("BROKER-A", OpenAccount(hall.parties["kim"], "BROKER-A", threshold, keys))
    return account_id(threshold, keys)


def test_two_of_three_keys_speak_and_one_does_not_speak_twice(paid: Hall) -> None:
    joint = shared(paid, 2, "a", "b", "c")
    paid.do("kim", Transfer("HBT", account("kim"), joint, 50, 0, ()))
    raw = checked_body(body(paid, Transfer("HBT", joint, account("lee"), 1, 0, ()), author=joint))

    def by(*names: str) -> str:
        return outcome(paid, sign_body(raw, [(joint, secret(name)) for name in names]))

    assert by("a") == "ThresholdNotMet"
    assert by("a", "a") == "ThresholdNotMet"
    assert by("a", "lee") == "KeyNotOfAccount"
    assert by("a", "b", "lee") == "KeyNotOfAccount"
    assert by("c", "a") == "applied"


def test_every_account_that_is_signed_for_needs_its_own_threshold(paid: Hall) -> None:
    joint = shared(paid, 2, "a", "b")
    raw = checked_body(body(paid))
    half = sign_body(raw, [(account("kim"), secret("kim")), (joint, secret("a"))])
    assert outcome(paid, half) == "ThresholdNotMet"


def test_after_a_rotation_only_the_new_keys_speak(paid: Hall) -> None:
    paid.do("kim", RotateKeys(account("kim"), 1, (public("fresh"),)))
    raw = checked_body(body(paid, sequence=2))
    assert outcome(paid, sign_body(raw, [(account("kim"), secret("kim"))])) == "KeyNotOfAccount"
    assert outcome(paid, sign_body(raw, [(account("kim"), secret("fresh"))])) == "applied"


def malformed(hall: Hall, raw: bytes) -> Receipt:
    receipt = hall.block(raw)[0]
    assert receipt.rejection is not None
    assert receipt.rejection.name == "MalformedEnvelope"
    return receipt


def test_bytes_that_are_no_transaction(paid: Hall) -> None:
    right = signed(body(paid))
    plain = checked_body(body(paid))
    signature = Signature(account("kim"), public("kim"), bytes(64))
    oversized = encode(Envelope(bytes(limits.MAX_ENVELOPE_BYTES), (signature,)))
    for raw in (
        b"",
        b"\xc1",
        b"{}",
        right[:-1],
        right + b"\x00",
        oversized,
        bytes(limits.MAX_ENVELOPE_BYTES + 1),
        encode(Envelope(plain, ())),
        encode(Envelope(plain, (signature,) * 17)),
        encode(Envelope(plain + b"\x00", (signature,))),
        encode((plain, (signature,), 1)),  # one field more
        encode((plain,)),  # one field less
        encode(Envelope(encode(body(paid, lane=limits.MAX_LANE + 1)), (signature,))),
        encode(Envelope(encode(body(paid, sequence=0)), (signature,))),
        encode(Envelope(encode(body(paid, valid_until=-1)), (signature,))),
        encode(Envelope(encode(body(paid, instructions=())), (signature,))),
        encode(Envelope(encode(body(paid, instructions=(send("kim", "lee", 1),) * 65)), (signature,))),
        encode(Envelope(encode(body(paid, send("kim", "lee", 0))), (signature,))),
        encode(Envelope(encode(body(paid, send("kim", "lee", 2**62 + 1))), (signature,))),
        encode(Envelope(encode(body(paid, send("kim", "lee", 1, asset="hbt"))), (signature,))),
        encode(Envelope(encode(body(paid, author=b"short")), (signature,))),
        encode(Envelope(plain.replace(b"settlement.transfer.v1", b"settlement.transfer.v9"), (signature,))),
    ):
        malformed(paid, raw)
    assert lane(paid) == 0
    assert outcome(paid, right) == "applied"


def test_a_second_encoding_of_the_same_values_is_refused(paid: Hall) -> None:
    plain = checked_body(body(paid))
    wide = plain.replace(encode(1) + encode(0) + encode(()), b"\xcc\x01" + encode(0) + encode(()))
    assert wide != plain
    malformed(paid, sign_body(wide, [(account("kim"), secret("kim"))]))


def nested(levels: int) -> Condition:
    condition: Condition = ALWAYS
    for _ in range(levels - 1):
        condition = Not(condition)
    return condition


def test_conditions_nest_to_their_bound_and_no_deeper(paid: Hall) -> None:
    """A decoder's own limit of recursion depends on how deep the caller's stack is: two machines could disagree."""
    terms = Terms(TRUST, ("KR",), (rule("DEEP", nested(limits.MAX_CONDITION_DEPTH)),))
    paid.do(("AGENT", "KSD"), AdoptRules("HBT", terms))
    marker = encode(nested(2))
    plain = checked_body(body(paid, AdoptRules("HBT", Terms(TRUST, ("KR",), (rule("DEEP", nested(2)),)))))
    reasons = []
    for levels in (limits.MAX_CONDITION_DEPTH + 1, 100, 400, 940, 5_000):
        deep = b"\x92\xa3not" * (levels - 1) + encode(ALWAYS)
        raw = sign_body(plain.replace(marker, deep, 1), [(account("kim"), secret("kim"))])
        reasons.append(malformed(paid, raw).rejection)
    assert len(set(map(str, reasons))) == 1
