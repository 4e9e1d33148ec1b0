"""Two contents under one number: who can show it, and what is none."""

import pytest

from stoa.agreement.effects import Evidence
from stoa.agreement.numbers import Numbers
from stoa.kernel import merkle
from stoa.wire.batch import BatchHead, head_of, head_signed
from tests.agreement.toy import decoded, key_of, make_batch

pytestmark = pytest.mark.usefixtures("_toy")
KEYS = {name: key_of(name) for name in "AB"}


def head(number: int = 1, *envelopes: bytes, time: int = 0, who: str = "A") -> BatchHead:
    return head_of(decoded(make_batch(who, number, time, envelopes)), merkle.root(envelopes))


def test_two_contents_under_one_number_are_evidence_that_proves_itself() -> None:
    numbers, one, other = Numbers(), head(1, b"one"), head(1, b"other")
    assert numbers.good(one, 5) is None
    assert numbers.stale(other, KEYS, 6) == Evidence("two_batches", "A", 6, (one, other))
    assert numbers.good(other, 5) == Evidence("two_batches", "A", 5, (one, other))
    assert head_signed(one, KEYS["A"])
    assert head_signed(other, KEYS["A"])
    assert not head_signed(one, KEYS["B"])


def test_the_same_content_again_another_number_or_another_producer_is_none() -> None:
    numbers = Numbers()
    for good in (head(1, b"one"), head(1, b"one", time=9), head(2, b"two"), head(2, b"other", who="B")):
        assert numbers.good(good, 5) is None


def test_a_batch_that_its_producer_did_not_sign_is_none() -> None:
    numbers = Numbers()
    numbers.good(head(1, b"one"), 5)
    forged = BatchHead("toy", "A", 1, 0, merkle.root([b"other"]), 1, head(1, b"other", who="B").signature)
    assert numbers.stale(forged, KEYS, 5) is None
    assert numbers.stale(head(1, b"x", who="C"), KEYS, 5) is None
    numbers.keep({"B": KEYS["B"]})
    assert numbers.stale(head(1, b"other"), KEYS, 5) is None
