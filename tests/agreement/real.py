"""Validators of a simulated network that are real but for disk, network and log: the round, the commit loop, the
journal, recovery, the ledger and its signatures. Five institutions of the hall."""

from collections.abc import Callable
from pathlib import Path
from random import Random
from typing import Any, Final, NamedTuple

from stoa.agreement.effects import Alarm, AskOpening, Enter, Evidence, Fetch, Say
from stoa.journal import Journal, inspect
from stoa.journal.flaws import Authority
from stoa.kernel.codec import encode
from stoa.ledger.genesis import encode_genesis
from stoa.ledger.memory import MemoryFinal
from stoa.ledger.settlement.issue import Issue
from stoa.ledger.state import State
from stoa.node.commit import Commit, FinalBlock, Skipped
from stoa.node.epoch_file import Epochs
from stoa.node.finality import Finality
from stoa.node.finality import Validator as Voter
from stoa.node.recovery import belongs, bring_up, found_state
from stoa.node.round import Diverged, Round, resumed
from stoa.ordering.engine import Ordered
from stoa.wire.batch import Batch, BatchBody, sign_batch
from stoa.wire.block import Block
from stoa.wire.status import Promise, Word
from stoa.wire.vote import Certificate, certificate_valid, majority
from tests.agreement.auditor import Auditor, Violated
from tests.agreement.toy import Rules
from tests.agreement.universe import Plan, Universe
from tests.agreement.validator import ANSWER_BLOCKS, REPUBLISH_MS, Answer, Crashed, Healing, Validator
from tests.journal.simulated_disk import PowerCut, SimulatedDisk
from tests.ledger.hall import CHAIN, START, account, public, secret, send
from tests.node.script import Recorder, root_of
from tests.node.simulated_store import SimulatedStore

FOLDER: Final = Path("journal")
SEGMENT_BYTES: Final = 8_000
SEATS: Final = ("KSD", "BROKER-A", "BROKER-B", "AGENT", "BANK")
KEYS: Final = {name: public(f"{name} votes") for name in SEATS}
PEOPLE: Final = ("kim", "lee")


class Script(NamedTuple):
    """Genesis, what sets the hall up in order, and transfers in any."""

    genesis: bytes
    first: tuple[bytes, ...]
    transfers: tuple[bytes, ...]


class Stage(Recorder):
    """A recorder whose hall five institutions validate."""

    def __init__(self) -> None:
        super().__init__(SEATS)


def script(transfers: int) -> Script:
    hall = Stage()
    hall.cash()
    for name in PEOPLE:
        hall.person(name)
    hall.block(*(hall.signed("BANK", Issue("USD", account(name), 1_000, 0, 0)) for name in PEOPLE))
    first = tuple(envelope for played in hall.played for envelope in played.envelopes)
    rest = [
        hall.signed(PEOPLE[at % 2], send(PEOPLE[at % 2], PEOPLE[1 - at % 2], 1 + at, "USD")) for at in range(transfers)
    ]
    return Script(encode_genesis(hall.genesis), first, tuple(rest))


class RealAuditor(Auditor):
    """Judges by hashes: what a block must give, the validators' own recovery and the journal's inspection judge."""

    def __init__(self) -> None:
        super().__init__(Rules(SEATS, byzantine=False), ())
        self.blocks: list[Block] = []

    @property
    def height(self) -> int:
        return len(self.blocks)

    def final(self, who: str, block: Block, certificate: Certificate) -> None:
        height = block.header.height
        if height > self.height + 1:
            raise Violated("agreement", f"{who} has block {height} final, and nobody has the one before")
        if height == self.height + 1:
            self.count(block)
            self.blocks.append(block)
        if self.blocks[height - 1] != block:
            raise Violated("agreement", f"{who} has another final block {height}")
        if certificate.block_hash != block.header.hash() or not certificate_valid(
            CHAIN, certificate, KEYS, majority(len(KEYS))
        ):
            raise Violated("certificates", f"{who} has no valid certificate for block {height}")

    def stands(self, who: str, height: int, head: bytes, reported: int) -> None:
        if height < reported - 1 or height > self.height:
            raise Violated("durability", f"{who} reported block {reported} final and starts behind {height}")
        if height and self.blocks[height - 1].header.hash() != head:
            raise Violated("durability", f"{who} starts behind another block {height}")

    def may_produce(self, who: str) -> bool:
        return True


class RealValidator(Validator):
    """Drives a real round; satisfies ``round.Outside``."""

    def __init__(self, name: str, world: "RealUniverse", random: Random) -> None:
        self.files = SimulatedDisk(random.randrange(2**32))
        super().__init__(name, world, Rules(SEATS, byzantine=False), random, depth_first=False)
        self.voter = Voter(name, secret(f"{name} votes"))
        self.store = SimulatedStore(self.files)
        self.epochs = Epochs()
        header, _ = found_state(State(MemoryFinal()), world.script.genesis)
        Journal.create(FOLDER, world.script.genesis, header, self.files, SEGMENT_BYTES).close()

    @property
    def cut_in(self) -> int | None:
        return self.files.cut_in

    @cut_in.setter
    def cut_in(self, operations: int | None) -> None:
        self.files.cut_in = operations

    @property
    def height(self) -> int:
        return self.commit.head.height if self.up else 0

    def start(self, away: bool = False) -> None:
        self._dying(self._start, away)

    def _start(self, away: bool) -> None:
        self.up, self._position = True, 0
        self._batch, self._published = b"", -REPUBLISH_MS
        if away:
            self.store.remove()
            self.journal.close()
        self.journal = Journal.open(FOLDER, self.files, segment_bytes=SEGMENT_BYTES)
        standing = self.store.standing()
        if standing is not None and not belongs(standing, self.journal):
            self.store.remove()
        view, standing = bring_up(self.store, self.journal)
        self.commit = Commit(view, self.store, self.journal, self.journal.header(standing.height), standing)
        self.core = resumed(self.commit, self.journal, Finality(CHAIN, self.voter).signer(), self.epochs, away)
        self.round = Round(self.core, self.commit, self, lambda _: None)
        self.world.auditor.stands(self.name, self.height, self.commit.head.hash(), self.reported)
        self.round.start()

    def crash(self) -> None:
        self.up = False
        self.restarts += 1
        if self.random.random() < 0.7:
            self.files.power_cut()
        else:
            self.files.process_killed()
        self.store.crash()

    def _dying(self, what: Callable[..., None], *args: Any) -> None:
        """One event of a process; the power may go within it."""
        try:
            what(*args)
        except PowerCut:
            raise Crashed from None
        except Diverged:
            raise Healing from None

    # ---- events

    def tick(self) -> None:
        self._dying(self.round.tick, self.world.now)
        self.read_log()
        self.produce()

    def read_log(self) -> None:
        while self.core.wants_entries:
            entry = self.world.log(self.core.epoch).read(self.name, self._position)
            if entry is None:
                return
            self._position = entry.position
            self._dying(self.round.ordered, Ordered(*entry))

    def hear(self, word: Word) -> None:
        self._dying(self.round.heard, word)
        self.read_log()

    def answered(self, peer: str, blocks: Answer) -> None:
        self._dying(self.round.fetched, peer, blocks)
        self.read_log()

    def promise(self, epoch: int) -> None:
        self._dying(self.round.promise, epoch)

    def answer(self, asker: str, start: int) -> Answer | None:
        last = min(self.journal.final, start - 1 + ANSWER_BLOCKS)
        return [(block, certificate) for block, certificate in self.journal.replay(start, last) if certificate]

    def produced(self) -> int:
        return self.commit.produced.get(self.name, 0)

    def is_member(self) -> bool:
        return True

    def make_batch(self, number: int, envelopes: tuple[bytes, ...]) -> bytes:
        return encode(sign_batch(BatchBody(CHAIN, self.name, number, self.clock, envelopes), self.voter.secret))

    # ---- Outside

    def say(self, word: Word) -> None:
        kept = {}
        if self.journal.synced > self.commit.head.height:
            kept = {(vote.height, vote.epoch): vote.block_hash for vote in self.journal.tail_votes()}
        self.world.auditor.said(self.name, word, kept)
        self._do_say(Say(word))

    def _do_say(self, effect: Say) -> None:
        self.world.tell(self.name, effect.word)

    def fetch(self, peer: str, start: int) -> None:
        self._do_fetch(Fetch(peer, start))

    def ask_opening(self, peer: str) -> None:
        self._do_askopening(AskOpening(peer))

    def enter(self, enter: Enter) -> None:
        self.files.step()
        self.epochs = Epochs(enter.epoch, max(self.epochs.promised, enter.epoch), enter.opening, enter.height)
        self.disk.opening = enter.opening
        self._position, self._published = 0, -REPUBLISH_MS

    def promised(self, promise: Promise) -> None:
        self.files.step()
        known = self.epochs
        self.epochs = Epochs(known.epoch, max(known.promised, promise.epoch), known.opening, known.entered)

    def republish(self, batch: Batch) -> None:
        self.publish(encode(batch))

    def evidence(self, evidence: Evidence) -> None:
        self._do_evidence(evidence)

    def alarm(self, alarm: Alarm) -> None:
        self._do_alarm(alarm)

    def skipped(self, skipped: Skipped) -> None:
        """Nobody looks at it here."""

    def final(self, final: FinalBlock) -> None:
        self.world.auditor.final(self.name, final.block, final.certificate)
        self.reported = final.block.header.height
        self._published = -REPUBLISH_MS


class RealUniverse(Universe):
    """A plan carried out by real validators."""

    morning = START + 60_000

    def __init__(self, plan: Plan) -> None:
        self.script = script(len(plan.work))
        super().__init__(plan)

    def judge(self) -> Auditor:
        return RealAuditor()

    def make(self, name: str, random: Random) -> Validator:
        return RealValidator(name, self, random)

    def members(self) -> tuple[str, ...]:
        return SEATS

    def inspect(self) -> None:
        """At the end: all have the same rows, and journals in which nothing is wrong."""
        roots = []
        for one in self.validators.values():
            assert isinstance(one, RealValidator)
            roots.append(root_of(one.store))
            one.cut_in = None
            one.journal.close()
            report = inspect(FOLDER, Authority(KEYS, KEYS, majority(len(KEYS))), disk=one.files)
            assert report.ok, (one.name, report.damages)
            assert report.blocks >= self.auditor.height
        assert len(set(roots)) == 1
