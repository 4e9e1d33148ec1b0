"""Recovery of a lost key: everything comes along to the person's new account, and nothing becomes freer by it."""

import pytest

from stoa.kernel.time import DAY
from stoa.ledger.assets.register import line
from stoa.ledger.holds.freeze_units import FreezeUnits
from stoa.ledger.holds.liens import holds_of
from stoa.ledger.holds.place_hold import PlaceHold
from stoa.ledger.holds.release_hold import ReleaseHold
from stoa.ledger.identity.freeze_account import FreezeAccount
from stoa.ledger.identity.model import ACCOUNTS
from stoa.ledger.identity.rotate_keys import RotateKeys
from stoa.ledger.settlement.execute_hold import ExecuteHold
from stoa.ledger.settlement.recover import Recover
from tests.ledger.hall import EVIDENCE, Hall, account, public, send

BOTH = ("BROKER-A", "KSD")


def recover(lost: str, new: str) -> Recover:
    return Recover(account(lost), account(new), "phone lost", EVIDENCE)


@pytest.fixture
def lost(hall: Hall) -> Hall:
    """kim holds 100 units for 1,000 dollars and has opened a second account."""
    hall.issue("HBT", "kim", 100, cost=100_000)
    hall.issue("USD", "kim", 700)
    hall.second_account("kim2", "kim")
    return hall


def test_units_cash_lots_and_costs_come_along(lost: Hall) -> None:
    before = lost.lots("kim")
    lost.do(BOTH, recover("kim", "kim2"))
    assert (lost.units("HBT", "kim"), lost.units("HBT", "kim2"), lost.units("USD", "kim2")) == (0, 100, 700)
    assert lost.lots("kim2") == before
    assert lost.count() == 1
    assert lost.view.need(ACCOUNTS, account("kim")).successor == account("kim2")


def test_a_frozen_account_stays_frozen(lost: Hall) -> None:
    lost.do("FSS", FreezeAccount(account("kim"), True, "inquiry", EVIDENCE))
    lost.do(BOTH, recover("kim", "kim2"))
    assert lost.refused("kim2", send("kim2", "lee", 1)).name == "AccountFrozen"


def test_a_frozen_account_without_a_balance_keeps_its_flag(hall: Hall) -> None:
    hall.second_account("kim2", "kim")
    hall.do("FSS", FreezeAccount(account("kim"), True, "inquiry", EVIDENCE))
    hall.do(BOTH, recover("kim", "kim2"))
    assert hall.view.need(ACCOUNTS, account("kim2")).frozen


@pytest.mark.parametrize("frozen", [30, 100, 400])
def test_a_partial_freeze_comes_along_also_above_the_balance(lost: Hall, frozen: int) -> None:
    lost.do("FSS", FreezeUnits("HBT", account("kim"), frozen, False, "inquiry", EVIDENCE))
    since = line(lost.view, "HBT", account("kim")).frozen_since
    lost.do(BOTH, recover("kim", "kim2"))
    old, new = line(lost.view, "HBT", account("kim")), line(lost.view, "HBT", account("kim2"))
    assert (old.units, old.frozen, new.units, new.frozen, new.frozen_since) == (0, 0, 100, frozen, since)


def test_a_freeze_of_an_empty_line_comes_along(hall: Hall) -> None:
    hall.second_account("kim2", "kim")
    hall.do("FSS", FreezeUnits("HBT", account("kim"), 50, False, "inquiry", EVIDENCE))
    hall.do(BOTH, recover("kim", "kim2"))
    assert line(hall.view, "HBT", account("kim2")).frozen == 50


def test_holds_come_along_with_owner_reason_order_and_expiry(lost: Hall) -> None:
    ends = lost.time + 10 * DAY
    for units, expires in ((20, ends), (30, 0)):
        lost.do("kim", PlaceHold("HBT", account("kim"), units, account("lee"), "pledge", expires))
    before = [lien for _, lien in holds_of(lost.view, "HBT", account("kim"))]
    lost.do(BOTH, recover("kim", "kim2"))
    assert [lien for _, lien in holds_of(lost.view, "HBT", account("kim2"))] == before
    assert holds_of(lost.view, "HBT", account("kim")) == []
    assert lost.refused("kim2", send("kim2", "lee", 51)).name == "InsufficientFreeUnits"
    lost.wait(10 * DAY)
    assert line(lost.view, "HBT", account("kim2")).held == 30


def test_a_lock_up_cannot_be_left_by_recovery(hall: Hall) -> None:
    until = hall.time + 30 * DAY
    hall.issue("HBT", "kim", 100, locked=until)
    hall.second_account("kim2", "kim")
    hall.do(BOTH, recover("kim", "kim2"))
    assert hall.refused("kim2", send("kim2", "lee", 1)).name == "UnitsLocked"
    hall.wait(30 * DAY)
    hall.do("kim2", send("kim2", "lee", 1))


def test_the_lost_account_takes_no_part_any_more(lost: Hall) -> None:
    lost.issue("HBT", "lee", 10)
    lost.do(BOTH, recover("kim", "kim2"))
    lost.second_account("kim3", "kim")
    freeze = FreezeUnits("HBT", account("kim"), 1, False, "inquiry", EVIDENCE)
    for signer, act in (
        ("lee", send("lee", "kim", 1)),
        ("kim", RotateKeys(account("kim"), 1, (public("new"),))),
        ("kim", PlaceHold("HBT", account("kim"), 1, account("lee"), "pledge", 0)),
        ("FSS", FreezeAccount(account("kim"), True, "inquiry", EVIDENCE)),
        ("FSS", freeze),
        (BOTH, recover("kim", "kim3")),
        (BOTH, recover("kim2", "kim")),
    ):
        assert lost.refused(signer, act).name == "AccountMoved", act


def test_the_new_account_owns_the_liens_of_the_lost_one(lost: Hall) -> None:
    """Whoever found the lost key must not be able to execute a pledge with it; the person must."""
    lost.issue("HBT", "lee", 50)
    lost.do("lee", PlaceHold("HBT", account("lee"), 40, account("kim"), "pledge", 0))
    [(number, _)] = holds_of(lost.view, "HBT", account("lee"))
    lost.do(BOTH, recover("kim", "kim2"))
    execute = ExecuteHold("HBT", account("lee"), number, account("max"), 10, 0)
    release = ReleaseHold("HBT", account("lee"), number, 30, "repaid")
    assert lost.refused("kim", execute).name == "NotAuthorised"
    assert lost.refused("kim", release).name == "NotAuthorised"
    lost.do("kim2", execute)
    lost.do("kim2", release)
    assert lost.units("HBT", "max") == 10


def test_recovery_refuses_in_this_order(lost: Hall) -> None:
    assert lost.reasons("kim", recover("stranger", "other")) == ["AccountUnknown", "AccountUnknown"]
    assert lost.reasons("kim", recover("kim", "kim")) == ["NotAuthorised", "SameAccount"]
    assert lost.reasons("KSD", recover("kim", "lee"))[:2] == ["NotAuthorised", "NotSamePerson"]
    assert lost.reasons("BROKER-A", recover("kim", "kim2")) == ["NotAuthorised"]
    lost.issue("HBT", "kim2", 1)
    assert lost.reasons(BOTH, recover("kim", "kim2")) == ["NotEmpty"]


def test_recovery_to_an_account_with_another_asset_adds_to_it(lost: Hall) -> None:
    lost.security("OTH")
    lost.issue("OTH", "kim2", 5)
    lost.do(BOTH, recover("kim", "kim2"))
    assert (lost.units("HBT", "kim2"), lost.units("OTH", "kim2")) == (100, 5)


def test_a_line_that_is_empty_on_both_counts_does_not_stand_in_the_way(lost: Hall) -> None:
    """kim once had cash on the lost account and has some on the new one: nothing of it is to be moved."""
    lost.do("kim", send("kim", "kim2", 700, asset="USD"))
    lost.do(BOTH, recover("kim", "kim2"))
    assert (lost.units("HBT", "kim2"), lost.units("USD", "kim2")) == (100, 700)
