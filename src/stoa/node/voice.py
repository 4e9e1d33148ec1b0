"""The voice: what a round decides goes out to peers, to files that must remember, and to people.

Satisfies ``round.Outside``. Questions to peers are asked on a thread of its own, one at a time; the answers come back
as happenings in the inbox. Does not own: what is said or when.
"""

from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from typing import Final

from stoa.agreement.alarms import KINDS
from stoa.agreement.details import Detail
from stoa.agreement.effects import Alarm, Enter, Evidence
from stoa.kernel import limits
from stoa.kernel.codec import Malformed, encode
from stoa.node.commit import FinalBlock, Skipped
from stoa.node.details import AnotherRoot, Dissent, TwoBatches, TwoVotes, WrongState
from stoa.node.epoch_file import EpochFile
from stoa.node.evidence import EvidenceBook
from stoa.node.inbox import Fetched, Heard, Inbox
from stoa.node.log import LOG
from stoa.node.sayings import said
from stoa.peers.promise import Peers, Silent
from stoa.wire.batch import Batch
from stoa.wire.question import BlocksWanted, OpeningWanted, read_blocks, read_opening_known
from stoa.wire.status import Promise, Word

ASK_SECONDS: Final = 4.0  # for a peer to answer; agreement asks another after FETCH_MS
ASKING: Final = 4  # questions that wait at once: a peer that does not answer must not keep the others from being asked
EVIDENCE: Final = {
    one.code: one for one in (TwoVotes(), TwoBatches(), WrongState(), Dissent())
}  # as agreement names it


class Voice:
    """One validator's. ``final``, ``skipped``, ``entered`` and ``publish`` are the node's own, ``names``
    those of peers that were heard."""

    def __init__(
        self,
        peers: Peers | None,
        inbox: Inbox,
        epochs: EpochFile,
        evidence: EvidenceBook,
        clock: Callable[[], int],
        final: Callable[[FinalBlock], None],
        skipped: Callable[[Skipped], None],
        entered: Callable[[], None],
        publish: Callable[[bytes], None],
        names: Callable[[], Iterable[str]],
    ) -> None:
        self._peers, self._inbox, self._epochs, self._evidence, self._clock = peers, inbox, epochs, evidence, clock
        self.final, self.skipped, self._entered, self._publish = final, skipped, entered, publish
        self._names = names
        self.alarms: dict[str, Detail] = {}
        self._asking = ThreadPoolExecutor(ASKING, "stoa-ask")
        self._publishing = ThreadPoolExecutor(1, "stoa-republish")

    def say(self, word: Word) -> None:
        """Tell every other validator."""
        if self._peers is not None:
            self._peers.tell(encode(word))

    def fetch(self, peer: str, start: int) -> None:
        """Ask for blocks."""
        self._asking.submit(self._fetch, peer, start)

    def _fetch(self, peer: str, start: int) -> None:
        """From the peer; where it has dropped their bodies, from another."""
        question, found = encode(BlocksWanted(start, limits.MAX_ANSWER_BYTES)), Fetched(peer, ())
        for name in dict.fromkeys((peer, *self._names())):
            raw = self._asked(name, question)
            try:
                found = Fetched(name, read_blocks(raw).blocks if raw else ())
            except Malformed:
                continue
            if found.blocks or (name == peer and not raw):
                break
        self._inbox.put(found)

    def ask_opening(self, peer: str) -> None:
        """Ask for the opening of its epoch."""
        self._asking.submit(self._ask_opening, peer)

    def _ask_opening(self, peer: str) -> None:
        raw = self._asked(peer, encode(OpeningWanted()))
        try:
            opening = read_opening_known(raw).opening if raw else None
        except Malformed:
            return
        if opening is not None:
            self._inbox.put(Heard(opening))

    def _asked(self, peer: str, question: bytes) -> bytes:
        if self._peers is None:
            return b""
        try:
            return self._peers.ask(peer, question, ASK_SECONDS)
        except Silent:
            return b""

    def enter(self, enter: Enter) -> None:
        """Remember the epoch, and read its log."""
        self._epochs.enter(*enter)
        LOG.warning("epoch", epoch=enter.epoch, height=enter.height)
        self._entered()

    def promised(self, promise: Promise) -> None:
        """Remember the promise."""
        self._epochs.promise(promise.epoch)
        LOG.warning("promised", epoch=promise.epoch)

    def republish(self, batch: Batch) -> None:
        """Publish it, off this thread: the log may be slow to take it."""
        self._publishing.submit(self._publish, encode(batch))

    def evidence(self, evidence: Evidence) -> None:
        """Write it down."""
        kind, validator, height, proof = evidence
        self._evidence.note(self._clock(), kind, validator, height, EVIDENCE[kind], proof)

    def alarm(self, alarm: Alarm) -> None:
        """Keep it until it is over."""
        kind, detail = alarm
        if detail is not None:
            if self.alarms.get(kind) != detail:
                LOG.error("alarm", kind=kind, code=detail.code, why=said(detail))
            self.alarms[kind] = detail
        elif self.alarms.pop(kind, None):
            LOG.info("calm", kind=kind)

    def renewed(self) -> None:
        """The state was built again, and agreement goes on from there: what was told of both before is over."""
        for kind in (AnotherRoot.kind, *KINDS):
            self.alarm(Alarm(kind, None))

    def close(self) -> None:
        """Ask nothing more."""
        self._asking.shutdown(wait=False, cancel_futures=True)
        self._publishing.shutdown(wait=False, cancel_futures=True)
