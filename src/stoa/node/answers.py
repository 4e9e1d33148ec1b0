"""What a validator answers when another asks: final blocks with certificates, and why its epoch has begun.

Reads the journal beside the thread that makes blocks. Promises nothing that the answer does not prove by itself.
"""

from collections.abc import Callable
from contextlib import suppress

from stoa.journal import BodyDropped, Damaged, Journal
from stoa.kernel import signing
from stoa.kernel.codec import encode
from stoa.wire.block import Block
from stoa.wire.question import (
    Blocks,
    BlocksWanted,
    BodyKept,
    BodyWanted,
    CheckpointKept,
    CheckpointWanted,
    LeaveWanted,
    OpeningKnown,
    OpeningWanted,
    leave_digest,
    read_question,
)
from stoa.wire.status import Opening
from stoa.wire.vote import Certificate


class Answers:
    """Answers questions for one validator."""

    def __init__(
        self, journal: Journal, opening: Callable[[], Opening | None], voting_key: bytes, leave: Callable[[int], None]
    ) -> None:
        self._journal, self._opening, self._voting_key, self._leave = journal, opening, voting_key, leave

    def answer(self, asker: str, raw: bytes) -> bytes:
        """The answer's bytes. Raises Malformed, and PermissionError for what only the own operator may ask."""
        match read_question(raw):
            case BlocksWanted(start, most_bytes):
                return encode(self._blocks(start, most_bytes))
            case BodyWanted(height):
                return encode(self._body(height))
            case CheckpointWanted(height):
                return encode(CheckpointKept(self._journal.latest_checkpoint(height)))
            case OpeningWanted():
                return encode(OpeningKnown(self._opening()))
            case LeaveWanted(chain, epoch, signature):
                if chain != self._journal.chain or not signing.verify(
                    self._voting_key, leave_digest(chain, epoch), signature
                ):
                    raise PermissionError(f"{asker} asks what only this validator's operator may")
                self._leave(epoch)
                return encode(OpeningKnown(self._opening()))

    def _blocks(self, start: int, most_bytes: int) -> Blocks:
        found: list[tuple[Block, Certificate]] = []
        size = 0
        with suppress(BodyDropped, Damaged):  # up to there; the asker asks another for the rest
            for height in range(start, self._journal.final + 1):
                block, certificate = self._journal.own_block(height), self._journal.certificate(height)
                if certificate is None:
                    break
                size += sum(map(len, block.envelopes)) + sum(map(len, block.receipts))
                if found and size > most_bytes:
                    break
                found.append((block, certificate))
        return Blocks(tuple(found))

    def _body(self, height: int) -> BodyKept:
        try:
            if height <= self._journal.final:
                return BodyKept(self._journal.own_block(height), self._journal.certificate(height))
        except (BodyDropped, Damaged):
            pass
        return BodyKept(None, None)
