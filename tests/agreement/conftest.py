"""Signatures are toys in this folder's tests of single parts; those that need the real ones do not ask for this."""

from collections.abc import Iterator

import pytest

from tests.agreement.toy import toy_signatures


@pytest.fixture
def _toy() -> Iterator[None]:
    with toy_signatures():
        yield
