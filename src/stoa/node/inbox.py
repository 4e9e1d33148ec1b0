"""The inbox: everything that happens to a validator, in one queue for the one thread that makes blocks.

Batches from the log wait for room, so that the log is read no faster than blocks are made. What peers tell is repeated
by them, so where there is no room the oldest of it is dropped and counted.
"""

import threading
from collections import deque
from typing import Final, NamedTuple

from stoa.node.details import AnotherRoot
from stoa.ordering.engine import Ordered
from stoa.wire.block import Block
from stoa.wire.status import Word
from stoa.wire.vote import Certificate

MAX_BATCHES: Final = 8  # from the log, not yet looked at
MAX_WORDS: Final = 512  # of peers


class Heard(NamedTuple):
    """A peer told something."""

    word: Word


class Fetched(NamedTuple):
    """A peer answered with blocks; none: it did not."""

    peer: str
    blocks: tuple[tuple[Block, Certificate], ...]


class Leave(NamedTuple):
    """The operator wants the epochs before this one left."""

    epoch: int


class Corrupt(NamedTuple):
    """The state on this disk is not what a quorum has signed."""

    why: AnotherRoot


Happening = Ordered | Heard | Fetched | Leave | Corrupt


class Inbox:
    """Safe for threads: many put, one takes."""

    def __init__(self) -> None:
        self._batches: deque[Ordered] = deque()
        self._words: deque[Happening] = deque()
        self._changed = threading.Condition()
        self._closed = False
        self._epoch = 0  # batches put for an older one are refused
        self.dropped = 0

    def put_batch(self, ordered: Ordered, epoch: int) -> bool:
        """Put a batch of this epoch's log, waiting for room. False: the epoch is over, or the inbox closed."""
        with self._changed:
            self._changed.wait_for(lambda: self._closed or self._epoch != epoch or len(self._batches) < MAX_BATCHES)
            if self._closed or self._epoch != epoch:
                return False
            self._batches.append(ordered)
            self._changed.notify_all()
            return True

    def put(self, happening: Happening) -> None:
        """Put anything else; never waits."""
        with self._changed:
            if len(self._words) >= MAX_WORDS:
                self._words.popleft()
                self.dropped += 1
            self._words.append(happening)
            self._changed.notify_all()

    @property
    def unread(self) -> int:
        """How many batches wait."""
        return len(self._batches)

    def take(self, batches: bool, timeout: float) -> Happening | None:
        """What is next; batches only if asked for, and only when nothing else waits. None after ``timeout`` seconds."""
        with self._changed:
            self._changed.wait_for(lambda: self._closed or self._words or (batches and self._batches), timeout)
            if self._words:
                return self._words.popleft()
            if batches and self._batches:
                self._changed.notify_all()
                return self._batches.popleft()
            return None

    def enter(self, epoch: int) -> None:
        """Another log: what was read of the old one is void."""
        with self._changed:
            self._epoch = epoch
            self._batches.clear()
            self._changed.notify_all()

    def close(self) -> None:
        """Let everyone go."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()
