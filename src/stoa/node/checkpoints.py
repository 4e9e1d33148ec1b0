"""Checkpoints: from time to time, a signed root over all rows of the state goes into the journal, and nothing stops.

The rows are read from a snapshot by a thread of its own, which rests between slices so that blocks go on being made.
"""

import threading
from collections.abc import Callable
from typing import Final

from stoa.journal.journal import Journal
from stoa.node import proofs
from stoa.node.finality import Finality
from stoa.node.state_store import Snapshot, StateStore
from stoa.wire.vote import Checkpoint

REST_SECONDS: Final = 0.004  # after each slice of about a millisecond: a fifth of one core at most
IDLE_SECONDS: Final = 0.2


class _Stopped(Exception):
    """The node is closing; the checkpoint at hand is given up."""


def make_checkpoint(
    view: Snapshot, journal: Journal, finality: Finality, rest: Callable[[], object] = lambda: None
) -> Checkpoint:
    """Sign a root over the snapshot's rows and keep it in the journal. Raises DiskFull, Fatal."""
    checkpoint = proofs.sign_checkpoint(view, proofs.state_hashes(view, rest), finality)
    journal.checkpoint(checkpoint)
    journal.sync()
    return checkpoint


class Checkpoints:
    """Makes a checkpoint at, or soon after, every height that ``every`` divides; 0 is never."""

    def __init__(self, store: StateStore, journal: Journal, finality: Finality, every: int) -> None:
        self._store, self._journal, self._finality, self._every = store, journal, finality, every

    def run(self, stopping: threading.Event) -> None:
        """Until the node stops."""
        if not self._every:
            return
        last = self._journal.latest_checkpoint()
        height = last.height if last else 0
        while not stopping.is_set():
            due = (height // self._every + 1) * self._every
            if self._journal.wait(due, IDLE_SECONDS):
                try:
                    height = self._made(due, stopping) or height
                except _Stopped:
                    return

    def _made(self, due: int, stopping: threading.Event) -> int:
        """The height of the checkpoint made; 0 if the block that is final by now is not in the store yet."""
        with self._store.snapshot() as view:
            standing = view.standing()
            if standing is None or standing.height < due:
                _rest(stopping)
                return 0
            return make_checkpoint(view, self._journal, self._finality, lambda: _rest(stopping)).height


def _rest(stopping: threading.Event) -> None:
    if stopping.wait(REST_SECONDS):
        raise _Stopped
