"""What the tests of custody share: cheap argon2 parameters, given explicitly, and an opened keystore."""

from pathlib import Path

import pytest

from stoa.custody.keystore import Keystore
from stoa.custody.sealing import Cost
from stoa.custody.secret import Secret


@pytest.fixture(scope="session")
def cheap() -> Cost:
    """The least that argon2 allows: for tests alone."""
    return Cost(passes=1, memory_kib=8, lanes=1)


@pytest.fixture
def passphrase() -> Secret:
    return Secret("a long enough passphrase")


@pytest.fixture
def keystore(tmp_path: Path, passphrase: Secret, cheap: Cost) -> Keystore:
    return Keystore.create(tmp_path / "keys" / "broker.keys", passphrase, cheap)
