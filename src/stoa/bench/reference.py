"""The machine that the budgets speak of, and what a rate on it is on this one.

The budgets were set where a bare verification takes 30 µs in the run. Virtual machines share their cores with others:
the same one took 49 to 108 µs on different days, and all else in proportion. So a rate becomes one that leaves as
many bare verifications' time for a transfer here as there.
"""

from typing import Final

VERIFY_US: Final = 30.0  # a bare verification in a run on the machine of the budgets


def rate_here(rate: int, verify_us: float) -> int:
    """What a rate is on a machine where a bare verification takes so many microseconds."""
    return max(1, round(rate * VERIFY_US / verify_us))


def rate_there(rate: float, verify_us: float) -> float:
    """What a rate that was measured here is on the machine of the budgets."""
    return round(rate * verify_us / VERIFY_US, 1)
