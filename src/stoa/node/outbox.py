"""The outbox: the one batch that this validator has in flight, on disk before it is published.

After a crash the same bytes are published again, so that no two different batches of one validator bear one number; who
signs two is a liar. Written in place: a torn write is a batch that was never published.
"""

import os
from pathlib import Path
from struct import Struct
from typing import Final
from zlib import crc32

FILE: Final = "outbox"
_HEAD: Final = Struct("<II")  # length and checksum of the batch


class Outbox:
    """The file of one validator. One thread."""

    def __init__(self, folder: Path) -> None:
        self._file = os.open(folder / FILE, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)

    def keep(self, batch: bytes) -> None:
        """Make it durable. Raises OSError."""
        os.pwritev(self._file, [_HEAD.pack(len(batch), crc32(batch)), batch], 0)
        os.fdatasync(self._file)

    def left_over(self) -> bytes:
        """The batch kept last; empty if none was kept whole."""
        head = os.pread(self._file, _HEAD.size, 0)
        if len(head) < _HEAD.size:
            return b""
        length, checksum = _HEAD.unpack(head)
        batch = os.pread(self._file, length, _HEAD.size)
        return batch if len(batch) == length and crc32(batch) == checksum else b""

    def close(self) -> None:
        """Close the file."""
        os.close(self._file)
