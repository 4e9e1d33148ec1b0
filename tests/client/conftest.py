"""A house with its door open on a free port, for clients that come over the wire."""

from collections.abc import Iterator
from typing import NamedTuple

import pytest

from stoa.api.serve import Door, free_port
from stoa.client import Client
from tests.api.house import House


class Street(NamedTuple):
    """A house and where its door is."""

    house: House
    url: str


@pytest.fixture(scope="session")
def street(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Street]:
    house = House(tmp_path_factory.mktemp("house"))
    with Door(house.app(), free_port()) as door:
        yield Street(house, door.url)
    house.close()


@pytest.fixture
def client(street: Street) -> Iterator[Client]:
    with Client(street.url) as client:
        yield client
