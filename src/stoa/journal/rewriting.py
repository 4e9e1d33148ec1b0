"""A full segment written anew beside itself, to hold less (bodies that others keep) or what it lost (a repair).

Promises: the old file stays as it is until the new one is complete and synced; then one rename puts it in place
(``Writer.swap``). The new file has a new marker, so nothing that knows the old places can read a wrong record from it,
and ends with a record that carries what the segment after it is chained to. Records stay in order; what is damaged and
not replaced is carried over as it is, and stays damaged.
"""

import os
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Final

from stoa.journal import segment
from stoa.journal.disk import Disk, File
from stoa.journal.log import Log
from stoa.journal.payloads import Closing
from stoa.journal.record import BLOCKS, MARKER_BYTES, Kind, Record, pack
from stoa.journal.segment import Row, name_of
from stoa.journal.walking import Stretch, stretch
from stoa.kernel.codec import encode

Piece = tuple[Kind, bytes]  # kind and payload of a record
Change = Callable[[Stretch], list[Piece] | None]  # what comes in its place; None leaves it as it is

_COPY_BYTES: Final = 1024 * 1024


class Rewriting:
    """One segment on its way. Every method may raise OSError. Does not change the journal by itself."""

    def __init__(self, log: Log, ordinal: int, change: Change, suffix: str) -> None:
        head, after = log.head(ordinal), log.head(ordinal + 1)
        assert head is not None, "the caller found it in the log"
        rows, self._end = log.extent(ordinal)
        self._known = rows
        self.ordinal, self.old, self.generation = ordinal, head, log.generation
        self.head = head._replace(marker=os.urandom(MARKER_BYTES))
        self.rows: list[Row] = []
        self.end, self.checksum = segment.HEAD_BYTES, self.head.checksum
        self._passed_on = after.previous if after else None  # None for the last segment, which goes on
        self._change, self._disk, self._source = change, log.disk, log.folder / name_of(head.first)
        self.path: Path = self._source.with_name(self._source.name + suffix)
        self._at = segment.HEAD_BYTES  # in the old file
        self._file: File | None = None

    def step(self, most_bytes: int) -> bool:
        """Take over the next records, at most so many bytes but at least one record; True when the file is complete."""
        if self._file is None:
            self._file = self._begun(self._disk)
        until = min(self._at + most_bytes, self._end)
        with closing(self._disk.open(self._source)) as source:
            while self._at < until:
                piece = stretch(source, self._at, self.old.marker, self._known, self._end)
                self._take_over(source, self._file, piece)
                self._at = piece.end
        if self._at < self._end:
            return False
        if self._passed_on is not None:
            heights = [height for kind, height, _ in self.rows if kind in BLOCKS]
            height = max(heights, default=self.head.first - 1)
            self._put(self._file, Kind.CLOSE, height, encode(Closing(height, self._passed_on)))
        self._file.sync()
        self.close()
        return True

    @property
    def full(self) -> bool:
        """Whether another segment follows it."""
        return self._passed_on is not None

    @property
    def chained(self) -> int:
        """What the next record, or the segment after it, is chained to."""
        return self.checksum if self._passed_on is None else self._passed_on

    def close(self) -> None:
        """Let go of the file; what is unfinished is written over by the next attempt."""
        if self._file is not None:
            self._file.close()
        self._file = None

    def _begun(self, disk: Disk) -> File:
        file = disk.open(self.path, write=True)
        file.truncate(0)
        file.write(0, self.head.pack())
        return file

    def _take_over(self, source: File, file: File, piece: Stretch) -> None:
        found = piece.found
        if Kind.CLOSE in (piece.row[0] if piece.row else 0, found.kind if isinstance(found, Record) else 0):
            return  # whole or damaged: the new file gets its own
        pieces = self._change(piece)
        if isinstance(found, Record):
            for kind, payload in [(found.kind, found.payload)] if pieces is None else pieces:
                self._put(file, kind, found.height, payload)
        elif pieces is None:
            self._carry_over(source, file, piece)
        else:
            for kind, payload in pieces:
                self._put(file, kind, piece.row[1] if piece.row else 0, payload)

    def _put(self, file: File, kind: Kind, height: int, payload: bytes) -> None:
        top, self.checksum = pack(self.head.marker, kind, height, self.end, self.checksum, payload)
        file.write(self.end, top, payload)
        self.rows.append((int(kind), height, self.end))
        self.end += len(top) + len(payload)

    def _carry_over(self, source: File, file: File, piece: Stretch) -> None:
        if piece.row:
            self.rows.append((*piece.row[:2], self.end))
        for at in range(piece.start, piece.end, _COPY_BYTES):
            part = source.read(at, min(_COPY_BYTES, piece.end - at))
            file.write(self.end, part)
            self.end += len(part)
