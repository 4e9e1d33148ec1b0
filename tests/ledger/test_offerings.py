"""Offerings up to the close: terms, window, limits per person, every reason at once, withdrawal, early close."""

from typing import Any

import pytest

from stoa.kernel.base import Instruction
from stoa.kernel.time import DAY
from stoa.ledger.compliance.conditions import Compare
from stoa.ledger.holds.release_hold import ReleaseHold
from stoa.ledger.offerings.close_offering import CloseOffering
from stoa.ledger.offerings.model import Tier
from stoa.ledger.offerings.open_offering import OpenOffering
from stoa.ledger.offerings.subscribe import Subscribe
from stoa.ledger.offerings.withdraw import Withdraw
from stoa.ledger.settlement.execute_hold import ExecuteHold
from stoa.ledger.settlement.recover import Recover
from stoa.ledger.settlement.transfer import Transfer
from tests.ledger.hall import EVIDENCE, START, account, rule
from tests.ledger.offering_hall import CLOSES, OfferingHall, allotments, events, terms

ISSUER = ("AGENT", "KSD")


@pytest.fixture
def hall() -> OfferingHall:
    """An offering under the usual terms; kim and lee have 10,000 dollars each."""
    hall = OfferingHall()
    for name in ("kim", "lee"):
        hall.investor(name)
    hall.offer()
    return hall


def names(hall: OfferingHall, signers: str | tuple[str, ...], ins: Instruction) -> list[str]:
    return [reason.name for reason in hall.explain(signers, ins)]


# terms


def test_an_offering_needs_every_controller(hall: OfferingHall) -> None:
    refused = hall.refused("AGENT", OpenOffering("TWO", "HBT", terms()))
    assert (refused.name, refused.sentence()) == (
        "NotAuthorised",
        "Not authorised: this needs the signature of KSD.",
    )


def test_reasons_against_an_offering_come_in_their_order(hall: OfferingHall) -> None:
    impossible = terms(proceeds=bytes(20), soft_cap=10**12 + 1, units=10**12, hard_cap=10**12)
    assert names(hall, "AGENT", OpenOffering("OFF", "HBT", impossible)) == [
        "NotAuthorised",
        "OfferingExists",
        "AccountUnknown",
        "OfferingTermsInvalid",
        "AuthorisedLeftTooSmall",
    ]
    assert names(hall, ISSUER, OpenOffering("TWO", "NONE", terms())) == ["AssetUnknown"]
    assert names(hall, ("BANK",), OpenOffering("TWO", "USD", terms())) == ["WrongKind"]


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"closes": START, "tiers": (Tier(START, 100),)}, "it must close in the future, and after it opens"),
        ({"opens": CLOSES}, "it must close in the future, and after it opens"),
        ({"tiers": (Tier(CLOSES - 1, 100),)}, "tiers must follow each other from the opening to the close"),
        (
            {"tiers": (Tier(CLOSES, 90), Tier(CLOSES, 100))},
            "tiers must follow each other from the opening to the close",
        ),
        ({"locked": CLOSES}, "the lock-up would end before the close"),
        ({"soft_cap": 1_001}, "the units on offer must lie between the soft and the hard cap"),
        ({"hard_cap": 999}, "the units on offer must lie between the soft and the hard cap"),
        ({"minimum": 11, "limit": 10}, "the minimum of a person exceeds his limit"),
        ({"tiers": (Tier(CLOSES, 2**62),)}, "the whole book would cost more than any amount may be"),
    ],
)
def test_terms_that_contradict_themselves_are_refused(hall: OfferingHall, changes: dict[str, Any], why: str) -> None:
    reasons = hall.explain(ISSUER, OpenOffering("TWO", "HBT", terms(**changes)))
    assert why in [getattr(reason, "why", "") for reason in reasons]


def test_units_on_offer_are_reserved_until_the_offering_ends(hall: OfferingHall) -> None:
    rest = terms(units=10**12 - 1_000, hard_cap=10**12)
    refused = hall.refused(ISSUER, OpenOffering("ALL", "HBT", terms(units=10**12 - 999, hard_cap=10**12)))
    assert refused.name == "AuthorisedLeftTooSmall"
    hall.do(ISSUER, OpenOffering("ALL", "HBT", rest))
    hall.deadline()
    hall.do(
        ISSUER, OpenOffering("NEXT", "HBT", terms(closes=CLOSES + DAY, tiers=(Tier(CLOSES + DAY, 1),), units=1_001))
    )


# subscribing


def test_a_subscription_holds_its_cost_and_changes_no_owner(hall: OfferingHall) -> None:
    hall.subscribe("kim", 300)
    assert hall.dollars("kim") == (1_000_000, 30_000)
    assert hall.units("HBT", "kim") == 0
    refused = hall.refused("kim", Transfer("USD", account("kim"), account("lee"), 970_001, 0, ()))
    assert refused.name == "InsufficientFreeUnits"


def test_reasons_before_the_window_come_in_their_order() -> None:
    hall = OfferingHall()
    hall.investor("kim")
    hall.person("stranger", country="")
    hall.offer(opens=START + DAY, minimum=10)
    assert names(hall, "kim", Subscribe("OFF", account("stranger"), 5, 400)) == [
        "NotAuthorised",
        "OfferingNotYetOpen",
        "BelowMinimum",
        "CostDiffers",
        "InsufficientUnits",
        "NotIdentified",
    ]
    assert names(hall, "kim", Subscribe("NONE", bytes(20), 5, 400)) == ["OfferingUnknown", "AccountUnknown"]


def test_an_ineligible_investor_learns_every_reason_at_once() -> None:
    professional = rule("PRO", Compare("receiver.category", "==", "professional"))
    most = rule("MOST-200", Compare("receiver.units.after", "<=", 200))
    transfer_only = rule("LATER", Compare("units", "<=", 1), phases=("transfer",))
    hall = OfferingHall(rules=(professional, most, transfer_only))
    hall.investor("kim", cash=10_000, country="FR")
    hall.offer(limit=250)
    reasons = hall.explain("kim", Subscribe("OFF", account("kim"), 300, 30_000))
    assert [(one.name, getattr(one, "rule", "")) for one in reasons] == [
        ("AboveLimit", ""),
        ("InsufficientUnits", ""),
        ("CountryNotOpen", ""),
        ("RuleFailed", "PRO"),
        ("RuleFailed", "MOST-200"),
    ]
    hall.act("kim", Subscribe("OFF", account("kim"), 300, 30_000))
    assert hall.dollars("kim") == (10_000, 0)
    assert hall.offering().count == 0


def test_units_beyond_every_bound_are_refused_and_not_multiplied(hall: OfferingHall) -> None:
    assert names(hall, "kim", Subscribe("OFF", account("kim"), 2**62, 2**62)) == ["AboveLimit", "HardCapReached"]


def test_the_hard_cap_ends_the_book_exactly() -> None:
    hall = OfferingHall()
    hall.investor("kim")
    hall.offer(units=1_000, hard_cap=1_200)
    hall.subscribe("kim", 1_199)
    assert hall.refused("kim", Subscribe("OFF", account("kim"), 2, 200)).name == "HardCapReached"
    hall.subscribe("kim", 1)


def test_the_limit_counts_the_person_over_two_accounts(hall: OfferingHall) -> None:
    hall.offer("SMALL", limit=100, minimum=10)
    hall.second_account("kim-2", owner="kim")
    hall.issue("USD", "kim-2", 1_000_000)
    hall.subscribe("kim", 60, code="SMALL")
    refused = hall.refused("kim-2", Subscribe("SMALL", account("kim-2"), 41, 4_100))
    assert refused.name == "AboveLimit"
    assert "has subscribed 60 units of SMALL; 41 more exceed the limit of 100" in refused.sentence()
    hall.subscribe("kim-2", 4, code="SMALL")  # the minimum counts the person too
    hall.subscribe("kim-2", 36, code="SMALL")
    hall.subscribe("lee", 100, code="SMALL")


def test_a_rule_sees_what_the_person_has_subscribed_already() -> None:
    hall = OfferingHall(rules=(rule("MOST-100", Compare("receiver.units.after", "<=", 100)),))
    hall.investor("kim")
    hall.second_account("kim-2", owner="kim")
    hall.issue("USD", "kim-2", 1_000_000)
    hall.offer(soft_cap=0)
    hall.subscribe("kim", 60)
    assert hall.refused("kim-2", Subscribe("OFF", account("kim-2"), 41, 4_100)).name == "RuleFailed"
    hall.subscribe("kim-2", 40)
    assert allotments(hall.deadline()) == {1: 60, 2: 40}


def test_the_window_opens_and_closes_to_the_millisecond() -> None:
    hall = OfferingHall()
    hall.investor("kim")
    hall.offer(opens=START + DAY)
    one = Subscribe("OFF", account("kim"), 10, 1_000)
    hall.wait(START + DAY - hall.time - 2)
    assert hall.block(hall.signed("kim", one), later=1)[0].rejection is not None  # START + DAY - 1
    assert hall.block(hall.signed("kim", one), later=1)[0].applied
    hall.wait(CLOSES - hall.time - 2)
    assert hall.block(hall.signed("kim", one), later=1)[0].applied  # CLOSES - 1
    refused = hall.block(hall.signed("kim", one), later=1)[0].rejection
    assert refused is not None
    assert refused.name == "OfferingNotOpen"  # the due work of the block came first


def test_the_price_is_that_of_the_tier_in_force() -> None:
    hall = OfferingHall()
    for name in ("kim", "lee"):
        hall.investor(name)
    hall.offer(tiers=(Tier(START + DAY, 90), Tier(CLOSES, 100)), soft_cap=0)
    hall.subscribe("kim", 100, price=90)
    hall.wait(START + DAY - hall.time - 1_000)
    refused = hall.refused("lee", Subscribe("OFF", account("lee"), 100, 9_000))  # at START + DAY exactly
    assert refused.sentence() == "At the price of 100 in force in OFF the units cost 10000, not 9000."
    hall.subscribe("lee", 100, price=100)
    hall.deadline()
    assert [lot.cost for lot in hall.lots("kim") + hall.lots("lee")] == [9_000, 10_000]
    assert hall.dollars("AGENT") == (19_000, 0)


# withdrawing


def test_a_withdrawal_frees_everything_and_makes_room(hall: OfferingHall) -> None:
    hall.subscribe("kim", 3_000)
    assert hall.refused("lee", Subscribe("OFF", account("lee"), 1, 100)).name == "HardCapReached"
    hall.do("kim", Withdraw("OFF", 1))
    assert hall.dollars("kim") == (1_000_000, 0)
    hall.subscribe("lee", 3_000)
    assert hall.refused("kim", Withdraw("OFF", 1)).name == "SubscriptionEnded"


def test_reasons_against_a_withdrawal_come_in_their_order() -> None:
    hall = OfferingHall()
    hall.investor("kim")
    hall.offer(revocable=False, minimum=10)
    hall.subscribe("kim", 10)
    hall.subscribe("kim", 2)
    assert names(hall, "AGENT", Withdraw("OFF", 1)) == ["NotAuthorised", "NotRevocable", "BelowMinimum"]
    assert names(hall, "kim", Withdraw("OFF", 3)) == ["SubscriptionUnknown"]
    assert names(hall, "kim", Withdraw("NONE", 1)) == ["OfferingUnknown"]
    hall.deadline()
    assert names(hall, "kim", Withdraw("OFF", 1)) == ["OfferingNotOpen", "SubscriptionEnded"]


def test_nobody_but_the_offering_ends_its_hold(hall: OfferingHall) -> None:
    hall.subscribe("kim", 300)
    hold = hall.subscription(1).hold
    who = ("kim", "AGENT", "KSD", "BANK")
    release = ReleaseHold("USD", account("kim"), hold, 1, "mine")
    execute = ExecuteHold("USD", account("kim"), hold, account("AGENT"), 1, 0)
    assert [hall.refused(who, ins).name for ins in (release, execute)] == ["NotAuthorised", "NotAuthorised"]


def test_a_recovered_investor_may_withdraw_from_his_new_account(hall: OfferingHall) -> None:
    hall.subscribe("kim", 300)
    hall.second_account("kim-2", owner="kim")
    hall.do(("BROKER-A", "KSD"), Recover(account("kim"), account("kim-2"), "lost key", EVIDENCE))
    assert hall.dollars("kim-2") == (1_000_000, 30_000)
    hall.do("kim-2", Withdraw("OFF", 1))
    assert hall.dollars("kim-2") == (1_000_000, 0)


# closing early


def test_the_agent_closes_early_only_when_fully_subscribed(hall: OfferingHall) -> None:
    hall.subscribe("kim", 999)
    refused = hall.refused("AGENT", CloseOffering("OFF"))
    assert (refused.name, getattr(refused, "subscribed", 0)) == ("NotFullySubscribed", 999)
    assert hall.refused("KSD", CloseOffering("OFF")).name == "NotAuthorised"
    hall.subscribe("lee", 1)
    assert allotments(hall.close()) == {1: 999, 2: 1}
    assert hall.refused("AGENT", CloseOffering("OFF")).name == "OfferingNotOpen"
    assert hall.deadline() == []


def test_the_book_is_closed_from_the_agents_word_on() -> None:
    hall = OfferingHall()
    hall.investor("kim")
    hall.offer(closable=True)
    hall.subscribe("kim", 600)
    late = hall.signed("kim", Subscribe("OFF", account("kim"), 1, 100))
    closed, refused = hall.block(hall.signed("AGENT", CloseOffering("OFF")), late)
    assert closed.applied
    assert refused.rejection is not None
    assert refused.rejection.name == "OfferingNotOpen"
    assert allotments(events(hall.wait(1_000))) == {1: 600}
