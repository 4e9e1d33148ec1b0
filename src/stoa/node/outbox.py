"""The outbox: the one batch that this validator has in flight, on disk before it is published.

After a crash the same bytes are published again, so that no two different batches of one validator bear one number; who
signs two is a liar. Written in place: a torn write, also one for which the disk had no room, is a batch that was never
published. After a failure nothing more is kept, and nothing more published.
"""

from pathlib import Path
from struct import Struct
from typing import Final
from zlib import crc32

from stoa.journal.disk import REAL_DISK, Disk

FILE: Final = "outbox"
_HEAD: Final = Struct("<II")  # length and checksum of the batch


class Outbox:
    """The file of one validator. One thread."""

    def __init__(self, folder: Path, disk: Disk = REAL_DISK) -> None:
        self._file = disk.open(folder / FILE, write=True)

    def keep(self, batch: bytes) -> None:
        """Make it durable. Raises OSError, after which the batch must not be published."""
        self._file.write(0, _HEAD.pack(len(batch), crc32(batch)), batch)
        self._file.sync()

    def left_over(self) -> bytes:
        """The batch kept last; empty if none was kept whole."""
        head = self._file.read(0, _HEAD.size)
        if len(head) < _HEAD.size:
            return b""
        length, checksum = _HEAD.unpack(head)
        batch = self._file.read(_HEAD.size, length)
        return batch if len(batch) == length and crc32(batch) == checksum else b""

    def close(self) -> None:
        """Close the file."""
        self._file.close()
