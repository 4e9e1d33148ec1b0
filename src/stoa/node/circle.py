"""The circle: the other validators, as this one hears them. Who is there, how far each is, and who lags.

What is heard goes on into the inbox; what is not a word, or is said in another's name, is evidence. Safe for threads.
"""

import time
from collections.abc import Callable
from typing import Final

from stoa.kernel import limits
from stoa.kernel.codec import Malformed
from stoa.node.details import FalseName, Unreadable
from stoa.node.evidence import EvidenceBook
from stoa.node.health import PeerSeen
from stoa.node.inbox import Heard, Inbox
from stoa.node.pace import Pace
from stoa.wire.status import Rooted, RootWanted, Status, Unknown, read_word

FRESH_SECONDS: Final = 3.0  # a peer heard within is there
QUOTED_BYTES: Final = 1_000  # of what was not a word


class Circle:
    """Of one validator."""

    def __init__(
        self,
        inbox: Inbox,
        evidence: EvidenceBook,
        clock: Callable[[], int],
        rooted: Callable[[str, Rooted | RootWanted], None],
    ) -> None:
        """``rooted`` takes what peers sign of their state."""
        self._rooted = rooted
        self._inbox, self._evidence, self._clock = inbox, evidence, clock
        self._heard: dict[str, tuple[Status, float]] = {}
        self._pace = Pace()

    def hear(self, sender: str, raw: bytes) -> None:
        """On a thread of the peers' own."""
        try:
            word = read_word(raw)
        except Unknown:
            return
        except Malformed as malformed:
            unread = Unreadable(malformed.rule)
            self._evidence.note(self._clock(), "malformed", sender, 0, unread, raw[:QUOTED_BYTES])
            return
        if isinstance(word, Rooted | RootWanted):
            self._rooted(sender, word)
            return
        if isinstance(word, Status):
            if word.validator != sender:
                why = FalseName(word.validator)
                self._evidence.note(self._clock(), "false_name", sender, word.height, why, raw[:QUOTED_BYTES])
                return
            if sender in self._heard or len(self._heard) < limits.MAX_VALIDATORS:
                self._heard[sender] = word, time.monotonic()
        self._inbox.put(Heard(word))

    def seen(self) -> tuple[PeerSeen, ...]:
        """Each peer as it was heard last, by name."""
        now = time.monotonic()
        return tuple(
            PeerSeen(name, status.height, status.epoch, status.block_hash, round(now - at, 3), status.version)
            for name, (status, at) in sorted(self._heard.copy().items())
        )

    def names(self) -> tuple[str, ...]:
        """Of all that were ever heard, sorted."""
        return tuple(sorted(self._heard.copy()))

    def there(self, height: int) -> set[str]:
        """Who was heard lately and is at this height or above it."""
        return {peer.validator for peer in self._fresh() if peer.height >= height}

    def pace(self, height: int) -> float:
        """Seconds to rest before the next batch, for the sake of those that are there and slower. One thread."""
        return self._pace.rest(time.monotonic(), height, {peer.validator: peer.height for peer in self._fresh()})

    def _fresh(self) -> list[PeerSeen]:
        return [peer for peer in self.seen() if peer.seconds < FRESH_SECONDS]
