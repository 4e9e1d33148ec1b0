"""Opening an epoch: what a quorum of promises shows about blocks that may have become final in earlier epochs.

Every block that was certified anywhere has the votes of a quorum, and any quorum of promises holds one of these voters.
So whoever counts the votes in the promises, and takes those who made none as having voted in the worst way, knows which
block may be final already: that one must come first in the new epoch.
"""

from collections import Counter
from collections.abc import Mapping
from typing import NamedTuple

from stoa.wire.status import Opening, Promise, promise_valid


class NotYet(Exception):
    """These promises do not suffice; the message says what is missing."""


class Base(NamedTuple):
    """Where an epoch begins: behind this final block, with the block of hash ``forced`` if that is not empty."""

    height: int
    block_hash: bytes
    forced: bytes


def base_of(opening: Opening, keys: Mapping[str, bytes], quorum: int) -> Base:
    """Where the epoch begins, by the members of the height behind the highest final block. Raises NotYet."""
    promises = {
        one.validator: one
        for one in opening.promises
        if (one.chain, one.epoch) == (opening.chain, opening.epoch) and promise_valid(one, keys)
    }
    if len(promises) < quorum:
        raise NotYet(f"{len(promises)} of the members have promised, {quorum} must")
    highest = max(promises.values(), key=lambda one: one.height)
    forced = _forced([one for one in promises.values() if one.height == highest.height], keys, quorum, len(promises))
    return Base(highest.height, highest.block_hash, forced)


def _forced(there: list[Promise], keys: Mapping[str, bytes], quorum: int, promised: int) -> bytes:
    """The hash that may be certified already behind the highest final block; empty if none can be."""
    tails = [one.tail for one in there if one.tail is not None]
    if not tails:
        return b""
    newest = max(tail.epoch for tail in tails)
    counts = Counter(tail.block_hash for tail in tails if tail.epoch == newest)
    silent = len(keys) - promised
    possible = [block_hash for block_hash, votes in counts.items() if votes + silent >= quorum]
    if len(possible) > 1:
        raise NotYet("each of several blocks may be final with the votes of those who have not promised yet")
    return possible[0] if possible else b""
