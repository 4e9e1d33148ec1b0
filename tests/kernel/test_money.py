"""Splits lose nothing, rates round as they say, for all amounts up to the bound."""

from fractions import Fraction

from hypothesis import example, given
from hypothesis import strategies as st

from stoa.kernel.limits import MAX_UNITS
from stoa.kernel.money import Rate, largest_remainder, pro_rata

amounts = st.integers(0, MAX_UNITS)
weights = st.lists(st.integers(0, MAX_UNITS), max_size=20)


@given(amounts, weights)
@example(0, [])
@example(7, [0, 0])
def test_pro_rata_floors_each_and_names_the_rest(amount: int, parts: list[int]) -> None:
    shares, residue = pro_rata(amount, parts)
    assert sum(shares) + residue == amount
    total = sum(parts)
    if total:
        assert shares == [int(Fraction(amount * part, total)) for part in parts]
        assert 0 <= residue < max(len(parts), 1)
    else:
        assert residue == amount


@given(amounts, weights)
@example(10, [1, 1, 1])
def test_the_largest_remainders_get_the_rest(amount: int, parts: list[int]) -> None:
    shares, total = largest_remainder(amount, parts), sum(parts)
    if not total:
        assert shares == [0] * len(parts)
        return
    assert sum(shares) == amount
    exact = [Fraction(amount * part, total) for part in parts]
    more = [share - int(quota) for share, quota in zip(shares, exact, strict=True)]
    assert set(more) <= {0, 1}
    lucky = [quota - int(quota) for quota, extra in zip(exact, more, strict=True) if extra]
    unlucky = [quota - int(quota) for quota, extra in zip(exact, more, strict=True) if not extra]
    assert not lucky or not unlucky or min(lucky) >= max(unlucky)


def test_ties_go_to_the_earlier_place() -> None:
    assert largest_remainder(2, [1, 1, 1]) == [1, 1, 0]
    assert largest_remainder(100, [50, 30, 20]) == [50, 30, 20]


@given(amounts, amounts, st.integers(1, MAX_UNITS))
def test_a_rate_is_exact_and_rounds_down(amount: int, over: int, under: int) -> None:
    exact, rate = Fraction(over, under) * amount, Rate(over, under)
    assert 0 <= exact - rate.floor_of(amount) < 1


def test_the_korean_withholding_rate() -> None:
    assert Rate(154, 1_000).floor_of(101) == 15
