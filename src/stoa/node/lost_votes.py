"""A note in the folder that votes of this validator may be lost: it must not vote as if it remembered them all.

Written and synced before the journal is cut, removed when agreement says that no vote behind the cut can matter any
more. Until then every start is one away from the quorum.
"""

from pathlib import Path
from typing import Final

from stoa.journal.disk import REAL_DISK, write_whole

FILE: Final = "votes-lost"


class LostVotes:
    """The note of one validator."""

    def __init__(self, folder: Path) -> None:
        self._path = folder / FILE
        self.why = self._path.read_text(encoding="utf-8") if self._path.exists() else ""  # empty: nothing is lost

    def note(self, why: str) -> None:
        """Remember it, before anything is cut."""
        write_whole(REAL_DISK, self._path, why.encode())
        self.why = why

    def clear(self) -> None:
        """What was lost matters no more."""
        self._path.unlink(missing_ok=True)
        self.why = ""
