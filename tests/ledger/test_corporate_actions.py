"""Income: who is entitled, what each gets, what is withheld, and what happens to income that cannot be paid."""

from __future__ import annotations

from typing import Any

import pytest

from stoa.kernel.money import Rate
from stoa.kernel.time import DAY
from stoa.ledger.assets.model import LOTS
from stoa.ledger.compliance.adopt_rules import AdoptRules
from stoa.ledger.compliance.attest import Attest
from stoa.ledger.compliance.conditions import Compare
from stoa.ledger.compliance.model import Terms
from stoa.ledger.compliance.revoke import Revoke
from stoa.ledger.corporate_actions.announce_distribution import AnnounceDistribution
from stoa.ledger.corporate_actions.cancel_distribution import CancelDistribution
from stoa.ledger.corporate_actions.claim_income import ClaimIncome
from stoa.ledger.corporate_actions.events import (
    DistributionCompleted,
    DistributionRecorded,
    DistributionUnderfunded,
    IncomePaid,
    IncomeUnclaimed,
)
from stoa.ledger.corporate_actions.model import PRO_RATA, TaxRate
from stoa.ledger.holds.freeze_units import FreezeUnits
from stoa.ledger.holds.place_hold import PlaceHold
from stoa.ledger.identity.errors import AccountFrozen
from stoa.ledger.identity.freeze_account import FreezeAccount
from stoa.ledger.settlement.force_transfer import ForceTransfer
from stoa.ledger.settlement.recover import Recover
from stoa.ledger.settlement.redeem import Redeem
from stoa.ledger.settlement.transfer import Transfer
from tests.ledger.hall import EVIDENCE, TRUST, Hall, account, against, rule
from tests.ledger.income import ANNOUNCERS, NO_TAX, QUARTER, announce, check, due, only, paid, progress, purse, terms


@pytest.fixture
def payday(hall: Hall) -> Hall:
    """The hall with somebody who pays and somebody who takes the tax; kim, ann and max hold 500, 1,000 and 500."""
    hall.person("payer")
    hall.person("taxes")
    hall.issue("USD", "payer", 1_000_000)
    for name, units in (("kim", 500), ("ann", 1_000), ("max", 500)):
        hall.issue("HBT", name, units)
    return hall


def test_dividend_is_paid_by_itself_with_withholding_by_residence(payday: Hall) -> None:
    announce(payday, default_rate=QUARTER, rates=(TaxRate("US", "", Rate(1, 3)),))
    assert purse(payday).held == 202_000
    record = only(due(payday), DistributionRecorded)
    assert (record.units, record.pool) == (2_000, 202_000)
    events = due(payday)
    assert paid(events) == {
        account("kim"): (50_500, 12_625, 37_875),
        account("ann"): (101_000, 33_667, 67_333),
        account("max"): (50_500, 12_625, 37_875),
    }
    assert [payday.units("USD", name) for name in ("kim", "ann", "max")] == [37_875, 67_333, 37_875]
    assert payday.units("USD", "taxes") == 12_625 + 33_667 + 12_625
    done = only(events, DistributionCompleted)
    assert (done.holders, done.net, done.tax, done.unclaimed, done.residue) == (3, 143_083, 58_917, 0, 0)
    assert (payday.units("USD", "payer"), purse(payday).held) == (798_000, 0)
    ann = next(event for event in events if isinstance(event, IncomePaid) and event.account == account("ann"))
    assert (ann.distribution, ann.units, ann.rate, ann.country) == ("Q1", 1_000, Rate(1, 3), "US")


def test_a_pool_that_current_supply_exceeds_is_refused_at_announcement(payday: Hall) -> None:
    refusal = payday.refused(ANNOUNCERS, AnnounceDistribution("Q1", terms(payday, pool=200_000)))
    assert refusal.name == "Underfunded"
    assert refusal.sentence() == "Q1 needs 202000 for 2000 units, its pool is 200000."
    assert purse(payday).held == 0


def test_a_pool_that_the_record_exceeds_is_refused_as_a_whole_before_anyone_is_paid(payday: Hall) -> None:
    payday.do(("kim", "AGENT", "KSD"), Redeem("HBT", account("kim"), 20, 0, ()))
    announce(payday, pool=200_000)
    payday.issue("HBT", "kim", 20)
    failed = only(due(payday), DistributionUnderfunded)
    assert (failed.units, failed.pool, failed.needed) == (2_000, 200_000, 202_000)
    assert due(payday) == []
    assert (payday.units("USD", "payer"), purse(payday).held) == (1_000_000, 0)
    assert progress(payday).status == "underfunded"


def test_a_pool_that_force_made_too_small_is_refused_at_the_record(payday: Hall) -> None:
    announce(payday)
    payday.do("BANK", ForceTransfer("USD", account("payer"), account("lee"), 798_001, 0, "court", EVIDENCE))
    assert only(due(payday), DistributionUnderfunded).pool == 201_999
    assert purse(payday).free == 201_999


def test_an_indivisible_currency_pays_whole_units_and_accounts_for_the_rest(hall: Hall) -> None:
    hall.cash("KRW", decimals=0)
    hall.person("payer")
    hall.issue("KRW", "payer", 4)
    for name, units in (("kim", 3), ("lee", 2), ("max", 1)):
        hall.issue("HBT", name, units)
    announce(hall, pays="KRW", pool=4, per_unit=Rate(1, 2), tax_account=account("lee"))
    due(hall)
    done = only(due(hall), DistributionCompleted)
    assert [hall.units("KRW", name) for name in ("kim", "lee", "max")] == [1, 1, 0]
    assert (done.net, done.tax, done.unclaimed, done.residue) == (2, 0, 0, 2)
    assert purse(hall, "KRW").free == 2


def test_a_pool_pro_rata_pays_the_floor_of_each_share(payday: Hall) -> None:
    announce(payday, pool=1_001, per_unit=PRO_RATA)
    due(payday)
    events = due(payday)
    assert [paid(events)[account(name)][0] for name in ("kim", "ann", "max")] == [250, 500, 250]
    assert only(events, DistributionCompleted).residue == 1


def test_units_under_holds_and_freezes_get_income_for_the_owner_of_record(payday: Hall) -> None:
    payday.do("kim", PlaceHold("HBT", account("kim"), 200, account("lee"), "pledge", 0))
    payday.do("AGENT", FreezeUnits("HBT", account("kim"), 200, False, "order", EVIDENCE))
    announce(payday)
    due(payday)
    assert paid(due(payday))[account("kim")] == (50_500, 0, 50_500)
    assert payday.units("USD", "lee") == 0


@pytest.mark.parametrize(("blocks_before_record", "entitled"), [(1, "lee"), (0, "kim")])
def test_who_buys_a_block_before_the_record_gets_it_and_at_the_record_not(
    payday: Hall, blocks_before_record: int, entitled: str
) -> None:
    record = payday.time + 10_000
    announce(payday, record=record)
    sale = payday.signed("kim", Transfer("HBT", account("kim"), account("lee"), 500, 0, ()))
    assert payday.block(sale, later=record - payday.time - blocks_before_record)[0].applied
    due(payday, blocks_before_record)
    payees = paid(due(payday, 2 * DAY))
    assert [name for name in ("kim", "lee") if account(name) in payees] == [entitled]


def test_a_transfer_between_record_and_payment_changes_nothing(payday: Hall) -> None:
    announce(payday)
    due(payday)
    payday.do("kim", Transfer("HBT", account("kim"), account("lee"), 500, 0, ()))
    payday.do("ann", Transfer("HBT", account("ann"), account("sato"), 400, 0, ()))
    payday.issue("HBT", "max", 7)
    assert {who: sums[2] for who, sums in paid(due(payday)).items()} == {
        account("kim"): 50_500,
        account("ann"): 101_000,
        account("max"): 50_500,
    }


def test_two_distributions_of_different_records_each_see_their_own_register(payday: Hall) -> None:
    announce(payday, "Q1", payment=payday.time + 4 * DAY)
    due(payday)
    payday.do("kim", Transfer("HBT", account("kim"), account("lee"), 500, 0, ()))
    announce(payday, "Q2", record=payday.time + DAY, payment=payday.time + 5 * DAY)
    due(payday)
    payday.do("lee", Transfer("HBT", account("lee"), account("max"), 500, 0, ()))
    first, second = paid(due(payday, 2 * DAY)), paid(due(payday, 3 * DAY))
    assert (account("kim") in first, account("lee") in first, first[account("max")][0]) == (True, False, 50_500)
    assert (account("kim") in second, account("lee") in second, second[account("max")][0]) == (False, True, 50_500)


def test_residence_counts_only_as_the_security_trusts_it_and_else_the_default_rate(payday: Hall) -> None:
    payday.do("IDP", Revoke(payday.parties["ann"], "identity", "IDP", "moved"))
    announce(payday, default_rate=QUARTER, rates=(TaxRate("US", "", Rate(1, 3)),))
    due(payday)
    waits = only(due(payday), IncomeUnclaimed)
    assert (waits.rate, waits.country, waits.tax) == (QUARTER, "", 25_250)


def test_a_category_of_a_country_has_its_own_rate(payday: Hall) -> None:
    until = payday.time + 100 * DAY
    payday.do("IDP", Attest(payday.parties["max"], "category", "IDP", "professional", until))
    rates = (
        TaxRate("DE", "", QUARTER),
        TaxRate("DE", "professional", Rate(1, 10)),
        TaxRate("KR", "retail", Rate(1, 2)),
    )
    announce(payday, rates=rates)
    due(payday)
    assert {who: sums[1] for who, sums in paid(due(payday)).items()} == {
        account("kim"): 25_250,
        account("ann"): 0,
        account("max"): 5_050,
    }


def test_income_that_a_rule_refuses_waits_with_its_reasons_and_is_claimed_without_loss(payday: Hall) -> None:
    payday.do("BROKER-A", FreezeAccount(account("kim"), True, "lost phone", EVIDENCE))
    announce(payday, default_rate=QUARTER)
    due(payday)
    events = due(payday)
    waits, done = only(events, IncomeUnclaimed), only(events, DistributionCompleted)
    assert against(waits) == [AccountFrozen(account("kim"))]
    assert (waits.account, waits.gross, waits.tax, waits.net) == (account("kim"), 50_500, 12_625, 37_875)
    assert (done.net + done.tax + done.unclaimed + done.residue, done.unclaimed) == (202_000, 37_875)
    assert purse(payday).held == 37_875
    assert payday.refused("kim", ClaimIncome("Q1", account("kim"))).name == "AccountFrozen"
    payday.do("BROKER-A", FreezeAccount(account("kim"), False, "found", EVIDENCE))
    assert payday.refused("lee", ClaimIncome("Q1", account("kim"))).name == "NotAuthorised"
    claimed = payday.do("kim", ClaimIncome("Q1", account("kim")))
    assert paid(list(claimed)) == {account("kim"): (50_500, 12_625, 37_875)}
    assert (payday.units("USD", "kim"), purse(payday).held) == (37_875, 0)
    assert (progress(payday).unclaimed, progress(payday).net) == (0, 151_500)
    check(payday)
    assert payday.refused("kim", ClaimIncome("Q1", account("kim"))).name == "NothingUnclaimed"


def test_the_agent_pushes_what_the_cash_rules_refused(payday: Hall) -> None:
    payday.do("BANK", AdoptRules("USD", Terms(TRUST, ("KR", "DE"), ())))
    announce(payday)
    due(payday)
    assert [reason.code for reason in against(only(due(payday), IncomeUnclaimed))] == [1304]
    payday.do("BANK", AdoptRules("USD", Terms(TRUST, ("*",), ())))
    payday.do("AGENT", ClaimIncome("Q1", account("ann")))
    assert payday.units("USD", "ann") == 101_000
    check(payday)


def test_a_recovered_account_is_paid_at_its_successor_and_claims_there(payday: Hall) -> None:
    announce(payday)
    due(payday)
    payday.second_account("kim again", "kim")
    payday.do(("BROKER-A", "KSD"), Recover(account("kim"), account("kim again"), "lost key", EVIDENCE))
    payday.do("BROKER-A", FreezeAccount(account("kim again"), True, "check", EVIDENCE))
    due(payday)
    payday.do("BROKER-A", FreezeAccount(account("kim again"), False, "checked", EVIDENCE))
    payday.do("kim again", ClaimIncome("Q1", account("kim")))
    assert payday.units("USD", "kim again") == 50_500
    check(payday)


def test_a_recovery_of_the_paying_account_takes_the_pool_along(payday: Hall) -> None:
    announce(payday)
    due(payday)
    payday.second_account("payer again", "payer")
    payday.do(("BROKER-A", "KSD"), Recover(account("payer"), account("payer again"), "lost key", EVIDENCE))
    check(payday)
    assert len(paid(due(payday))) == 3
    assert purse(payday, name="payer again").free == 798_000


def test_a_frozen_paying_account_delays_income_and_its_tax_and_loses_neither(payday: Hall) -> None:
    announce(payday, default_rate=QUARTER)
    due(payday)
    payday.do("BROKER-A", FreezeAccount(account("payer"), True, "order", EVIDENCE))
    done = only(due(payday), DistributionCompleted)
    assert (done.net, done.tax, done.unclaimed) == (0, 50_500, 151_500)
    assert payday.refused("taxes", ClaimIncome("Q1", account("taxes"))).name == "AccountFrozen"
    payday.do("BROKER-A", FreezeAccount(account("payer"), False, "lifted", EVIDENCE))
    payday.do("taxes", ClaimIncome("Q1", account("taxes")))
    assert payday.units("USD", "taxes") == 50_500
    for name in ("kim", "ann", "max"):
        payday.do(name, ClaimIncome("Q1", account(name)))
        check(payday)
    assert (payday.units("USD", "payer"), purse(payday).held) == (798_000, 0)


def test_the_paying_account_s_own_units_set_their_share_free(payday: Hall) -> None:
    payday.issue("HBT", "payer", 2_000)
    announce(payday, pool=4_000, per_unit=PRO_RATA)
    due(payday)
    assert paid(due(payday))[account("payer")] == (2_000, 0, 2_000)
    assert purse(payday).free == 998_000


def test_the_pool_cannot_be_spent_and_is_free_again_when_cancelled(payday: Hall) -> None:
    announce(payday)
    spend = Transfer("USD", account("payer"), account("lee"), 798_001, 0, ())
    assert payday.refused("payer", spend).name == "InsufficientFreeUnits"
    assert payday.refused("payer", CancelDistribution("Q1", "wish")).name == "NotAuthorised"
    payday.do("AGENT", CancelDistribution("Q1", "the board met again"))
    payday.do("payer", spend)
    assert due(payday) == []
    assert payday.refused("AGENT", CancelDistribution("Q1", "again")).name == "NotCancellable"
    assert payday.refused(ANNOUNCERS, AnnounceDistribution("Q1", terms(payday))).name == "DistributionExists"


def test_after_the_record_nothing_is_cancelled(payday: Hall) -> None:
    announce(payday)
    due(payday)
    assert payday.refused("AGENT", CancelDistribution("Q1", "too late")).name == "NotCancellable"
    assert payday.refused("AGENT", CancelDistribution("Q9", "no")).name == "DistributionUnknown"
    assert payday.refused("kim", ClaimIncome("Q9", account("kim"))).name == "DistributionUnknown"


def test_every_reason_against_an_announcement_gravest_first(payday: Hall) -> None:
    bad = terms(
        payday,
        pool=1_100_000,
        per_unit=Rate(600, 1),
        record=payday.time,
        default_rate=Rate(2, 1),
        rates=(TaxRate("KR", "", QUARTER), TaxRate("KR", "", NO_TAX)),
        tax_account=account("KSD"),
    )
    assert [reason.name for reason in payday.explain("kim", AnnounceDistribution("Q1", bad))] == [
        "NotAuthorised",
        "RecordDateInvalid",
        "WithholdingInvalid",
        "WithholdingInvalid",
        "Underfunded",
        "InsufficientUnits",
        "NotIdentified",
    ]


@pytest.mark.parametrize(
    ("changes", "name"),
    [
        ({"asset": "NONE"}, "AssetUnknown"),
        ({"pays": "NONE"}, "AssetUnknown"),
        ({"payer": bytes(20)}, "AccountUnknown"),
        ({"tax_account": bytes(20)}, "AccountUnknown"),
        ({"asset": "USD"}, "WrongKind"),
        ({"tax_account": account("payer"), "default_rate": QUARTER}, "WithholdingInvalid"),
        ({"per_unit": Rate(2**62, 1), "pool": 1}, "Underfunded"),
    ],
)
def test_what_an_announcement_names_must_fit(payday: Hall, changes: dict[str, Any], name: str) -> None:
    assert payday.refused(ANNOUNCERS, AnnounceDistribution("Q1", terms(payday, **changes))).name == name


def test_income_in_kind_pays_whole_units_at_no_cost_and_asks_the_rules_of_what_is_paid(payday: Hall) -> None:
    few = rule("FEW", Compare("holders.after", "<=", 3), phases=("income",))
    payday.security("SPC", rules=(few,), countries=("KR", "US"))
    payday.issue("SPC", "payer", 100, cost=5_000)
    in_kind: dict[str, Any] = {"pays": "SPC", "pool": 99, "per_unit": PRO_RATA}
    taxed = AnnounceDistribution("X", terms(payday, **in_kind, default_rate=QUARTER))
    assert payday.refused(ANNOUNCERS, taxed).name == "WithholdingInvalid"
    announce(payday, **in_kind)
    due(payday)
    events = due(payday)
    assert [payday.units("SPC", name) for name in ("kim", "ann", "max", "payer")] == [24, 49, 0, 27]
    assert against(only(events, IncomeUnclaimed))[0].code == 1304
    lot = payday.view.need(LOTS, ("SPC", account("ann"), 0))
    assert (lot.units, lot.cost, lot.source) == (49, 0, account("payer"))
    assert only(events, DistributionCompleted).residue == 2
    assert purse(payday, "SPC").held == 24
