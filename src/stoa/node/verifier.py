"""Signature checks in processes of their own: the dearest step of a transaction, and the one that needs no state.

A batch is cut into shares, one for each process. With no processes the checks are done where they are asked for, or
are left to whoever executes the envelopes next: the ledger reads each once for both.
"""

import os
from concurrent.futures import Future, ProcessPoolExecutor
from multiprocessing import get_context
from time import process_time
from typing import Final, NamedTuple, Self

from stoa.kernel.codec import Malformed
from stoa.wire.envelope import read_envelope, signatures_valid

MIN_SHARE: Final = 32  # fewer envelopes than this are not worth handing over


class Share(NamedTuple):
    """Verdicts on some envelopes, and the CPU seconds they took."""

    verdicts: list[bool]
    seconds: float


def verify_all(envelopes: list[bytes]) -> Share:
    """Whether each envelope is well formed and all its signatures verify."""
    mark = process_time()
    return Share([_verified(raw) for raw in envelopes], process_time() - mark)


def _verified(raw: bytes) -> bool:
    try:
        envelope = read_envelope(raw)
    except Malformed:
        return False
    return signatures_valid(envelope)


class Verdicts:
    """The answers, in the order of the envelopes, once they are there."""

    def __init__(self, shares: list[Future[Share]], done: Share) -> None:
        self._shares, self._done = shares, done

    def get(self) -> Share:
        """Wait for all of them."""
        shares = [self._done, *(share.result() for share in self._shares)]
        return Share([one for share in shares for one in share.verdicts], sum(share.seconds for share in shares))


class Verifier:
    """A pool of checking processes; none is a valid number. They start when there is first something for them.

    Fewer envelopes than ``least`` are checked where they are asked for.
    """

    def __init__(self, processes: int, least: int = MIN_SHARE) -> None:
        self.processes, self._least = processes, least
        self._pool = ProcessPoolExecutor(processes, mp_context=get_context("spawn")) if processes else None

    def start(self, envelopes: list[bytes]) -> Verdicts:
        """Begin checking and return at once."""
        if self._pool is None or len(envelopes) < self._least:
            return Verdicts([], verify_all(envelopes))
        size = -(-len(envelopes) // self.processes)
        shares = [envelopes[at : at + size] for at in range(0, len(envelopes), size)]
        return Verdicts([self._pool.submit(verify_all, share) for share in shares], Share([], 0.0))

    def ahead(self, envelopes: list[bytes]) -> Verdicts | None:
        """Begin checking beside this process and return at once; None where it would be done in it."""
        return None if self._pool is None or len(envelopes) < self._least else self.start(envelopes)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """End the processes."""
        if self._pool is not None:
            self._pool.shutdown(cancel_futures=True)


def default_processes() -> int:
    """One process for each core but the one that executes."""
    return max(0, (os.cpu_count() or 1) - 1)
