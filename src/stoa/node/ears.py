"""The ears: what peers tell, looked at before it goes to the inbox, and how each peer stood when it was heard last.

Runs on the peers' own thread. What cannot be read, or speaks under another's name, is evidence and goes no further.
Does not own: what a word means (``agreement``).
"""

import time
from collections.abc import Callable

from stoa.kernel.codec import Malformed
from stoa.node.evidence import EvidenceBook
from stoa.node.health import PeerSeen
from stoa.node.inbox import Heard, Inbox
from stoa.wire.status import Status, Word, read_word

MAX_QUOTED = 1_000  # bytes of a word that are kept as evidence


class Ears:
    """One validator's."""

    def __init__(self, inbox: Inbox, evidence: EvidenceBook, clock: Callable[[], int]) -> None:
        self._inbox, self._evidence, self._clock = inbox, evidence, clock
        self._heard: dict[str, tuple[Status, float]] = {}

    def hear(self, sender: str, raw: bytes) -> None:
        """A peer told something; the transport vouches for who it is."""
        try:
            word: Word = read_word(raw)
        except Malformed as malformed:
            self._note("malformed", sender, malformed.rule, raw)
            return
        if isinstance(word, Status):
            if word.validator != sender:
                self._note("false_name", sender, f"speaks as {word.validator}", raw)
                return
            self._heard[sender] = word, time.monotonic()
        self._inbox.put(Heard(word))

    def seen(self) -> tuple[PeerSeen, ...]:
        """Each peer as it was heard last."""
        now = time.monotonic()
        return tuple(
            PeerSeen(name, status.height, status.epoch, status.block_hash, round(now - at, 3))
            for name, (status, at) in sorted(self._heard.copy().items())
        )

    def _note(self, kind: str, sender: str, why: str, raw: bytes) -> None:
        self._evidence.note(self._clock(), kind, sender, 0, why, raw[:MAX_QUOTED])
