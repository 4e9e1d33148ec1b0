"""A house for each test, closed behind it."""

from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from stoa.journal import Fatal
from tests.node.house import House


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    """A founded ledger with a node on it, not started."""
    made = House(tmp_path)
    yield made
    with suppress(Fatal):
        made.node.close()


@pytest.fixture
def running(house: House) -> House:
    """The same, started."""
    house.node.start()
    return house
