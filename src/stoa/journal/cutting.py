"""Cutting: a journal that is damaged from some block on is made to end before it, so that a node can fetch the rest.

Promises: nothing is deleted. What the journal held from there on is moved into a folder ``set-aside-N`` inside it, and
the segment that becomes the last one is copied there before it is written anew; after a crash in between the same cut
may be made again. What stays opens normally, with the certificates and checkpoints of its blocks that could be found
behind the cut. Does not own: where the damage is (``check.inspect`` and ``Damaged`` say), or whom to ask for the rest.
"""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Final, NamedTuple

from msgspec import DecodeError

from stoa.journal import segment
from stoa.journal.disk import REAL_DISK, Disk, read_part, write_whole
from stoa.journal.faults import Fatal, NoJournal, disk_full
from stoa.journal.payloads import read_certificate, read_checkpoint, read_dropped_header, read_kept_header, read_opening
from stoa.journal.record import BLOCKS, MARKER_BYTES, Kind, Record, Unreadable, next_whole, pack, scan
from stoa.journal.segment import BadHead, Head, Mark, name_of, outline_name
from stoa.journal.writer import lock_of

SET_ASIDE: Final = "set-aside-"


def cut(folder: Path, height: int, disk: Disk = REAL_DISK) -> Path | None:
    """Make the journal end before the block at this height, and return the folder in which the rest of it lies now.

    None when it ends there already. The journal need not open; nobody may have it open for writing. When not even
    genesis is left (also for a height below 1) all of it is set aside, and the folder holds no journal any more.
    Raises NoJournal, Occupied, DiskFull, Fatal.
    """
    try:
        if not segment.segments_in(disk, folder):
            raise NoJournal(f"{folder} holds no journal")
        lock = lock_of(disk, folder)
        try:
            return _cut(disk, folder, height)
        finally:
            lock.release()
    except OSError as error:
        raise disk_full(error) or Fatal(f"the disk under {folder} failed: {error}") from error


class _Kept(NamedTuple):
    """What stays of the segment that becomes the last one."""

    head: Head
    data: bytes  # all of the file as it was
    records: list[Record]
    end: int  # of the records that stay


def _cut(disk: Disk, folder: Path, height: int) -> Path | None:
    firsts = segment.segments_in(disk, folder)
    kept = [first for first in firsts if first <= max(height, 1)] if height > 0 else []
    last = None
    while kept and (last := _kept_of(disk, folder, kept[-1], height)) is None:
        kept.pop()
    later = firsts[len(kept) :]
    if last and not later and _ends_there(disk, folder, last):
        return None
    place = _free_place(disk, folder)
    disk.make_folder(place)
    disk.sync_folder(folder)
    salvaged = list(_salvaged(disk, folder, kept, later, last, height)) if last else []
    if last:
        write_whole(disk, place / name_of(last.head.first), last.data)
    names = [segment.MARK_NAME, *(outline_name(first) for first in kept[-1:])]
    names += [name for first in reversed(later) for name in (outline_name(first), name_of(first))]
    for name in names:
        _move(disk, folder / name, place / name)
    if last:
        write_whole(disk, folder / name_of(last.head.first), _written_anew(last, salvaged))
    return place


def _kept_of(disk: Disk, folder: Path, first: int, height: int) -> _Kept | None:
    """What of the segment lies before the block, or before the first damage; None when it has no whole head, or none
    of the genesis that it should start with.
    """
    data = read_part(disk, folder / name_of(first))
    try:
        head = segment.read_head(data)
    except BadHead:
        return _genesis_alone(data) if first == 1 else None
    records: list[Record] = []
    try:
        for record in scan(data[segment.HEAD_BYTES :], head.marker, head.checksum, segment.HEAD_BYTES):
            if record.kind == Kind.CLOSE or (record.kind in BLOCKS and record.height >= height):
                break  # it is going to be the last segment, and no other one is chained to it
            records.append(record)
    except Unreadable:
        pass  # it ends before the damage
    if first == 1 and not (records and records[0].kind == Kind.GENESIS):
        return None
    return _Kept(head, data, records, records[-1].end if records else segment.HEAD_BYTES)


def _genesis_alone(data: bytes) -> _Kept | None:
    """Of the first segment with a damaged head: genesis, which names the chain, if it is whole."""
    record = next(_whole(data), None)
    if record is None or record.kind != Kind.GENESIS:
        return None
    head = Head(read_opening(record.payload).header.chain, 1, 0, b"")
    return _Kept(head, data, [record], record.end)


def _ends_there(disk: Disk, folder: Path, last: _Kept) -> bool:
    mark = segment.believed(disk, folder, segment.read_mark(disk, folder), last.head.first)
    beyond = mark is not None and mark > Mark(last.head.first, last.end)
    return last.end == len(last.data) and not beyond and outline_name(last.head.first) not in disk.names(folder)


def _salvaged(
    disk: Disk, folder: Path, kept: list[int], later: list[int], last: _Kept, height: int
) -> Iterator[Record]:
    """The certificates and checkpoints behind the cut that are about a block before it."""
    tail = _tail(last.records)
    if tail is None and len(kept) > 1:
        tail = _tail(_whole(read_part(disk, folder / name_of(kept[-2]))))
    known, tail_hash = tail or (0, b"")
    for data, start in [(last.data, last.end), *((read_part(disk, folder / name_of(one)), 0) for one in later)]:
        for record in _whole(data, start):
            if record.kind not in (Kind.CERTIFICATE, Kind.CHECKPOINT) or record.height > min(known, height - 1):
                continue
            if record.height < known or _hash_in(record) == tail_hash:
                yield record


def _tail(records: Iterator[Record] | list[Record]) -> tuple[int, bytes] | None:
    """Height and hash of the last block among the records."""
    last = None
    for record in records:
        last = record if record.kind in BLOCKS else last
    if last is None:
        return None
    read = read_kept_header if last.kind == Kind.BLOCK else read_dropped_header
    return last.height, read(last.payload).hash()


def _whole(data: bytes, start: int = 0) -> Iterator[Record]:
    """All whole records of a segment from there on, whatever lies between them."""
    marker = data[segment.HEAD_BYTES : segment.HEAD_BYTES + MARKER_BYTES]
    at = max(start, segment.HEAD_BYTES)
    while marker and (record := next_whole(data, at, marker)):
        yield record
        at = record.end


def _hash_in(record: Record) -> bytes:
    read = read_certificate if record.kind == Kind.CERTIFICATE else read_checkpoint
    try:
        return read(record.payload).block_hash
    except DecodeError:
        return b""


def _written_anew(last: _Kept, salvaged: list[Record]) -> bytes:
    """The segment with what stays, under a new marker, by which whoever had the old one open sees that it changed."""
    head = last.head._replace(marker=os.urandom(MARKER_BYTES))
    parts, checksum, at = [head.pack()], head.checksum, segment.HEAD_BYTES
    for record in [*last.records, *salvaged]:
        top, checksum = pack(head.marker, record.kind, record.height, at, checksum, record.payload)
        parts += [top, record.payload]
        at += len(top) + len(record.payload)
    return b"".join(parts)


def _move(disk: Disk, old: Path, new: Path) -> None:
    if old.name not in disk.names(old.parent):
        return
    disk.rename(old, new)
    disk.sync_folder(new.parent)  # first, so that at no time the file has no name
    disk.sync_folder(old.parent)


def _free_place(disk: Disk, folder: Path) -> Path:
    number = 1
    while disk.names(folder / f"{SET_ASIDE}{number}"):
        number += 1
    return folder / f"{SET_ASIDE}{number}"
