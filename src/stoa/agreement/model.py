"""What the agreement remembers: who votes, who this validator is, where it comes from, and the block at hand."""

from collections.abc import Callable, Mapping
from typing import NamedTuple

from stoa.wire.status import Opening, Promise
from stoa.wire.vote import Vote


class Seats(NamedTuple):
    """Who votes on the next block: voting keys by institution, how many equal votes make a quorum, and how many liars
    the quorum is meant to bear."""

    keys: Mapping[str, bytes]
    quorum: int
    liars: int


class Signer(NamedTuple):
    """This validator: its name, its signature under votes and promises, and the version of its program."""

    name: str
    vote: Callable[[int, bytes, int], Vote]  # height, block hash, epoch
    promise: Callable[[Promise], Promise]
    version: str = ""


class Past(NamedTuple):
    """What a validator knows of itself when it starts.

    Its last final block; the epoch, why it began (None: by a certificate, or it is the first) and behind which height
    it was entered; the epoch that was promised; the vote kept with the block behind the final one, which the driver
    holds executed; and every vote ever kept at that height. ``away``: its state was wrong. ``lost``: it may have cast
    votes that it does not know.
    """

    height: int
    head: bytes
    epoch: int
    promised: int
    tail: Vote | None = None
    votes: tuple[Vote, ...] = ()
    opening: Opening | None = None
    entered: int = 0
    away: bool = False
    lost: bool = False


class Tail(NamedTuple):
    """The executed block that is not final. ``kept`` once it is on disk; ``vote`` is what was kept with it."""

    block_hash: bytes
    vote: Vote | None
    kept: bool
