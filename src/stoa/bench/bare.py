"""Bare verifications: the measure that budgets are compared by.

Timed a few at a time while something else goes on, or by all cores together while nothing else does. The latter is what
the machine has: two virtual cores can be two threads of one, which verify no faster than one of them alone.
"""

import os
import time
from collections import deque
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from hashlib import sha256
from multiprocessing import get_context
from statistics import median
from typing import Final

from stoa.kernel import signing
from stoa.wire.envelope import read_envelope, transaction_id

AT_ONCE: Final = 4
UNTIMED: Final = 4  # before them: the first ones after other work take up to twice as long, until the caches are warm
RECENT: Final = 160  # timings that say how fast the machine is just now: two seconds of a load
WARM_SECONDS: Final = 0.2
SECRET: Final = sha256(b"stoa bench bare").digest()  # guards nothing


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
        for number in range(-UNTIMED, AT_ONCE):
            public, digest, signature = self._load[len(self._times) % len(self._load)]
            mark = time.thread_time()
            assert signing.verify(public, digest, signature)
            spent = time.thread_time() - mark
            if number < 0:
                continue
            self._times.append(spent)
            self._recent.append(spent)

    def microseconds(self) -> float:
        """The median of all; 0 before the first."""
        return round(median(self._times) * 1e6, 1) if self._times else 0.0

    def recent(self) -> float:
        """The median of the last ones, in microseconds; 0 before there are enough of them."""
        return median(self._recent) * 1e6 if len(self._recent) == RECENT else 0.0


def of_all_cores(seconds: float = 1.0) -> float:
    """Bare verifications a second, by all cores of this machine together."""
    cores = os.cpu_count() or 1
    with ProcessPoolExecutor(cores, mp_context=get_context("spawn")) as pool:
        list(pool.map(_verified_in, [WARM_SECONDS] * cores))  # each has started and knows the key
        return sum(pool.map(_verified_in, [seconds] * cores)) / seconds


def _verified_in(seconds: float) -> int:
    public, digest, count = signing.public_key(SECRET), sha256(b"").digest(), 0
    signature, until = signing.sign(SECRET, digest), time.monotonic() + seconds
    while time.monotonic() < until:
        count += signing.verify(public, digest, signature)
    return count
