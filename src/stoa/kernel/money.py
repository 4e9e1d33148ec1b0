"""Money and units: integers in the smallest unit of their asset, exact rates, and splits that lose nothing.

Every split of an amount sums to the amount: each share is floored, and the remainder is placed by the named rule.
"""

from collections.abc import Sequence
from typing import Annotated

from msgspec import Meta

from stoa.kernel import limits
from stoa.kernel.codec import Shape

Units = Annotated[int, Meta(ge=1, le=limits.MAX_UNITS)]
UnitsOrNone = Annotated[int, Meta(ge=0, le=limits.MAX_UNITS)]
Amount = Annotated[int, Meta(ge=0, le=limits.MAX_UNITS)]


class Rate(Shape):
    """An exact non-negative rational, e.g. 154/1000 for 15.4 %."""

    over: Annotated[int, Meta(ge=0, le=limits.MAX_UNITS)]
    under: Annotated[int, Meta(ge=1, le=limits.MAX_UNITS)]

    def floor_of(self, amount: int) -> int:
        """The part of the amount, rounded down to a whole unit."""
        return amount * self.over // self.under


def pro_rata(amount: int, weights: Sequence[int]) -> tuple[list[int], int]:
    """Floor shares of the amount by weight, and the residue that is left: sum(shares) + residue == amount.

    With no weight at all the whole amount is residue.
    """
    total = sum(weights)
    shares = [amount * weight // total for weight in weights] if total else [0 for _ in weights]
    return shares, amount - sum(shares)


def largest_remainder(amount: int, weights: Sequence[int]) -> list[int]:
    """Shares of the amount by weight that sum to it exactly: floor for each, then one more unit to the largest
    remainders, ties to the earlier place (the method of Hamilton; the one of Korean subscription allotment).
    """
    total = sum(weights)
    if total == 0:
        return [0 for _ in weights]
    shares, residue = pro_rata(amount, weights)
    by_remainder = sorted(range(len(weights)), key=lambda at: (-(amount * weights[at] % total), at))
    for at in by_remainder[:residue]:
        shares[at] += 1
    return shares
