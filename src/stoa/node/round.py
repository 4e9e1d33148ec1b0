"""The round: carries out what ``agreement`` decides, with the verbs of ``commit``, and answers it until it rests.

Every event from outside (a batch in its place, a peer's status, a peer's blocks, a tick) goes in here, on one thread.
What concerns other validators or people goes out through ``Outside``. Does not own: threads, queues, the network.
"""

from collections import deque
from collections.abc import Callable, Sequence
from time import perf_counter
from typing import Protocol

from stoa.agreement.core import Core
from stoa.agreement.effects import (
    Alarm,
    AskOpening,
    Effect,
    Enter,
    Entry,
    Evidence,
    Execute,
    Fetch,
    Finalise,
    Halt,
    Heal,
    Keep,
    KeepPromise,
    Redo,
    Republish,
    Say,
    TakeBack,
)
from stoa.agreement.model import Past, Seats, Signer
from stoa.agreement.numbers import Numbers
from stoa.journal.journal import Journal
from stoa.kernel.base import Broken
from stoa.ledger.governance.model import QUORUM, parameter
from stoa.node.commit import Commit, FinalBlock, Skipped
from stoa.node.epoch_file import Epochs
from stoa.node.recovery import kept_tail
from stoa.node.replay import require_place, require_same
from stoa.node.sayings import said
from stoa.ordering.engine import Ordered
from stoa.wire.batch import Batch, BatchBody
from stoa.wire.block import Block, batch_head
from stoa.wire.status import Opening, Promise, Status, Word
from stoa.wire.vote import Certificate, liars_borne

Verdicts = Callable[[Sequence[bytes]], Sequence[bool | None] | None]  # on the signatures of a block's envelopes


class Diverged(Exception):
    """The state here gives another block than the one that a quorum has certified: it must be built again."""


class Outside(Protocol):
    """Who hears what a round decides. Must not block, and must not call back before it returns."""

    def say(self, word: Word) -> None:
        """Tell every other validator."""

    def fetch(self, peer: str, start: int) -> None:
        """Ask the peer for final blocks from this height on; its answer is a later event."""

    def ask_opening(self, peer: str) -> None:
        """Ask the peer why its epoch has begun; its answer is a later event."""

    def enter(self, enter: Enter) -> None:
        """Remember for good that the epoch was entered, and read its log from the beginning."""

    def promised(self, promise: Promise) -> None:
        """Remember for good what was promised, before anybody is told."""

    def republish(self, batch: Batch) -> None:
        """Publish somebody's batch again."""

    def evidence(self, evidence: Evidence) -> None:
        """A validator contradicts itself."""

    def alarm(self, alarm: Alarm) -> None:
        """People should know."""

    def skipped(self, skipped: Skipped) -> None:
        """A batch makes no block."""

    def final(self, final: FinalBlock) -> None:
        """A block is final."""


class Round:
    """One validator's chain, driven by events. One thread."""

    def __init__(self, core: Core, commit: Commit, outside: Outside, verdicts: Verdicts) -> None:
        self.core, self.commit, self._outside, self._verdicts = core, commit, outside, verdicts
        self._numbers = Numbers()
        self.position = 0  # of the last batch in the log that was judged

    # ---- events

    def start(self) -> None:
        """Once, before anything else."""
        self._do(self.core.start())

    def ordered(self, ordered: Ordered) -> None:
        """The log brought a batch. Raises what the disk raises, Broken, and Diverged; the node must not go on then."""
        self._do(self.core.entry(Entry(*ordered)))

    def heard(self, word: Word) -> None:
        """A peer told something."""
        if isinstance(word, Status):
            self._do(self.core.heard(word))
        elif isinstance(word, Promise):
            self._do(self.core.promised_by(word))
        elif isinstance(word, Opening):
            self._do(self.core.opened(word))

    def fetched(self, peer: str, blocks: Sequence[tuple[Block, Certificate]]) -> None:
        """A peer answered with blocks and certificates; with none it is no use."""
        self._do(self.core.fetched(peer, blocks))

    def promise(self, epoch: int) -> None:
        """This validator's own operator wants the epochs before this one left."""
        self._do(self.core.promise(epoch))

    def tick(self, now: int) -> None:
        """Time went on: milliseconds of a clock that only rises."""
        self._do(self.core.tick(now))

    # ---- effects

    def _do(self, effects: list[Effect]) -> None:
        todo = deque(effects)
        while todo:
            todo.extend(self._perform(todo.popleft()))

    def _perform(self, effect: Effect) -> list[Effect]:
        match effect:
            case Execute():
                return self._execute(effect)
            case Redo(block):
                self._note(self._numbers.good(batch_head(block), block.header.height))
                return self.core.executed(self._redo(block))
            case Keep(vote):
                self.commit.keep(vote)
                return self.core.kept()
            case TakeBack():
                self.commit.take_back()
            case Finalise():
                return self._finalise(effect)
            case Heal(why):
                raise Diverged(said(why))
            case Halt(why):
                raise Broken(why)
            case _:
                self._tell(effect)
        return []

    def _execute(self, effect: Execute) -> list[Effect]:
        entry = effect.entry
        admitted = self.commit.admit(Ordered(*entry), timely=not effect.forced)
        height = self.core.height + 1
        if isinstance(admitted, Skipped):
            if admitted.head is not None:
                self._note(self._numbers.stale(admitted.head, self.core.seats.keys, height))
            self.position = max(self.position, entry.position)
            if not admitted.early:
                self._outside.skipped(admitted)
            return self.core.executed(None, admitted.early)
        self._note(self._numbers.good(admitted.head, height))
        mark = perf_counter()
        verdicts = self._verdicts(admitted.batch.body.envelopes)
        self.commit.spent("verify", mark)
        header = self.commit.execute(admitted, verdicts)
        return self.core.executed(header.hash())

    def _redo(self, block: Block) -> bytes:
        """The hash that a certified block has here. The quorum vouches for its signatures, but may have refused one."""
        certified = block.header.hash()
        if self.commit.redo(block, vouched=True).hash() != certified:
            self.commit.take_back()
            return self.commit.redo(block, vouched=False).hash()
        return certified

    def _note(self, evidence: Evidence | None) -> None:
        if evidence is not None:
            self._outside.evidence(evidence)

    def _finalise(self, effect: Finalise) -> list[Effect]:
        at = self.core.at
        final = self.commit.finalise(effect.certificate)
        self.position = max(self.position, at.position) if at is not None else self.position
        self._outside.final(final)
        members = seats(self.commit)
        self._numbers.keep(members.keys)
        return self.core.finalised(members)

    def _tell(self, effect: Effect) -> None:
        outside = self._outside
        match effect:
            case Say(word):
                outside.say(word)
            case Fetch(peer, start):
                outside.fetch(peer, start)
            case AskOpening(peer):
                outside.ask_opening(peer)
            case KeepPromise(promise):
                outside.promised(promise)
            case Enter():
                self.position = 0
                outside.enter(effect)
            case Republish():
                outside.republish(self._batch())
            case Evidence():
                outside.evidence(effect)
            case Alarm():
                outside.alarm(effect)

    def _batch(self) -> Batch:
        """The batch of the executed block, as its producer signed it."""
        assert self.commit.made is not None
        return batch_of(self.commit.made.block)


def batch_of(block: Block) -> Batch:
    """The batch that a block was made of."""
    header = block.header
    body = BatchBody(header.chain, header.producer, header.number, header.batch_time, block.envelopes)
    return Batch(body, block.batch_signature)


def seats(commit: Commit) -> Seats:
    """The members of the next block."""
    keys, quorum = commit.members
    return Seats(keys, quorum, liars_borne(len(keys)) if parameter(commit.view, QUORUM) else 0)


def resumed(
    commit: Commit, journal: Journal, me: Signer, known: Epochs, away: bool = False, lost: bool = False
) -> Core:
    """Agreement as of the journal's last final block; the block that was kept behind it is executed again.

    Where that gives another block than the one that was voted for, the state was wrong before or is wrong now. One of
    several cannot tell until a block is certified: until then its vote stands, and no other is cast at this height.
    Alone, its vote has made the block final: raises Broken.
    """
    head, tail = commit.head, kept_tail(journal, commit.head.height)
    if tail is not None:
        try:
            _execute_again(commit, tail[0])
        except Broken:
            if commit.members.quorum == 1:
                raise
            commit.take_back()
            tail = None
    votes = journal.tail_votes() if journal.height > head.height else ()
    past = Past(
        head.height, head.hash(), known.epoch, known.promised, tail[1] if tail else None, votes, known.opening,
        known.entered, away, lost,
    )  # fmt: skip
    return Core(head.chain, me, seats(commit), past)


def _execute_again(commit: Commit, block: Block) -> None:
    require_place(commit.head, commit.produced, block.header)
    commit.redo(block, vouched=False)
    assert commit.made is not None
    require_same(block, commit.made.block.receipts, commit.made.writes)
