"""What can go wrong with the journal, told apart: damage, a dead disk, a full disk, a record that does not belong.

``DiskFull`` may be retried when there is room again. ``Damaged`` and ``Fatal`` stop the node; nothing retries them.
"""

import errno
from typing import Final, NamedTuple

NO_ROOM: Final = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})


class Damage(NamedTuple):
    """One place where the journal is not what was written."""

    segment: str  # the file's name
    offset: int  # bytes from the start of the file
    height: int  # of the block it belongs to
    field: str  # what of the record is wrong
    why: str

    def __str__(self) -> str:
        return f"{self.segment} at byte {self.offset}, block {self.height}, {self.field}: {self.why}"


class Damaged(Exception):
    """The journal is not what was written, and not because of a write that a crash cut short."""

    def __init__(self, damage: Damage) -> None:
        super().__init__(str(damage))
        self.damage = damage


class Fatal(Exception):
    """The disk failed under a write or a sync: what is on it is unknown, so this journal object is of no more use."""


class DiskFull(Exception):
    """There was no room for a record. Nothing of it is kept, and the same record may be written again later."""


class NotNext(ValueError):
    """What was to be kept does not belong there: another height, another block hash, another chain."""


class BodyDropped(LookupError):
    """The block is here with header, votes and certificate alone; the transactions and receipts are kept by others."""

    def __init__(self, height: int) -> None:
        super().__init__(f"the body of block {height} is not kept here")
        self.height = height


class Occupied(Exception):
    """The folder already holds a journal, or another process is writing to it."""


class NoJournal(Exception):
    """The folder holds no journal."""


def disk_full(error: OSError) -> DiskFull | None:
    """The error as DiskFull, when that is what it says."""
    return DiskFull(f"no room on the disk: {error}") if error.errno in NO_ROOM else None


def said(error: Exception) -> str:
    """What happened, in one line for people: of an error that means a full disk, that."""
    found = (disk_full(error) if isinstance(error, OSError) else None) or error
    return f"{type(found).__name__}: {found}"
