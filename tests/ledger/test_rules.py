"""Rules at work: caps on holders, limits per person, holding periods, countries, dates, exemptions, with figures."""

from msgspec.structs import replace

from stoa.kernel.time import DAY
from stoa.ledger.assets.model import ClassTerms, LotPick
from stoa.ledger.compliance.adopt_rules import AdoptRules
from stoa.ledger.compliance.conditions import All, Any, Compare, Not
from stoa.ledger.compliance.errors import Figure, RuleFailed
from stoa.ledger.compliance.exempt import Exempt
from stoa.ledger.compliance.model import Rule, Terms
from stoa.ledger.identity.freeze_account import FreezeAccount
from stoa.ledger.settlement.acquire import acquisition_rejections, is_issued
from stoa.ledger.settlement.issue import Issue
from tests.ledger.hall import ANY_HOLDER, EVIDENCE, TRUST, Hall, account, rule, send

ALL = ("AGENT", "KSD")
COUNTRIES = ("KR", "US", "SG", "JP", "DE")
MINIMUM = rule(
    "MINIMUM",
    All(
        (
            Compare("receiver.units.after", ">=", 50),
            Any((Compare("sender.leaves", "==", 1), Compare("sender.units.after", ">=", 50))),
        )
    ),
    phases=("transfer",),
)
MAXIMUM = rule("MAXIMUM", Compare("receiver.units.after", "<=", 100))
HOLDING_PERIOD = rule(
    "REG-S", Compare("lots.age_days", ">=", 365), when=Compare("sender.country", "==", "US"), phases=("transfer",)
)


def cap(holders: int) -> Rule:
    """At most so many holders; who holds already may go on."""
    return rule("CAP", Compare("holders.after", "<=", holders), when=Compare("receiver.enters", "==", 1))


def ruled(*rules: Rule) -> Hall:
    """A hall whose security HBT has these rules, with the usual five persons."""
    hall = Hall()
    hall.cash()
    hall.security(rules=rules)
    for name, country in (("kim", "KR"), ("lee", "KR"), ("ann", "US"), ("sato", "JP"), ("max", "DE")):
        hall.person(name, country)
    return hall


def adopt(hall: Hall, *rules: Rule, scope: str = "HBT", countries: tuple[str, ...] = COUNTRIES) -> None:
    hall.do(ALL, AdoptRules(scope, Terms(TRUST, countries, rules)))


def why(hall: Hall, sender: str, receiver: str, units: int) -> list[str]:
    """The rules that fail, by id, or the names of other reasons."""
    reasons = hall.explain(sender, send(sender, receiver, units))
    return [reason.rule if isinstance(reason, RuleFailed) else reason.name for reason in reasons]


def test_a_cap_of_two_refuses_the_third_holder_by_issue_and_by_transfer() -> None:
    hall = ruled(cap(2))
    hall.issue("HBT", "kim", 100)
    hall.issue("HBT", "lee", 100)
    refused = hall.refused(ALL, Issue("HBT", account("ann"), 1, 0, 0))
    assert isinstance(refused, RuleFailed)
    assert (refused.rule, refused.figures) == ("CAP", (Figure("holders.after", 3, "<=", 2),))
    assert why(hall, "kim", "ann", 99) == ["CAP"]
    hall.do("kim", send("kim", "ann", 100))  # who sells all makes room
    assert hall.count() == 2


def test_existing_holders_trade_on_when_the_cap_is_lowered() -> None:
    hall = ruled(cap(2))
    hall.issue("HBT", "kim", 100)
    hall.issue("HBT", "lee", 100)
    adopt(hall, cap(1))
    hall.do("kim", send("kim", "lee", 40))
    hall.issue("HBT", "kim", 1)
    assert why(hall, "kim", "ann", 61) == ["CAP"]


def test_a_german_who_sells_all_frees_no_japanese_place() -> None:
    japan = rule("JP-CAP", Compare("holders.country.after.JP", "<=", 1))
    hall = ruled(japan)
    hall.person("suzuki", "JP")
    hall.issue("HBT", "sato", 10)
    hall.issue("HBT", "max", 10)
    assert why(hall, "max", "suzuki", 10) == ["JP-CAP"]
    assert why(hall, "max", "kim", 10) == []
    hall.do("sato", send("sato", "suzuki", 10))  # one Japanese holder for another
    assert hall.count("HBT", "country", "JP") == 1


def test_a_country_cap_counts_the_receivers_own_country() -> None:
    hall = ruled(rule("ONE-EACH", Compare("holders.country.after", "<=", 1)))
    hall.issue("HBT", "kim", 10)
    hall.issue("HBT", "ann", 10)
    assert why(hall, "ann", "lee", 5) == ["ONE-EACH"]
    assert why(hall, "ann", "max", 5) == []


def test_minimum_and_maximum_count_the_person_over_all_his_accounts() -> None:
    hall = ruled(MINIMUM, MAXIMUM)
    hall.second_account("lee2", "lee")
    hall.issue("HBT", "kim", 100)
    assert why(hall, "kim", "lee", 99) == ["MINIMUM"]
    assert why(hall, "kim", "lee", 49) == ["MINIMUM"]
    assert why(hall, "kim", "lee", 100) == []
    hall.do("kim", send("kim", "lee", 50))
    hall.do("lee", send("lee", "lee2", 49))  # within one person nothing changes
    hall.issue("HBT", "max", 100)
    assert why(hall, "max", "lee2", 50) == []
    assert why(hall, "max", "lee2", 51) == ["MINIMUM", "MAXIMUM"]
    refused = hall.refused(ALL, Issue("HBT", account("ann"), 150, 0, 0))
    assert isinstance(refused, RuleFailed)
    assert refused.figures == (Figure("receiver.units.after", 150, "<=", 100),)


def test_a_holding_period_looks_at_the_lots_that_leave() -> None:
    hall = ruled(HOLDING_PERIOD)
    hall.issue("HBT", "ann", 10)
    hall.issue("HBT", "kim", 10)
    hall.wait(364 * DAY)
    hall.issue("HBT", "ann", 10)
    assert why(hall, "ann", "kim", 5) == ["REG-S"]
    assert why(hall, "kim", "ann", 5) == []
    hall.wait(DAY)
    assert why(hall, "ann", "kim", 10) == []
    assert why(hall, "ann", "kim", 11) == ["REG-S"]
    assert hall.reasons("ann", send("ann", "kim", 5, lots=(LotPick(1, 5),))) == ["RuleFailed"]
    assert hall.reasons("ann", send("ann", "kim", 5, lots=(LotPick(0, 5),))) == []


def test_moving_within_a_person_does_not_restart_the_holding_period() -> None:
    hall = ruled(replace(HOLDING_PERIOD, when=All((HOLDING_PERIOD.when, Compare("same_person", "==", 0)))))
    hall.second_account("ann2", "ann")
    hall.issue("HBT", "ann", 10)
    hall.wait(365 * DAY)
    hall.do("ann", send("ann", "ann2", 10))
    assert why(hall, "ann2", "kim", 10) == []


def test_a_rule_speaks_from_its_first_millisecond_until_before_its_last() -> None:
    never = rule("NEVER", Compare("units", "<", 0))
    hall = ruled(ANY_HOLDER)
    hall.issue("HBT", "kim", 10)
    start = hall.time + 10_000
    adopt(hall, replace(never, effective=start, until=start + 5_000))
    refused_at = []
    for _ in range(18):
        hall.wait(1_000)
        refused_at += [hall.time - start] if why(hall, "kim", "lee", 1) == ["NEVER"] else []
    assert refused_at == [0, 1_000, 2_000, 3_000, 4_000]


def test_a_rule_says_nothing_about_phases_that_it_does_not_name() -> None:
    hall = ruled(rule("NO-TRANSFER", Compare("units", "<", 0), phases=("transfer",)))
    hall.issue("HBT", "kim", 10)
    assert why(hall, "kim", "lee", 1) == ["NO-TRANSFER"]


def test_an_unknown_country_fails_closed() -> None:
    hall = ruled(ANY_HOLDER)
    hall.person("amir", "XX")
    hall.issue("HBT", "kim", 10)
    assert why(hall, "kim", "amir", 1) == ["CountryNotOpen"]
    adopt(hall, ANY_HOLDER, countries=("*",))
    assert why(hall, "kim", "amir", 1) == []
    hall.person("nobody", country="")
    assert why(hall, "kim", "nobody", 1) == ["NotIdentified"]
    adopt(hall, ANY_HOLDER, countries=())
    assert why(hall, "kim", "lee", 1) == ["CountryNotOpen"]


def test_an_exemption_frees_one_party_of_one_rule_until_a_time() -> None:
    hall = ruled(MAXIMUM, rule("EVEN", Compare("units", "!=", 101)))
    until = hall.time + DAY
    hall.issue("HBT", "max", 100)
    hall.issue("HBT", "lee", 100)
    hall.do(ALL, Exempt("HBT", "MAXIMUM", hall.parties["kim"], until, "market maker", EVIDENCE))
    hall.issue("HBT", "kim", 150)
    refused = hall.refused(ALL, Issue("HBT", account("kim"), 101, 0, 0))
    assert isinstance(refused, RuleFailed)
    assert refused.rule == "EVEN"
    assert why(hall, "max", "lee", 1) == ["MAXIMUM"]
    hall.do(ALL, Exempt("HBT", "MAXIMUM", hall.parties["kim"], hall.time, "ended", EVIDENCE))
    assert hall.refused(ALL, Issue("HBT", account("kim"), 1, 0, 0)).name == "RuleFailed"
    hall.do(ALL, Exempt("HBT", "MAXIMUM", hall.parties["kim"], until, "market maker", EVIDENCE))
    hall.wait(DAY)
    assert hall.refused(ALL, Issue("HBT", account("kim"), 1, 0, 0)).name == "RuleFailed"


def test_every_rule_that_fails_is_explained_in_the_profiles_order() -> None:
    first, second = rule("B-FIRST", Compare("units", "<", 5)), rule("A-SECOND", Not(Compare("units", ">=", 5)))
    hall = ruled(first, second)
    hall.issue("HBT", "kim", 4)
    assert why(hall, "kim", "lee", 5) == ["InsufficientUnits", "B-FIRST", "A-SECOND"]


def test_words_and_lists_compare() -> None:
    words = rule(
        "WORDS",
        All((Compare("receiver.country", "in", ("KR", "US")), Compare("receiver.category", "not in", ("retail",)))),
        phases=("transfer",),
    )
    hall = ruled(words)
    hall.person("fund", "US", "professional")
    hall.issue("HBT", "kim", 10)
    assert why(hall, "kim", "fund", 1) == []
    assert why(hall, "kim", "max", 1) == ["WORDS"]
    assert why(hall, "kim", "ann", 1) == ["WORDS"]


def test_a_category_cap_and_its_counters() -> None:
    hall = ruled(rule("RETAIL", Compare("holders.category.after.retail", "<=", 2), phases=("issue", "transfer")))
    hall.person("fund", "US", "professional")
    for name in ("kim", "lee", "fund"):
        hall.issue("HBT", name, 10)
    assert (hall.count("HBT", "category", "retail"), hall.count("HBT", "category", "professional")) == (2, 1)
    assert why(hall, "fund", "ann", 10) == ["RETAIL"]
    assert why(hall, "kim", "ann", 10) == []


def test_a_class_has_rules_of_its_own_under_those_of_its_security() -> None:
    hall = Hall()
    hall.cash()
    hall.security("REIT", rules=(MAXIMUM, cap(2)), classes=(ClassTerms("A", "A", 10**6), ClassTerms("B", "B", 10**6)))
    for name in ("kim", "lee", "ann"):
        hall.person(name)
    hall.issue("REIT.A", "kim", 60)
    assert hall.refused(ALL, Issue("REIT.B", account("kim"), 41, 0, 0)).name == "RuleFailed"
    hall.issue("REIT.B", "kim", 40)
    hall.issue("REIT.B", "lee", 10)
    assert (hall.count("REIT"), hall.count("REIT.A"), hall.count("REIT.B")) == (2, 1, 2)
    assert hall.refused(ALL, Issue("REIT.A", account("ann"), 1, 0, 0)).name == "RuleFailed"
    hall.do("kim", send("kim", "lee", 60, asset="REIT.A"))
    assert (hall.count("REIT"), hall.count("REIT.A")) == (2, 1)  # kim still holds class B
    adopt(hall, rule("B-SMALL", Compare("units", "<=", 1), phases=("transfer",)), scope="REIT.B")
    reasons = hall.explain("kim", send("kim", "lee", 40, asset="REIT.B"))
    scopes = [(reason.scope, reason.rule) for reason in reasons if isinstance(reason, RuleFailed)]
    assert scopes == [("REIT.B", "B-SMALL"), ("REIT", "MAXIMUM")]


def test_limits_on_cash_count_persons_too() -> None:
    hall = Hall()
    hall.cash()
    hall.person("kim")
    hall.do("BANK", AdoptRules("USD", Terms(TRUST, ("*",), (MAXIMUM,))))
    hall.issue("USD", "kim", 100)
    assert hall.refused("BANK", Issue("USD", account("kim"), 1, 0, 0)).name == "RuleFailed"


def test_who_asks_whether_he_may_buy_is_told_the_rules_about_himself_whoever_sells() -> None:
    hall = ruled(cap(2), MINIMUM, MAXIMUM, HOLDING_PERIOD)

    def against(name: str, units: int) -> list[str]:
        mark = hall.view.mark()
        found = list(acquisition_rejections(hall.view, hall.time, "HBT", account(name), units))
        assert hall.view.mark() == mark, "asking changes nothing"
        return [one.rule if isinstance(one, RuleFailed) else one.name for one in found]

    assert is_issued(hall.view, "HBT", 10**12 + 1)
    assert not is_issued(hall.view, "HBT", 10**12)
    assert not is_issued(hall.view, "NONE", 1)
    assert against("ann", 60) == ["AuthorisedExceeded"]  # nothing exists that anyone could sell
    hall.issue("HBT", "kim", 100)
    assert against("ann", 60) == []  # neither a seller's minimum nor his holding period is in the way
    assert against("ann", 49) == ["MINIMUM"]
    assert against("kim", 1) == ["MAXIMUM"]
    hall.issue("HBT", "sato", 100)
    assert against("ann", 60) == ["CAP"]
    assert against("ann", 101) == ["CAP", "MAXIMUM"]
    hall.do("FSS", FreezeAccount(account("ann"), True, "inquiry", EVIDENCE))
    assert against("ann", 60) == ["AccountFrozen", "CAP"]
    assert against("stranger", 60) == ["AccountUnknown"]
