"""Signature checks in processes of their own: the dearest step of a transaction, and the one that needs no state.

A batch is cut into shares, one for each process. With no processes the checks are done where they are asked for.
"""

import os
from concurrent.futures import Future, ProcessPoolExecutor
from multiprocessing import get_context
from typing import Final

from stoa.kernel.codec import Malformed
from stoa.wire.envelope import read_envelope, signatures_valid

MIN_SHARE: Final = 32  # fewer envelopes than this are not worth handing over


def verify_all(envelopes: list[bytes]) -> list[bool]:
    """Whether each envelope is well formed and all its signatures verify."""
    return [_verified(raw) for raw in envelopes]


def _verified(raw: bytes) -> bool:
    try:
        return signatures_valid(read_envelope(raw))
    except Malformed:
        return False


class Verdicts:
    """The answers, in the order of the envelopes, once they are there."""

    def __init__(self, shares: list["Future[list[bool]]"], done: list[bool]) -> None:
        self._shares, self._done = shares, done

    def get(self) -> list[bool]:
        """Wait for all of them."""
        return self._done + [verdict for share in self._shares for verdict in share.result()]


class Verifier:
    """A pool of checking processes; none is a valid number."""

    def __init__(self, processes: int) -> None:
        self.processes = processes
        self._pool = ProcessPoolExecutor(processes, mp_context=get_context("spawn")) if processes else None

    def start(self, envelopes: list[bytes]) -> Verdicts:
        """Begin checking and return at once."""
        if self._pool is None or len(envelopes) < MIN_SHARE:
            return Verdicts([], verify_all(envelopes))
        size = -(-len(envelopes) // self.processes)
        shares = [envelopes[at : at + size] for at in range(0, len(envelopes), size)]
        return Verdicts([self._pool.submit(verify_all, share) for share in shares], [])

    def close(self) -> None:
        """End the processes."""
        if self._pool is not None:
            self._pool.shutdown(cancel_futures=True)


def default_processes() -> int:
    """One process for each core but the one that executes."""
    return max(0, (os.cpu_count() or 1) - 1)
