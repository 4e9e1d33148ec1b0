"""Institutions, parties, accounts, keys, frozen accounts: who may, and what is refused in which order."""

from msgspec.structs import replace

from stoa.kernel.identifiers import account_id
from stoa.ledger.identity.freeze_account import FreezeAccount
from stoa.ledger.identity.model import ACCOUNTS, INSTITUTIONS, OPERATORS
from stoa.ledger.identity.open_account import OpenAccount
from stoa.ledger.identity.register_institution import RegisterInstitution
from stoa.ledger.identity.register_party import RegisterParty
from stoa.ledger.identity.rotate_keys import RotateKeys
from tests.ledger.hall import EVIDENCE, Hall, account, public, send

NEW = RegisterInstitution("BROKER-C", "Broker C", "SG", ("broker", "venue_operator"), 800, 1, (public("BROKER-C"),))


def joint(threshold: int, *names: str) -> OpenAccount:
    return OpenAccount(1_000, "BROKER-A", threshold, tuple(sorted(public(name) for name in names)))


def test_a_registered_institution_may_act_at_once(hall: Hall) -> None:
    hall.do("KSD", NEW)
    institution = hall.view.need(INSTITUTIONS, "BROKER-C")
    assert (institution.account, institution.active) == (account("BROKER-C"), True)
    assert hall.view.get(OPERATORS, account("BROKER-C")) == "BROKER-C"
    hall.person("new customer", broker="BROKER-C")


def test_an_institution_cannot_take_over_an_account_that_exists(hall: Hall) -> None:
    """Its operating account follows from its keys: those of kim would have made kim's account another party's."""
    hall.issue("HBT", "kim", 10)
    before = hall.view.get(ACCOUNTS, account("kim"))
    assert hall.refused("KSD", replace(NEW, keys=(public("kim"),))).name == "AccountExists"
    assert hall.view.get(ACCOUNTS, account("kim")) == before
    hall.do("kim", send("kim", "lee", 10))


def test_register_institution_refuses_in_this_order(hall: Hall) -> None:
    wrong = replace(NEW, institution="KSD", party=1, threshold=2, keys=(public("KSD"),))
    wanted = ["NotAuthorised", "InstitutionExists", "PartyExists", "BadKeys"]
    assert hall.reasons("AGENT", wrong) == wanted
    assert hall.reasons("KSD", replace(NEW, keys=(public("KSD"),))) == ["AccountExists"]


def test_register_party_refuses_in_this_order(hall: Hall) -> None:
    assert hall.reasons("kim", RegisterParty(1_000, False, "BROKER-A")) == ["NotAuthorised", "PartyExists"]
    assert hall.reasons("kim", RegisterParty(7_000, False, "NOBODY")) == ["NotAuthorised"]


def test_open_account_refuses_in_this_order(hall: Hall) -> None:
    wrong = OpenAccount(999_999, "BROKER-A", 3, (public("b"), public("b")))
    assert hall.reasons("kim", wrong) == ["NotAuthorised", "PartyUnknown", "BadKeys", "BadKeys"]
    assert hall.reasons("BROKER-A", OpenAccount(1_000, "BROKER-A", 1, (public("kim"),))) == ["AccountExists"]


def test_keys_are_sorted_different_points_of_the_curve_and_enough(hall: Hall) -> None:
    first, second = sorted((public("a"), public("b")))
    off_curve = b"\x02" + b"\xff" * 32
    for threshold, keys, word in (
        (1, (second, first), "sorted"),
        (1, (first, first), "different"),
        (1, (off_curve,), "secp256k1"),
        (1, (b"\x04" + first[1:],), "secp256k1"),
        (3, (first, second), "more signatures"),
    ):
        refused = hall.refused("BROKER-A", OpenAccount(1_000, "BROKER-A", threshold, keys))
        assert refused.name == "BadKeys"
        assert word in refused.sentence()


def test_the_same_keys_with_another_threshold_are_another_account(hall: Hall) -> None:
    hall.do("BROKER-A", joint(1, "a", "b"))
    hall.do("BROKER-A", joint(2, "a", "b"))
    keys = joint(1, "a", "b").keys
    assert account_id(1, keys) != account_id(2, keys)
    assert hall.refused("BROKER-A", joint(2, "b", "a")).name == "AccountExists"


def test_rotate_refuses_in_this_order_and_keeps_the_address(hall: Hall) -> None:
    assert hall.reasons("kim", RotateKeys(account("eve"), 1, (public("eve"),))) == ["AccountUnknown"]
    assert hall.reasons("BROKER-A", RotateKeys(account("kim"), 2, (public("x"),))) == ["NotAuthorised", "BadKeys"]
    hall.do("kim", RotateKeys(account("kim"), 1, (public("x"),)))
    row = hall.view.need(ACCOUNTS, account("kim"))
    assert (row.keys, row.party) == ((public("x"),), hall.parties["kim"])


def test_a_frozen_account_neither_gives_nor_takes(hall: Hall) -> None:
    hall.issue("HBT", "kim", 10)
    hall.issue("HBT", "lee", 10)
    for signer in ("BROKER-A", "KSD", "FSS"):
        hall.do(signer, FreezeAccount(account("kim"), True, "inquiry", EVIDENCE))
        assert hall.refused("kim", send("kim", "lee", 1)).name == "AccountFrozen"
        assert hall.refused("lee", send("lee", "kim", 1)).name == "AccountFrozen"
        hall.do(signer, FreezeAccount(account("kim"), False, "cleared", EVIDENCE))
    hall.do("kim", send("kim", "lee", 1))


def test_freeze_account_refuses_in_this_order(hall: Hall) -> None:
    assert hall.reasons("kim", FreezeAccount(account("eve"), True, "x", EVIDENCE)) == ["AccountUnknown"]
    thaw = FreezeAccount(account("kim"), False, "x", EVIDENCE)
    for signer in ("kim", "BROKER-B", "AGENT"):
        assert hall.reasons(signer, thaw) == ["NotAuthorised", "NothingToChange"]
