"""Claims: who may attest, which ones count, and what their end and their change do to movements and to counters."""

from stoa.kernel.time import DAY
from stoa.ledger.compliance.adopt_rules import AdoptRules
from stoa.ledger.compliance.attest import Attest
from stoa.ledger.compliance.errors import ClaimExpired, ClaimRevoked
from stoa.ledger.compliance.exempt import Exempt
from stoa.ledger.compliance.model import POSITIONS, Position, Terms, Trust
from stoa.ledger.compliance.revoke import Revoke
from stoa.ledger.identity.register_institution import RegisterInstitution
from tests.ledger.hall import ANY_HOLDER, EVIDENCE, TRUST, Hall, public, send

ALL = ("AGENT", "KSD")


def attest(hall: Hall, name: str, value: str, topic: str = "identity", issuer: str = "IDP", days: int = 100) -> Attest:
    return Attest(hall.parties[name], topic, issuer, value, hall.time + days * DAY)


def second_provider(hall: Hall, trusted: bool) -> None:
    """IDP2 becomes an identity provider, and HBT trusts it after IDP if so wished."""
    hall.do("KSD", RegisterInstitution("IDP2", "IDP 2", "US", ("identity_provider",), 900, 1, (public("IDP2"),)))
    if trusted:
        trust = (Trust("identity", ("IDP", "IDP2")), TRUST[1])
        hall.do(ALL, AdoptRules("HBT", Terms(trust, ("KR", "US", "JP"), (ANY_HOLDER,))))


def test_a_revoked_claim_stops_the_next_movement(hall: Hall) -> None:
    hall.issue("HBT", "kim", 10)
    hall.do("IDP", Revoke(hall.parties["lee"], "identity", "IDP", "document forged"))
    assert hall.refused("kim", send("kim", "lee", 1)) == ClaimRevoked("HBT", hall.parties["lee"], "identity", "IDP")


def test_revoked_and_used_in_one_block_counts_as_revoked(hall: Hall) -> None:
    hall.issue("HBT", "kim", 10)
    revoke = hall.signed("IDP", Revoke(hall.parties["lee"], "identity", "IDP", "document forged"))
    receipts = hall.block(revoke, hall.signed("kim", send("kim", "lee", 1)))
    assert [receipt.applied for receipt in receipts] == [True, False]


def test_a_claim_holds_until_before_its_end(hall: Hall) -> None:
    hall.issue("HBT", "kim", 10)
    ends = hall.time + 3_000
    hall.do("IDP", Attest(hall.parties["lee"], "identity", "IDP", "KR", ends))
    hall.do("kim", send("kim", "lee", 1))
    refused = hall.refused("kim", send("kim", "lee", 1))
    assert refused == ClaimExpired("HBT", hall.parties["lee"], "identity", "IDP", ends, ends)
    hall.do("IDP", attest(hall, "lee", "KR"))
    hall.do("kim", send("kim", "lee", 1))


def test_only_the_receiver_must_be_identified(hall: Hall) -> None:
    hall.issue("HBT", "kim", 10)
    hall.do("IDP", Revoke(hall.parties["kim"], "identity", "IDP", "moved away"))
    hall.do("kim", send("kim", "lee", 1))


def test_a_claim_in_a_trusted_issuers_name_needs_that_issuers_signature(hall: Hall) -> None:
    hall.person("eve", country="")
    for signer in ("eve", "BROKER-A", "KSD"):
        assert hall.refused(signer, attest(hall, "eve", "KR")).name == "NotAuthorised"
    assert hall.refused("BROKER-A", attest(hall, "eve", "KR", issuer="BROKER-A")).name == "InstitutionUnknown"
    hall.issue("HBT", "kim", 10)
    assert hall.refused("kim", send("kim", "eve", 1)).name == "NotIdentified"


def test_a_claim_of_an_issuer_that_the_security_does_not_trust_is_worth_nothing(hall: Hall) -> None:
    second_provider(hall, trusted=False)
    hall.person("eve", country="")
    hall.issue("HBT", "kim", 10)
    hall.do("IDP2", attest(hall, "eve", "KR", issuer="IDP2"))
    assert hall.refused("kim", send("kim", "eve", 1)).name == "NotIdentified"


def test_any_trusted_issuer_will_do_and_the_first_valid_one_counts(hall: Hall) -> None:
    second_provider(hall, trusted=True)
    hall.person("eve", country="")
    hall.issue("HBT", "kim", 10)
    hall.do("IDP2", attest(hall, "eve", "JP", issuer="IDP2"))
    hall.do("kim", send("kim", "eve", 1))
    assert hall.count("HBT", "country", "JP") == 1
    hall.do("IDP", attest(hall, "eve", "KR"))
    assert (hall.count("HBT", "country", "JP"), hall.count("HBT", "country", "KR")) == (0, 2)


def test_a_less_trusted_issuer_does_not_recount_against_the_first(hall: Hall) -> None:
    """Counters follow the claim that the rules would use, not the one that came last."""
    second_provider(hall, trusted=True)
    hall.issue("HBT", "kim", 10)
    hall.do("IDP2", attest(hall, "kim", "JP", issuer="IDP2"))
    assert (hall.count("HBT", "country", "KR"), hall.count("HBT", "country", "JP")) == (1, 0)


def test_a_change_of_country_or_category_recounts_the_holder(hall: Hall) -> None:
    hall.issue("HBT", "kim", 10)
    hall.do("IDP", attest(hall, "kim", "JP"))
    hall.do("IDP", attest(hall, "kim", "professional", topic="category"))
    assert (hall.count("HBT", "country", "KR"), hall.count("HBT", "country", "JP")) == (0, 1)
    assert (hall.count("HBT", "category", "retail"), hall.count("HBT", "category", "professional")) == (0, 1)
    hall.do("kim", send("kim", "lee", 10))
    assert (hall.count("HBT", "country", "JP"), hall.count("HBT", "country", "KR")) == (0, 1)
    assert (hall.count("HBT", "category", "retail"), hall.count("HBT", "category", "professional")) == (1, 0)


def test_a_holder_whose_claim_ended_stays_counted_and_leaves_as_he_was_counted(hall: Hall) -> None:
    hall.issue("HBT", "sato", 10)
    hall.do("IDP", Revoke(hall.parties["sato"], "identity", "IDP", "expired passport"))
    assert hall.count("HBT", "country", "JP") == 1
    hall.do("sato", send("sato", "kim", 10))
    assert hall.count("HBT", "country", "JP") == 0


def test_attest_refuses_in_this_order(hall: Hall) -> None:
    past = Attest(999_999, "identity", "AGENT", "Korea", hall.time)
    wanted = ["NotAuthorised", "InstitutionUnknown", "PartyUnknown", "BadClaimValue", "ClaimExpiryPast"]
    assert hall.reasons("IDP", past) == wanted
    assert hall.reasons("IDP", attest(hall, "kim", "kr")) == ["BadClaimValue"]


def test_a_person_with_too_many_positions_cannot_be_miscounted(hall: Hall) -> None:
    """Beyond the bound of one act the new country is refused, rather than counted for some positions only."""
    for number in range(1_025):
        hall.view.put(POSITIONS, (hall.parties["kim"], f"X{number}"), Position(1, "KR", "retail"))
    assert hall.reasons("IDP", attest(hall, "kim", "JP")) == ["TooManyPositions"]
    assert hall.reasons("IDP", attest(hall, "kim", "yes", topic="accredited")) == []


def test_revoke_refuses_in_this_order(hall: Hall) -> None:
    assert hall.reasons("kim", Revoke(1, "identity", "IDP", "x")) == ["NotAuthorised", "ClaimUnknown"]
    mine = Revoke(hall.parties["kim"], "identity", "IDP", "x")
    hall.do("IDP", mine)
    assert hall.reasons("IDP", mine) == ["NothingToChange"]


def test_exempt_and_adopt_refuse_in_this_order(hall: Hall) -> None:
    exempt = Exempt("HBT", "NO-SUCH", 999_999, hall.time + DAY, "x", EVIDENCE)
    assert hall.reasons("AGENT", exempt) == ["NotAuthorised", "RuleUnknown", "PartyUnknown"]
    assert hall.reasons("AGENT", Exempt("ZZZ", "R", 1, 0, "x", EVIDENCE)) == ["ProfileUnknown"]
    twice = Terms(TRUST, ("KR",), (ANY_HOLDER, ANY_HOLDER))
    assert hall.reasons("KSD", AdoptRules("HBT", twice)) == ["NotAuthorised", "RulesInvalid"]
    assert hall.reasons("KSD", AdoptRules("ZZZ", twice)) == ["ProfileUnknown"]
