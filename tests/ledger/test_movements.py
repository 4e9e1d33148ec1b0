"""Issue, transfer, redemption: what each refuses in which order, and what it leaves on the register."""

import pytest

from stoa.kernel import limits
from stoa.kernel.base import Instruction
from stoa.kernel.time import DAY
from stoa.ledger.assets.errors import TooManyLines
from stoa.ledger.assets.model import SUPPLY, ClassTerms
from stoa.ledger.assets.pause import Pause
from stoa.ledger.holds.freeze_units import FreezeUnits
from stoa.ledger.identity.freeze_account import FreezeAccount
from stoa.ledger.settlement.force_transfer import ForceTransfer
from stoa.ledger.settlement.issue import Issue
from stoa.ledger.settlement.recover import Recover
from stoa.ledger.settlement.redeem import Redeem
from stoa.ledger.settlement.transfer import Transfer
from tests.ledger.hall import EVIDENCE, Hall, account, send

ALL = ("AGENT", "KSD")


def issue(name: str, units: int, asset: str = "HBT") -> Issue:
    return Issue(asset, account(name), units, 0, 0)


def redeem(name: str, units: int, asset: str = "HBT") -> Redeem:
    return Redeem(asset, account(name), units, 0, ())


def freeze(hall: Hall, name: str) -> None:
    hall.do("FSS", FreezeAccount(account(name), True, "inquiry", EVIDENCE))


def supply(hall: Hall, asset: str = "HBT") -> int:
    return hall.view.get(SUPPLY, asset) or 0


def test_issue_and_redemption_change_the_supply_and_a_transfer_does_not(hall: Hall) -> None:
    hall.issue("HBT", "kim", 100)
    hall.do("kim", send("kim", "lee", 30))
    hall.do(("lee", *ALL), redeem("lee", 10))
    assert (supply(hall), hall.units("HBT", "kim"), hall.units("HBT", "lee"), hall.count()) == (90, 70, 20, 2)
    hall.do(("lee", *ALL), redeem("lee", 20))
    assert (supply(hall), hall.count()) == (70, 1)


def test_redeemed_units_may_be_issued_again_up_to_what_is_authorised() -> None:
    hall = Hall()
    hall.cash()
    hall.security(classes=(ClassTerms("", "Units", 100),))
    hall.person("kim")
    hall.issue("HBT", "kim", 100)
    assert hall.refused(ALL, issue("kim", 1)).name == "AuthorisedExceeded"
    hall.do(("kim", *ALL), redeem("kim", 40))
    assert hall.refused(ALL, issue("kim", 41)).name == "AuthorisedExceeded"
    hall.do(ALL, issue("kim", 40))


def test_transfer_refuses_in_this_order(hall: Hall) -> None:
    hall.person("nobody", country="")
    hall.issue("HBT", "kim", 10, locked=hall.time + DAY)
    assert hall.reasons("lee", send("kim", "lee", 1, asset="XYZ")) == ["NotAuthorised", "AssetUnknown"]
    assert hall.reasons("lee", send("kim", "eve", 1)) == ["NotAuthorised", "AccountUnknown"]
    hall.do("AGENT", Pause("HBT", True, "inquiry"))
    for name in ("kim", "nobody"):
        freeze(hall, name)
    halted = ["NotAuthorised", "AccountFrozen", "AccountFrozen", "AssetPaused"]
    assert hall.reasons("lee", send("kim", "nobody", 5)) == [*halted, "UnitsLocked", "NotIdentified"]
    assert hall.reasons("lee", send("kim", "nobody", 11)) == [*halted, "InsufficientUnits", "NotIdentified"]
    most = send("kim", "nobody", limits.MAX_UNITS)
    assert hall.reasons("kim", most)[-2:] == ["InsufficientUnits", "NotIdentified"]
    assert hall.reasons("kim", send("kim", "kim", 1)) == [
        "AccountFrozen", "AccountFrozen", "SameAccount", "AssetPaused", "UnitsLocked",
    ]  # fmt: skip


def test_issue_refuses_in_this_order(hall: Hall) -> None:
    hall.person("nobody", country="")
    hall.issue("HBT", "kim", 10)
    assert hall.reasons("AGENT", issue("kim", 1, "XYZ")) == ["AssetUnknown"]
    assert hall.reasons("AGENT", issue("eve", 1)) == ["NotAuthorised", "AccountUnknown"]
    hall.do("KSD", Pause("HBT", True, "inquiry"))
    freeze(hall, "nobody")
    most = issue("nobody", limits.MAX_UNITS)
    assert hall.reasons("AGENT", most) == [
        "NotAuthorised", "AccountFrozen", "AssetPaused", "AuthorisedExceeded", "NotIdentified",
    ]  # fmt: skip
    assert "LineFull" in hall.reasons(ALL, issue("kim", limits.MAX_UNITS))


def test_redeem_refuses_in_this_order(hall: Hall) -> None:
    hall.issue("HBT", "kim", 10)
    assert hall.reasons("kim", redeem("kim", 1, "XYZ")) == ["AssetUnknown"]
    assert hall.reasons("kim", redeem("eve", 1)) == ["NotAuthorised", "AccountUnknown"]
    freeze(hall, "kim")
    assert hall.reasons("kim", redeem("kim", 11)) == ["NotAuthorised", "AccountFrozen", "InsufficientUnits"]
    assert hall.reasons(ALL, redeem("kim", 1)) == ["NotAuthorised", "AccountFrozen"]


@pytest.mark.parametrize(
    ("signers", "act"),
    [
        ("lee", send("kim", "lee", 1)),
        (ALL, send("kim", "lee", 1)),
        ("AGENT", issue("lee", 1)),
        ("KSD", issue("lee", 1)),
        ("kim", redeem("kim", 1)),
        (("kim", "AGENT"), redeem("kim", 1)),
        (("AGENT", "KSD"), issue("kim", 1, "USD")),
        ("BANK", redeem("kim", 1, "USD")),
    ],
)
def test_nobody_moves_what_is_not_his_to_move(hall: Hall, signers: str | tuple[str, ...], act: Instruction) -> None:
    hall.issue("HBT", "kim", 10)
    hall.issue("USD", "kim", 10)
    assert hall.refused(signers, act).name == "NotAuthorised"


def test_one_controller_halts_and_all_resume(hall: Hall) -> None:
    hall.issue("HBT", "kim", 10)
    assert hall.refused("kim", Pause("HBT", True, "x")).name == "NotAuthorised"
    hall.do("KSD", Pause("HBT", True, "inquiry"))
    assert hall.refused("kim", send("kim", "lee", 1)).name == "AssetPaused"
    assert hall.reasons("KSD", Pause("HBT", False, "over")) == ["NotAuthorised"]
    assert hall.reasons(ALL, Pause("HBT", True, "again")) == ["NothingToChange"]
    hall.do(ALL, Pause("HBT", False, "over"))
    hall.do("kim", send("kim", "lee", 1))
    assert hall.reasons("kim", Pause("XYZ", True, "x")) == ["AssetUnknown"]
    hall.do("FSS", Pause("HBT", True, "supervisor"))


def test_the_same_movement_twice_in_one_transaction_moves_twice(hall: Hall) -> None:
    """What the check of the first has found out must not be used for the second."""
    hall.issue("HBT", "kim", 10)
    hall.do("kim", send("kim", "lee", 4), send("kim", "lee", 4))
    assert (hall.units("HBT", "kim"), [lot.units for lot in hall.lots("lee")]) == (2, [4, 4])
    assert hall.refused("kim", send("kim", "lee", 1), send("kim", "lee", 2)).name == "InsufficientUnits"


def test_a_dry_run_leaves_nothing_behind(hall: Hall) -> None:
    hall.issue("HBT", "kim", 10)
    assert hall.reasons("kim", send("kim", "lee", 10), send("kim", "lee", 1)) == ["InsufficientUnits"]
    hall.wait(1_000)
    assert hall.writes[-1].rows == []
    hall.do("kim", send("kim", "lee", 10))


def test_a_transfer_of_cash_obeys_the_rules_of_cash(hall: Hall) -> None:
    hall.person("nobody", country="")
    hall.issue("USD", "kim", 10)
    assert hall.refused("kim", send("kim", "nobody", 1, asset="USD")).name == "NotIdentified"
    hall.do("kim", Transfer("USD", account("kim"), account("lee"), 10, 0, ()))
    assert (supply(hall, "USD"), hall.count("USD")) == (10, 1)


def test_an_account_has_a_bounded_number_of_lines_and_can_always_be_recovered(
    hall: Hall, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Else a stranger who sends what nobody asked for could take a person's recovery from him."""
    monkeypatch.setattr(limits, "MAX_ASSETS_OF_ACCOUNT", 3)
    hall.second_account("kim2", "kim")
    for code in ("AAA", "BBB", "CCC"):
        hall.security(code)
        hall.issue(code, "lee", 10)
    for code in ("HBT", "BBB", "AAA"):
        hall.issue(code, "kim", 5)
    unwanted = Issue("CCC", account("kim"), 1, 0, 0)
    for signers, act in (
        (("AGENT", "KSD"), unwanted),
        ("lee", send("lee", "kim", 1, asset="CCC")),
        (("AGENT", "KSD"), ForceTransfer("CCC", account("lee"), account("kim"), 1, 0, "order", EVIDENCE)),
        ("AGENT", FreezeUnits("CCC", account("kim"), 1, False, "order", EVIDENCE)),
    ):
        refused = hall.refused(signers, act)
        assert refused == TooManyLines(account("kim"), "CCC", 3, 3), act
    hall.do("kim", send("kim", "lee", 5, asset="BBB"))  # an empty line is a line
    assert hall.refused(("AGENT", "KSD"), unwanted).name == "TooManyLines"
    hall.issue("HBT", "kim", 1)
    hall.issue("BBB", "kim", 1)
    hall.do(("BROKER-A", "KSD"), Recover(account("kim"), account("kim2"), "keys lost", EVIDENCE))
    assert [hall.units(code, "kim2") for code in ("AAA", "BBB", "HBT")] == [5, 1, 6]
