"""Nobody outside: for whoever drives a round by hand and alone, such as a benchmark. Keeps what became final."""

from stoa.agreement.effects import Alarm, Enter, Evidence
from stoa.node.commit import FinalBlock, Skipped
from stoa.wire.batch import Batch
from stoa.wire.status import Promise, Word


class Quiet:
    """Satisfies ``round.Outside``."""

    def __init__(self) -> None:
        self.finals: list[FinalBlock] = []
        self.skips: list[Skipped] = []

    def say(self, word: Word) -> None:
        """To nobody."""

    def fetch(self, peer: str, start: int) -> None:
        """From nobody."""

    def ask_opening(self, peer: str) -> None:
        """Nobody."""

    def enter(self, enter: Enter) -> None:
        """There is one epoch."""

    def promised(self, promise: Promise) -> None:
        """There is one epoch."""

    def republish(self, batch: Batch) -> None:
        """There is one epoch."""

    def evidence(self, evidence: Evidence) -> None:
        """Against nobody."""

    def alarm(self, alarm: Alarm) -> None:
        """For nobody."""

    def skipped(self, skipped: Skipped) -> None:
        """Keep it."""
        self.skips.append(skipped)

    def final(self, final: FinalBlock) -> None:
        """Keep it."""
        self.finals.append(final)
