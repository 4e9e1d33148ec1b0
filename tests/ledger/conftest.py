"""The halls that most tests of the ledger start from."""

import pytest

from tests.ledger.hall import Hall


@pytest.fixture
def hall() -> Hall:
    """Dollars, the security HBT open to five countries, and five holders to be: nobody holds anything yet."""
    hall = Hall()
    hall.cash()
    hall.security()
    for name, country in (("kim", "KR"), ("lee", "KR"), ("ann", "US"), ("sato", "JP"), ("max", "DE")):
        hall.person(name, country)
    return hall
