"""Sequence numbers at home: what each lane takes next, asked of the ledger once and counted from there."""

import threading


class Lanes:
    """Safe for threads; two threads that share a lane must not mind whose transaction comes first."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._next: dict[tuple[bytes, int], int] = {}

    def take(self, account: bytes, lane: int) -> int | None:
        """The next number, which is then taken; None when the ledger has to be asked."""
        with self._lock:
            sequence = self._next.get((account, lane))
            if sequence is not None:
                self._next[account, lane] = sequence + 1
            return sequence

    def learn(self, account: bytes, lane: int, expected: int) -> None:
        """The ledger says what comes next; numbers taken here already stay taken."""
        with self._lock:
            self._next.setdefault((account, lane), expected)

    def resync(self, account: bytes, lane: int, expected: int) -> None:
        """What was counted here is wrong: the ledger expects this number."""
        with self._lock:
            self._next[account, lane] = expected

    def forget(self, account: bytes, lane: int) -> None:
        """Ask the ledger next time."""
        with self._lock:
            self._next.pop((account, lane), None)
