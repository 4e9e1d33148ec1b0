"""The chain of blocks as a full check walks it: what each record adds, and what is wrong with it after those before.

Owns the state of that walk. After damage what came before is unknown, and nothing is compared with it until the next
whole block.
"""

from collections.abc import Iterator
from typing import Final

import msgspec

from stoa.journal.flaws import (
    Authorities,
    Authority,
    Flaw,
    block_flaws,
    certificate_flaws,
    checkpoint_flaws,
    header_flaws,
    vote_flaws,
)
from stoa.journal.payloads import Dropped, Kept, Opening, Payload, guess_payload, height_of, read_payload
from stoa.journal.record import HEAD_BYTES, Kind, Record, Unreadable, head_height
from stoa.wire.block import Header
from stoa.wire.vote import Certificate, Checkpoint

_HASH_BYTES: Final = 32


class Chain:
    """What has been seen so far."""

    def __init__(self, name: str | None, authority: Authority | Authorities | None) -> None:
        self.name = name  # None until genesis or a segment's head tells it
        self.head: Header | None = None  # of the last whole block
        self.height = 0  # of the last block, whole or not
        self.certified = 0
        self.transactions = 0
        self.dropped = 0  # blocks whose body is not here
        self.replaced = 0  # blocks in whose place another one came
        self.seen = dict.fromkeys(Kind, 0)
        self._authority = authority
        self._before: Header | None = None
        self._parent: Header | None = None  # of the block before that one
        self._settled = 0  # greatest height with a certificate or a checkpoint
        self._counted = (0, 0)  # transactions, and 1 for a dropped body, of the last whole block
        self._hashes = bytearray()  # of all blocks by height, zeros where one is not whole

    def flaws(self, record: Record) -> Iterator[Flaw]:
        """Take in a whole record, and yield what is wrong with it."""
        self.seen[record.kind] += 1
        try:
            payload = read_payload(record.kind, record.payload)
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            yield "payload", str(error)
            return
        if height_of(payload) != record.height:
            yield "height", f"the head says {record.height}, the payload {height_of(payload)}"
        yield from self._flaws_of(payload)

    def lost(self, flaw: Unreadable, torn: bytes) -> tuple[int, str]:
        """Step over bytes that are no whole record: the height at which they stood, and the field that is wrong.

        The height is the head's when its checksum matches; else what the payload says, or else what the head says.
        """
        payload = guess_payload(torn[HEAD_BYTES:])
        named = head_height(torn, 0) if payload is None else height_of(payload)
        guessed = named if 0 <= named <= self.height + 1 else self.height + 1
        height = guessed if flaw.height is None else flaw.height
        wrong = next(self._content_flaws(payload), None) if flaw.field == "payload" and payload else None
        self._before = None
        if height > self.height:
            self.height, self._parent, self._counted = height, None, (0, 0)
        return height, f"{flaw.field}.{wrong[0]}" if wrong else flaw.field

    def hash_at(self, height: int) -> bytes | None:
        """The hash of the block at this height, None when it was not whole."""
        found = bytes(self._hashes[height * _HASH_BYTES : (height + 1) * _HASH_BYTES])
        return found if any(found) else None

    def authority_at(self, height: int) -> Authority | None:
        """Whose signatures count there; None when signatures are left out."""
        return self._authority(height) if callable(self._authority) else self._authority

    def _flaws_of(self, payload: Payload) -> Iterator[Flaw]:
        match payload:
            case Opening():
                yield from self._genesis_flaws(payload.header)
            case Kept():
                yield from self._content_flaws(payload)
                self._take_in(payload.block.header, (len(payload.block.envelopes), 0))
            case Dropped():
                yield from self._content_flaws(payload)
                self._take_in(payload.header, (payload.header.count, 1))
            case Certificate() | Checkpoint():
                yield from self._signed_flaws(payload)

    def _genesis_flaws(self, header: Header) -> Iterator[Flaw]:
        if self._hashes or self.height:
            yield "kind", "genesis is not the first record"
        if header.height:
            yield "height", f"genesis is at height 0, not {header.height}"
        if self.name not in (None, header.chain):
            yield "chain", f"it is {header.chain!r}, and {self.name!r} is expected"
        self._take_in(header)

    def _content_flaws(self, payload: Payload) -> Iterator[Flaw]:
        if not isinstance(payload, Kept | Dropped):
            return
        header = payload.block.header if isinstance(payload, Kept) else payload.header
        authority = self.authority_at(header.height)
        replaces = self._replaces(header)
        if self._before is None and not replaces and header.height <= self.height and self.hash_at(header.height):
            yield "height", f"block {header.height} is here a second time"
        before = self._parent if replaces else self._before
        if isinstance(payload, Kept):
            yield from block_flaws(before, payload.block, authority)
        else:
            yield from header_flaws(before, header, payload.batch_signature, authority)
        for vote in payload.votes:
            yield from vote_flaws(header, vote, authority)

    def _signed_flaws(self, payload: Certificate | Checkpoint) -> Iterator[Flaw]:
        height = payload.height
        if height > self.height:
            yield "height", f"it is about block {height}, and the last block is {self.height}"
        chain, block_hash, authority = self.name or "", self.hash_at(height), self.authority_at(height)
        self._settled = max(self._settled, height)
        if isinstance(payload, Checkpoint):
            yield from checkpoint_flaws(chain, block_hash, payload, authority)
        else:
            yield from certificate_flaws(chain, block_hash, payload, authority)
            self.certified = max(self.certified, height)

    def _replaces(self, header: Header) -> bool:
        """Whether it may stand in the place of the last block, which nothing settles yet."""
        return self._settled < header.height == self.height

    def _take_in(self, header: Header, counted: tuple[int, int] = (0, 0)) -> None:
        if not self._replaces(header):
            self._parent = self._before
        elif self.hash_at(header.height):
            self.replaced += 1
            self.transactions -= self._counted[0]
            self.dropped -= self._counted[1]
        self._counted = counted
        self.transactions += counted[0]
        self.dropped += counted[1]
        self._before = self.head = header
        self.height = header.height
        self._hashes.extend(bytes(max(0, (header.height + 1) * _HASH_BYTES - len(self._hashes))))
        self._hashes[header.height * _HASH_BYTES : (header.height + 1) * _HASH_BYTES] = header.hash()
