"""One universe: validators, their network, their logs, and what goes wrong, all from a plan; a plan from a seed."""

import heapq
from collections.abc import Callable
from random import Random
from typing import Any, Final, NamedTuple

from stoa.agreement.details import SeveralPossible
from stoa.wire.status import Word
from tests.agreement.auditor import Auditor, Violated
from tests.agreement.liar import Liar
from tests.agreement.log import TroubledLog
from tests.agreement.toy import Rules
from tests.agreement.validator import TICK_MS, Answer, Crashed, Healing, Validator

ASK_MS: Final = 4_000  # after which a question counts as not answered
OPERATORS_MS: Final = 8_000  # without a final block for so long, people open a new epoch
PATIENT_MS: Final = 60_000  # after the last fault everything must be final within
NAMES: Final = "ABCDEFGH"


class Fault(NamedTuple):
    """Something that goes wrong: what, when, for how long, to whom, how much."""

    kind: str
    at: int
    lasts: int
    who: tuple[str, ...]
    much: int


class Plan(NamedTuple):
    """A universe's parameters. ``liars`` with what each does; ``work`` is (when, who, what)."""

    seed: int
    members: int
    byzantine: bool
    joiner: bool
    depth_first: bool
    liars: tuple[tuple[str, tuple[str, ...]], ...]
    faults: tuple[Fault, ...]
    work: tuple[tuple[int, str, bytes], ...]
    length: int


class Universe:
    """Satisfies ``validator.World``. ``morning`` is what the clocks show at first: not 0, so that they can go back."""

    morning = 1_000_000

    def __init__(self, plan: Plan) -> None:
        self.plan, self.random, self.now = plan, Random(plan.seed), 0
        self._queue: list[tuple[int, int, Callable[..., None], tuple[Any, ...]]] = []
        self._count = self.steps = 0
        self._logs: dict[int, TroubledLog] = {}
        self.names = self.members()
        self.auditor = self.judge()
        self.validators = {name: self.make(name, Random(f"{plan.seed} {name}")) for name in self.names}
        self._cut: dict[tuple[str, str], int] = {}  # (from, to) cut, so many times over
        self._loss = self._slow = 0
        self._last = (0, 0)  # the highest final block, and since when
        self.given: list[tuple[str, bytes]] = []

    def members(self) -> tuple[str, ...]:
        """All who are there, also who is no member yet."""
        return tuple(NAMES[: self.plan.members + self.plan.joiner])

    def judge(self) -> Auditor:
        return Auditor(self._rules(), tuple(name for name, _ in self.plan.liars))

    def make(self, name: str, random: Random) -> Validator:
        lies = dict(self.plan.liars).get(name)
        if lies is not None:
            return Liar(name, self, self._rules(), random, self.plan.depth_first, lies)
        return Validator(name, self, self._rules(), random, self.plan.depth_first)

    def _rules(self) -> Rules:
        return Rules(tuple(NAMES[: self.plan.members]), self.plan.byzantine)

    # ---- time

    def at(self, when: int, what: Callable[..., None], *args: Any) -> None:
        self._count += 1
        heapq.heappush(self._queue, (when, self._count, what, args))

    def run(self) -> "Universe":
        """To the end. Raises Violated."""
        for validator in self.validators.values():
            self.at(0, self._start, validator)
            self.at(self.random.randint(1, TICK_MS), self._tick, validator)
        for fault in self.plan.faults:
            self.at(fault.at, self._begin, fault)
        for when, who, what in self.plan.work:
            self.at(when, self._hand_in, who, what)
        self.at(self.plan.length, self._calm)
        limit = self.plan.length + PATIENT_MS
        while self._queue:
            self.now, _, what, args = heapq.heappop(self._queue)
            self.steps += 1
            what(*args)
            if self.now > self.plan.length and self.steps % 64 == 0 and self._unfinished() == "":
                return self
            if self.now > limit:
                name = "undecided" if self._is_undecided() else "liveness"
                raise Violated(name, f"{self._unfinished()}\n{self.picture()}")
        raise Violated("liveness", "nothing happens any more")

    def _unfinished(self) -> str:
        honest = [one for one in self.validators.values() if one.honest]
        heights = [one.height if one.up else -1 for one in honest]
        if min(heights) < self.auditor.height:
            return f"heights {dict(zip([one.name for one in honest], heights, strict=True))}"
        missing = [what for who, what in self.given if self.auditor.may_produce(who) and not self.auditor.holds(what)]
        return f"not final: {missing}" if missing else ""

    def _is_undecided(self) -> bool:
        """Whether no promises can show which of several blocks is final: too many honest members voted for each of
        them, because the log showed them different things, and so many liars as the quorum bears may have voted twice.
        To stand still is right then. A quorum that is larger than half of the members and twice the liars never does,
        as long as all members promise.
        """
        seats = self.auditor.states[-1].rules.seats()
        stuck = [one for one in self.validators.values() if isinstance(one.alarms.get("epoch"), SeveralPossible)]
        return (
            seats.liars > 0
            and len(stuck) > len(seats.keys) - seats.quorum
            and (bool(self.plan.liars) or 2 * (seats.quorum - seats.liars) <= len(seats.keys))
        )

    def picture(self) -> str:
        """Where everybody stands."""
        lines = []
        for one in self.validators.values():
            core = one.core
            tail = core.tail and (
                core.tail.block_hash.hex()[:6],
                core.tail.vote and core.tail.vote.epoch,
                core.tail.kept,
            )
            lines.append(
                f"  {one.name} up={one.up} height={core.height} epoch={core.epoch} promised={core.promised}"
                f" forced={core._forced.hex()[:6]} mute={core._mute} tail={tail} away={core.away}"
                f" entries={len(core._entries)} {one.alarms} {one.disk.outbox and one.disk.outbox[0]}"
            )
        return "\n".join(lines)

    # ---- validators

    def _guard(self, validator: Validator, what: Callable[..., None], *args: Any) -> None:
        """One event of one process; it may die of it."""
        if not validator.up:
            return
        try:
            what(*args)
        except Healing:
            self._guard(validator, validator.start, True)
        except Crashed:
            validator.crash()
            if not validator.halted:
                self.at(self.now + self.random.randint(50, 2_000), self._start, validator)

    def _start(self, validator: Validator) -> None:
        if not validator.up:
            validator.up = True
            self._guard(validator, validator.start)

    def _tick(self, validator: Validator) -> None:
        self.at(self.now + TICK_MS, self._tick, validator)
        if self.now >= validator.paused_until:
            self._guard(validator, validator.tick)

    def _event(self, name: str, what: str, *args: Any) -> None:
        """Something reaches a validator, once it is awake."""
        validator = self.validators[name]
        if self.now < validator.paused_until:
            self.at(validator.paused_until + self.random.randint(0, 50), self._event, name, what, *args)
            return
        self._guard(validator, getattr(validator, what), *args)

    def _hand_in(self, who: str, what: bytes) -> None:
        self.validators[who].work.append(what)
        if self.validators[who].honest:
            self.given.append((who, what))

    def _promise(self, validator: Validator, epoch: int) -> None:
        if validator.up and self.now >= validator.paused_until:
            self._guard(validator, validator.promise, epoch)

    # ---- the network

    def _delay(self) -> int:
        return self.random.randint(1, 60) + (self.random.randint(0, self._slow) if self._slow else 0)

    def deliver(self, sender: str, receiver: str, what: str, *args: Any) -> None:
        """Perhaps, once or twice, in some order."""
        if self._cut.get((sender, receiver), 0) or self.random.random() * 100 < self._loss:
            return
        self.at(self.now + self._delay(), self._event, receiver, what, *args)
        if self._loss and self.random.random() < 0.1:
            self.at(self.now + self._delay() * 3, self._event, receiver, what, *args)

    def tell(self, sender: str, word: Word) -> None:
        for name in self.validators:
            if name != sender:
                self.deliver(sender, name, "hear", word)

    def ask_blocks(self, asker: str, peer: str, start: int) -> None:
        waiting = [True]
        self.at(self.now + ASK_MS, self._no_answer, asker, peer, waiting)
        if not self._cut.get((asker, peer), 0):
            self.at(self.now + self._delay(), self._asked, asker, peer, start, waiting)

    def _asked(self, asker: str, peer: str, start: int, waiting: list[bool]) -> None:
        validator = self.validators[peer]
        if not validator.up or self.now < validator.paused_until or self._cut.get((peer, asker), 0):
            return
        answer = validator.answer(asker, start)
        if answer is not None:
            self.at(self.now + self._delay(), self._answered, asker, peer, answer, waiting)

    def _answered(self, asker: str, peer: str, answer: Answer, waiting: list[bool]) -> None:
        if waiting[0]:
            waiting[0] = False
            self._event(asker, "answered", peer, answer)

    def _no_answer(self, asker: str, peer: str, waiting: list[bool]) -> None:
        self._answered(asker, peer, [], waiting)

    def ask_opening(self, asker: str, peer: str) -> None:
        if self._cut.get((asker, peer), 0):
            return
        opening = self.validators[peer].disk.opening
        if opening is not None:
            self.deliver(peer, asker, "hear", opening)

    # ---- the log

    def log(self, epoch: int) -> TroubledLog:
        return self._logs.setdefault(epoch, TroubledLog())

    def stir(self, who: str) -> None:
        """Something is new in the log."""
        for name in self.validators:
            self.at(self.now + self.random.randint(1, 40), self._event, name, "read_log")

    # ---- faults

    def _begin(self, fault: Fault) -> None:
        handler = getattr(self, f"_{fault.kind}")
        handler(fault)

    def _newest(self) -> TroubledLog:
        return self.log(max(self._logs, default=1))

    def _crash(self, fault: Fault) -> None:
        for name in fault.who:
            validator = self.validators[name]
            if validator.up and fault.much:
                validator.cut_in = fault.much
            elif validator.up:
                validator.crash()
                self.at(self.now + fault.lasts, self._start, validator)

    def _pause(self, fault: Fault) -> None:
        for name in fault.who:
            self.validators[name].paused_until = self.now + fault.lasts

    def _partition(self, fault: Fault) -> None:
        self._cuts(fault, both=True)

    def _one_way(self, fault: Fault) -> None:
        self._cuts(fault, both=False)

    def _cuts(self, fault: Fault, both: bool) -> None:
        inside, outside = fault.who, [name for name in self.validators if name not in fault.who]
        for one in inside:
            for other in outside:
                for pair in ((one, other), (other, one)) if both else ((one, other),):
                    self._cut[pair] = self._cut.get(pair, 0) + 1
                    self.at(self.now + fault.lasts, self._join, pair)

    def _join(self, pair: tuple[str, str]) -> None:
        self._cut[pair] = max(0, self._cut.get(pair, 0) - 1)

    def _lossy(self, fault: Fault) -> None:
        self._loss = fault.much
        self.at(self.now + fault.lasts, setattr, self, "_loss", 0)

    def _sluggish(self, fault: Fault) -> None:
        self._slow = fault.much * 20
        self.at(self.now + fault.lasts, setattr, self, "_slow", 0)

    def _skew(self, fault: Fault) -> None:
        for name in fault.who:
            validator = self.validators[name]
            validator.skew = (fault.much - 50) * 400
            self.at(self.now + fault.lasts, setattr, validator, "skew", 0)

    def _corrupt(self, fault: Fault) -> None:
        for name in fault.who:
            states = self.validators[name].states
            states[-1] = states[-1]._replace(broken=True)

    def _lose(self, fault: Fault) -> None:
        self._newest().lose(1 + fault.much % 4)

    def _lose_within(self, fault: Fault) -> None:
        self._newest().lose_within(1 + fault.much % 4)

    def _fork(self, fault: Fault) -> None:
        self._newest().fork(fault.who)
        self.at(self.now + fault.lasts, self._newest().heal)

    def _stale(self, fault: Fault) -> None:
        self._newest().stale = 1 + fault.much % 3

    def _repeat(self, fault: Fault) -> None:
        self._newest().repeat(self.morning + self.now, fault.much)

    def _wipe(self, fault: Fault) -> None:
        self._newest().wipe()

    def _down(self, fault: Fault) -> None:
        self._newest().down = True
        self.at(self.now + fault.lasts, self._newest().heal)

    def _deaf(self, fault: Fault) -> None:
        self._newest().deaf.update(dict.fromkeys(fault.who))
        self.at(self.now + fault.lasts, self._newest().deaf.clear)

    def _heist(self, fault: Fault) -> None:
        """Only one validator hears votes, some others not even the log; then it vanishes, and the rest open an epoch,
        some of them dying on the way."""
        one, blind = fault.who[0], fault.who[1:]
        rest = tuple(name for name in self.names if name != one)
        for pair in [(a, b) for a in self.names for b in rest if a != b]:
            self._cut[pair] = self._cut.get(pair, 0) + 1
            self.at(self.now + fault.lasts, self._join, pair)
        self._newest().deaf.update(dict.fromkeys(blind))
        self.at(self.now + fault.lasts, self._newest().deaf.clear)
        gone = Fault("partition", 0, 3_000 + fault.much * 40, (one,), 0)
        self.at(self.now + fault.lasts - 1, self._partition, gone)
        self.at(self.now + fault.lasts, self._reopen, Fault("reopen", 0, 300, rest, 0))
        self.at(self.now + fault.lasts, self._newest().deaf.update, {one: None})
        self.at(self.now + fault.lasts + gone.lasts, self._newest().deaf.clear)
        if fault.much % 3 == 0:
            self.at(self.now + fault.lasts, self._crash, Fault("crash", 0, 0, rest[:2], 1 + fault.much // 3))
        if fault.much % 3 == 1:
            dark = Fault("crash", 0, 500, rest, 0)
            self.at(self.now + fault.lasts + 250 + fault.much * 3, self._crash, dark)

    def _reopen(self, fault: Fault) -> None:
        """Some operators promise, perhaps too few."""
        epoch = max(one.core.epoch for one in self.validators.values() if one.honest) + 1
        for name in fault.who:
            self.at(self.now + self.random.randint(0, fault.lasts), self._promise, self.validators[name], epoch)

    # ---- the end of all faults

    def _calm(self) -> None:
        self._cut.clear()
        self._loss = self._slow = 0
        for log in self._logs.values():
            log.heal()
        for validator in self.validators.values():
            validator.paused_until = validator.skew = 0
            validator.cut_in = None
            if not validator.halted:
                self.at(self.now + self.random.randint(0, 500), self._start, validator)
        self._last = self.auditor.height, self.now
        self.at(self.now + 1_000, self._operate)

    def _operate(self) -> None:
        """People: when nothing has become final for long, and something should, they open a new epoch."""
        self.at(self.now + 1_000, self._operate)
        if self.auditor.height > self._last[0]:
            self._last = self.auditor.height, self.now
        if self.now - self._last[1] >= OPERATORS_MS:
            self._last = self.auditor.height, self.now
            honest = [one for one in self.validators.values() if one.honest]
            epoch = max(max(one.core.epoch, one.core.promised) for one in honest) + 1
            for one in self.validators.values():
                self.at(self.now + self.random.randint(0, 300), self._promise, one, epoch)
