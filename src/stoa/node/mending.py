"""Mending: the journal is read again in the background, and what went bad in silence is put back from the others.

Owns the pace, the alarm ``damage`` and the counts. A block, certificate or checkpoint comes back only with the hash
that this journal itself holds for it and the signatures of a quorum. What is not final yet waits until it is. Alone,
damage is told and stays.
"""

import threading
from collections.abc import Callable
from typing import Final

from stoa.agreement.effects import Alarm
from stoa.journal import Damage, Damaged, Journal, NotNext, Scrub, restore
from stoa.journal.restoring import Restored
from stoa.node.details import JournalDamaged
from stoa.node.log import LOG
from stoa.node.others import Others

SCRUB_BYTES: Final = 256 * 1024  # read at once
SCRUB_REST_SECONDS: Final = 0.25  # between two reads: a mebibyte a second, a day for 80 GiB
MAX_KNOWN: Final = 1_000  # places that were told already


class Mending:
    """Of one open journal."""

    def __init__(self, journal: Journal, others: Others, alarm: Callable[[Alarm], None]) -> None:
        self._journal, self._others, self._alarm = journal, others, alarm
        self._known: dict[tuple[str, int], None] = {}
        self._clean = True  # so far in this round
        self.found = self.mended = self.rounds = 0

    def run(self, stopping: threading.Event) -> None:
        """Until the node stops. Raises Fatal, DiskFull."""
        scrub = Scrub(self._journal)
        while not stopping.wait(SCRUB_REST_SECONDS):
            damages = scrub.step(SCRUB_BYTES)
            for damage in damages:
                self._note(damage)
            for height in sorted({damage.height for damage in damages}, reverse=True):
                self.mend(height)  # from the end: each header vouches for the block before it
            if scrub.rounds > self.rounds:
                self.rounds = scrub.rounds
                if self._clean:
                    self._known.clear()
                    self._alarm(Alarm(JournalDamaged.kind, None))
                self._clean = True

    def _note(self, damage: Damage) -> None:
        self._clean = False
        place = damage.segment, damage.offset
        if place in self._known:
            return
        if len(self._known) < MAX_KNOWN:
            self._known[place] = None
        self.found += 1
        LOG.error("damaged", segment=damage.segment, offset=damage.offset, height=damage.height, why=damage.why)
        detail = JournalDamaged(damage.height, damage.segment, damage.offset, damage.field)
        self._alarm(Alarm(detail.kind, detail))

    def mend(self, height: int) -> bool:
        """Put back what is damaged of this final block; False when that cannot be done, now or here."""
        if not 1 <= height <= self._journal.final:
            return False
        pieces = self._pieces(height)
        try:
            if pieces:
                restore(self._journal, pieces)
        except (Damaged, NotNext) as why:
            LOG.error("unmended", height=height, why=str(why))
            return False
        if pieces:
            self.mended += 1
            LOG.warning("mended", height=height, pieces=[type(piece).__name__ for piece in pieces])
        return bool(pieces)

    def _pieces(self, height: int) -> list[Restored]:
        pieces: list[Restored] = list(self._others.block(height) or ())
        try:
            self._journal.latest_checkpoint(height)
        except Damaged:
            checkpoint = self._others.checkpoint(height)
            if checkpoint is not None and checkpoint.height == height:
                pieces.append(checkpoint)
        return pieces
