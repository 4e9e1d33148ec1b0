"""The log of final blocks (``wire.history``): its head, and the paths that show what it holds.

Hashes are taken from the journal once and kept, 64 bytes a block. A root is then worked out in a few steps; a path when
it is asked for, in time that grows with the log. Where several make a quorum, the head carries the signatures of one:
each validator that is asked signs the root that its own journal gives, for which it reads a bounded number of blocks.
Safe for threads. Does not own: checking a head (``wire.history``).
"""

import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor, as_completed
from contextlib import AbstractContextManager
from threading import Lock
from typing import Final

from msgspec.structs import replace

from stoa.journal import Damaged
from stoa.journal.journal import Journal
from stoa.kernel import merkle
from stoa.kernel.codec import Malformed, encode
from stoa.ledger.state import State
from stoa.node.finality import Finality, Members, members_at
from stoa.node.proofs import NothingToProve
from stoa.peers.promise import Peers, Silent
from stoa.wire.history import LogHead, head_signers
from stoa.wire.question import LogHeadWanted, read_log_head_shown
from stoa.wire.vote import Vote

MAX_LOG_BLOCKS: Final = 4_194_304  # beyond it nothing is proven of the log: it is held in memory
MOST_AT_ONCE: Final = 2_000  # blocks read for one who asks; he asks again, and the work goes on where it ended
PATIENCE_SECONDS: Final = 10.0  # for a quorum to sign
ASK_SECONDS: Final = 2.0
PAUSE_SECONDS: Final = 0.1  # before those who have not signed are asked again

Reader = Callable[[], AbstractContextManager[State]]


class Tree:
    """The roots of all whole subtrees of a growing tree, level by level, leaves first."""

    def __init__(self) -> None:
        self.levels: list[list[bytes]] = [[]]

    def append(self, leaf: bytes) -> None:
        """One leaf hash more."""
        node = leaf
        for level in self.levels:
            level.append(node)
            if len(level) % 2:
                return
            node = merkle.node_hash(level[-2], level[-1])
        self.levels.append([node])

    def root(self, size: int) -> bytes:
        """The root over the first leaves, at least one: its whole subtrees, the smallest joined first."""
        at, parts = 0, []
        for height in reversed(range(size.bit_length())):
            if size >> height & 1:
                parts.append(self.levels[height][at >> height])
                at += 1 << height
        found = parts.pop()
        while parts:
            found = merkle.node_hash(parts.pop(), found)
        return found


class History:
    """What can be shown of a journal's final blocks. Alone it needs neither ``peers`` nor who they are."""

    def __init__(self, me: str, journal: Journal, finality: Finality, reader: Reader) -> None:
        self._me, self._journal, self._finality, self._reader = me, journal, finality, reader
        self.peers: Peers | None = None
        self._lock = Lock()
        self._tree = Tree()

    def head(self) -> LogHead:
        """The log after the last final block, signed by a quorum of its members. Raises NothingToProve."""
        size = self._journal.final
        with self._lock:
            self._read(size, MAX_LOG_BLOCKS)
        own = self._signed(size)
        with self._reader() as view:
            who = members_at(view, size)
        return self._joined(own, who) if who.quorum > 1 else own

    def shown(self, chain: str, size: int) -> LogHead | None:
        """The log after this block, signed by this validator alone, for another one; None: not yet, ask again."""
        if chain != self._journal.chain or not self._lock.acquire(blocking=False):
            return None  # somebody reads much of the journal, and other answers must not wait for that
        try:
            self._read(size, MOST_AT_ONCE)
            return self._signed(size) if len(self._tree.levels[0]) >= size else None
        except (NothingToProve, Damaged):
            return None
        finally:
            self._lock.release()

    def inclusion(self, height: int, size: int) -> tuple[bytes, ...]:
        """The path from the hash of a block to the root over ``size`` blocks. Raises NothingToProve."""
        if not 1 <= height <= size:
            raise NothingToProve(f"block {height} is not among blocks 1 to {size}")
        return tuple(merkle.inclusion_proof(self._upto(size), height - 1))

    def consistency(self, first: int, second: int) -> tuple[bytes, ...]:
        """The path that shows that the log of ``first`` blocks begins that of ``second``. Raises NothingToProve."""
        if not 1 <= first <= second:
            raise NothingToProve(f"a log of {first} blocks does not begin one of {second}")
        return tuple(merkle.consistency_proof(self._upto(second), first))

    def _signed(self, size: int) -> LogHead:
        certificate = self._journal.certificate(size) if size else None
        if certificate is None:
            raise NothingToProve("no block has a certificate yet")
        return self._finality.log_head(certificate, self._tree.root(size))

    def _joined(self, own: LogHead, who: Members) -> LogHead:
        """The same head with the signatures of a quorum. Raises NothingToProve when it cannot be had in time."""
        votes = {name: vote for name, vote in ((self._me, own.votes[0]),) if head_signers(own, who.keys) == {name}}
        until = time.monotonic() + PATIENCE_SECONDS
        while len(votes) < who.quorum:
            if self.peers is None or time.monotonic() > until:
                raise NothingToProve(f"{len(votes)} of {who.quorum} validators signed the log of block {own.size}")
            for vote in self._asked(self.peers, own, [name for name in who.keys if name not in votes], who):
                votes[vote.validator] = vote
            if len(votes) < who.quorum:
                time.sleep(PAUSE_SECONDS)
        return replace(own, votes=tuple(votes[name] for name in sorted(votes)))

    def _asked(self, peers: Peers, own: LogHead, names: list[str], who: Members) -> Iterator[Vote]:
        """Valid signatures of these under the very same root, as they come; some may be missing."""
        asking = ThreadPoolExecutor(max(1, len(names)), "stoa-log-head")
        try:
            question = encode(LogHeadWanted(own.chain, own.size))
            asked = [asking.submit(peers.ask, name, question, ASK_SECONDS) for name in names if name != self._me]
            for answer in as_completed(asked):
                try:
                    head = read_log_head_shown(answer.result()).head
                except (Silent, Malformed):
                    continue
                if head is not None and (head.chain, head.size, head.block_hash, head.root) == (
                    own.chain, own.size, own.block_hash, own.root,
                ):  # fmt: skip
                    good = head_signers(head, who.keys)
                    yield from (vote for vote in head.votes if vote.validator in good)
        finally:
            asking.shutdown(wait=False, cancel_futures=True)

    def _read(self, size: int, most: int) -> None:
        """Take in the blocks up to ``size``, at most so many of them. Raises NothingToProve."""
        if size > min(self._journal.final, MAX_LOG_BLOCKS):
            raise NothingToProve(f"block {size} is not final, or beyond the {MAX_LOG_BLOCKS} that can be shown")
        known = len(self._tree.levels[0])
        for height in range(known + 1, min(size, known + most) + 1):
            self._tree.append(merkle.leaf_hash(self._journal.header(height).hash()))

    def _upto(self, size: int) -> list[bytes]:
        """The leaf hashes of blocks 1 to ``size``."""
        with self._lock:
            self._read(size, MAX_LOG_BLOCKS)
            return self._tree.levels[0][:size]
