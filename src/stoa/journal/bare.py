"""Blocks without their bodies, from others: how somebody who joins late has the whole chain of headers at once.

Owns what of a block goes from one journal to the other. Such a block is as one whose body was dropped: it is lent, and
may be restored. Does not own: whether a certificate vouches for it; the caller has checked that.
"""

from stoa.journal.faults import NotNext
from stoa.journal.journal import Journal
from stoa.journal.payloads import Dropped
from stoa.journal.record import Kind
from stoa.kernel.codec import encode
from stoa.wire.question import Bare


def bare(journal: Journal, height: int) -> Bare | None:
    """A final block without its body; None where its certificate is not its own. Raises LookupError, Damaged."""
    kept, certificate = journal.kept(height), journal.certificate(height)
    if certificate is None:
        return None
    if isinstance(kept, Dropped):
        return Bare(kept.header, kept.batch_signature, kept.receipts, certificate)
    block = kept.block
    return Bare(block.header, block.batch_signature, len(block.receipts), certificate)


def append_bare(journal: Journal, one: Bare) -> None:
    """Put it at the end with its certificate; durable after the next ``sync``. Raises NotNext, DiskFull, Fatal."""
    header, head = one.header, journal.head
    if (header.chain, header.height, header.previous) != (head.chain, head.height + 1, head.hash()):
        raise NotNext(f"header {header.height} of {header.chain} does not follow block {head.height} of {head.chain}")
    payload = encode(Dropped(header, one.batch_signature, one.receipts, ()))
    with journal.writing(), journal.still():
        journal.writer().write(Kind.DROPPED, header.height, payload)
    journal.certify(one.certificate)
