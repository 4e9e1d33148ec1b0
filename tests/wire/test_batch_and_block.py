"""Batches and blocks: what a producer signs can be checked from a header, and every field is under the hash."""

from hashlib import sha256

import pytest
from msgspec.structs import replace

from stoa.kernel import merkle, signing
from stoa.kernel.codec import Malformed, encode
from stoa.wire.batch import Batch, BatchBody, batch_digest, header_digest, read_batch, sign_batch
from stoa.wire.block import GENESIS_PREVIOUS, Header, genesis_header
from tests.ledger.hall import public, secret

BODY = BatchBody("test", "KSD", 3, 1_000, (b"one", b"two", b"three"))
ROOT = sha256(b"root").digest()
HEADER = Header("test", 7, ROOT, 1_000, "KSD", 3, 999, 3, merkle.root(BODY.envelopes), ROOT, ROOT)


def test_a_batch_is_signed_and_read_back() -> None:
    batch = sign_batch(BODY, secret("KSD"))
    assert read_batch(encode(batch)) == batch
    assert signing.verify(public("KSD"), batch_digest(batch.body), batch.signature)


def test_the_digest_of_a_batch_follows_from_what_a_header_keeps() -> None:
    parts = (BODY.chain, BODY.producer, BODY.number, BODY.time, HEADER.envelopes_root, HEADER.count)
    assert header_digest(*parts) == batch_digest(BODY)


@pytest.mark.parametrize(
    "changed",
    [
        {"chain": "other"}, {"producer": "FSS"}, {"number": 4}, {"time": 1_001}, {"envelopes": (b"one", b"two")},
        {"envelopes": (b"two", b"one", b"three")}, {"envelopes": (b"one", b"two", b"three", b"three")},
    ],
)  # fmt: skip
def test_every_field_of_a_batch_is_signed(changed: dict[str, object]) -> None:
    assert batch_digest(replace(BODY, **changed)) != batch_digest(BODY)


@pytest.mark.parametrize("field", Header.__struct_fields__)
def test_every_field_of_a_header_is_under_its_hash(field: str) -> None:
    value = getattr(HEADER, field)
    other = value + 1 if isinstance(value, int) else value + "x" if isinstance(value, str) else bytes(32)
    assert replace(HEADER, **{field: other}).hash() != HEADER.hash()


def test_malformed_batches_are_refused() -> None:
    batch = encode(sign_batch(BODY, secret("KSD")))
    for raw in (batch[:-1], batch + b"\x00"):
        with pytest.raises(Malformed):
            read_batch(raw)
    with pytest.raises(Malformed):
        read_batch(encode(Batch(replace(BODY, number=0), b"")))
    with pytest.raises(Malformed):
        read_batch(encode(Batch(replace(BODY, envelopes=(b"",) * 4_097), b"")))


def test_genesis_has_a_header_of_its_own() -> None:
    header = genesis_header("test", 1_000, ROOT, ROOT)
    assert (header.height, header.previous, header.number, header.producer) == (0, GENESIS_PREVIOUS, 0, "")
    assert header.envelopes_root == ROOT
    assert header.receipts_root == merkle.EMPTY
