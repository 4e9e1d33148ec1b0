"""The registrar changes roles and standing; there is always a registrar left who could undo it."""

from stoa.ledger.identity.authority import member
from stoa.ledger.identity.events import InstitutionRegistered
from stoa.ledger.identity.register_party import RegisterParty
from stoa.ledger.identity.set_institution import SetInstitution
from tests.ledger.hall import EVIDENCE, Hall, account

BROKER = ("broker",)


def change(institution: str, roles: tuple[str, ...], active: bool = True) -> SetInstitution:
    return SetInstitution(institution, roles, active, "decision 7 of the registrar", EVIDENCE)  # type: ignore[arg-type]


def test_a_suspended_institution_can_do_nothing_until_it_is_reinstated() -> None:
    hall = Hall()
    [event] = hall.do("KSD", change("BROKER-A", BROKER, active=False))
    assert event == InstitutionRegistered("BROKER-A", "Broker-A", "KR", BROKER, account("BROKER-A"), False)
    assert hall.refused("BROKER-A", RegisterParty(99, False, "BROKER-A")).name == "NotAuthorised"
    assert member(hall.view, "BROKER-A", "broker") is None
    hall.do("KSD", change("BROKER-A", BROKER))
    hall.do("BROKER-A", RegisterParty(99, False, "BROKER-A"))


def test_roles_are_replaced_and_kept_in_one_order() -> None:
    hall = Hall()
    [event] = hall.do("KSD", change("BANK", ("settlement_bank", "broker", "broker")))
    assert isinstance(event, InstitutionRegistered)
    assert event.roles == ("broker", "settlement_bank")
    hall.do("KSD", change("BANK", ("broker",)))
    assert member(hall.view, "BANK", "settlement_bank") is None
    assert hall.reasons("KSD", change("BANK", ("broker", "broker"))) == ["NothingToChange"]


def test_it_is_refused_gravest_reason_first() -> None:
    hall = Hall()
    assert hall.reasons("FSS", change("NOBODY", BROKER)) == ["NotAuthorised", "InstitutionMissing"]
    assert hall.reasons("FSS", change("BROKER-A", BROKER)) == ["NotAuthorised", "NothingToChange"]
    assert hall.reasons("FSS", change("KSD", BROKER)) == ["NotAuthorised", "LastRegistrar"]


def test_the_last_active_registrar_must_remain_one() -> None:
    hall = Hall()
    assert hall.refused("KSD", change("KSD", ("registrar",), active=False)).name == "LastRegistrar"
    assert hall.refused("KSD", change("KSD", BROKER)).name == "LastRegistrar"
    hall.do("KSD", change("KSD", ("registrar", "broker")))
    hall.do("KSD", change("BANK", ("registrar",), active=False))
    assert hall.refused("KSD", change("KSD", ("registrar",), active=False)).name == "LastRegistrar"
    hall.do("KSD", change("BANK", ("registrar",)))
    hall.do("KSD", change("KSD", ("registrar",), active=False))
    assert hall.refused("BANK", change("BANK", BROKER)).name == "LastRegistrar"
    hall.do("BANK", change("KSD", ("registrar",)))
