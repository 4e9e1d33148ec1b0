"""One house for all tests of the API that leave it standing, and a client in its process."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from litestar import Litestar
from litestar.testing import TestClient

from tests.api.house import House


@pytest.fixture(scope="session")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    made = House(tmp_path_factory.mktemp("house"))
    yield made
    made.close()


@pytest.fixture(scope="session")
def entrance(house: House) -> Iterator[TestClient[Litestar]]:
    with TestClient(house.app(), raise_server_exceptions=False) as client:
        yield client


@pytest.fixture
def client(entrance: TestClient[Litestar]) -> TestClient[Litestar]:
    """Somebody whom the house does not know yet."""
    entrance.cookies.clear()
    return entrance


@pytest.fixture
def fresh(tmp_path: Path) -> Iterator[House]:
    """A house of one's own, to stop and to start again."""
    made = House(tmp_path)
    yield made
    made.close()
