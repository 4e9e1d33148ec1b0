"""A segment: one file of records, named by the height of the first block it may hold.

Owns the file's name and head, and two hints beside the segments that are checked, rebuilt and may be deleted: the
*outline* of a full segment (where each record starts), and the *mark* (how far the journal is known to be synced).
A segment's head carries the checksum of the last record before it, so a missing segment is seen.
"""

from collections.abc import Sequence
from pathlib import Path
from struct import Struct, error
from typing import Final, NamedTuple
from zlib import crc32

from stoa.journal.disk import Disk, read_part
from stoa.journal.record import MARKER_BYTES

SEGMENT_BYTES: Final = 64 * 1024 * 1024  # a segment takes no further block once it has grown this large
MAX_CHAIN_BYTES: Final = 64
MARK_NAME: Final = "synced.mark"
LOCK_NAME: Final = "writer.lock"

_VERSION: Final = 1
_SUFFIX: Final = ".journal"
_DIGITS: Final = 12
_JOURNAL: Final = b"STOAJRNL"
_SNAPSHOT: Final = b"STOASNAP"
_HEAD: Final = Struct(f"<8sHQI{MARKER_BYTES}s{MAX_CHAIN_BYTES}s")  # magic, version, first, previous, marker, chain
_MARK: Final = Struct(f"<8sQQ{MARKER_BYTES}s")  # magic, first, offset, marker of the segment
_MARK_MAGIC: Final = b"STOAMRK2"
_OUTLINE: Final = Struct(f"<8sQ{MARKER_BYTES}sQI")  # magic, first, marker, size, last checksum; then one row a record
_OUTLINE_MAGIC: Final = b"STOALIN2"
_ROW: Final = Struct("<BQQ")  # kind, height, start
_SUM: Final = Struct("<I")
HEAD_BYTES: Final = _HEAD.size + _SUM.size


Row = tuple[int, int, int]  # of a record: kind, height, start


class BadHead(ValueError):
    """The file does not start with a whole head of the wanted sort; the message says why."""


class Head(NamedTuple):
    """The start of a segment or of a snapshot."""

    chain: str
    first: int  # height of the first block it may hold; of a snapshot its height
    previous: int  # checksum of the last record of the segment before, 0 in the first
    marker: bytes  # random; starts every record of this file
    snapshot: bool = False

    def pack(self) -> bytes:
        """The head's bytes. Raises ValueError when the chain's name is too long."""
        chain = self.chain.encode()
        if len(chain) > MAX_CHAIN_BYTES:
            raise ValueError(f"the name of a chain has at most {MAX_CHAIN_BYTES} bytes, {self.chain!r} {len(chain)}")
        magic = _SNAPSHOT if self.snapshot else _JOURNAL
        return _with_sum(_HEAD.pack(magic, _VERSION, self.first, self.previous, self.marker, chain))

    @property
    def checksum(self) -> int:
        """What the first record is chained to."""
        return int(_SUM.unpack(self.pack()[-_SUM.size :])[0])


class Outline(NamedTuple):
    """Where each record of a full segment starts, so that opening need not read the segment."""

    first: int
    marker: bytes  # of the segment; another one when the segment was written anew since
    size: int
    checksum: int  # of its last record: what the next segment is chained to
    rows: Sequence[Row]

    def pack(self) -> bytes:
        """The bytes of the outline's file: one outline has one encoding."""
        rows = b"".join(_ROW.pack(*row) for row in self.rows)
        return _with_sum(_OUTLINE.pack(_OUTLINE_MAGIC, self.first, self.marker, self.size, self.checksum) + rows)


class Mark(NamedTuple):
    """Everything up to this offset of the segment that starts at ``first`` was synced. Never claims too much."""

    first: int
    offset: int

    def pack(self, marker: bytes) -> bytes:
        """The bytes of the mark's file, with the segment's marker; they fit one sector, so that they change as one."""
        return _with_sum(_MARK.pack(_MARK_MAGIC, self.first, self.offset, marker))


def name_of(first: int) -> str:
    """The file name of the segment, e.g. ``000000000001.journal``."""
    return f"{first:0{_DIGITS}}{_SUFFIX}"


def outline_name(first: int) -> str:
    """The file name of the segment's outline."""
    return f"{first:0{_DIGITS}}.outline"


def segments_in(disk: Disk, folder: Path) -> list[int]:
    """The first heights of the segments in the folder, in order."""
    stems = [name.removesuffix(_SUFFIX) for name in disk.names(folder) if name.endswith(_SUFFIX)]
    return sorted(int(stem) for stem in stems if stem.isdecimal() and len(stem) >= _DIGITS)


def read_head(data: bytes, snapshot: bool = False) -> Head:
    """The head at the start of a file. Raises BadHead."""
    if len(data) < HEAD_BYTES:
        raise BadHead("the file ends within its head")
    magic, version, first, previous, marker, chain = _HEAD.unpack_from(data)
    if not _sum_matches(data[:HEAD_BYTES]):
        raise BadHead("the checksum of the file's head does not match")
    if magic != (_SNAPSHOT if snapshot else _JOURNAL) or version != _VERSION:
        raise BadHead(f"the file is another sort of file, or of a later version than {_VERSION}")
    return Head(chain.rstrip(b"\0").decode(), first, previous, marker, snapshot)


def read_outline(disk: Disk, folder: Path, first: int) -> Outline | None:
    """The segment's outline, or None when there is none that can be believed."""
    data = _hint(disk, folder / outline_name(first))
    try:
        magic, named, marker, size, checksum = _OUTLINE.unpack_from(data)
        rows = list(_ROW.iter_unpack(data[_OUTLINE.size : -_SUM.size]))
    except error:
        return None
    return Outline(first, marker, size, checksum, rows) if (magic, named) == (_OUTLINE_MAGIC, first) else None


def read_mark(disk: Disk, folder: Path) -> tuple[Mark, bytes] | None:
    """The mark, and the marker of the segment that it is about; None when there is none that can be read."""
    try:
        magic, first, offset, marker = _MARK.unpack(_hint(disk, folder / MARK_NAME)[: -_SUM.size])
    except error:
        return None
    return (Mark(first, offset), marker) if magic == _MARK_MAGIC else None


def believed(disk: Disk, folder: Path, kept: tuple[Mark, bytes] | None, last: int) -> Mark | None:
    """What the mark claims; None when the last segment was written anew since, and so is synced as a whole."""
    if kept is None or kept[0].first != last:
        return kept[0] if kept else None
    try:
        head = read_head(read_part(disk, folder / name_of(last), 0, HEAD_BYTES))
    except (BadHead, FileNotFoundError):
        return kept[0]
    return kept[0] if head.marker == kept[1] else None


def _hint(disk: Disk, path: Path) -> bytes:
    try:
        data = read_part(disk, path)
    except FileNotFoundError:
        return b""
    return data if _sum_matches(data) else b""


def _with_sum(data: bytes) -> bytes:
    return data + _SUM.pack(crc32(data))


def _sum_matches(data: bytes) -> bool:
    return len(data) > _SUM.size and _SUM.pack(crc32(data[: -_SUM.size])) == data[-_SUM.size :]
