"""Rule packs: who may change and name them, refusals in order, versions by vote, judging as if rules were merged."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from stoa.kernel import limits
from stoa.kernel.base import Rejection
from stoa.kernel.codec import Malformed
from stoa.kernel.time import DAY
from stoa.ledger import machine
from stoa.ledger.assets.model import ClassTerms
from stoa.ledger.compliance.adopt_rules import AdoptRules
from stoa.ledger.compliance.attest import Attest
from stoa.ledger.compliance.conditions import Compare
from stoa.ledger.compliance.errors import Figure, PackInUse, PackRuleFailed, RuleFailed
from stoa.ledger.compliance.events import PackAdopted, PackRetired, PacksNamed
from stoa.ledger.compliance.exempt import Exempt
from stoa.ledger.compliance.model import NAMED_PACKS, NAMING, PACKS, PROFILES, Pack, Rule, Terms
from stoa.ledger.compliance.name_packs import NamePacks
from stoa.ledger.governance.errors import QuorumMissed
from stoa.ledger.governance.events import ChangeEnacted, ProposalLapsed
from stoa.ledger.governance.model import MAX_PACKS_AT_HEIGHT, AdoptPack, Change, RetirePack
from stoa.ledger.settlement.issue import Issue
from tests.ledger.hall import ANY_HOLDER, CHAIN, EVIDENCE, TRUST, Hall, account, against, rule, send
from tests.ledger.senate import LINGER, Senate
from tests.ledger.test_rules import COUNTRIES, HOLDING_PERIOD, MAXIMUM, MINIMUM, cap

ALL = ("AGENT", "KSD")
PERSONS = (("kim", "KR"), ("lee", "KR"), ("ann", "US"), ("sato", "JP"))


def pack(*rules: Rule, code: str = "KR-OTC") -> AdoptPack:
    return AdoptPack(code, "The market's rules", "시장 규칙", rules)


def ruled(*rules: Rule, validators: int = 1) -> Senate:
    """A senate with a security HBT that has these rules, cash, and a few persons."""
    senate = Senate(validators)
    senate.cash()
    senate.security(rules=rules or (ANY_HOLDER,))
    for name, country in PERSONS:
        senate.person(name, country)
    return senate


def enact(senate: Senate, change: Change, *others: str) -> int:
    """The change is proposed, these vote for it too, and its height is reached. Returns the proposal's number."""
    number = senate.propose("KSD", change, ahead=2)
    if others:
        senate.vote(number, *others)
    senate.decide(number)
    return number


def why(hall: Hall, sender: str, receiver: str, units: int) -> list[str]:
    return [name_of(reason) for reason in hall.explain(sender, send(sender, receiver, units))]


def name_of(reason: Rejection) -> str:
    match reason:
        case PackRuleFailed():
            return f"{reason.pack}/{reason.rule} v{reason.version}"
        case RuleFailed():
            return f"{reason.rule} v{reason.version}"
    return reason.name


# changing packs: refusals in order


@pytest.mark.parametrize(
    ("change", "reasons"),
    [
        (pack(MAXIMUM), []),
        (pack(MAXIMUM, MAXIMUM), ["RulesInvalid"]),
        (pack(rule("ODD", Compare("colour", "==", 1))), ["RulesInvalid"]),
        (pack(rule("ODD", Compare("units", "==", "many"))), ["RulesInvalid"]),
        (pack(replace(MAXIMUM, effective=5, until=5)), ["RulesInvalid"]),
        (pack(cap(3), code="US"), ["NothingToChange"]),
        (pack(cap(4), code="US"), []),
        (RetirePack("KR-OTC"), ["PackUnknown"]),
        (RetirePack("US"), []),
    ],
)
def test_a_change_of_a_pack_is_refused_for_every_reason_in_order(change: Change, reasons: list[str]) -> None:
    senate = Senate(1)
    enact(senate, pack(cap(3), code="US"))
    assert senate.reasons("KSD", senate.proposal("KSD", change)) == reasons
    assert senate.reasons("FSS", senate.proposal("FSS", change)) == ["NotValidator", *reasons]


def test_reasons_against_a_pack_come_in_order() -> None:
    senate = Senate(1)
    for place in range(limits.MAX_PACKS):
        senate.view.put(PACKS, f"P{place:03}", Pack(1, 0, 0, "x", "x", ()))
    odd = rule("ODD", Compare("colour", "==", 1))
    change = pack(odd, odd)
    assert senate.reasons("KSD", senate.proposal("KSD", change)) == ["RulesInvalid"] * 3 + ["TooManyPacks"]
    assert senate.reasons("KSD", senate.proposal("KSD", pack(MAXIMUM, code="P007"))) == []


def test_a_height_has_room_for_so_many_packs() -> None:
    senate = Senate(3)
    height = senate.height + 40
    for place in range(MAX_PACKS_AT_HEIGHT):
        who = ("KSD", "BROKER-A", "BROKER-B")[place % 3]
        change = pack(MAXIMUM, code=f"P{place}")
        senate.do(who, replace(senate.proposal(who, change), height=height))
    more = replace(senate.proposal("KSD", pack(MAXIMUM)), height=height)
    assert senate.refused("KSD", more).name == "TooManyPacksAtHeight"
    assert senate.reasons("KSD", replace(more, height=height + 1)) == []
    assert senate.reasons("KSD", replace(more, change=LINGER)) == []


@pytest.mark.parametrize(
    "change",
    [
        pack(),
        pack(*[rule(f"R{place}", MAXIMUM.require) for place in range(limits.MAX_PACK_RULES + 1)]),
        pack(MAXIMUM, code="no code"),
        replace(pack(MAXIMUM), title_en=""),
    ],
)
def test_what_is_out_of_bounds_is_no_proposal(change: Change) -> None:
    senate = Senate(1)
    with pytest.raises(Malformed):
        senate.do("KSD", senate.proposal("KSD", change))


def test_a_pack_that_is_named_is_not_retired_and_says_how_many_name_it() -> None:
    senate = ruled()
    enact(senate, pack(MAXIMUM))
    senate.do(ALL, NamePacks("HBT", ("KR-OTC",)))
    senate.do("BANK", NamePacks("USD", ("KR-OTC",)))
    refused = senate.refused("KSD", senate.proposal("KSD", RetirePack("KR-OTC")))
    assert refused == PackInUse("KR-OTC", 2)
    senate.do("BANK", NamePacks("USD", ()))
    senate.do(ALL, NamePacks("HBT", ()))
    number = senate.propose("KSD", RetirePack("KR-OTC"), ahead=4)
    senate.do(ALL, NamePacks("HBT", ("KR-OTC",)))  # in the meantime
    [lapsed] = senate.decide(number)
    assert isinstance(lapsed, ProposalLapsed)
    assert against(lapsed) == [PackInUse("KR-OTC", 1)]
    assert senate.view.need(PACKS, "KR-OTC").retired == 0


def test_a_retired_pack_cannot_be_named_and_returns_as_the_next_version() -> None:
    senate = ruled()
    enact(senate, pack(MAXIMUM))
    number = senate.propose("KSD", RetirePack("KR-OTC"), ahead=2)
    assert senate.decide(number)[1:] == (PackRetired("KR-OTC", 1),)
    assert senate.view.need(PACKS, "KR-OTC").retired == senate.time
    assert senate.reasons(ALL, NamePacks("HBT", ("KR-OTC",))) == ["PackUnknown"]
    assert senate.reasons("KSD", senate.proposal("KSD", RetirePack("KR-OTC"))) == ["PackUnknown"]
    number = senate.propose("KSD", pack(MAXIMUM), ahead=2)
    assert senate.decide(number)[1:] == (PackAdopted("KR-OTC", 2, "The market's rules", "시장 규칙", (MAXIMUM,)),)
    senate.do(ALL, NamePacks("HBT", ("KR-OTC",)))


# naming packs


def test_naming_packs_is_refused_gravest_reason_first() -> None:
    senate = ruled()
    enact(senate, pack(MAXIMUM))
    assert senate.reasons("AGENT", NamePacks("ZZZ", ("NONE",))) == ["ProfileUnknown"]
    twice = NamePacks("HBT", ("NONE", "KR-OTC", "NONE"))
    assert senate.reasons("AGENT", twice) == ["NotAuthorised", "PackUnknown", "PackNamedTwice"]
    assert senate.reasons("AGENT", NamePacks("HBT", ())) == ["NotAuthorised", "NothingToChange"]
    senate.do(ALL, NamePacks("HBT", ("KR-OTC",)))
    assert senate.refused(ALL, NamePacks("HBT", ("KR-OTC",))).name == "NothingToChange"
    with pytest.raises(Malformed):
        senate.do(ALL, NamePacks("HBT", tuple(f"P{place}" for place in range(limits.MAX_PACKS_OF_SCOPE + 1))))


def test_naming_packs_is_a_version_of_the_rules_and_new_rules_keep_them() -> None:
    senate = ruled(MINIMUM)
    enact(senate, pack(MAXIMUM))
    before = senate.view.need(PROFILES, "HBT")
    assert senate.do(ALL, NamePacks("HBT", ("KR-OTC",))) == (PacksNamed("HBT", 2, ("KR-OTC",)),)
    assert senate.view.need(PROFILES, "HBT") == replace(before, version=2, adopted=senate.time)
    terms = before.terms
    senate.do(ALL, AdoptRules("HBT", replace(terms, rules=())))
    senate.issue("HBT", "kim", 100)
    senate.issue("HBT", "lee", 1)
    assert why(senate, "kim", "lee", 100) == ["KR-OTC/MAXIMUM v1"]
    senate.do(ALL, NamePacks("HBT", ()))
    assert why(senate, "kim", "lee", 100) == []
    assert (senate.view.get(NAMED_PACKS, "HBT"), senate.view.get(NAMING, "KR-OTC")) == (None, None)


def test_packs_can_be_named_in_the_act_that_creates_the_security_and_a_refused_act_names_nothing() -> None:
    senate = ruled()
    enact(senate, pack(MAXIMUM))
    naming, unpaid = NamePacks("HBT", ("KR-OTC",)), send("kim", "lee", 1)
    assert senate.refused((*ALL, "kim"), naming, unpaid).name == "InsufficientUnits"
    senate.issue("HBT", "kim", 101)
    issue = Issue("HBT", account("lee"), 101, 0, 0)
    assert [name_of(one) for one in senate.explain(ALL, naming, issue)] == ["KR-OTC/MAXIMUM v1"]
    assert senate.reasons(ALL, issue) == []


# judging


def test_every_failing_rule_is_named_with_its_pack_and_version() -> None:
    senate = ruled(cap(1))
    enact(senate, pack(MINIMUM, MAXIMUM))
    enact(senate, pack(replace(MAXIMUM, id="TINY", require=Compare("units", "<=", 5)), code="US-REG-S"))
    enact(senate, pack(MAXIMUM, MINIMUM))
    senate.issue("HBT", "kim", 190)
    senate.do(ALL, NamePacks("HBT", ("US-REG-S", "KR-OTC")))
    assert why(senate, "kim", "lee", 145) == [
        "CAP v2",
        "US-REG-S/TINY v1",
        "KR-OTC/MAXIMUM v2",
        "KR-OTC/MINIMUM v2",
    ]
    refused = senate.refused(ALL, Issue("HBT", account("kim"), 3, 0, 0))
    figures = (Figure("receiver.units.after", 193, "<=", 100),)
    assert refused == PackRuleFailed("HBT", "KR-OTC", "MAXIMUM", 2, figures, "MAXIMUM must hold", "MAXIMUM")
    assert refused.sentence() == "MAXIMUM of the rule pack KR-OTC, version 2, for HBT: MAXIMUM must hold"


def test_five_members_change_a_pack_at_a_stated_height_and_below_the_quorum_nothing_changes() -> None:
    senate = ruled(validators=5)
    enact(senate, pack(MAXIMUM), "BROKER-A", "BROKER-B")
    senate.do(ALL, NamePacks("HBT", ("KR-OTC",)))
    senate.issue("HBT", "kim", 100)
    stricter = pack(replace(MAXIMUM, require=Compare("receiver.units.after", "<=", 10)))
    for yes in (1, 2):
        number = senate.propose("KSD", stricter, ahead=3)
        if yes == 2:
            senate.vote(number, "BROKER-A")
        [lapsed] = senate.decide(number)
        assert isinstance(lapsed, ProposalLapsed)
        assert against(lapsed) == [QuorumMissed(number, yes, 3, 5)]
        assert why(senate, "kim", "lee", 100) == []
        assert senate.view.need(PACKS, "KR-OTC").version == 1
    number = senate.propose("KSD", stricter, ahead=3)
    senate.vote(number, "BROKER-A", "BANK")
    height = senate.row(number).height
    senate.reach(height - 1)
    assert why(senate, "kim", "lee", 11) == []
    # what is decided at the height is decided before everything else in its block
    moved, enacted = senate.block(senate.signed("kim", send("kim", "lee", 11)))
    assert (enacted.height, enacted.events[0]) == (height, ChangeEnacted(number, 3, 3, 5))
    assert isinstance(enacted.events[1], PackAdopted)
    assert moved.rejection is not None
    assert name_of(moved.rejection) == "KR-OTC/MAXIMUM v2"


def test_a_new_version_lets_holders_keep_what_they_hold_and_judges_what_moves() -> None:
    senate = ruled()
    enact(senate, pack(MAXIMUM))
    senate.do(ALL, NamePacks("HBT", ("KR-OTC",)))
    senate.issue("HBT", "kim", 100)
    senate.issue("HBT", "sato", 50)
    nobody = rule("KR-ONLY", Compare("receiver.country", "==", "KR"))
    enact(senate, pack(nobody))
    assert (senate.units("HBT", "sato"), senate.count()) == (50, 2)
    assert why(senate, "kim", "sato", 1) == ["KR-OTC/KR-ONLY v2"]
    senate.do("sato", send("sato", "lee", 20))
    assert (senate.units("HBT", "sato"), senate.units("HBT", "lee")) == (30, 20)


def test_a_block_that_is_taken_back_takes_its_version_back() -> None:
    senate = ruled()
    enact(senate, pack(MAXIMUM))
    senate.issue("HBT", "kim", 200)
    senate.do(ALL, NamePacks("HBT", ("KR-OTC",)))
    number = senate.propose("KSD", pack(replace(MAXIMUM, require=Compare("units", "<=", 5))), ahead=3)
    senate.reach(senate.row(number).height - 1)
    assert (why(senate, "kim", "lee", 50), why(senate, "kim", "lee", 101)) == ([], ["KR-OTC/MAXIMUM v1"])
    for _ in range(2):
        machine.execute_block(senate.view, machine.Place(CHAIN, senate.height + 1, senate.time + 1_000), [])
        assert why(senate, "kim", "lee", 50) == ["KR-OTC/MAXIMUM v2"]
        senate.view.seal()
        senate.view.discard()
        assert (why(senate, "kim", "lee", 50), why(senate, "kim", "lee", 101)) == ([], ["KR-OTC/MAXIMUM v1"])


def test_a_pack_asks_the_scopes_own_counters_and_a_claim_renewed_counts_in_it() -> None:
    senate = ruled()
    senate.issue("HBT", "kim", 10)  # before the pack: counters are kept whatever the rules ask
    senate.issue("HBT", "sato", 10)
    enact(senate, pack(rule("JP-CAP", Compare("holders.country.after.JP", "<=", 1)), cap(3)))
    senate.do(ALL, NamePacks("HBT", ("KR-OTC",)))
    senate.do("IDP", Attest(senate.parties["ann"], "identity", "IDP", "JP", senate.time + DAY))
    assert why(senate, "kim", "ann", 5) == ["KR-OTC/JP-CAP v1"]
    senate.do("IDP", Attest(senate.parties["sato"], "identity", "IDP", "KR", senate.time + DAY))
    assert why(senate, "kim", "ann", 5) == []


def test_an_exemption_from_a_packs_rule_is_for_that_pack_alone() -> None:
    senate = ruled(MAXIMUM)
    enact(senate, pack(MAXIMUM))
    kim, until = senate.parties["kim"], senate.time + 10 * DAY

    def free(name: str) -> Exempt:
        return Exempt("HBT", name, kim, until, "market maker", EVIDENCE)

    assert senate.reasons(ALL, free("KR-OTC/MAXIMUM")) == ["RuleUnknown"]
    senate.do(ALL, NamePacks("HBT", ("KR-OTC",)))
    assert senate.reasons(ALL, free("KR-OTC/OTHER")) == ["RuleUnknown"]
    assert senate.reasons(ALL, free("US/MAXIMUM")) == ["RuleUnknown"]
    buy = Issue("HBT", account("kim"), 101, 0, 0)
    senate.do(ALL, free("KR-OTC/MAXIMUM"))
    assert [name_of(one) for one in senate.explain(ALL, buy)] == ["MAXIMUM v2"]
    senate.do(ALL, free("MAXIMUM"))
    assert senate.reasons(ALL, buy) == []


def test_a_pack_named_by_the_security_judges_every_class_and_one_named_by_a_class_only_it() -> None:
    senate = Senate(1)
    senate.cash()
    senate.security(code="REIT", classes=(ClassTerms("A", "A", 1_000), ClassTerms("B", "B", 1_000)))
    senate.person("kim")
    enact(senate, pack(MAXIMUM))
    enact(senate, pack(replace(MAXIMUM, require=Compare("receiver.units.after", "<=", 40)), code="B-ONLY"))
    senate.do(ALL, NamePacks("REIT", ("KR-OTC",)), NamePacks("REIT.B", ("B-ONLY",)))

    def found(asset: str, units: int) -> list[str]:
        return [name_of(one) for one in senate.explain(ALL, Issue(asset, account("kim"), units, 0, 0))]

    assert (found("REIT.A", 41), found("REIT.B", 41)) == ([], ["B-ONLY/MAXIMUM v1"])
    assert found("REIT.B", 101) == ["B-ONLY/MAXIMUM v1", "KR-OTC/MAXIMUM v1"]


# a pack is its rules

MANY = (
    MINIMUM, MAXIMUM, HOLDING_PERIOD, cap(2),
    rule("JP-CAP", Compare("holders.country.after.JP", "<=", 1)), rule("SMALL", Compare("units", "<=", 60)),
    rule("HOME", Compare("receiver.country", "!=", "US"), when=Compare("receiver.enters", "==", 1)),
)  # fmt: skip
some_rules = st.lists(st.sampled_from(MANY), unique_by=lambda one: one.id, max_size=len(MANY))
names = st.sampled_from([name for name, _ in PERSONS])
moves = st.lists(st.tuples(names, names, st.integers(1, 120)), min_size=1, max_size=8)


@settings(max_examples=25, deadline=None)
@given(chosen=some_rules, cuts=st.tuples(st.integers(0, 7), st.integers(0, 7)).map(sorted), acts=moves)
def test_a_security_with_packs_equals_the_security_with_the_rules_merged(
    chosen: list[Rule], cuts: list[int], acts: list[tuple[str, str, int]]
) -> None:
    own, *packed = chosen[: cuts[0]], chosen[cuts[0] : cuts[1]], chosen[cuts[1] :]
    merged, apart = ruled(), ruled()
    for senate in (merged, apart):
        for name, _ in PERSONS[:3]:
            senate.issue("HBT", name, 100)
    merged.do(ALL, AdoptRules("HBT", Terms(TRUST, COUNTRIES, tuple(chosen))))
    named = [f"PACK-{place}" for place, rules in enumerate(packed) if rules]
    for place, rules in enumerate(packed):
        if rules:
            enact(apart, pack(rule("OTHER", Compare("units", "<", 0)), code=f"PACK-{place}"))
            enact(apart, pack(*rules, code=f"PACK-{place}"))
    apart.do(ALL, AdoptRules("HBT", Terms(TRUST, COUNTRIES, tuple(own))))
    if named:
        apart.do(ALL, NamePacks("HBT", tuple(named)))
    for sender, receiver, units in acts:
        act = send(sender, receiver, units)
        found = [
            [(getattr(one, "rule", one.name), getattr(one, "figures", ())) for one in senate.explain(sender, act)]
            for senate in (merged, apart)
        ]
        assert found[0] == found[1]
        outcomes = [senate.act(sender, act).applied for senate in (merged, apart)]
        assert outcomes[0] == outcomes[1] == (not found[0])
        assert merged.count() == apart.count()
