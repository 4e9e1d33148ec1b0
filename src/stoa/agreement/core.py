"""The core: one validator's next step, whatever happens. Every event is a method, every answer a list of effects.

At any time at most one block is executed and not final: the tail. It is kept (journal and vote on disk), voted for, and
either finalised, when a quorum has voted for its hash, or taken back, when a quorum has voted for another. Certificates
beat the log: what a quorum has certified is fetched from peers where the log does not bring it.
"""

from collections import deque
from collections.abc import Iterator, Sequence
from typing import Final

from stoa.agreement.alarms import Alarms
from stoa.agreement.around import Around
from stoa.agreement.ballot import Ballot
from stoa.agreement.details import AnotherHash, NoQuorum, PromisesNothing
from stoa.agreement.effects import (
    AskOpening,
    Effect,
    Enter,
    Entry,
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
from stoa.agreement.epochs import NotYet, Promises, forced_by
from stoa.agreement.model import Past, Seats, Signer, Tail
from stoa.agreement.returning import Return
from stoa.agreement.shown import Fetched, Shown, certifies, judged
from stoa.wire.block import Block
from stoa.wire.status import Opening, Promise, Status
from stoa.wire.vote import Certificate, Vote

MAX_ENTRIES: Final = 16  # batches read from the log and not yet executed; at this number the log is read no further
MAX_PASSED: Final = 16  # batches that may make a later block
HEARTBEAT_MS: Final = 250  # how often a standing, and with it the newest vote, is told again
PATIENCE_MS: Final = 1_000  # how long a certified block may fail to come from the log before it is fetched
LAG_BLOCKS: Final = 8  # how far ahead a peer may be before its blocks are fetched without patience
STALL_MS: Final = 3_000  # without a quorum after a vote for so long, people are told


class Core:
    """One validator. Not safe for threads: one drives it, and answers each effect before the next event."""

    def __init__(self, chain: str, me: Signer, seats: Seats, past: Past) -> None:
        self.chain, self.me, self.seats = chain, me, seats
        self.height, self.head, self.epoch, self.promised = past.height, past.head, past.epoch, past.promised
        self.tail = Tail(past.tail.block_hash, past.tail, kept=True) if past.tail else None
        self.away = past.away or past.lost  # left the quorum: executes, keeps, votes only when it has followed along
        self.around = Around()
        self._return = Return(me.name, past.lost)
        self.at: Entry | None = None  # the batch that is executed, or is the tail
        self._cast = {vote.epoch: vote for vote in past.votes}  # own votes at the next height
        self._ballot = Ballot(chain)
        self._ballot.turn(self.height + 1, seats.keys)
        self._entries: deque[Entry] = deque()
        self._passed: deque[Entry] = deque(maxlen=MAX_PASSED)  # not the next block, and may be one behind it
        self._fetched: deque[Fetched] = deque()  # of the next heights, without a gap
        self._redoing: Certificate | None = None
        self._executing = False
        self._wanted: Certificate | None = None  # of the next block, if a quorum has voted already
        self._doubted: dict[str, None] = {}  # peers with another hash at this height, that were asked to show it
        self._behind = self._stalled = self._now = self._said = self._turned = 0
        self._alarms = Alarms()
        self._mine: Promise | None = None
        self._promises = Promises(chain, past.epoch, past.opening, past.entered)
        self._forced, self._mute = b"", False  # what the epoch binds this validator to at this height
        self._bind(unknown=True)

    def start(self) -> list[Effect]:
        """After the driver has everything ready: a kept vote counts, and is told again."""
        for vote in self._cast.values():
            self._ballot.take(vote, self.height + 1, self.seats.keys)
        return [*self._repeat(), *self._settle_tail()]

    @property
    def wants_entries(self) -> bool:
        """Whether the driver should read the log further."""
        return len(self._entries) < MAX_ENTRIES

    # ---- the log

    def entry(self, entry: Entry) -> list[Effect]:
        """The log brought a batch."""
        self._entries.append(entry)
        return self._next()

    def executed(self, block_hash: bytes | None, early: bool = False) -> list[Effect]:
        """The batch or block was executed and gave this hash; None: it makes no block. ``early``: it may make one
        behind blocks that are missing here."""
        self._executing = False
        if self._redoing is not None:
            return self._redone(block_hash)
        if block_hash is None:
            self._passed.extend([self.at] if early and self.at is not None else ())
            self.at = None
            return self._next()
        due = self._wanted.block_hash if self._wanted else self._forced
        if due and block_hash != due:
            return [self._take_back(), *self._next()]
        return self._keep(block_hash)

    def _take_back(self) -> TakeBack:
        """The batch at hand is not the next block. It may be a later one."""
        if self.at is not None:
            self._passed.append(self.at)
        self.tail = self.at = None
        return TakeBack()

    def _redone(self, block_hash: bytes | None) -> list[Effect]:
        certificate, self._redoing = self._redoing, None
        assert certificate is not None
        if block_hash == certificate.block_hash:
            self.tail = Tail(block_hash, None, kept=False)
            return [Keep(None)]
        why = AnotherHash(certificate.height, certificate.block_hash.hex())
        return [TakeBack(), *self._alarms.ring(why), Heal(why)]

    def _keep(self, block_hash: bytes) -> list[Effect]:
        self.tail = Tail(block_hash, self._vote(block_hash), kept=False)
        return [Keep(self.tail.vote)]

    def _vote(self, block_hash: bytes) -> Vote | None:
        """This validator's vote, if it may cast one: as a member in step with the others, bound by no promise, and not
        against its own word."""
        cast = self._cast.get(self.epoch)
        if cast is not None:
            return cast if cast.block_hash == block_hash else None
        if self.me.name not in self.seats.keys or self.away or self._mute or self.promised > self.epoch:
            return None
        self._cast[self.epoch] = vote = self.me.vote(self.height + 1, block_hash, self.epoch)
        return vote

    def kept(self) -> list[Effect]:
        """The tail and its vote are on disk."""
        assert self.tail is not None
        self.tail = self.tail._replace(kept=True)
        self._stalled = self._now
        if self.tail.vote is None:
            return self._agreed()
        self._ballot.take(self.tail.vote, self.height + 1, self.seats.keys)
        return [self._say(), *self._agreed()]

    def finalised(self, seats: Seats) -> list[Effect]:
        """The tail is final here and told; these are the members of the block behind it."""
        certificate, before = self._wanted, self.seats
        assert self.tail is not None
        assert certificate is not None
        self.height, self.head, self.seats = self.height + 1, self.tail.block_hash, seats
        self.tail = self._wanted = self.at = None
        self._behind = self._now
        self._cast.clear()
        self._doubted.clear()
        if self._fetched:
            self._fetched.popleft()
        self._again()
        self.around.keep(seats.keys)
        effects: list[Effect] = list(self._alarms.calm("split", "diverged"))
        effects += self._ballot.settle(certificate, before.keys)
        self._ballot.turn(self.height + 1, seats.keys)
        if not self._fetched and self._return.may_vote(self.height, seats):
            self.away, effects = False, [*effects, *self._alarms.calm("epoch")]
        if certificate.epoch > self.epoch:
            return [*effects, *self._enter(certificate.epoch, None, unknown=seats != before)]
        self._bind()
        return [*effects, *self._agreed()]

    def _again(self) -> None:
        """What was passed over may come next now."""
        self._entries.extendleft(reversed(self._passed))
        self._passed.clear()

    def _next(self) -> list[Effect]:
        """What to execute now, if anything."""
        if self.tail is not None or self._executing:
            return []
        if self._fetched:
            return self._take_fetched()
        if self._entries:
            self._executing, self.at = True, self._entries.popleft()
            return [Execute(self.at, self._forced)]
        return []

    def _take_fetched(self) -> list[Effect]:
        block, certificate, peer = self._fetched[0]
        match self._judged():
            case Shown.NEXT:
                self._redoing, self._executing, self.at = certificate, True, None
                self._wanted = certificate
                return [Redo(block)]
            case Shown.FORK:
                return [Halt(f"{peer} shows {Shown.FORK.value}: block {self.height + 1}")]
        return [*self._useless(), *self._next()]

    # ---- votes

    def heard(self, status: Status) -> list[Effect]:
        """A peer told where it stands."""
        peer = status.validator
        if status.chain != self.chain or peer not in self.seats.keys or peer == self.me.name:
            return []
        self.around.peers[peer] = status
        self._return.heard(status, self.seats)
        effects: list[Effect] = []
        if status.height == self.height and status.block_hash != self.head and peer not in self._doubted:
            self._doubted[peer] = None
            effects.append(Fetch(peer, self.height))  # its certificate would show who is wrong
        if status.vote is not None and status.vote.validator == peer:
            effects += self.voted(status.vote)
        return effects

    def voted(self, vote: Vote) -> list[Effect]:
        """A vote arrived from whoever cast it."""
        evidence = self._ballot.take(vote, self.height + 1, self.seats.keys)
        agreed = self._agreed() if vote.height == self.height + 1 else []
        return [evidence, *agreed] if evidence else agreed

    def _agreed(self) -> list[Effect]:
        """Finalise the tail if a quorum has voted for it; take it back if a quorum has voted for another block."""
        if self._wanted is None:
            self._wanted = self._ballot.certificate(self.height + 1, self.seats.quorum)
        if self._wanted is None or self.tail is None:
            return self._next()
        if self.tail.block_hash == self._wanted.block_hash:
            return [Finalise(self._wanted)] if self.tail.kept else []
        return [self._take_back(), *self._next()]

    # ---- peers' blocks

    def fetched(self, peer: str, blocks: Sequence[tuple[Block, Certificate]]) -> list[Effect]:
        """A peer answered with final blocks, oldest first; none: it did not answer, or has none."""
        self.around.answered(peer)
        before = len(self._fetched)
        for block, certificate in blocks:
            if block.header.height == self.height and self._shows_fork(block, certificate):
                return [Halt(f"{peer} shows a certificate for another block {self.height} than the one that is final")]
            if block.header.height == self.height + 1 + len(self._fetched):
                self._fetched.append(Fetched(block, certificate, peer))
        if len(self._fetched) == before:
            self.around.failed(peer)
        if self.tail is None or not self._fetched:
            return self._next()
        if self._judged() is Shown.USELESS:
            return self._useless()
        self._wanted = self._fetched[0].certificate
        return self._agreed()

    def _useless(self) -> list[Effect]:
        """The peer's block is not the certified next one. Nothing that was fetched is used."""
        self.around.failed(self._fetched[0].peer)
        self._fetched.clear()
        return []

    def _judged(self) -> Shown:
        block, certificate, _ = self._fetched[0]
        return judged(self.chain, self.seats, self.height, self.head, block, certificate)

    def _shows_fork(self, block: Block, certificate: Certificate) -> bool:
        """Whether a quorum has also voted for another block than the one that is final here."""
        return block.header.hash() != self.head and certifies(self.chain, self.seats, self.height, block, certificate)

    def _fetch(self) -> list[Effect]:
        """Ask a peer that is ahead, one at a time."""
        peer = "" if self._fetched else self.around.whom(self.height, self._now)
        return [Fetch(peer, self.height + 1)] if peer else []

    # ---- time

    def tick(self, now: int) -> list[Effect]:
        """Time went on; ``now`` is in milliseconds of a clock that only rises."""
        self._now = now
        effects: list[Effect] = []
        if now - self._said >= HEARTBEAT_MS:
            effects += self._repeat()
        self.around.late(now)
        lead = self.around.lead(self.height)
        if lead <= 0:
            self._behind = now
        elif lead >= LAG_BLOCKS or now - self._behind >= PATIENCE_MS:
            effects += self._fetch()
        if now - self._turned >= PATIENCE_MS:
            self._turned = now
            peer = self.around.in_later_epoch(self.epoch)
            effects += [AskOpening(peer)] if peer else []
        return [*effects, *self._watch(now)]

    def _watch(self, now: int) -> Iterator[Effect]:
        """Tell people of votes that cannot become a quorum any more."""
        if self.tail is None or not self.tail.kept or now - self._stalled < STALL_MS:
            return
        split = self._ballot.split(self.height + 1, self.epoch, self.seats)
        if split:
            yield from self._alarms.ring(NoQuorum(self.height + 1, self.seats.quorum, split))

    def _say(self) -> Say:
        self._said = self._now
        vote = self.tail.vote if self.tail is not None and self.tail.kept else None
        return Say(Status(self.chain, self.me.name, self.epoch, self.height, self.head, vote, self.me.version))

    def _repeat(self) -> list[Effect]:
        """Say again what somebody may not have heard."""
        effects: list[Effect] = [self._say()]
        if self.promised > self.epoch:
            mine = self._promise()
            return [*effects, Say(mine), *self.promised_by(mine)]
        return [*effects, Say(self._promises.known(self.epoch))] if self._forced else effects

    # ---- epochs

    def promise(self, epoch: int) -> list[Effect]:
        """People ask this validator to leave the epochs before this one. It casts no vote in them any more."""
        if epoch <= self.epoch or epoch < self.promised:
            return []
        if self._return.lost:  # a promise names the newest vote, and others count on it
            return list(self._alarms.ring(PromisesNothing()))
        self.promised = epoch
        mine = self._promise()
        return [KeepPromise(mine), Say(mine), *self.promised_by(mine)]

    def _promise(self) -> Promise:
        """This validator's promise, and how it stands."""
        bare = Promise(self.chain, self.promised, self.me.name, self.height, self.head, self._standing_vote(), b"")
        known = self._mine
        if known is None or (known.epoch, known.height, known.tail) != (bare.epoch, bare.height, bare.tail):
            known = self._mine = self.me.promise(bare)
        return known

    def _standing_vote(self) -> Vote | None:
        """Its newest vote for a block that may have become final: not if a quorum has voted for another, and not if
        the epoch at hand began with promises that rule the block out."""
        open_ = [
            vote for vote in self._cast.values()
            if vote.epoch == self.epoch or self._mute or vote.block_hash == self._forced
        ]  # fmt: skip
        newest = max(open_, key=lambda vote: vote.epoch, default=None)
        lost = newest is not None and self._wanted is not None and self._wanted.block_hash != newest.block_hash
        return None if lost else newest

    def promised_by(self, promise: Promise) -> list[Effect]:
        """A validator, perhaps this one, promised to leave the epochs before one. When a quorum has, it begins."""
        if not self._promises.take(promise, self.seats.keys):
            return []
        return self._consider(self._promises.known(promise.epoch))

    def opened(self, opening: Opening) -> list[Effect]:
        """Somebody shows promises: if they are of a quorum, the epoch begins."""
        return self._consider(self._promises.with_shown(opening, self.seats.keys))

    def _consider(self, opening: Opening) -> list[Effect]:
        """Enter the epoch if its promises suffice; once in it, more promises may free what fewer had to force."""
        if opening.epoch < self.epoch:
            return []
        try:
            forced = forced_by(opening.promises, self.seats, self.height, self.head)
        except NotYet as why:
            tell = self._alarms.ring(why.detail) if opening.epoch == self.promised > self.epoch else ()
            return [*tell, *self._fetch()]
        if opening.epoch > self.epoch:
            return [*self._enter(opening.epoch, opening), Say(opening)]
        if self._forced and forced != self._forced and self.epoch not in self._cast:
            self._forced = forced
            self._again()
            return self._next()
        return []

    def _enter(self, epoch: int, opening: Opening | None, unknown: bool = False) -> list[Effect]:
        """The epoch begins, by an opening or because a block was certified in it."""
        self.epoch, self.promised = epoch, max(self.promised, epoch)
        self._promises.enter(epoch, opening, self.height)
        self.at = None
        self._entries.clear()
        self._passed.clear()
        self._bind(unknown)
        enter = Enter(epoch, opening, self.height)
        return [enter, *self._alarms.calm("epoch", "split"), *self._settle_tail()]

    def _bind(self, unknown: bool = False) -> None:
        self._forced, self._mute = self._promises.bound(self.seats, self.height, self.head, unknown)

    def _settle_tail(self) -> list[Effect]:
        """What becomes of the tail in the epoch at hand: voted for again if it must come first, else taken back if it
        is of an older one."""
        if self.tail is None:
            return self._agreed()
        vote = self.tail.vote
        current = vote is not None and vote.epoch == self.epoch
        if self.tail.block_hash == self._forced:
            return [Republish(), *(self._agreed() if current else self._keep(self._forced))]
        return self._agreed() if current or self._mute else [self._take_back(), *self._agreed()]
