"""What a member's own systems exchange with its validator in bulk: many envelopes in, and what became final out.

A telling is a summary for whoever waits for transactions; what it says is shown by receipts and certificates.
"""

from typing import Annotated

from msgspec import Meta

from stoa.kernel import limits
from stoa.kernel.codec import Shape, decoder, read
from stoa.kernel.identifiers import Hash


class Submission(Shape):
    """Envelopes, each judged by itself, in their order."""

    envelopes: Annotated[tuple[bytes, ...], Meta(min_length=1, max_length=limits.MAX_BULK)]


class Verdict(Shape):
    """For each envelope 0 if it was accepted, else the rejection's number; and when to come back if one was Busy."""

    codes: tuple[int, ...]
    retry_ms: int


class Told(Shape):
    """A final block: the ids of its transactions, and for each 0 if it was applied, else the rejection's number."""

    height: int
    block_hash: Hash
    time: int
    transactions: tuple[Hash, ...]
    codes: tuple[int, ...]


_SUBMISSION = decoder(Submission)
_VERDICT = decoder(Verdict)
_TOLD = decoder(Told)


def read_submission(raw: bytes) -> Submission:
    """The submission behind received bytes. Raises Malformed."""
    return read(_SUBMISSION, raw)


def read_verdict(raw: bytes) -> Verdict:
    """The verdict behind received bytes. Raises Malformed."""
    return read(_VERDICT, raw)


def read_told(raw: bytes) -> Told:
    """The telling behind received bytes. Raises Malformed."""
    return read(_TOLD, raw)
