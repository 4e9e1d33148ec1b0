"""One record: a head that says what it is, its payload, and checksums over both that are chained from record to record.

The head has a checksum of its own, so that its length and height can be trusted before the payload is read, and holds
the payload's and the previous record's checksums: a record that is altered, removed, swapped or repeated is seen.
CRC-32 finds every error of up to four neighbouring bytes; what a forger could do is the business of the blocks' hashes
and signatures, not of these checksums.

Each head also claims how much of its file was synced when it was written. A gap in front of a whole record that claims
to come after it is damage; a gap that nothing claims is a write cut short by a crash.
"""

from collections.abc import Iterator
from enum import IntEnum
from struct import Struct
from typing import Final, NamedTuple
from zlib import crc32

from stoa.journal.disk import File

MAX_RECORD_BYTES: Final = 64 * 1024 * 1024
MARKER_BYTES: Final = 8

_HEAD: Final = Struct("<8sBIQQII")  # marker, kind, length, height, durable, previous, payload's checksum
_SUM: Final = Struct("<I")
HEAD_BYTES: Final = _HEAD.size + _SUM.size


class Kind(IntEnum):
    """What a payload is."""

    GENESIS = 1
    BLOCK = 2
    CERTIFICATE = 3
    CHECKPOINT = 4
    ROWS = 5  # of a snapshot
    END = 6  # of a snapshot
    DROPPED = 7  # a block without its body
    CLOSE = 8  # the last of a segment that was written anew: what the segment after it is chained to


BLOCKS: Final = frozenset({Kind.BLOCK, Kind.DROPPED})
_KINDS: Final = frozenset(Kind)


class Record(NamedTuple):
    """A whole record as read. ``checksum`` is the head's own, which covers everything."""

    kind: Kind
    height: int
    durable: int  # bytes of this file that were synced when the record was written
    previous: int
    payload: bytes
    checksum: int
    start: int  # offset in the file
    end: int


class Unreadable(Exception):
    """There is no whole record at an offset. ``height`` is known when the head is whole."""

    def __init__(self, offset: int, field: str, why: str, height: int | None = None) -> None:
        super().__init__(why)
        self.offset, self.field, self.why, self.height = offset, field, why, height


def pack(marker: bytes, kind: Kind, height: int, durable: int, previous: int, payload: bytes) -> tuple[bytes, int]:
    """The head that goes before the payload, and the record's checksum. Raises ValueError above MAX_RECORD_BYTES.

    The payload is not copied behind its head: for a full block the copy would cost as much as its checksum.
    """
    if len(payload) > MAX_RECORD_BYTES:
        raise ValueError(f"a record holds at most {MAX_RECORD_BYTES} bytes, this one {len(payload)}")
    head = _HEAD.pack(marker, kind, len(payload), height, durable, previous, crc32(payload))
    checksum = crc32(head)
    return head + _SUM.pack(checksum), checksum


def head_height(data: bytes, at: int) -> int:
    """The height that a head names, right or wrong: for a guess at where a damaged record belonged. -1 if cut off."""
    return int(_HEAD.unpack_from(data, at)[3]) if at + _HEAD.size <= len(data) else -1


def payload_length(head: bytes) -> int:
    """The length that a head names, right or wrong; 0 if it is cut off."""
    return int(_HEAD.unpack_from(head)[2]) if len(head) >= _HEAD.size else 0


def unpack(data: bytes, at: int, marker: bytes, base: int = 0) -> Record:
    """The whole record at ``data[at]``, where ``data`` starts at offset ``base`` of its file. Raises Unreadable."""
    start, body = base + at, at + HEAD_BYTES
    if body > len(data):
        raise Unreadable(start, "head", "the file ends within it")
    found, kind, length, height, durable, previous, expected = _HEAD.unpack_from(data, at)
    (checksum,) = _SUM.unpack_from(data, body - _SUM.size)
    if crc32(data[at : body - _SUM.size]) != checksum:
        raise Unreadable(start, "head", "its checksum does not match")
    if found != marker or kind not in _KINDS:
        raise Unreadable(start, "head", "the record belongs to another file, or to a later version")
    if body + length > len(data):
        raise Unreadable(start, "payload", "the file ends within it", height)
    payload = data[body : body + length]
    if crc32(payload) != expected:
        raise Unreadable(start, "payload", "its checksum does not match", height)
    return Record(Kind(kind), height, durable, previous, payload, checksum, start, base + body + length)


def read_record(file: File, start: int, marker: bytes) -> Record:
    """The whole record at an offset of a file. Raises Unreadable."""
    top = file.read(start, HEAD_BYTES)
    return unpack(top + file.read(start + HEAD_BYTES, min(payload_length(top), MAX_RECORD_BYTES)), 0, marker, start)


def scan(data: bytes, marker: bytes, previous: int, base: int) -> Iterator[Record]:
    """The whole records from the start of ``data`` on, each chained to the one before. Raises Unreadable where one
    is not, and ends where the data ends.
    """
    at = 0
    while at < len(data):
        record = unpack(data, at, marker, base)
        if record.previous != previous:
            raise Unreadable(record.start, "previous", "the record does not follow the one before it", record.height)
        yield record
        at, previous = record.end - base, record.checksum


def next_whole(data: bytes, at: int, marker: bytes, base: int = 0) -> Record | None:
    """The first whole record at ``data[at]`` or later. The marker is random, so no payload can hold a false one."""
    while (at := data.find(marker, at)) >= 0:
        try:
            return unpack(data, at, marker, base)
        except Unreadable:
            at += 1
    return None
