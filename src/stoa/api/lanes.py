"""Which lane a custodied transaction takes, so that one that waits for approval holds up no other.

An account's lane carries one of this door's transactions at a time, from when it is built until it is final or its
time has passed. Kept in memory: after a restart the intents that still wait claim their lanes again.
"""

import threading
from collections.abc import Callable, Iterable

from stoa.api.problems import Problem, TooMany
from stoa.kernel import limits
from stoa.ledger.catalog import Body

RETRY_MS = 1_000
FIRST_LANE = 1  # lane 0 is left to the account's own keys


class Lanes:
    """Safe for threads. ``next_sequence`` is the ledger's word on what a lane takes next."""

    def __init__(self, next_sequence: Callable[[bytes, int], int]) -> None:
        self._next = next_sequence
        self._lock = threading.Lock()
        self._taken: dict[bytes, dict[int, tuple[int, int]]] = {}

    def claim(self, bodies: Iterable[Body]) -> None:
        """Note the lanes of bodies that were built before."""
        with self._lock:
            for body in bodies:
                self._taken.setdefault(body.author, {})[body.lane] = (body.sequence, body.valid_until)

    def take(self, account: bytes, now: int, until: int) -> tuple[int, int]:
        """A lane of the account that is free until then, and its next sequence. Raises Problem when all are taken."""
        with self._lock:
            lanes = self._taken.setdefault(account, {})
            for lane in range(FIRST_LANE, limits.MAX_LANE + 1):
                sequence = self._next(account, lane)
                used, expires = lanes.get(lane, (0, 0))
                if used < sequence or expires < now:
                    lanes[lane] = (sequence, until)
                    return lane, sequence
        raise Problem(TooMany("transactions of one account", limits.MAX_LANE, RETRY_MS))

    def give_back(self, account: bytes, lane: int, sequence: int) -> None:
        """Nothing will be submitted under this number after all."""
        with self._lock:
            lanes = self._taken.get(account, {})
            if lanes.get(lane, (0, 0))[0] == sequence:
                del lanes[lane]
            if not lanes:
                self._taken.pop(account, None)
