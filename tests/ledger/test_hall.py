"""The hall of the tests itself: a security, two holders, one transfer, one refusal."""

from stoa.ledger.settlement.transfer import Transfer
from tests.ledger.hall import Hall, account


def test_a_transfer_moves_units_and_a_stranger_is_refused() -> None:
    hall = Hall()
    hall.cash()
    hall.security()
    hall.person("kim")
    hall.person("lee")
    hall.person("nobody", country="")
    hall.issue("HBT", "kim", 100, cost=1_000_000)
    hall.do("kim", Transfer("HBT", account("kim"), account("lee"), 40, 0, ()))
    assert (hall.units("HBT", "kim"), hall.units("HBT", "lee")) == (60, 40)
    reasons = hall.explain("kim", Transfer("HBT", account("kim"), account("nobody"), 61, 0, ()))
    assert [reason.name for reason in reasons] == ["InsufficientUnits", "NotIdentified"]
