"""Opening an epoch: what a quorum of promises shows about blocks that may have become final in earlier epochs.

Whoever enters an epoch behind a height counts the promises of that height's members who had come no further. Every
block that was certified behind it has the votes of a quorum, and any quorum of promises holds some of these voters. So
who counts their votes, and takes those who are silent, and as many liars as the quorum bears, as having voted in the
worst way, knows which block may be final already: that one must come first. A member who claims to be further counts
as silent: what it has finalised, a quorum has voted for, and the others' votes show that.
"""

from collections.abc import Iterable, Mapping

from stoa.agreement.details import SeveralPossible, TooFewPromises
from stoa.agreement.model import Seats
from stoa.wire.status import Opening, Promise, promise_valid
from stoa.wire.vote import FIRST_EPOCH, Vote


class NotYet(Exception):
    """These promises do not suffice; the detail says what is missing."""

    def __init__(self, detail: TooFewPromises | SeveralPossible) -> None:
        super().__init__(detail.code)
        self.detail = detail


def forced_by(promises: Iterable[Promise], seats: Seats, height: int, head: bytes) -> bytes:
    """The hash of the block that must come behind the final one of this height and hash; empty if any may. Raises
    NotYet. The promises' signatures were checked, and they are of one epoch."""
    counted = {
        one.validator: one
        for one in promises
        if one.validator in seats.keys and (one.height < height or (one.height, one.block_hash) == (height, head))
    }
    if len(counted) < seats.quorum:
        raise NotYet(TooFewPromises(len(counted), height, seats.quorum))
    votes = [one.tail for one in counted.values() if one.height == height and one.tail is not None]
    silent = len(seats.keys) - len(counted)
    possible = [one for one in sorted({vote.block_hash for vote in votes}) if _possible(one, votes, silent, seats)]
    if len(possible) > 1:
        raise NotYet(SeveralPossible(height + 1))
    return possible[0] if possible else b""


def _possible(block_hash: bytes, votes: list[Vote], silent: int, seats: Seats) -> bool:
    """Whether a quorum may have voted for the block in some epoch. Who did so, and voted in a later one, did so for the
    same block; only a liar can have voted otherwise."""
    for epoch in sorted({vote.epoch for vote in votes if vote.block_hash == block_hash}):
        later = [vote.block_hash == block_hash for vote in votes if vote.epoch >= epoch]
        against = sum(vote.epoch > epoch and vote.block_hash != block_hash for vote in votes)
        if sum(later) + silent + seats.liars >= seats.quorum and against <= seats.liars:
            return True
    return False


class Promises:
    """What was heard of promises: of each validator its newest, and those that opened the epoch at hand."""

    def __init__(self, chain: str, epoch: int, opening: Opening | None, entered: int) -> None:
        self._chain, self._epoch, self._opening, self._entered = chain, epoch, opening, entered
        self._newest: dict[str, Promise] = {}

    def enter(self, epoch: int, opening: Opening | None, height: int) -> None:
        """The epoch at hand is another, entered behind this height."""
        self._epoch, self._opening, self._entered = epoch, opening, height

    def bound(self, seats: Seats, height: int, head: bytes, unknown: bool) -> tuple[bytes, bool]:
        """What binds a validator behind the final block of this height and hash: one block that must come next, or that
        it must not vote at all. ``unknown``: whether the members changed with that block, or that cannot be known.

        Behind its first block an epoch may have other members than those who promised; of them a quorum must have
        promised too, or they may have gone on in the epoch before. An epoch that was entered by a certificate had begun
        before; only if the members changed with just that block is it not known what binds them.
        """
        if self._epoch == FIRST_EPOCH or height > self._entered + 1:
            return b"", False
        if self._opening is None:
            return b"", height < self._entered or (unknown and height == self._entered)
        try:
            return forced_by(self.known(self._epoch).promises, seats, height, head), False
        except NotYet:
            return b"", True

    def take(self, promise: Promise, keys: Mapping[str, bytes]) -> bool:
        """Whether it is worth considering: signed by a member, and not older than what is known of that member."""
        known = self._newest.get(promise.validator)
        if promise == known:
            return True
        if known is not None and (promise.epoch, promise.height) <= (known.epoch, known.height):
            return False
        if promise.epoch < self._epoch or not self._is_good(promise, promise.epoch, keys):
            return False
        self._newest[promise.validator] = promise
        return True

    def known(self, epoch: int) -> Opening:
        """All that is known here of why the epoch may begin."""
        shown = self._opening.promises if self._opening is not None and epoch == self._epoch else ()
        return self._merged(epoch, shown)

    def with_shown(self, opening: Opening, keys: Mapping[str, bytes]) -> Opening:
        """The same, and what somebody shows."""
        return self._merged(opening.epoch, [one for one in opening.promises if self._is_good(one, opening.epoch, keys)])

    def _is_good(self, promise: Promise, epoch: int, keys: Mapping[str, bytes]) -> bool:
        return (promise.chain, promise.epoch) == (self._chain, epoch) and promise_valid(promise, keys)

    def _merged(self, epoch: int, shown: Iterable[Promise]) -> Opening:
        merged = {one.validator: one for one in shown}
        merged |= {name: one for name, one in self._newest.items() if one.epoch == epoch}
        return Opening(self._chain, epoch, tuple(merged[name] for name in sorted(merged)))
