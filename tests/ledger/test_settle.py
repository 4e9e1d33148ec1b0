"""Delivery against payment: all legs or none, and the stated cost is the cash that is paid."""

import pytest

from stoa.ledger.assets.model import LotPick
from stoa.ledger.compliance.conditions import Compare
from stoa.ledger.compliance.revoke import Revoke
from stoa.ledger.settlement.errors import CostMismatch
from stoa.ledger.settlement.settle import Leg, Settle
from tests.ledger.hall import ANY_HOLDER, Hall, account, rule

BOTH = ("kim", "lee")


def leg(source: str, to: str, units: int, asset: str = "HBT", cost: int = 0, lots: tuple[LotPick, ...] = ()) -> Leg:
    return Leg(asset, account(source), account(to), units, cost, lots)


def swap(units: int, cash: int, cost: int) -> Settle:
    """kim delivers, lee pays."""
    return Settle((leg("kim", "lee", units, cost=cost), leg("lee", "kim", cash, "USD")), "trade 1")


@pytest.fixture
def market(hall: Hall) -> Hall:
    hall.issue("HBT", "kim", 100, cost=5_000)
    hall.issue("USD", "lee", 1_000)
    return hall


def balances(hall: Hall) -> list[int]:
    return [hall.units(asset, name) for asset in ("HBT", "USD") for name in BOTH]


def test_delivery_and_payment_happen_together(market: Hall) -> None:
    market.do(BOTH, swap(10, 700, 700))
    assert balances(market) == [90, 10, 700, 300]
    assert [lot.cost for lot in market.lots("lee")] == [700]


@pytest.mark.parametrize(("cash", "cost"), [(699, 700), (701, 700), (700, 0)])
def test_the_stated_cost_must_be_what_is_paid(market: Hall, cash: int, cost: int) -> None:
    refused = market.refused(BOTH, swap(10, cash, cost))
    assert refused == CostMismatch(account("kim"), account("lee"), cost, cash)
    assert balances(market) == [100, 0, 0, 1_000]


def test_costs_add_up_over_the_legs_of_a_pair(market: Hall) -> None:
    legs = (leg("kim", "lee", 10, cost=300), leg("kim", "lee", 5, cost=200), leg("lee", "kim", 400, "USD"))
    assert market.refused(BOTH, Settle(legs, "")).name == "CostMismatch"
    market.do(BOTH, Settle((*legs, leg("lee", "kim", 100, "USD")), ""))
    assert [lot.cost for lot in market.lots("lee")] == [300, 200]


def test_who_pays_whom_matters(market: Hall) -> None:
    market.issue("USD", "ann", 700)
    third = Settle((leg("kim", "lee", 10, cost=700), leg("ann", "kim", 700, "USD")), "")
    assert market.refused(("kim", "ann"), third).name == "CostMismatch"


def test_one_leg_that_fails_undoes_the_others(market: Hall) -> None:
    assert market.refused(BOTH, swap(101, 700, 700)).name == "InsufficientUnits"
    assert market.refused(BOTH, swap(10, 1_001, 1_001)).name == "InsufficientUnits"
    market.do("IDP", Revoke(market.parties["lee"], "identity", "IDP", "forged"))
    assert market.refused(BOTH, swap(10, 700, 700)).name == "ClaimRevoked"
    assert balances(market) == [100, 0, 0, 1_000]


def test_legs_happen_in_their_order(market: Hall) -> None:
    onward = (leg("kim", "lee", 10), leg("lee", "ann", 10))
    market.do(BOTH, Settle(onward, "chain"))
    assert (market.units("HBT", "ann"), market.count()) == (10, 2)
    assert market.refused(BOTH, Settle(tuple(reversed(onward)), "chain")).name == "InsufficientUnits"


def test_every_giver_signs_and_receivers_need_not(market: Hall) -> None:
    for signer in BOTH:
        assert market.refused(signer, swap(10, 700, 700)).name == "NotAuthorised"
    market.do("kim", Settle((leg("kim", "lee", 1),), "a gift"))


def test_settle_refuses_in_this_order(market: Hall) -> None:
    wrong = Settle((leg("kim", "lee", 101, cost=5), leg("lee", "kim", 1_001, "USD")), "")
    assert market.reasons("ann", wrong) == [
        "NotAuthorised", "NotAuthorised", "CostMismatch", "InsufficientUnits", "InsufficientUnits",
    ]  # fmt: skip
    assert market.reasons("kim", Settle((leg("kim", "lee", 1, "XYZ"),), "")) == ["AssetUnknown"]
    assert market.reasons("kim", Settle((leg("kim", "kim", 1),), "")) == ["SameAccount"]


def test_each_leg_runs_the_rules_after_the_legs_before() -> None:
    hall = Hall()
    hall.cash()
    cap = rule("CAP", Compare("holders.after", "<=", 2), when=Compare("receiver.enters", "==", 1))
    hall.security(rules=(ANY_HOLDER, cap))
    for name in ("kim", "lee", "ann", "max"):
        hall.person(name)
    hall.issue("HBT", "kim", 10)
    hall.issue("HBT", "lee", 10)
    out_then_in = (leg("kim", "lee", 10), leg("lee", "ann", 5))
    hall.do(BOTH, Settle(out_then_in, ""))  # kim makes the room that ann takes
    in_then_out = (leg("lee", "max", 5), leg("ann", "lee", 5))
    assert hall.refused(("lee", "ann"), Settle(in_then_out, "")).name == "RuleFailed"


def test_a_giver_may_choose_his_lots(market: Hall) -> None:
    market.issue("HBT", "kim", 50, cost=1)
    market.do(BOTH, Settle((leg("kim", "lee", 50, lots=(LotPick(1, 50),)),), ""))
    assert [lot.cost for lot in market.lots("kim")] == [5_000]
