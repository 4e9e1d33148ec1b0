"""What a validator answers when another asks: final blocks with certificates, and why its epoch has begun.

Reads the journal beside the thread that makes blocks. Promises nothing that the answer does not prove by itself.
"""

from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from stoa.journal import BodyDropped, Damaged, Journal, bare
from stoa.kernel import signing
from stoa.kernel.codec import encode
from stoa.node import snapshot
from stoa.wire.block import Block
from stoa.wire.history import LogHead
from stoa.wire.question import (
    Bare,
    Blocks,
    BlocksWanted,
    BodyKept,
    BodyWanted,
    CheckpointKept,
    CheckpointWanted,
    HandedOver,
    Headers,
    HeadersWanted,
    KeptWanted,
    LeaveWanted,
    LogHeadShown,
    LogHeadWanted,
    OpeningKnown,
    OpeningWanted,
    SnapshotOffered,
    SnapshotPart,
    SnapshotPartWanted,
    SnapshotWanted,
    TakenOver,
    leave_digest,
    read_question,
)
from stoa.wire.status import Opening
from stoa.wire.vote import Certificate


class Answers:
    """Answers questions for one validator."""

    def __init__(
        self,
        journal: Journal,
        snapshots: Path,
        opening: Callable[[], Opening | None],
        voting_key: bytes,
        leave: Callable[[int], None],
        keeps: Callable[[int, bytes], bool],
        log_head: Callable[[str, int], LogHead | None],
        take_over: Callable[[str, HandedOver], int],
    ) -> None:
        """``snapshots`` is their folder; ``keeps`` says whether a height's range is kept here by terms of this hash;
        ``log_head`` signs the head of the log after a block; ``take_over`` takes what a member hands over."""
        self._take_over = take_over
        self._keeps, self._log_head = keeps, log_head
        self._journal, self._snapshots, self._opening = journal, snapshots, opening
        self._voting_key, self._leave = voting_key, leave

    def answer(self, asker: str, raw: bytes) -> bytes:
        """The answer's bytes. Raises Malformed, and PermissionError for what only the own operator may ask."""
        match wanted := read_question(raw):
            case BlocksWanted(start, most_bytes):
                return encode(self._blocks(start, most_bytes))
            case BodyWanted(height):
                return encode(self._body(height))
            case KeptWanted(height, terms):
                return encode(self._kept(height, terms))
            case CheckpointWanted(height):
                return encode(CheckpointKept(self._journal.latest_checkpoint(height)))
            case SnapshotWanted() | SnapshotPartWanted():
                return encode(self._snapshot(wanted))
            case HeadersWanted(start, most_bytes):
                return encode(self._headers(start, most_bytes))
            case LogHeadWanted(chain, size):
                return encode(LogHeadShown(self._log_head(chain, size)))
            case HandedOver():
                return encode(TakenOver(self._take_over(asker, wanted)))
            case OpeningWanted() | LeaveWanted():
                return encode(self._epoch(asker, wanted))

    def _epoch(self, asker: str, wanted: OpeningWanted | LeaveWanted) -> OpeningKnown:
        if isinstance(wanted, LeaveWanted):
            self._left(asker, wanted)
        return OpeningKnown(self._opening())

    def _left(self, asker: str, wanted: LeaveWanted) -> None:
        digest = leave_digest(wanted.chain, wanted.epoch)
        if wanted.chain != self._journal.chain or not signing.verify(self._voting_key, digest, wanted.signature):
            raise PermissionError(f"{asker} asks what only this validator's operator may")
        self._leave(wanted.epoch)

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

    def _headers(self, start: int, most_bytes: int) -> Headers:
        found: list[Bare] = []
        size = 0
        with suppress(Damaged):
            for height in range(start, self._journal.final + 1):
                one = bare(self._journal, height)
                size += len(encode(one))
                if one is None or (found and size > most_bytes):
                    break
                found.append(one)
        return Headers(tuple(found))

    def _snapshot(self, wanted: SnapshotWanted | SnapshotPartWanted) -> SnapshotOffered | SnapshotPart:
        if isinstance(wanted, SnapshotPartWanted):
            return SnapshotPart(snapshot.part(self._snapshots, wanted.height, wanted.offset))
        return SnapshotOffered(self._journal.final, *(snapshot.newest(self._snapshots) or (None, 0)))

    def _kept(self, height: int, terms: bytes) -> BodyKept:
        return self._body(height) if self._keeps(height, terms) else BodyKept(None, None)

    def _body(self, height: int) -> BodyKept:
        try:
            if height <= self._journal.final:
                return BodyKept(self._journal.own_block(height), self._journal.certificate(height))
        except (BodyDropped, Damaged):
            pass
        return BodyKept(None, None)
