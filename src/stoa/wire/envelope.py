"""The envelope: one transaction's body as bytes, and the signatures over exactly these bytes.

A transaction's id is the digest that is signed, so signatures can be added by several parties in any order without
changing it, and nobody can give one act two ids.
"""

from typing import Annotated

from msgspec import Meta

from stoa.kernel import limits, signing
from stoa.kernel.codec import Malformed, Shape, decoder, encode, read
from stoa.kernel.hashing import tagged
from stoa.kernel.identifiers import AccountId, PublicKey

_Signature = Annotated[bytes, Meta(min_length=signing.SIGNATURE_BYTES, max_length=signing.SIGNATURE_BYTES)]


class Signature(Shape):
    """One key's signature for one account. Whether the key belongs to the account is the ledger's question."""

    account: AccountId
    key: PublicKey
    signature: _Signature


class Envelope(Shape):
    """What a client submits. ``body`` is the canonical encoding of a ``ledger.catalog.Body``."""

    body: Annotated[bytes, Meta(max_length=limits.MAX_ENVELOPE_BYTES)]
    signatures: Annotated[tuple[Signature, ...], Meta(min_length=1, max_length=limits.MAX_SIGNATURES)]


_READER = decoder(Envelope)


def transaction_id(body: bytes) -> bytes:
    """The 32 bytes that name the transaction and that its signers sign."""
    return tagged("stoa.transaction", body)


def read_envelope(raw: bytes) -> Envelope:
    """The envelope behind received bytes. Raises Malformed with the reason."""
    if len(raw) > limits.MAX_ENVELOPE_BYTES:
        raise Malformed(f"an envelope has at most {limits.MAX_ENVELOPE_BYTES} bytes, this one {len(raw)}")
    return read(_READER, raw)


def sign_body(body: bytes, signers: list[tuple[bytes, bytes]]) -> bytes:
    """The envelope's bytes for a body signed by (account, secret) pairs, in the given order."""
    digest = transaction_id(body)
    signatures = tuple(
        Signature(account, signing.public_key(secret), signing.sign(secret, digest)) for account, secret in signers
    )
    return encode(Envelope(body, signatures))


def signatures_valid(envelope: Envelope, transaction: bytes = b"") -> bool:
    """Whether every signature verifies. Needs no state, so it may run in any process.

    ``transaction`` is its id, where the caller knows it already.
    """
    digest = transaction or transaction_id(envelope.body)
    for one in envelope.signatures:  # noqa: SIM110 - as a loop, since nearly always there is one
        if not signing.verify(one.key, digest, one.signature):
            return False
    return True
