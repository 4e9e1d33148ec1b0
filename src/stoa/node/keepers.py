"""Who keeps the bodies of old blocks, and how one that is not kept here is had from them.

Each range of heights has its keepers by rendezvous hashing: every validator ranks all of them for the range in the same
way, and the first r keep it, so that storage grows with r, and a change of members moves few ranges. Who lends is not
believed: a body counts when the header that this journal holds commits to it. Does not own: dropping (``keeping``).
"""

import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Iterable
from typing import Final, NamedTuple

from stoa.journal import Damaged, Journal, hash_at
from stoa.journal.flaws import block_flaws
from stoa.kernel.codec import Malformed, encode
from stoa.kernel.hashing import tagged
from stoa.ledger.genesis import read_genesis
from stoa.ledger.governance.members import members
from stoa.ledger.governance.model import BODY_REPLICAS, parameter
from stoa.ledger.state import State
from stoa.peers.promise import Peers, Silent
from stoa.wire.block import Block
from stoa.wire.question import BodyWanted, read_body_kept

RANGE_BLOCKS: Final = 1_024  # heights that have the same keepers
MAX_LENT: Final = 64  # borrowed blocks that are remembered
MAX_LENT_BYTES: Final = 128 * 1024 * 1024  # of their bodies, the last one apart
ASK_SECONDS: Final = 4.0  # for one of them to answer
PATIENCE_SECONDS: Final = 10.0  # for all of them to be asked again while none has it
LATE_BLOCKS: Final = 32  # whose voters are taken for members while the state is not open
PAUSE_SECONDS: Final = 0.25


def ranked(height: int, names: Iterable[str]) -> list[str]:
    """All of them, those first who keep the height's range before others do."""
    ordinal = (height // RANGE_BLOCKS).to_bytes(8)
    return sorted(names, key=lambda name: tagged("stoa.keeper", ordinal, name.encode()))


class Terms(NamedTuple):
    """By what the keepers follow from a height: the members, sorted, and how many of them keep an old body."""

    names: tuple[str, ...]
    replicas: int

    @classmethod
    def of(cls, view: State) -> "Terms":
        """As the view has them after its last block; all validators have the same after the same block."""
        names = tuple(sorted(members(view).keys))
        return cls(names, min(parameter(view, BODY_REPLICAS) or len(names), len(names)))

    def keepers(self, height: int) -> list[str]:
        """Who keeps the height's range."""
        return ranked(height, self.names)[: self.replicas]

    def hash(self) -> bytes:
        """By which two validators find that they mean the same terms."""
        return tagged("stoa.keeping", encode((self.names, self.replicas)))


class Lenders:
    """Satisfies ``journal.Lender`` for one journal. Safe for threads."""

    def __init__(self, me: str, journal: Journal, peers: Peers) -> None:
        self._me, self._journal, self._peers = me, journal, peers
        self.members: Callable[[], Iterable[str]] | None = None  # once the state is open, which knows them
        self._lock = threading.Lock()
        self._lent: OrderedDict[int, Block] = OrderedDict()
        self._bytes = 0

    def block(self, height: int) -> Block | None:
        """The final block with its body, from whoever has it; None when nobody does, or answers.

        Raises Damaged when nothing is left here by which it could be judged.
        """
        if height > self._journal.final:
            return None
        with self._lock:
            if known := self._lent.get(height):
                self._lent.move_to_end(height)
                return known
        until = time.monotonic() + PATIENCE_SECONDS
        while (found := self._asked(height)) is None:
            if time.monotonic() >= until:
                return None
            time.sleep(PAUSE_SECONDS)
        with self._lock:
            if height not in self._lent:
                self._lent[height] = found
                self._bytes += _size(found)
            while len(self._lent) > 1 and (len(self._lent) > MAX_LENT or self._bytes > MAX_LENT_BYTES):
                self._bytes -= _size(self._lent.popitem(last=False)[1])
        return found

    def _asked(self, height: int) -> Block | None:
        expected, question = hash_at(self._journal, height), encode(BodyWanted(height))
        for name in ranked(height, self._names(height)):
            try:
                block = read_body_kept(self._peers.ask(name, question, ASK_SECONDS)).block
            except (Silent, Malformed):
                continue
            if block and block.header.hash() == expected and next(block_flaws(None, block), None) is None:
                return block
        return None

    def _names(self, height: int) -> set[str]:
        """The members; while the state is not open, the first ones and whoever voted lately."""
        if self.members is not None:
            return set(self.members()) - {self._me}
        names = {one.institution for one in read_genesis(self._journal.genesis).founders if one.validator}
        final = self._journal.final
        for one in (height, *range(max(1, final - LATE_BLOCKS), final + 1)):
            try:
                certificate = self._journal.certificate(one)
            except Damaged:
                continue
            names |= {vote.validator for vote in certificate.votes} if certificate else set()
        return names - {self._me}


def _size(block: Block) -> int:
    return sum(map(len, block.envelopes)) + sum(map(len, block.receipts))
