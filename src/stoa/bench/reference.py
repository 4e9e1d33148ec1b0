"""The machine that the budgets speak of, and what a rate on it is on this one.

The budgets were set where a bare verification takes 30 µs while both cores work. Virtual machines share their cores
with others: the same one took 32 to 104 µs on different days, and all else in proportion. So a rate is turned into one
that leaves as many bare verifications' time for a transfer here as there.
"""

import os
import time
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from typing import Final

from stoa.kernel import signing
from stoa.kernel.hashing import tagged

VERIFY_US: Final = 30.0  # a bare verification on the machine of the budgets
CORES: Final = 2  # that it has
TIMED_SECONDS: Final = 2.0
ONCE: Final = 50  # verifications between two looks at the clock


def rate_here(rate: int, verify_us: float) -> int:
    """What a rate is on a machine where a bare verification takes so many microseconds."""
    return max(1, round(rate * VERIFY_US / verify_us))


def rate_there(rate: float, verify_us: float) -> float:
    """What a rate that was measured here is on the machine of the budgets."""
    return round(rate * verify_us / VERIFY_US, 1)


def busy_verify_us() -> float:
    """Microseconds of a bare verification while all cores of this machine, at most two, do nothing else."""
    cores = min(CORES, os.cpu_count() or 1)
    with ProcessPoolExecutor(cores, mp_context=get_context("spawn")) as pool:
        return round(sum(pool.map(_verify_us, [TIMED_SECONDS] * cores)) / cores, 1)


def _verify_us(seconds: float) -> float:
    secret, digest = tagged("stoa.bench", b"secret"), tagged("stoa.bench", b"digest")
    public, signature = signing.public_key(secret), signing.sign(secret, digest)
    start, count = time.perf_counter(), 0
    while (spent := time.perf_counter() - start) < seconds:
        for _ in range(ONCE):
            signing.verify(public, digest, signature)
        count += ONCE
    return spent / count * 1e6
