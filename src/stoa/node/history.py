"""The log of final blocks (``wire.history``): its head, and the paths that show what it holds.

Leaf hashes are taken from the journal once and kept, 32 bytes a block; a root or a path is worked out when it is asked
for, in time that grows with the log. Safe for threads.
"""

from threading import Lock
from typing import Final

from stoa.journal.journal import Journal
from stoa.kernel import merkle
from stoa.node.finality import Finality
from stoa.node.proofs import NothingToProve
from stoa.wire.history import LogHead

MAX_LOG_BLOCKS: Final = 4_194_304  # beyond it nothing is proven of the log: it is held in memory


class History:
    """What can be shown of a journal's final blocks."""

    def __init__(self, journal: Journal, finality: Finality) -> None:
        self._journal, self._finality = journal, finality
        self._lock = Lock()
        self._leaves: list[bytes] = []

    def head(self) -> LogHead:
        """The log after the last final block, signed by this validator. Raises NothingToProve."""
        size = self._journal.final
        certificate = self._journal.certificate(size) if size else None
        if certificate is None:
            raise NothingToProve("no block has a certificate yet")
        return self._finality.log_head(certificate, merkle.root_of_hashes(self._upto(size)))

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

    def _upto(self, size: int) -> list[bytes]:
        """The leaf hashes of blocks 1 to ``size``."""
        if size > min(self._journal.final, MAX_LOG_BLOCKS):
            raise NothingToProve(f"block {size} is not final, or beyond the {MAX_LOG_BLOCKS} that can be shown")
        with self._lock:
            for height in range(len(self._leaves) + 1, size + 1):
                self._leaves.append(merkle.leaf_hash(self._journal.header(height).hash()))
            return self._leaves[:size]
