"""A note in the folder that votes of this validator may be lost, and with them the numbers of its batches: it must not
vote, nor sign a batch, as if it remembered them all.

Written and synced before the journal is cut, removed when agreement says that no vote behind the cut can matter any
more. Until then every start is one away from the quorum. What the note says is for people; that it is there, counts.
"""

from pathlib import Path
from typing import Final

import msgspec

from stoa.journal.disk import REAL_DISK, write_whole
from stoa.node.details import JournalCut, JournalEmpty, VotesLost

FILE: Final = "votes-lost"
Reason = JournalCut | JournalEmpty | VotesLost
_READER: msgspec.json.Decoder[Reason] = msgspec.json.Decoder(Reason)


class LostVotes:
    """The note of one validator."""

    def __init__(self, folder: Path) -> None:
        self._path = folder / FILE
        self.why = _read(self._path.read_bytes()) if self._path.exists() else None  # None: nothing is lost

    def note(self, why: Reason) -> None:
        """Remember it, before anything is cut."""
        write_whole(REAL_DISK, self._path, msgspec.json.encode(why))
        self.why = why

    def stands(self) -> bool:
        """Whether something may still be lost that matters."""
        return self.why is not None

    def clear(self) -> None:
        """What was lost matters no more."""
        self._path.unlink(missing_ok=True)
        self.why = None


def _read(raw: bytes) -> Reason:
    try:
        return _READER.decode(raw)
    except msgspec.DecodeError:
        return VotesLost()
