"""The envelope's bytes: what is signed, what names a transaction, and what cannot be read as one."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stoa.kernel import limits
from stoa.kernel.codec import Malformed, encode
from stoa.kernel.hashing import tagged
from stoa.wire.envelope import Envelope, Signature, read_envelope, sign_body, signatures_valid, transaction_id
from tests.ledger.hall import account, public, secret

BODY = b"\x95any bytes will do here"
PAIRS = [(account("kim"), secret("kim")), (account("lee"), secret("lee"))]


def test_the_id_names_the_body_alone() -> None:
    one, two = sign_body(BODY, PAIRS), sign_body(BODY, PAIRS[::-1])
    assert one != two
    assert transaction_id(read_envelope(one).body) == transaction_id(read_envelope(two).body)
    assert transaction_id(BODY) == tagged("stoa.transaction", BODY) != transaction_id(BODY + b"\x00")


@given(st.binary(max_size=200))
def test_what_is_signed_is_read_back_and_valid(body: bytes) -> None:
    envelope = read_envelope(sign_body(body, PAIRS))
    assert envelope.body == body
    assert [one.key for one in envelope.signatures] == [public("kim"), public("lee")]
    assert signatures_valid(envelope)


@given(st.integers(0, len(sign_body(BODY, PAIRS)) * 8 - 1))
def test_no_flipped_bit_stays_valid(bit: int) -> None:
    raw = bytearray(sign_body(BODY, PAIRS))
    raw[bit // 8] ^= 1 << bit % 8
    try:
        envelope = read_envelope(bytes(raw))
    except Malformed:
        return
    moved = [one.account for one in envelope.signatures] != [pair[0] for pair in PAIRS]
    assert moved or not signatures_valid(envelope)  # which account it is for, the ledger compares with the key


def test_one_bad_signature_spoils_all() -> None:
    good = read_envelope(sign_body(BODY, PAIRS))
    bad = Signature(account("lee"), public("lee"), good.signatures[0].signature)
    assert not signatures_valid(Envelope(BODY, (good.signatures[0], bad)))


@pytest.mark.parametrize("count", [0, limits.MAX_SIGNATURES + 1])
def test_the_number_of_signatures_is_bounded(count: int) -> None:
    one = read_envelope(sign_body(BODY, PAIRS)).signatures[0]
    with pytest.raises(Malformed):
        read_envelope(encode(Envelope(BODY, (one,) * count)))


def test_sizes_are_bounded() -> None:
    empty = len(sign_body(b"", PAIRS[:1])) + 2  # the two bytes of a longer length
    fits = sign_body(bytes(limits.MAX_ENVELOPE_BYTES - empty + 1), PAIRS[:1])
    with pytest.raises(Malformed, match="at most"):
        read_envelope(sign_body(bytes(limits.MAX_ENVELOPE_BYTES), PAIRS[:1]))
    assert len(fits) <= limits.MAX_ENVELOPE_BYTES + 1
    for size in (19, 21):
        short = Signature(bytes(size), public("kim"), bytes(64))
        with pytest.raises(Malformed):
            read_envelope(encode(Envelope(BODY, (short,))))
    with pytest.raises(Malformed):
        read_envelope(encode(Envelope(BODY, (Signature(account("kim"), public("kim"), bytes(65)),))))
