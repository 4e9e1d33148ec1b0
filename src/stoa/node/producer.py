"""The producer: cuts batches from what waits at the gate, publishes each, and sees it become a block; or hands what
waits over to the validator whose turn it is to gather (``handing``).

One batch is in flight at a time. An engine may lose what it accepted, so a batch of which nothing is heard is published
again, byte for byte, and one that made no block is signed again with a newer time. Only these envelopes ever bear its
number, and at most one copy makes a block. With peers that holds across a crash: the batch is kept in the outbox before
it is published.
"""

import threading
import time
from collections.abc import Callable
from typing import Final, NamedTuple

from stoa.intake.gate import Gate, Waiting
from stoa.kernel.codec import encode
from stoa.ledger import due
from stoa.ledger.governance.model import BATCH_BYTES, BATCH_LINGER_MS, BATCH_TRANSACTIONS, parameter
from stoa.ledger.state import State
from stoa.node.finality import Validator
from stoa.node.handing import Handing
from stoa.node.outbox import Outbox
from stoa.ordering.engine import Engine, LogClosed, LogFull
from stoa.wire.batch import BatchBody, read_batch, sign_batch

IDLE_SECONDS: Final = 0.2  # how long nothing may come before due work is looked for
REPUBLISH_SECONDS: Final = 1.0
FRESH_SECONDS: Final = (
    1.0  # without a place: then it is signed with a newer time, or the log's next leader gets an old one
)
SKIPPED_SECONDS: Final = 0.05  # rest after a batch that made no block, so that a lasting reason does not busy the node
GATHER_PART: Final = 0.75  # of the time that is meant for a batch to fill, where others' transactions come with a delay
HAND_SECONDS: Final = 0.02  # what waits is handed over after the rest of it and not sooner than this: messages cost too
MAX_SKIPPED_SECONDS: Final = 2.0  # it doubles up to this: every one of them is evidence in the books of all members


class Cut(NamedTuple):
    """How batches are cut just now: governed numbers, whose bounds keep a batch within what every node accepts."""

    most: int
    most_bytes: int
    linger: float  # seconds
    due: int | None  # when this producer cuts a batch for the next work that falls due, in milliseconds

    @classmethod
    def of(cls, view: State, patience_ms: int = 0) -> "Cut":
        """As of the view. ``patience_ms`` is how long others are let do first what falls due."""
        next_due = due.next_due(view)
        most, most_bytes, linger = (
            parameter(view, name) for name in (BATCH_TRANSACTIONS, BATCH_BYTES, BATCH_LINGER_MS)
        )
        return cls(most, most_bytes, linger / 1_000, None if next_due is None else next_due + patience_ms)


class Producer:
    """One thread runs it; the thread that makes blocks tells it what it has ``seen``."""

    def __init__(
        self,
        chain: str,
        validator: Validator,
        gate: Gate,
        cut: Callable[[], Cut],
        clock: Callable[[], int],
        produced: int,
        handing: Handing,
        outbox: Outbox | None = None,
        pace: Callable[[], float] = lambda: 0.0,
    ) -> None:
        """``pace`` says for how many seconds to rest before the next batch, for the sake of slower validators."""
        self._handing, self._outbox, self._pace = handing, outbox, pace
        self._chain, self._validator, self._gate, self._cut, self._clock = chain, validator, gate, cut, clock
        self._produced, self._position = produced, 0
        self._seen = threading.Condition()
        self._closed = False
        self.in_flight = 0  # batches that are published and of which nothing final is known
        self._passed: frozenset[bytes] = frozenset()  # envelopes in flight that this node's own gate has let in

    def run(self, engine: Callable[[], Engine]) -> None:
        """Until closed. ``engine`` is the log of the epoch at hand."""
        self._await_memory(engine)
        self._publish_left_over(engine)
        while not self._closed:
            self._rest(self._pace())
            cut, to = self._cut(), self._handing.whose()
            is_due = cut.due is not None and cut.due <= self._clock()
            if to != self._validator.institution and is_due:
                self._published(engine, [])  # what waits keeps its way and its order
            elif self._handing.settled(to):
                if to == self._validator.institution:
                    self._gather(engine, cut, is_due)
                else:
                    self._hand(engine, to, cut)

    def _await_memory(self, engine: Callable[[], Engine]) -> None:
        """Sign nothing before it is known which numbers were used: another content under one is what a liar signs. What
        comes in here meanwhile is handed over."""
        while self._handing.forgets() and not self._closed:
            to = self._handing.whose()
            if to == self._validator.institution:
                self._rest(SKIPPED_SECONDS)
            elif self._handing.settled(to):
                self._hand(engine, to, self._cut())

    def _gather(self, engine: Callable[[], Engine], cut: Cut, is_due: bool) -> None:
        linger = cut.linger if self._handing.alone else cut.linger * GATHER_PART
        taken = self._gate.take(cut.most, cut.most_bytes, linger, 0.0 if is_due else IDLE_SECONDS)
        if not (taken or is_due):
            return
        if self._published(engine, taken):
            self._handing.gathered()
        else:
            self._gate.give_back(taken)

    def _hand(self, engine: Callable[[], Engine], to: str, cut: Cut) -> None:
        """What came in here goes to who gathers; what came to this one for that, late, into a batch of its own."""
        linger = max(cut.linger * (1 - GATHER_PART), HAND_SECONDS)
        taken = self._gate.take(min(cut.most, self._handing.room()), cut.most_bytes, linger, IDLE_SECONDS)
        mine, theirs = [one for one in taken if not one.sender], [one for one in taken if one.sender]
        if mine:
            self._handing.hand(to, mine)
        if theirs and not self._published(engine, theirs):
            self._gate.give_back(theirs)

    def vouched(self, raw: bytes) -> bool:
        """Whether this node's own gate has checked the signatures of the envelope, which is under way."""
        return raw in self._passed or raw in self._handing

    def seen(self, position: int, produced: int) -> None:
        """The log was read up to this position, and then this producer's last batch in a block has this number."""
        with self._seen:
            self._position, self._produced = position, produced
            self._seen.notify_all()

    def close(self) -> None:
        """Cut no more, and wait for nothing."""
        self._handing.close()
        with self._seen:
            self._closed = True
            self._seen.notify_all()

    def _published(self, engine: Callable[[], Engine], taken: list[Waiting]) -> bool:
        """Whether a batch of these became a block; False only at the end of all things."""
        envelopes = tuple([one.raw for one in taken])
        self._passed = frozenset([one.raw for one in taken if not one.sender])
        return self._made(engine, self._produced + 1, envelopes)

    def _publish_left_over(self, engine: Callable[[], Engine]) -> None:
        """What was in flight when the process before this one ended, if it may still make a block."""
        raw = self._outbox.left_over() if self._outbox is not None else b""
        if raw:
            body = read_batch(raw).body
            if body.producer == self._validator.institution and body.number == self._produced + 1:
                self._made(engine, body.number, body.envelopes)

    def _made(self, engine: Callable[[], Engine], number: int, envelopes: tuple[bytes, ...]) -> bool:
        """Publish a batch of these under the number until it has made a block. Whether it has.

        Nothing else is ever signed under the number: an older copy may still make the block, and two contents under one
        number are what a liar signs. Only the time is new where the one before made no block.
        """
        self.in_flight, rest = 1, SKIPPED_SECONDS
        while self._produced < number and not self._closed:
            body = BatchBody(self._chain, self._validator.institution, number, self._clock(), envelopes)
            raw = encode(sign_batch(body, self._validator.secret))
            if self._outbox is not None:
                self._outbox.keep(raw)
            if self._publish(engine, number, raw) and self._produced < number:
                self._rest(rest)
                rest = min(2 * rest, MAX_SKIPPED_SECONDS)
        self.in_flight = 0
        return self._produced >= number

    def _publish(self, engine: Callable[[], Engine], number: int, raw: bytes) -> bool:
        """Publish these bytes until they have made a block, or a place of theirs was read and they have not. False if
        the log took none for so long that their time is old by now."""
        settled, until = False, time.monotonic() + FRESH_SECONDS
        while not settled and not self._closed:
            if time.monotonic() > until:
                return False
            try:
                position = engine().publish(raw)
            except LogFull as full:
                self._rest(full.retry_ms / 1_000)
            except LogClosed:  # it is over, or another epoch's log takes its place
                self._rest(SKIPPED_SECONDS)
            else:
                settled = self._is_settled(number, position)
                until = time.monotonic() + FRESH_SECONDS
        return True

    def _is_settled(self, number: int, position: int) -> bool:
        """Wait until the batch has made a block, or until its place was read and it has not."""
        with self._seen:
            self._seen.wait_for(lambda: self._closed or self._is_read(number, position), REPUBLISH_SECONDS)
            return self._is_read(number, position)

    def _is_read(self, number: int, position: int) -> bool:
        return self._produced >= number or self._position >= position

    def _rest(self, seconds: float) -> None:
        if seconds:
            with self._seen:
                self._seen.wait_for(lambda: self._closed, seconds)
