"""Securities complete or not at all; cash of banks alone; codes that name one thing; terms that can be run."""

from typing import Any

import pytest
from msgspec.structs import replace

from stoa.kernel import limits
from stoa.ledger.assets.create_security import CreateSecurity
from stoa.ledger.assets.model import ASSETS, SECURITIES, ClassTerms, Issuer
from stoa.ledger.assets.register_cash import RegisterCash
from stoa.ledger.compliance.conditions import ALWAYS, Compare
from stoa.ledger.compliance.errors import RulesInvalid
from stoa.ledger.compliance.model import PROFILES, Terms, Trust
from tests.ledger.hall import ANY_HOLDER, CASH_TERMS, DOCUMENTS, TRUST, Hall, rule

ALL = ("AGENT", "KSD")
RIGHT = CreateSecurity(
    "NEW", "New", "corporate bond", Issuer("Issuer Ltd", "KR", ""), "AGENT", "KSD", "USD", 100, "", DOCUMENTS,
    (ClassTerms("", "Units", 1_000),), Terms(TRUST, ("KR",), (ANY_HOLDER,)),
)  # fmt: skip
CLASSES = (ClassTerms("A", "Class A", 100), ClassTerms("B", "Class B", 100))


def with_terms(**changes: Any) -> CreateSecurity:
    return replace(RIGHT, terms=replace(RIGHT.terms, **changes))


def test_a_complete_security_is_created_with_all_that_binds(hall: Hall) -> None:
    hall.do(ALL, RIGHT)
    assert hall.view.need(SECURITIES, "NEW").documents == DOCUMENTS
    assert hall.view.need(ASSETS, "NEW").scopes == ("NEW",)
    assert hall.view.need(PROFILES, "NEW").version == 1


@pytest.mark.parametrize(
    ("lacking", "expected"),
    [
        (replace(RIGHT, documents=DOCUMENTS[1:]), "OfferingDocumentMissing"),
        (replace(RIGHT, documents=DOCUMENTS[:1]), "ComplianceStatementMissing"),
        (replace(RIGHT, issuer=Issuer("", "KR", "")), "IssuerDetailsMissing"),
        (replace(RIGHT, issuer=Issuer("Issuer Ltd", "", "")), "IssuerDetailsMissing"),
        (with_terms(trusted=(Trust("category", ("IDP",)),)), "QualificationRulesMissing"),
        (with_terms(countries=()), "QualificationRulesMissing"),
        (with_terms(rules=()), "QualificationRulesMissing"),
        (replace(RIGHT, currency="HBT"), "CurrencyUnknown"),
        (replace(RIGHT, currency="EUR"), "CurrencyUnknown"),
        (replace(RIGHT, security="HBT"), "AssetExists"),
        (replace(RIGHT, security="USD"), "AssetExists"),
        (replace(RIGHT, agent="BANK"), "NotAuthorised"),
        (replace(RIGHT, classes=(ClassTerms("A", "A", 1), ClassTerms("A", "B", 1))), "ClassesInvalid"),
        (replace(RIGHT, classes=(ClassTerms("", "A", 1), ClassTerms("B", "B", 1))), "ClassesInvalid"),
        (replace(RIGHT, security="X" * 23, classes=CLASSES), "ClassesInvalid"),
        (replace(RIGHT, classes=(ClassTerms("A", "A", limits.MAX_UNITS), ClassTerms("B", "B", 1))), "ClassesInvalid"),
    ],
)
def test_an_incomplete_security_is_refused(hall: Hall, lacking: CreateSecurity, expected: str) -> None:
    assert hall.refused(ALL, lacking).name == expected
    assert hall.view.get(ASSETS, "NEW") is None


def test_all_that_is_missing_is_named_at_once_in_this_order(hall: Hall) -> None:
    nothing = CreateSecurity(
        "HBT", "X", "x", Issuer("", "", ""), "BANK", "FSS", "EUR", 0, "", (), (*CLASSES, ClassTerms("", "C", 1)),
        Terms((), (), ()),
    )  # fmt: skip
    assert hall.reasons("kim", nothing) == [
        "NotAuthorised", "InstitutionUnknown", "NotAuthorised", "InstitutionUnknown", "AssetExists", "ClassesInvalid",
        "CurrencyUnknown", "OfferingDocumentMissing", "IssuerDetailsMissing", "IssuerDetailsMissing",
        "ComplianceStatementMissing", "QualificationRulesMissing", "QualificationRulesMissing",
        "QualificationRulesMissing",
    ]  # fmt: skip


def test_both_agent_and_registrar_sign(hall: Hall) -> None:
    for signer in (*ALL, "kim"):
        assert hall.refused(signer, RIGHT).name == "NotAuthorised"


def test_classes_have_codes_scopes_and_profiles_of_their_own(hall: Hall) -> None:
    hall.do(ALL, replace(RIGHT, classes=CLASSES))
    assert hall.view.get(ASSETS, "NEW") is None
    assert hall.view.need(ASSETS, "NEW.A").scopes == ("NEW.A", "NEW")
    assert [hall.view.need(PROFILES, scope).terms.rules for scope in ("NEW", "NEW.A")] == [(ANY_HOLDER,), ()]
    for code in ("NEW", "NEW.B"):
        assert hall.refused(ALL, replace(RIGHT, security=code)).name == "AssetExists"
        cash = RegisterCash(code, "BANK", "x", "USD", 2, CASH_TERMS)
        assert hall.refused("BANK", cash).name == "AssetExists"


def test_only_a_settlement_bank_registers_cash_and_only_its_own(hall: Hall) -> None:
    won = RegisterCash("KRW", "BANK", "won", "KRW", 0, CASH_TERMS)
    assert hall.refused("AGENT", won).name == "NotAuthorised"
    assert hall.refused("AGENT", replace(won, bank="AGENT")).name == "InstitutionUnknown"
    twice = replace(CASH_TERMS, rules=(ANY_HOLDER, ANY_HOLDER))
    wrong = RegisterCash("USD", "AGENT", "x", "USD", 2, twice)
    assert hall.reasons("kim", wrong) == ["NotAuthorised", "InstitutionUnknown", "AssetExists", "RulesInvalid"]


@pytest.mark.parametrize(
    ("bad", "why"),
    [
        (rule("R", Compare("receiver.shoe_size", "==", 1)), "there is no fact receiver.shoe_size"),
        (rule("R", Compare("receiver.claim.", "==", "x")), "there is no fact"),
        (rule("R", Compare("units", "in", ("1", "2"))), "needs a word fact"),
        (rule("R", Compare("receiver.country", "in", "KR")), "needs a word fact"),
        (rule("R", Compare("receiver.country", "<", "KR")), "has no order"),
        (rule("R", Compare("units", "==", "many")), "is a number"),
        (rule("R", Compare("receiver.country", "==", 82)), "is a word"),
        (rule("R", Compare("units", "==", ("a",))), "is a number"),
        (replace(ANY_HOLDER, effective=5, until=5), "end before it starts"),
        (replace(ANY_HOLDER, when=Compare("x", "==", 1), require=ALWAYS), "there is no fact x"),
    ],
)
def test_rules_that_could_not_be_run_are_not_adopted(hall: Hall, bad: Any, why: str) -> None:
    refused = hall.refused(ALL, with_terms(rules=(bad,)))
    assert isinstance(refused, RulesInvalid)
    assert (refused.scope, refused.rule) == ("NEW", bad.id)
    assert why in refused.why


def test_a_topic_is_trusted_to_one_list(hall: Hall) -> None:
    refused = hall.refused(ALL, with_terms(trusted=(*TRUST, TRUST[0])))
    assert isinstance(refused, RulesInvalid)
    assert refused.why == "a topic is listed twice"
