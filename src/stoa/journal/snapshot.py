"""A snapshot: all rows of a state in one file, with the checkpoint that says what their root must be.

Written beside its name, synced, and renamed, so a snapshot that has its name is complete. Its records are those of the
journal, so every byte is covered by a checksum and the order of the chunks too. Does not own: what a row means, or the
root over the rows; whoever loads a snapshot computes the root and compares it with the checkpoint's.
"""

import os
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Final

from msgspec import DecodeError

from stoa.journal import segment
from stoa.journal.disk import REAL_DISK, Disk, File, aside, put_in_place
from stoa.journal.faults import Damage, Damaged, Fatal, disk_full
from stoa.journal.payloads import read_checkpoint
from stoa.journal.record import (
    HEAD_BYTES,
    MARKER_BYTES,
    MAX_RECORD_BYTES,
    Kind,
    Record,
    Unreadable,
    pack,
    payload_length,
    unpack,
)
from stoa.journal.segment import BadHead, Head
from stoa.kernel.codec import Shape, decoder, encode
from stoa.wire.vote import Checkpoint

CHUNK_BYTES: Final = 1024 * 1024  # a chunk is closed once it has grown this large

Row = tuple[bytes, bytes]  # key and value


class _Chunk(Shape):
    rows: tuple[Row, ...]


_CHUNK: Final = decoder(_Chunk)


def write_snapshot(path: Path, chain: str, checkpoint: Checkpoint, rows: Iterable[Row], disk: Disk = REAL_DISK) -> int:
    """Write the rows, which come in rising order of their keys, and return the size of the file in bytes.

    Raises ValueError when keys do not rise or the rows are not as many as the checkpoint says, DiskFull, Fatal. A file
    of that name that was there before stays until the new one is complete.
    """
    try:
        file = disk.open(aside(path), write=True)
        try:
            file.truncate(0)
            size = _fill(file, chain, checkpoint, rows)
            file.sync()
        finally:
            file.close()
        put_in_place(disk, path)
    except OSError as error:
        raise disk_full(error) or Fatal(f"the disk under {path} failed: {error}") from error
    return size


class Snapshot:
    """A snapshot's file, open for one pass. Raises Damaged wherever it is not what was written."""

    def __init__(self, path: Path, disk: Disk = REAL_DISK) -> None:
        self._path = path
        self._file = disk.open(path)
        try:
            self._head = segment.read_head(self._file.read(0, segment.HEAD_BYTES), snapshot=True)
        except BadHead as bad:
            self._file.close()
            raise Damaged(Damage(path.name, 0, 0, "head", str(bad))) from None
        self.chain = self._head.chain
        self.checkpoint = self._first()

    def rows(self) -> Iterator[Row]:
        """The rows in order. Only when the iteration has ended without an error was all of it seen to be whole."""
        count = 0
        records = self._records()
        next(records)  # the checkpoint
        for record in records:
            if record.kind == Kind.END:
                break
            chunk = _CHUNK.decode(record.payload).rows
            count += len(chunk)
            yield from chunk
        else:
            raise self._damaged(self._file.size(), "end", "the file ends before the snapshot does")
        if count != self.checkpoint.size or record.end != self._file.size():
            raise self._damaged(record.start, "end", f"{count} rows, and {self.checkpoint.size} were expected")

    def close(self) -> None:
        """Close the file."""
        self._file.close()

    def _first(self) -> Checkpoint:
        try:
            for record in self._records():
                return read_checkpoint(record.payload)
        except (Damaged, DecodeError):
            self._file.close()
            raise
        self._file.close()
        raise Damaged(Damage(self._path.name, segment.HEAD_BYTES, 0, "checkpoint", "it is missing"))

    def _records(self) -> Iterator[Record]:
        at, checksum = segment.HEAD_BYTES, self._head.checksum
        while top := self._file.read(at, HEAD_BYTES):
            body = self._file.read(at + HEAD_BYTES, min(payload_length(top), MAX_RECORD_BYTES))
            try:
                record = unpack(top + body, 0, self._head.marker, at)
            except Unreadable as flaw:
                raise self._damaged(at, flaw.field, flaw.why) from None
            if record.previous != checksum:
                raise self._damaged(at, "previous", "the record does not follow the one before it")
            yield record
            at, checksum = record.end, record.checksum

    def _damaged(self, offset: int, field: str, why: str) -> Damaged:
        return Damaged(Damage(self._path.name, offset, self._head.first, field, why))


def _fill(file: File, chain: str, checkpoint: Checkpoint, rows: Iterable[Row]) -> int:
    head = Head(chain, checkpoint.height, 0, os.urandom(MARKER_BYTES), snapshot=True)
    file.write(0, head.pack())
    at, checksum, count = segment.HEAD_BYTES, head.checksum, 0

    def put(kind: Kind, payload: bytes) -> None:
        nonlocal at, checksum
        top, checksum = pack(head.marker, kind, checkpoint.height, 0, checksum, payload)
        file.write(at, top, payload)
        at += len(top) + len(payload)

    put(Kind.CHECKPOINT, encode(checkpoint))
    for chunk in _chunks(rows):
        put(Kind.ROWS, encode(_Chunk(chunk)))
        count += len(chunk)
    if count != checkpoint.size:
        raise ValueError(f"the checkpoint is over {checkpoint.size} rows, and there are {count}")
    put(Kind.END, b"")
    return at


def _chunks(rows: Iterable[Row]) -> Iterator[tuple[Row, ...]]:
    chunk: list[Row] = []
    size, last = 0, None
    for key, value in rows:
        if last is not None and key <= last:
            raise ValueError(f"the key {key.hex()} does not come after {last.hex()}")
        chunk.append((key, value))
        size, last = size + len(key) + len(value), key
        if size >= CHUNK_BYTES:
            yield tuple(chunk)
            chunk, size = [], 0
    if chunk:
        yield tuple(chunk)
