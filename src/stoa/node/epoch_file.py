"""What a validator must never forget about epochs: the one it is in, why it began, and the one it promised to wait for.

One small file, replaced whole and synced before anybody is told. A ledger that never changed its log has none.
"""

from pathlib import Path
from typing import Final

from stoa.journal.disk import REAL_DISK, write_whole
from stoa.kernel.codec import Malformed, Shape, decoder, encode, read
from stoa.wire.status import Opening
from stoa.wire.vote import FIRST_EPOCH

FILE: Final = "epoch"


class Epochs(Shape):
    """``opening`` is None in the first epoch, and where a certificate was the reason to enter. ``entered`` is the
    height behind which that was."""

    epoch: int = FIRST_EPOCH
    promised: int = FIRST_EPOCH
    opening: Opening | None = None
    entered: int = 0


_READER: Final = decoder(Epochs)


class EpochFile:
    """The file of one validator."""

    def __init__(self, folder: Path) -> None:
        """Raises Malformed when the file is not what was written: then ask the peers, and do not guess."""
        self._path = folder / FILE
        self.known = Epochs()
        if self._path.exists():
            try:
                self.known = read(_READER, self._path.read_bytes())
            except Malformed as error:
                raise Malformed(f"{self._path}: {error.rule}") from None

    def promise(self, epoch: int) -> None:
        """No votes in epochs before this one any more."""
        known = self.known
        self._write(Epochs(known.epoch, max(known.promised, epoch), known.opening, known.entered))

    def enter(self, epoch: int, opening: Opening | None, height: int) -> None:
        """The epoch has begun."""
        self._write(Epochs(epoch, max(self.known.promised, epoch), opening, height))

    def _write(self, known: Epochs) -> None:
        write_whole(REAL_DISK, self._path, encode(known))
        self.known = known
