"""One validator, running: threads that cut batches, read the log and make blocks final, and what doors may ask it.

Doors submit bytes and wait for receipts; they read the state from snapshots, each on its own thread. Nothing they do
can stop the loop; a fault of its own stops the node, is kept as ``failure`` and ends every wait. Alone on one machine
or one of several, the pipeline is the same: what differs is in ``Links``.
"""

import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from contextlib import ExitStack, closing
from functools import partial
from pathlib import Path
from typing import Final

from stoa.agreement.core import Core
from stoa.agreement.effects import Alarm
from stoa.intake.gate import Gate
from stoa.journal import Journal, Lender, faults
from stoa.journal.disk import REAL_DISK, Disk
from stoa.kernel import signing
from stoa.kernel.base import Broken
from stoa.ledger.governance.model import CHECKPOINT_BLOCKS, QUORUM, parameter
from stoa.node import snapshot
from stoa.node.answers import Answers
from stoa.node.checkpoints import Checkpoints
from stoa.node.circle import Circle
from stoa.node.commit import Commit, FinalBlock, Listener, Skipped
from stoa.node.details import JournalCut, Objection
from stoa.node.doors import Doors
from stoa.node.epoch_file import EpochFile
from stoa.node.evidence import EvidenceBook
from stoa.node.finality import Finality, Validator, require_alone
from stoa.node.handing import Handing
from stoa.node.health import RULES, Network
from stoa.node.history import History
from stoa.node.inbox import Corrupt, Fetched, Heard, Inbox, Leave
from stoa.node.joining import Joining
from stoa.node.keepers import Lenders, Terms
from stoa.node.keeping import Keeping
from stoa.node.links import Links, alone
from stoa.node.log import LOG, log_block
from stoa.node.lost_votes import LostVotes
from stoa.node.mending import Mending
from stoa.node.others import Others
from stoa.node.outbox import Outbox
from stoa.node.places import Places
from stoa.node.producer import Cut, Producer
from stoa.node.recovery import Progress, bring_up
from stoa.node.round import Diverged, Round, resumed
from stoa.node.sayings import said
from stoa.node.turns import Turns
from stoa.node.verifier import Verifier
from stoa.node.voice import Voice
from stoa.node.waking import JOURNAL_FOLDER as JOURNAL_FOLDER
from stoa.node.waking import SNAPSHOT_FOLDER as SNAPSHOT_FOLDER
from stoa.node.waking import STATE_FOLDER as STATE_FOLDER
from stoa.node.waking import wake
from stoa.ordering.engine import Engine, LogClosed, LogFull, Ordered
from stoa.peers.promise import Peers

MAX_SKIPPED: Final = 100  # skipped batches kept to be looked at
IDLE_SECONDS: Final = 0.2
TICK_SECONDS: Final = 0.05
DUE_PATIENCE_MS: Final = 500  # for each validator whose turn comes first to do what falls due


def wall_clock() -> int:
    """Milliseconds since 1970, UTC."""
    return time.time_ns() // 1_000_000


class Node(Doors):
    """A validator. ``start`` it, ``close`` it."""

    _lenders: Lenders | None = None

    def __init__(
        self,
        folder: Path,
        validator: Validator,
        processes: int = 0,
        clock: Callable[[], int] = wall_clock,
        progress: Progress | None = None,
        links: Callable[[str], Links] | None = None,
        disk: Disk = REAL_DISK,
    ) -> None:
        """Open the journal in the folder and bring the state up to it. Raises NoJournal, Occupied, Broken, and Damaged
        when the validator is alone.

        ``processes`` check signatures beside this one. Without ``links``, which are asked for by the ledger's name, the
        validator is alone.
        """
        self.folder, self._clock, self.validator, self._disk = folder, clock, validator, disk
        self._linked = links or (lambda _: alone(clock))
        self._tied: Links | None = None
        with ExitStack() as opened:
            self.journal, self.store, view, standing, close = wake(
                folder, disk, progress, processes, bool(links), self._lender
            )
            opened.callback(close)
            self.chain = self.journal.chain
            self.finality = Finality(self.chain, validator)
            self.history = History(validator.institution, self.journal, self.finality, self.reader)
            self._epochs, self._lost = EpochFile(folder), LostVotes(folder)
            self._commit = Commit(view, self.store, self.journal, self.journal.header(standing.height), standing)
            self.verifier = opened.enter_context(Verifier(processes))
            core = self._resumed(away=False)
            self._opened = opened.pop_all()
        self.gate = Gate(self.chain, clock)
        self._links = self._tie(self.chain)
        self.engine: Engine = self._links.engine(self._epochs.known.epoch, self._commit.read_back())
        self.peers: Peers | None = self._links.peers
        self.history.peers = self.peers
        self.skipped: deque[Skipped] = deque(maxlen=MAX_SKIPPED)
        self.skips, self.failure = 0, ""
        self.evidence = EvidenceBook(folder)
        self._opened.callback(self.evidence.close)
        self._inbox = Inbox()
        self._inbox.enter(self._epochs.known.epoch)
        self._circle = Circle(self._inbox, self.evidence, clock, lambda name, word: self._checkpoints.heard(name, word))
        self.voice = Voice(
            self.peers, self._inbox, self._epochs, self.evidence, clock, self._final, self._skip, self._entered,
            self._publish, self._circle.names,
        )  # fmt: skip
        self._take_care()
        self._seconds_before, self._final_before = dict(self._commit.seconds), time.monotonic()
        self._round = Round(core, self._commit, self.voice, self._verified)
        self._listeners: list[Listener] = []
        self.healed, self._healed = 0, -1  # times the state was built again, and at which height last
        self._places, self._producer = Places(), self._made_producer()
        self._stopping = threading.Event()
        self._threads = self._made_threads()
        if self.peers is None:
            self._round.start()  # alone, what was kept is final

    def _take_care(self) -> None:
        """What sees in the background that everything is there and right."""
        me, snapshots = self.validator.institution, self.folder / SNAPSHOT_FOLDER
        write = partial(snapshot.write, snapshots, self.chain)
        self._checkpoints = Checkpoints(
            self.store, self.journal, self.finality, self.voice.say, lambda why: self._inbox.put(Corrupt(why)),
            write if self.peers else None, self.voice.evidence, self.store.unclosed and self.peers is not None,
        )  # fmt: skip
        self.others = Others(me, self.chain, self.peers, self.reader)
        self.keeping = Keeping(me, self.journal, self.peers, self.others, self._terms)
        if self._lenders is not None:
            self._lenders.members = self._members
        self.mending = Mending(self.journal, self.others, self.voice.alarm)

    def _made_producer(self) -> Producer:
        me, clock = self.validator.institution, self._clock
        self.handing = Handing(me, self.peers, self.gate, self._turns, self._circle, clock, self._lost.stands)
        outbox = self._opened.enter_context(closing(Outbox(self.folder, self._disk))) if self.peers else None
        return Producer(
            self.chain, self.validator, self.gate, self._cut, clock, self._produced(), self.handing, outbox,
            lambda: self._circle.pace(self._commit.head.height),
        )  # fmt: skip

    def _members(self) -> list[str]:
        return sorted(self._commit.members.keys)

    def _terms(self) -> Terms:
        with self.reader() as view:
            return Terms.of(view)

    def _tie(self, chain: str) -> Links:
        self._tied = self._tied or self._linked(chain)
        return self._tied

    def _lender(self, journal: Journal) -> Lender | None:
        peers = self._tie(journal.chain).peers
        if peers is None:
            return None
        if journal.height == 0:
            lost = LostVotes(self.folder)
            Joining(self.validator.institution, journal, peers, self.folder / SNAPSHOT_FOLDER, lost).run()
        self._lenders = Lenders(self.validator.institution, journal, peers)
        return self._lenders.block

    def _made_threads(self) -> list[threading.Thread]:
        works = {
            "batches": self._cut_batches,
            "log": self._read_log,
            "blocks": self._make_blocks,
            "checkpoints": lambda: self._checkpoints.run(self._stopping),
            "scrub": lambda: self.mending.run(self._stopping),
            "bodies": lambda: self.keeping.run(self._stopping),
        }
        return [
            threading.Thread(target=self._guarded, args=(work,), name=f"stoa-{name}", daemon=True)
            for name, work in works.items()
        ]

    def _resumed(self, away: bool) -> Core:
        """Agreement as of the last final block."""
        me, known, lost = self.finality.signer(), self._epochs.known, self._lost.why is not None
        return resumed(self._commit, self.journal, me, known, away, lost)

    # running

    def start(self) -> None:
        """Begin to take transactions and make blocks. Raises CannotValidate."""
        if self.peers is None:
            require_alone(self._commit.members, self.validator)
        else:
            voting_key = signing.public_key(self.validator.secret)
            answers = Answers(
                self.journal, self.folder / SNAPSHOT_FOLDER, lambda: self._epochs.known.opening, voting_key,
                self.leave_epoch, self.keeping.keeps, self.history.shown, self.handing.take_over,
            )  # fmt: skip
            self.peers.listen(self._circle.hear, answers.answer)
        for thread in self._threads:
            thread.start()

    def close(self) -> None:
        """Stop after the block at hand, and close what is open. Raises Fatal."""
        self._stop()
        for thread in self._threads:
            if thread.is_alive():
                thread.join()
        self._opened.close()

    def listen(self, listener: Listener) -> None:
        """Call this after every block that becomes final, on the node's own thread: be brief. What it raises is logged
        and changes nothing."""
        self._listeners.append(listener)

    def _stop(self) -> None:
        self._stopping.set()
        self.gate.close()
        self.engine.close()
        self._inbox.close()
        self.voice.close()
        self._producer.close()
        self._places.close()

    def _guarded(self, work: Callable[[], None]) -> None:
        try:
            work()
        except Exception as error:  # noqa: BLE001 - whatever it was, the node must stop and say so
            self.failure = self.failure or faults.said(error)
            self.store.doubt()
            LOG.critical("stopped", failure=self.failure, exc_info=True)
            self._stop()

    def _cut_batches(self) -> None:
        self._producer.run(lambda: self.engine)

    def _produced(self) -> int:
        return self._commit.produced.get(self.validator.institution, 0)

    def _cut(self) -> Cut:
        with self.reader() as view:
            return Cut.of(view, self._turns().before(self.validator.institution) * DUE_PATIENCE_MS)

    def _turns(self) -> Turns:
        return Turns(self._members(), self._commit.head.height)

    def _read_log(self) -> None:
        """Bring batches from the log of the epoch at hand; what is known already is skipped."""
        while not self._stopping.is_set():
            engine, epoch, position = self.engine, self._epochs.known.epoch, 0
            while engine is self.engine and not self._stopping.is_set():
                ordered = engine.read(position, IDLE_SECONDS)
                if ordered is not None and self._inbox.put_batch(ordered, epoch):
                    position = ordered.position

    def _make_blocks(self) -> None:
        if self.peers is not None:
            self.voice.alarm(Alarm(JournalCut.kind, self._lost.why))
            self._round.start()
        while not self._stopping.is_set():
            happening = self._inbox.take(self._round.core.wants_entries, TICK_SECONDS)
            try:
                self._happen(happening)
                self._round.tick(time.monotonic_ns() // 1_000_000)
            except Diverged as diverged:
                self._heal(diverged)
            if self._lost.why is not None and not self._round.core.away:
                self._lost.clear()
                self.voice.alarm(Alarm(JournalCut.kind, None))
            self._producer.seen(self._round.position, self._produced())

    def _happen(self, happening: object) -> None:
        match happening:
            case Ordered():
                self._round.ordered(happening)
            case Heard(word):
                self._round.heard(word)
            case Fetched(peer, blocks):
                self._round.fetched(peer, blocks)
            case Leave(epoch):
                self._round.promise(epoch)
            case Corrupt(why) if why.height > self._healed:  # else it was signed before the state was built again
                self.voice.alarm(Alarm(why.kind, why))
                raise Diverged(said(why))

    def _heal(self, diverged: Diverged) -> None:
        """Build the state again from the journal, whose blocks are certified; a second time for one block is a bug."""
        height, seconds = self._commit.head.height, self._commit.seconds
        if height == self._healed:
            raise Broken(str(diverged))
        self._healed = height
        LOG.error("healing", height=height, why=str(diverged))
        self.store.clear()
        snapshot.load(self.folder / SNAPSHOT_FOLDER, self.journal, self.store)
        view, standing = bring_up(self.store, self.journal)
        self._commit = Commit(view, self.store, self.journal, self.journal.header(standing.height), standing)
        self._commit.seconds = seconds
        self._round = Round(self._resumed(away=True), self._commit, self.voice, self._verified)
        self._entered()  # what was read of the log is gone with the round
        self.voice.renewed()
        self._round.start()
        self.healed += 1

    def _final(self, final: FinalBlock) -> None:
        self._checkpoints.final(final.block.header.height, parameter(self._commit.view, CHECKPOINT_BLOCKS))
        if final.block.header.producer == self.validator.institution:
            self.voice.alarm(Alarm(Objection.kind, None))
        self.handing.final(final.block.envelopes)
        self._producer.seen(self._round.position, self._produced())
        self._announce(final)
        spent, now = self.seconds(), time.monotonic()
        stages = {stage: spent[stage] - self._seconds_before[stage] for stage in spent}
        log_block(final, now - self._final_before, stages)
        self._seconds_before, self._final_before = spent, now

    def _skip(self, skipped: Skipped) -> None:
        self.skipped.append(skipped)
        self.skips += 1
        tell = LOG.warning if skipped.evidence else LOG.debug  # copies are many after every start
        tell("skipped", position=skipped.position, who=skipped.producer, number=skipped.number, why=said(skipped.why))
        if skipped.evidence:
            mine = skipped.producer == self.validator.institution and self._producer.in_flight
            if mine and Objection.kind not in self.voice.alarms:
                self.voice.alarm(Alarm(Objection.kind, skipped.why))
            what = skipped.evidence, skipped.by, self._commit.head.height + 1, skipped.why
            self.evidence.note(self._clock(), *what, skipped.proof)

    def _entered(self) -> None:
        """The log of another epoch is read from now on."""
        epoch, before = self._epochs.known.epoch, self.engine
        self.engine = self._links.engine(epoch, self._commit.read_back())
        self._inbox.enter(epoch)
        before.close()
        self._producer.seen(0, self._produced())

    def _publish(self, batch: bytes) -> None:
        """Publish somebody's batch again, for as long as it takes."""
        while not self._stopping.is_set():
            try:
                self.engine.publish(batch)
                return
            except LogFull as full:
                self._stopping.wait(full.retry_ms / 1_000)
            except LogClosed:
                return

    def _verified(self, envelopes: Sequence[bytes]) -> list[bool | None]:
        """Verdicts: what this node's own gate has checked is not checked again; the rest is checked in processes of
        their own, or, where there are none, when the block is executed."""
        passed = [self._producer.vouched(raw) for raw in envelopes]
        unknown = [raw for raw, known in zip(envelopes, passed, strict=True) if not known]
        asked = self.verifier.ahead(unknown)
        found = dict(zip(unknown, asked.get().verdicts, strict=True)) if asked else {}
        return [True if known else found.get(raw) for raw, known in zip(envelopes, passed, strict=True)]

    def _announce(self, final: FinalBlock) -> None:
        self._places.note(final)
        for listener in self._listeners:
            try:
                listener(final)
            except Exception:  # noqa: BLE001 - a door's fault is not the ledger's
                LOG.error("listener", height=final.block.header.height, exc_info=True)

    # what doors ask, beside ``Doors``

    def network(self) -> Network:
        """How this validator stands among the others."""
        core, counts = self._round.core, self._links.counts
        produced = tuple(sorted(self._commit.produced.items()))
        with self.reader() as view:
            rule = parameter(view, QUORUM)
        return Network(
            self.validator.institution, self.peers is None, self._commit.head.height, core.epoch, RULES[rule],
            core.seats.quorum, tuple(sorted(core.seats.keys)), self._circle.seen(), produced, core.away,
            dict(self.voice.alarms), self.evidence.count, self._producer.in_flight, self._inbox.unread,
            self._inbox.dropped, self.engine.condition(), counts() if counts else None,
        )  # fmt: skip

    def leave_epoch(self, epoch: int) -> None:
        """This validator's operator wants the epochs before this one left; when a quorum has promised so, it begins."""
        self._inbox.put(Leave(epoch))

    def seconds(self) -> dict[str, float]:
        """Time spent in each stage of making blocks so far."""
        return dict(self._commit.seconds)
