"""Bare verifications, timed a few at a time while something else goes on: the measure that budgets are compared by."""

import time
from collections import deque
from collections.abc import Sequence
from statistics import median
from typing import Final

from stoa.kernel import signing
from stoa.wire.envelope import read_envelope, transaction_id

AT_ONCE: Final = 3
RECENT: Final = 120  # timings that say how fast the machine is just now: two seconds of a load


class Bare:
    """Times the verification of these envelopes' signatures by the calling thread's own processor time."""

    def __init__(self, envelopes: Sequence[bytes]) -> None:
        read = [read_envelope(raw) for raw in envelopes]
        self._load = [(one.signatures[0].key, transaction_id(one.body), one.signatures[0].signature) for one in read]
        self._times: list[float] = []
        self._recent: deque[float] = deque(maxlen=RECENT)

    def some(self) -> None:
        """Time a few of them."""
        if not self._load:
            return
        for _ in range(AT_ONCE):
            public, digest, signature = self._load[len(self._times) % len(self._load)]
            mark = time.thread_time()
            assert signing.verify(public, digest, signature)
            spent = time.thread_time() - mark
            self._times.append(spent)
            self._recent.append(spent)

    def microseconds(self) -> float:
        """The median of all; 0 before the first."""
        return round(median(self._times) * 1e6, 1) if self._times else 0.0

    def recent(self) -> float:
        """The median of the last ones, in microseconds; 0 before there are enough of them."""
        return median(self._recent) * 1e6 if len(self._recent) == RECENT else 0.0
