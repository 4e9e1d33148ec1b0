"""The core: one validator's next step, whatever happens. Every event is a method, every answer a list of effects.

At any time at most one block is executed and not final: the tail. It is kept (journal and vote on disk), voted for, and
either finalised, when a quorum has voted for its hash, or taken back, when a quorum has voted for another. Certificates
beat the log: what a quorum has certified is fetched from peers where the log does not bring it.
"""

from collections import deque
from collections.abc import Iterator, Sequence
from typing import Final

from stoa.agreement.ballot import Ballot
from stoa.agreement.effects import (
    Alarm,
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
from stoa.agreement.effects import Entry as Entry
from stoa.agreement.epochs import Base, NotYet, base_of
from stoa.agreement.model import Past, Seats, Signer, Tail
from stoa.agreement.returning import Return
from stoa.wire.block import Block
from stoa.wire.status import Opening, Promise, Status, promise_valid
from stoa.wire.vote import Certificate, Vote, certificate_valid

MAX_ENTRIES: Final = 16  # batches read from the log and not yet executed; at this number the log is read no further
HEARTBEAT_MS: Final = 250  # how often a standing, and with it the newest vote, is told again
PATIENCE_MS: Final = 1_000  # how long a certified block may fail to come from the log before it is fetched
FETCH_MS: Final = 5_000  # how long a peer may take to answer before another is asked
LAG_BLOCKS: Final = 8  # how far ahead a peer may be before its blocks are fetched without patience
STALL_MS: Final = 3_000  # without a quorum after a vote for so long, people are told


class Core:
    """One validator. Not safe for threads: one drives it, and answers each effect before the next event."""

    def __init__(self, chain: str, me: Signer, seats: Seats, past: Past) -> None:
        self.chain, self.me, self.seats = chain, me, seats
        self.height, self.head, self.epoch, self.promised = past.height, past.head, past.epoch, past.promised
        self._past = past
        self.tail = Tail(past.tail.block_hash, past.tail, kept=True) if past.tail else None
        self.peers: dict[str, Status] = {}
        self.away = past.away or past.lost  # left the quorum: executes, keeps, votes only when it has followed along
        self._return = Return(me.name, past.lost)
        self._forced = b""
        self._ballot = Ballot(chain)
        self._entries: deque[Entry] = deque()
        self.at: Entry | None = None  # the batch that is executed, or is the tail
        self._passed: list[Entry] = []  # batches that were not the certified next block, and may be one behind it
        self._fetched: deque[tuple[Block, Certificate]] = deque()
        self._source = ""  # who sent them
        self._redoing: Certificate | None = None
        self._executing = False
        self._wanted: Certificate | None = None  # of the next block, while it is not the tail
        self._asked: tuple[str, int] | None = None  # the peer that is asked for blocks, and since when
        self._behind = self._stalled = self._now = self._said = 0
        self._alarms: dict[str, str] = {}
        self._promises: dict[str, Promise] = {}  # to wait for the next epoch, by validator

    def start(self) -> list[Effect]:
        """After the driver has everything ready: a kept vote counts, and is told again."""
        for vote in self._past.votes:
            self._ballot.take(vote, self.height + 1, self.seats.keys)
        return [self._say(), *self._agreed()]

    @property
    def wants_entries(self) -> bool:
        """Whether the driver should read the log further."""
        return len(self._entries) < MAX_ENTRIES

    @property
    def is_behind(self) -> bool:
        """Whether some peer has a final block that this validator lacks."""
        return any(peer.height > self.height for peer in self.peers.values())

    # ---- the log

    def entry(self, entry: Entry) -> list[Effect]:
        """The log brought a batch."""
        self._entries.append(entry)
        return self._next()

    def executed(self, block_hash: bytes | None, early: bool = False) -> list[Effect]:
        """The batch or block was executed and gave this hash; None: it makes no block. ``early``: it would make one
        behind blocks that are missing here."""
        self._executing = False
        if self._redoing is not None:
            return self._redone(block_hash)
        assert self.at is not None
        if block_hash is None:
            if early and self.is_behind:
                self._entries.appendleft(self.at)
                return self._fetch()
            return self._next()
        certified, forced = self._wanted, self._forced
        if (forced and block_hash != forced) or (certified and block_hash != certified.block_hash):
            return [self._take_back(), *self._next()]
        return self._keep(block_hash)

    def _take_back(self) -> TakeBack:
        """The batch at hand is not the next block. It may be a later one."""
        self.tail = None
        if self.at is not None and len(self._passed) < MAX_ENTRIES:
            self._passed.append(self.at)
        self.at = None
        return TakeBack()

    def _redone(self, block_hash: bytes | None) -> list[Effect]:
        certificate, self._redoing = self._redoing, None
        assert certificate is not None
        if block_hash == certificate.block_hash:
            self.tail = Tail(block_hash, None, kept=False)
            return [Keep(None)]
        self.away = True
        self._fetched.clear()
        why = f"block {certificate.height} is certified as {certificate.block_hash.hex()}, and gives another hash here"
        undo: list[Effect] = [TakeBack()] if block_hash else []
        return [*undo, self._alarm("diverged", why), Heal(certificate.height, why)]

    def _keep(self, block_hash: bytes) -> list[Effect]:
        """Keep it as the tail, with a vote if this validator may vote and has not voted for another block here."""
        may = self.me.name in self.seats.keys and not self.away and self.promised <= self.epoch
        cast = self._ballot.cast(self.height + 1, self.me.name, self.epoch)
        may = may and (cast is None or cast.block_hash == block_hash)
        vote = self.me.vote(self.height + 1, block_hash, self.epoch) if may else None
        self.tail = Tail(block_hash, vote, kept=False)
        return [Keep(vote)]

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
        assert self.tail is not None
        self.height, self.head, self.seats = self.height + 1, self.tail.block_hash, seats
        self.tail = self._wanted = self.at = None
        self._forced, self._behind = b"", self._now
        self._entries.extendleft(reversed(self._passed))
        self._passed.clear()
        self.peers = {name: peer for name, peer in self.peers.items() if name in seats.keys}
        while self._fetched and self._fetched[0][0].header.height <= self.height:
            self._fetched.popleft()
        effects: list[Effect] = list(self._calm("split", "diverged"))
        if self.away and not self.is_behind and self._return.may_vote(self.height, seats):
            self.away = False
        effects += [self._evidence(*twice) for twice in self._ballot.turn(self.height + 1, seats.keys)]
        return [*effects, *self._agreed()]

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

    # ---- votes

    def heard(self, status: Status) -> list[Effect]:
        """A peer told where it stands."""
        if status.chain != self.chain or status.validator not in self.seats.keys:
            return []
        self.peers[status.validator] = status
        self._return.heard(status, self.seats)
        effects: list[Effect] = []
        if status.epoch > self.epoch:
            effects.append(AskOpening(status.validator))
        if status.height == self.height and status.block_hash != self.head:
            effects += self._ask(status.validator, self.height)  # its certificate would show who is wrong
        if status.vote is not None:
            effects += self.voted(status.vote)
        return effects

    def voted(self, vote: Vote) -> list[Effect]:
        """A vote arrived, from whomever."""
        twice = self._ballot.take(vote, self.height + 1, self.seats.keys)
        if twice is not None:
            return [self._evidence(*twice)]
        return self._agreed() if vote.height == self.height + 1 else []

    def _agreed(self) -> list[Effect]:
        """Finalise the tail if a quorum has voted for it; take it back if a quorum has voted for another block."""
        if self._wanted is None:
            self._wanted = self._ballot.certificate(self.height + 1, self.seats.quorum)
            self._behind = self._now
        if self._wanted is None:
            return self._next()
        if self.tail is None:
            return self._next()
        if self.tail.block_hash == self._wanted.block_hash:
            return [Finalise(self._wanted)] if self.tail.kept else []
        return [self._take_back(), *self._next(), *self._fetch()]

    # ---- peers' blocks

    def fetched(self, peer: str, blocks: Sequence[tuple[Block, Certificate]]) -> list[Effect]:
        """A peer answered with final blocks, oldest first."""
        self._asked, self._source = None, peer
        for block, certificate in blocks:
            if block.header.height <= self.height:
                halt = self._contradiction(peer, block, certificate)
                if halt:
                    return halt
            elif not self._fetched or block.header.height == self._fetched[-1][0].header.height + 1:
                self._fetched.append((block, certificate))
        effects = self._next()
        if self.tail is not None and self._fetched:
            effects += self._compare_fetched()
        return effects

    def silent(self) -> list[Effect]:
        """The peer that was asked did not answer, or had nothing: the next tick asks another."""
        if self._asked is not None:
            self.peers.pop(self._asked[0], None)  # until it is heard again
            self._asked = None
        return []

    def _take_fetched(self) -> list[Effect]:
        block, certificate = self._fetched[0]
        if not self._is_next(block, certificate):
            return self._next()
        self._redoing, self._executing, self.at = certificate, True, None
        self._wanted = certificate
        return [Redo(block)]

    def _compare_fetched(self) -> list[Effect]:
        """The tail against the certified block of its height."""
        block, certificate = self._fetched[0]
        if not self._is_next(block, certificate):
            return []
        self._wanted = certificate
        return self._agreed()

    def _is_next(self, block: Block, certificate: Certificate) -> bool:
        """Whether the peer's block is the certified next one. If not, nothing that the peer sent is used."""
        if self._is_certified(block, certificate):
            return True
        self._fetched.clear()
        self.peers.pop(self._source, None)  # until it is heard again
        return False

    def _is_certified(self, block: Block, certificate: Certificate) -> bool:
        header = block.header
        return (
            (header.height, header.previous) == (self.height + 1, self.head)
            and (certificate.height, certificate.block_hash) == (header.height, header.hash())
            and certificate_valid(self.chain, certificate, self.seats.keys, self.seats.quorum)
        )

    def _contradiction(self, peer: str, block: Block, certificate: Certificate) -> list[Effect]:
        """Whether the peer shows a certificate for another block than the one that is final here."""
        header = block.header
        if header.height != self.height or header.hash() == self.head:
            return []
        if certificate.block_hash == header.hash() and certificate_valid(
            self.chain, certificate, self.seats.keys, self.seats.quorum
        ):
            return [Halt(f"{peer} shows a certificate for another block {header.height} than the one that is final")]
        return []

    def _fetch(self) -> list[Effect]:
        """Ask a peer that is ahead, one at a time, in turn by height and name."""
        ahead = [one for one in self.peers.values() if one.height > self.height and one.validator != self.me.name]
        if self._asked is not None or self._fetched or not ahead:
            return []
        ahead.sort(key=lambda one: one.validator)
        return self._ask(ahead[self.height % len(ahead)].validator, self.height + 1)

    def _ask(self, peer: str, start: int) -> list[Effect]:
        if self._asked is not None:
            return []
        self._asked = peer, self._now
        return [Fetch(peer, start)]

    # ---- time

    def tick(self, now: int) -> list[Effect]:
        """Time went on; ``now`` is in milliseconds of a clock that only rises."""
        self._now = now
        effects: list[Effect] = []
        if now - self._said >= HEARTBEAT_MS:
            effects.append(self._say())
        if self._asked is not None and now - self._asked[1] >= FETCH_MS:
            effects += self.silent()
        if not self.is_behind:
            self._behind = now
        elif now - self._behind >= PATIENCE_MS or self._lag() >= LAG_BLOCKS:
            effects += self._fetch()
        return [*effects, *self._watch(now)]

    def _lag(self) -> int:
        return max((peer.height for peer in self.peers.values()), default=0) - self.height

    def _watch(self, now: int) -> Iterator[Effect]:
        """Tell people of votes that cannot become a quorum any more."""
        if self.tail is None or not self.tail.kept or now - self._stalled < STALL_MS:
            return
        counts = self._ballot.counts(self.height + 1, self.epoch)
        silent = len(self.seats.keys) - sum(len(votes) for votes in counts.values())
        if len(counts) > 1 and all(len(votes) + silent < self.seats.quorum for votes in counts.values()):
            split = "; ".join(f"{hash_.hex()[:16]} by {', '.join(sorted(votes))}" for hash_, votes in counts.items())
            yield self._alarm("split", f"block {self.height + 1} cannot reach {self.seats.quorum} votes: {split}")

    def _say(self) -> Say:
        self._said = self._now
        return Say(self.status())

    def status(self) -> Status:
        """Where this validator stands."""
        vote = self.tail.vote if self.tail is not None and self.tail.kept else None
        return Status(self.chain, self.me.name, self.epoch, self.height, self.head, vote)

    def _evidence(self, first: Vote, second: Vote) -> Evidence:
        return Evidence(first.validator, first.height, (first, second))

    def _alarm(self, kind: str, why: str) -> Alarm:
        self._alarms[kind] = why
        return Alarm(kind, why)

    def _calm(self, *kinds: str) -> Iterator[Alarm]:
        for kind in kinds:
            if self._alarms.pop(kind, ""):
                yield Alarm(kind, "")

    # ---- epochs

    def promise(self, epoch: int) -> list[Effect]:
        """People ask this validator to leave the epochs before this one. It casts no vote in them any more."""
        if epoch <= self.epoch:
            return []
        if self._return.lost:  # a promise names the newest vote, and others count on it
            return [self._alarm("epoch", "votes of this validator may be lost: it promises nothing until it is back")]
        self.promised = max(self.promised, epoch)
        vote = self.tail.vote if self.tail is not None and self.tail.kept else None
        bare = Promise(self.chain, epoch, self.me.name, self.height, self.head, vote, b"")
        mine = self.me.promise(bare)
        return [KeepPromise(mine), Say(mine), *self.promised_by(mine)]

    def promised_by(self, promise: Promise) -> list[Effect]:
        """A validator, perhaps this one, promised to leave the epochs before one. When a quorum has, it begins."""
        if promise.chain != self.chain or promise.epoch <= self.epoch or not promise_valid(promise, self.seats.keys):
            return []
        self._promises[promise.validator] = promise
        equal = [self._promises[name] for name in sorted(self._promises) if self._promises[name].epoch == promise.epoch]
        opening = Opening(self.chain, promise.epoch, tuple(equal))
        effects = self.opened(opening)
        return [*effects, Say(opening)] if self.epoch == opening.epoch else effects

    def opened(self, opening: Opening) -> list[Effect]:
        """A quorum has promised: the epoch begins. One that is not understood yet is asked for again."""
        if opening.epoch <= self.epoch or opening.chain != self.chain:
            return []
        try:
            base = base_of(opening, self.seats.keys, self.seats.quorum)
        except NotYet as why:
            return [self._alarm("epoch", str(why))]
        if base.height > self.height:
            return self._fetch()
        self.epoch, self.promised = opening.epoch, max(self.promised, opening.epoch)
        self._entries.clear()
        self._passed.clear()
        effects: list[Effect] = [Enter(opening), *self._calm("epoch", "split")]
        return [*effects, *self._begin(base)]

    def _begin(self, base: Base) -> list[Effect]:
        """What becomes of the tail in the new epoch: voted for again if it must come first, taken back if not."""
        if base.height < self.height:
            return self._next()
        self._forced = base.forced
        if self.tail is None:
            return self._next()
        block_hash = self.tail.block_hash
        if block_hash == base.forced:
            return [*self._keep(block_hash), Republish()]
        return [self._take_back(), *self._next()]
