"""Handing over: what came in here goes into the batches of the validator whose turn it is to gather, as long as it does
its part.

A block costs every validator a sync, a vote and a score of messages, whatever is in it, so one that gathers for all
makes few large blocks where each for himself would make many small ones. Nothing depends on it: who gathers may be
dead, slow or a liar, and then what was handed to it is taken back and put into a batch of this validator's own. A copy
that becomes final all the same is refused as a used sequence. One account's transactions stay in their order: nobody
is handed anything before what the one before him has is final or taken back.
"""

import threading
import time
from collections.abc import Callable, Iterable, Sequence
from typing import Final

from stoa.intake.gate import Gate, Waiting
from stoa.kernel import limits
from stoa.kernel.codec import Malformed, encode
from stoa.node.circle import Circle
from stoa.node.turns import Turns
from stoa.peers.promise import Peers, Silent, TooLarge
from stoa.wire.question import HandedOver, read_taken_over

ASK_SECONDS: Final = 2.0  # for who gathers to say what it takes
PATIENCE_SECONDS: Final = 8.0  # without anything handed over becoming final: longer than the log may be without leader
AVOID_SECONDS: Final = 10.0  # nothing is handed to who failed
LAG_BLOCKS: Final = 4  # who is further behind does not gather
MAX_AHEAD_MS: Final = 10_000  # that the end of a handing over may lie ahead by the clock of who gathers
MAX_HANDED: Final = 20_000  # transactions handed over and not final
FULL_SECONDS: Final = 0.1  # rest when who gathers has no room
SETTLE_SECONDS: Final = 0.2  # how long to wait at once for what was handed over


class Handing:
    """Of one validator. ``final`` is told by the thread that makes blocks, the rest is the producer's own."""

    def __init__(
        self,
        me: str,
        peers: Peers | None,
        gate: Gate,
        turns: Callable[[], Turns],
        circle: Circle,
        clock: Callable[[], int],
        forgets: Callable[[], bool] = lambda: False,
    ) -> None:
        """``turns`` are those of the moment; ``circle`` knows who is there; ``clock`` gives milliseconds.

        Who ``forgets`` may have used numbers of batches that it does not know: it gathers nothing.
        """
        self._clock, self.forgets = clock, forgets
        self._me, self._peers, self._gate, self._turns, self._circle = me, peers, gate, turns, circle
        self._moved = threading.Condition()
        self._handed: dict[bytes, tuple[int, Waiting]] = {}  # by the envelope, numbered in the order of handing over
        self._to = ""  # who has these
        self._number = 0
        self._progress = 0.0  # when something of it became final last, or was handed over to one who had nothing
        self._overtaken = self._mine = False
        self._avoided: dict[str, float] = {}
        self._closed = False
        self.count = self.returned = 0

    def __contains__(self, raw: bytes) -> bool:
        """Whether this envelope, whose signatures this node's gate has checked, was handed over and is not final."""
        return raw in self._handed

    @property
    def alone(self) -> bool:
        """Whether there is nobody to hand anything to."""
        return self._peers is None

    def whose(self) -> str:
        """Who gathers now; this validator itself if there is nobody else."""
        turns, now = self._turns(), time.monotonic()
        gathers = not self.forgets()
        if self._peers is None or (self._mine and gathers) or self._me not in turns.members:
            return self._me
        there = {*self._circle.there(turns.height - LAG_BLOCKS), *([self._me] if gathers else ())}
        fit = (name for name in turns.gatherers() if name in there and now >= self._avoided.get(name, 0.0))
        return next(fit, self._me)

    def take_over(self, sender: str, handed: HandedOver) -> int:
        """Take what another validator hands over here; how many, from the first on. On a thread of the peers' own.

        Raises PermissionError when it is no member, when this comes too late, when its clock is so far ahead that its
        own batches would be skipped (people must come to know that, as they do of those batches), and when this
        validator gathers nothing.
        """
        if self.forgets():
            raise PermissionError(f"{self._me} gathers nothing before it is back")
        if sender not in self._turns().members:
            raise PermissionError(f"{sender} is not a member")
        if not 0 <= (left := handed.until - self._clock()) <= MAX_AHEAD_MS:
            raise PermissionError(f"what {sender} hands over is good until {left} ms from now")
        return self._gate.take_over(handed.envelopes, sender)

    def settled(self, to: str) -> bool:
        """Whether ``to``, or this validator itself, may have what comes next; waits a little for it.

        What was handed over and will not become final so is back at the gate then, for a batch of its own.
        """
        with self._moved:
            if self._handed and (to != self._to or not self.room()):
                self._moved.wait_for(lambda: not self._handed or self._overtaken or self._closed, SETTLE_SECONDS)
            failed = self._overtaken or time.monotonic() - self._progress > PATIENCE_SECONDS
            if self._handed and failed:
                self._take_back()
                return False
            return not self._handed or (to == self._to and self.room() > 0)

    def hand(self, to: str, taken: Sequence[Waiting]) -> None:
        """Hand these over; what is not taken is at the gate again."""
        assert self._peers is not None
        with self._moved:
            if not self._handed:
                self._progress = time.monotonic()
            self._to = to
            for one in taken:
                self._number += 1
                self._handed[one.raw] = self._number, one
        try:
            handed = HandedOver(self._clock() + int(ASK_SECONDS * 1_000), tuple([one.raw for one in taken]))
            raw = self._peers.ask(to, encode(handed), ASK_SECONDS)
            count = read_taken_over(raw).count
        except (Silent, TooLarge, Malformed):
            with self._moved:
                self._take_back()
            return
        self.count += min(count, len(taken))
        if count < len(taken):
            self._return(taken[count:])

    def _return(self, left: Sequence[Waiting]) -> None:
        with self._moved:
            self._gate.give_back([one for one in left if self._handed.pop(one.raw, None)])
            self._moved.wait_for(lambda: self._closed, FULL_SECONDS)

    def room(self) -> int:
        """How many may be handed over at once just now."""
        return min(limits.MAX_BULK, MAX_HANDED - len(self._handed))

    def final(self, envelopes: Iterable[bytes]) -> None:
        """These are in a final block. Who gathers keeps the order, so what was handed over before them is, too."""
        if not self._handed:
            return
        with self._moved:
            last = 0
            for raw in envelopes:
                if (found := self._handed.pop(raw, None)) is not None:
                    last = found[0]
            if last:
                self._progress = time.monotonic()
                self._overtaken = bool(self._handed) and next(iter(self._handed.values()))[0] < last
            if not self._handed or self._overtaken:
                self._moved.notify_all()

    def gathered(self) -> None:
        """What waited at the gate first, so also what was taken back, is in a block of this validator's own."""
        self._mine = False

    def close(self) -> None:
        """Wait for nothing any more."""
        with self._moved:
            self._closed = True
            self._moved.notify_all()

    def _take_back(self) -> None:
        back = [one for _, one in self._handed.values()]
        self._handed.clear()
        self._avoided[self._to] = time.monotonic() + AVOID_SECONDS
        self._overtaken, self._mine = False, True
        self.returned += len(back)
        self._gate.give_back(back)
