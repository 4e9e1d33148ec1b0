"""One validator of a simulated network: the real core on a toy ledger, with a disk, a producer, and a driver that can
die between any two effects. Satisfies in small what ``node/`` does at large."""

from collections import deque
from random import Random
from typing import Any, Final, Protocol

from stoa.agreement.core import Core
from stoa.agreement.details import Detail
from stoa.agreement.effects import (
    AskOpening,
    Effect,
    Enter,
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
from stoa.agreement.model import Past
from stoa.agreement.numbers import Numbers
from stoa.kernel import merkle
from stoa.kernel.codec import encode
from stoa.wire.batch import head_of
from stoa.wire.block import Block, batch_head
from stoa.wire.status import Opening, Word
from stoa.wire.vote import FIRST_EPOCH, Certificate, Vote
from tests.agreement.auditor import Auditor, Violated
from tests.agreement.log import LogDown, TroubledLog
from tests.agreement.toy import CHAIN, TOLERANCE_MS, Rules, Toy, batch_of, decoded, make_batch, signer

TICK_MS: Final = 100
ANSWER_BLOCKS: Final = 6  # in one answer to a peer
REPUBLISH_MS: Final = 1_000
Answer = list[tuple[Block, Certificate]]


class Crashed(BaseException):
    """The process ended between two effects."""


class Healing(BaseException):
    """The state must be built again."""


class World(Protocol):
    """What a validator lives in."""

    now: int
    morning: int
    auditor: Auditor
    names: tuple[str, ...]

    def deliver(self, sender: str, receiver: str, what: str, *args: Any) -> None: ...
    def tell(self, sender: str, word: Word) -> None: ...
    def ask_blocks(self, asker: str, peer: str, start: int) -> None: ...
    def ask_opening(self, asker: str, peer: str) -> None: ...
    def log(self, epoch: int) -> TroubledLog: ...
    def stir(self, who: str) -> None: ...


class Disk:
    """What is synced. The certificate of the last block and the state may both be lost at a crash."""

    def __init__(self) -> None:
        self.final: Answer = []
        self.tail: list[tuple[Block, Vote | None]] = []  # all that was kept behind the last final block
        self.votes: dict[tuple[int, int], bytes] = {}  # for the auditor: every vote that was ever kept
        self.epoch = self.promised = FIRST_EPOCH
        self.opening: Opening | None = None
        self.entered = 0
        self.outbox: tuple[int, tuple[bytes, ...]] | None = None

    def keep(self, block: Block, vote: Vote | None) -> None:
        self.tail.append((block, vote))
        if vote is not None:
            self.votes[vote.height, vote.epoch] = vote.block_hash

    def certify(self, certificate: Certificate) -> None:
        self.final.append((self.tail[-1][0], certificate))
        self.before, self.tail = self.tail, []

    def lose_certificate(self) -> None:
        """The last certificate and the state are gone; the block and its vote are not."""
        if self.final and not self.tail:
            self.final.pop()
            self.tail = self.before


class Validator:
    """One of them. ``now`` is the world's; its own clock may be wrong."""

    def __init__(self, name: str, world: World, rules: Rules, random: Random, depth_first: bool) -> None:
        self.name, self.world, self.random, self._depth_first = name, world, random, depth_first
        self.disk, self.signer = Disk(), signer(name)
        self.states = [Toy.genesis(rules)]
        self.up, self.paused_until = False, 0
        self.skew = 0
        self.cut_in: int | None = None  # effects until it dies
        self.work: deque[bytes] = deque()  # what clients have handed in
        self.reported = 0
        self.halted = ""
        self.alarms: dict[str, Detail | None] = {}
        self.restarts = 0
        self._numbers = Numbers()

    # ---- life

    def start(self, away: bool = False) -> None:
        """A new process over the same disk."""
        disk = self.disk
        del self.states[len(disk.final) + 1 :]
        self.states = [state._replace(broken=False) for state in self.states]
        head = self.states[-1]
        self.up, self.made, self._position = True, None, 0
        self._batch, self._published = b"", -REPUBLISH_MS
        tail = disk.tail[-1] if disk.tail else None
        vote = tail[1] if tail else None
        if tail is not None and vote is not None:
            block, after = head.execute(batch_of(tail[0]))
            if block == tail[0]:
                self.made = block, after
            else:
                vote = None  # it was executed over a broken state
        votes = tuple(one for _, one in disk.tail if one is not None)
        past = Past(
            head.head.height, head.head_hash, disk.epoch, disk.promised, vote, votes, disk.opening, disk.entered, away
        )
        self.core = Core(CHAIN, self.signer, head.rules.seats(), past)
        if self.honest:
            self.world.auditor.stands(self.name, head.head.height, head.head_hash, self.reported)
        self._restarted = self.world.now
        self.do(self.core.start())

    def crash(self) -> None:
        self.up, self.cut_in = False, None
        self.restarts += 1
        if self.random.random() < 0.4:
            self.disk.lose_certificate()

    @property
    def honest(self) -> bool:
        return self.name not in self.world.auditor.liars

    @property
    def height(self) -> int:
        return len(self.disk.final)

    # ---- events

    def tick(self) -> None:
        self.do(self.core.tick(self.world.now))
        self.read_log()
        self.produce()

    def read_log(self) -> None:
        while self.core.wants_entries:
            entry = self.world.log(self.core.epoch).read(self.name, self._position)
            if entry is None:
                return
            self._position = entry.position
            self.do(self.core.entry(entry))

    def hear(self, word: Word) -> None:
        match word:
            case Opening():
                self.do(self.core.opened(word))
            case _ if hasattr(word, "height") and hasattr(word, "tail"):
                self.do(self.core.promised_by(word))  # type: ignore[arg-type]
            case _:
                self.do(self.core.heard(word))  # type: ignore[arg-type]
        self.read_log()

    def answered(self, peer: str, blocks: Answer) -> None:
        self.do(self.core.fetched(peer, blocks))
        self.read_log()

    def promise(self, epoch: int) -> None:
        self.do(self.core.promise(epoch))

    def answer(self, asker: str, start: int) -> Answer | None:
        """None: no answer at all."""
        return self.disk.final[start - 1 : start - 1 + ANSWER_BLOCKS]

    # ---- the producer

    @property
    def clock(self) -> int:
        return self.world.morning + self.world.now + self.skew

    def produced(self) -> int:
        """The number of its last batch in a final block."""
        return self.states[-1].produced.get(self.name, 0)

    def is_member(self) -> bool:
        return self.name in self.states[-1].rules.members

    def make_batch(self, number: int, envelopes: tuple[bytes, ...]) -> bytes:
        return make_batch(self.name, number, self.clock, envelopes)

    def produce(self) -> None:
        """One batch in flight, with the same content under its number for good, published until it makes a block."""
        number = self.produced() + 1
        outbox = self.disk.outbox
        if outbox is None or outbox[0] < number:
            if not self.work or not self.is_member():
                return
            taken = tuple(self.work.popleft() for _ in range(min(len(self.work), self.random.randint(1, 3))))
            outbox = self.disk.outbox = number, taken
            self._batch, self._published = b"", -REPUBLISH_MS
        if self.world.now - self._published < REPUBLISH_MS:
            return
        if not self._batch or abs(decoded(self._batch).body.time - self.clock) > TOLERANCE_MS // 2:
            self._batch = self.make_batch(*outbox)
        self.publish(self._batch)

    def publish(self, batch: bytes) -> None:
        self._published = self.world.now
        try:
            self.world.log(self.core.epoch).publish(self.name, self.world.morning + self.world.now, batch)
        except LogDown:
            return
        self.world.stir(self.name)

    # ---- effects

    def do(self, effects: list[Effect]) -> None:
        todo = deque(effects)
        while todo:
            answers = self._perform(todo.popleft())
            if self._depth_first:
                todo.extendleft(reversed(answers))
            else:
                todo.extend(answers)

    def _perform(self, effect: Effect) -> list[Effect]:
        if self.cut_in is not None:
            self.cut_in -= 1
            if self.cut_in < 0:
                if self.random.random() < 0.5 and isinstance(effect, Keep | KeepPromise | Enter | Finalise):
                    self.perform(effect)
                raise Crashed
        return self.perform(effect)

    def perform(self, effect: Effect) -> list[Effect]:
        handler: Any = getattr(self, f"_do_{type(effect).__name__.lower()}", None)
        return (handler(effect) if handler is not None else None) or []

    def _do_execute(self, effect: Execute) -> list[Effect]:
        entry, state = effect.entry, self.states[-1]
        batch = decoded(entry.batch)
        admitted, early = state.admit(entry.time, batch, timely=not effect.forced)
        head, height = head_of(batch, merkle.root(batch.body.envelopes)), state.head.height + 1
        if not admitted:
            self._note(self._numbers.stale(head, self.core.seats.keys, height))
            return self.core.executed(None, early)
        self._note(self._numbers.good(head, height))
        return self._made(*state.execute(batch))

    def _note(self, evidence: Evidence | None) -> None:
        if evidence is not None:
            self._do_evidence(evidence)

    def _do_redo(self, effect: Redo) -> list[Effect]:
        self._note(self._numbers.good(batch_head(effect.block), effect.block.header.height))
        return self._made(*self.states[-1].execute(batch_of(effect.block)))

    def _made(self, block: Block, after: Toy) -> list[Effect]:
        if self.made is not None:
            raise Violated("one_tail", f"{self.name} executes a second block")
        self.made = block, after
        return self.core.executed(after.head_hash)

    def _do_keep(self, effect: Keep) -> list[Effect]:
        assert self.made is not None
        self.disk.keep(self.made[0], effect.vote)
        return self.core.kept()

    def _do_takeback(self, effect: TakeBack) -> None:
        self.made = None

    def _do_finalise(self, effect: Finalise) -> list[Effect]:
        assert self.made is not None
        block, after = self.made
        if self.honest:
            self.world.auditor.final(self.name, block, effect.certificate)
        self.disk.certify(effect.certificate)
        self.states.append(after)
        self.made = None
        self.reported = max(self.reported, self.height)
        self._published = -REPUBLISH_MS
        return self.core.finalised(after.rules.seats())

    def _do_say(self, effect: Say) -> None:
        if self.honest:
            self.world.auditor.said(self.name, effect.word, self.disk.votes)
        self.world.tell(self.name, effect.word)

    def _do_fetch(self, effect: Fetch) -> None:
        self.world.ask_blocks(self.name, effect.peer, effect.start)

    def _do_askopening(self, effect: AskOpening) -> None:
        self.world.ask_opening(self.name, effect.peer)

    def _do_keeppromise(self, effect: KeepPromise) -> None:
        self.disk.promised = max(self.disk.promised, effect.promise.epoch)

    def _do_enter(self, effect: Enter) -> None:
        disk = self.disk
        disk.epoch, disk.opening, disk.entered = effect
        disk.promised = max(disk.promised, effect.epoch)
        self._position, self._published = 0, -REPUBLISH_MS

    def _do_republish(self, effect: Republish) -> None:
        assert self.made is not None
        self.publish(encode(batch_of(self.made[0])))

    def _do_alarm(self, effect: Any) -> None:
        self.alarms[effect.kind] = effect.detail

    def _do_evidence(self, effect: Evidence) -> None:
        if self.honest:
            self.world.auditor.accused(self.name, effect)

    def _do_heal(self, effect: Heal) -> None:
        if self.honest and not self.states[-1].broken:
            raise Violated("health", f"{self.name} heals, and nothing is wrong with it: {effect.why}")
        raise Healing

    def _do_halt(self, effect: Halt) -> None:
        if self.honest:
            raise Violated("halt", f"{self.name}: {effect.why}")
        self.halted = effect.why
        raise Crashed
