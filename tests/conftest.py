"""What every test shares: the hypothesis profiles and the folder of published test vectors."""

import os
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

ROOT = Path(__file__).resolve().parent.parent

# `ci` finds the same cases on every machine; `deep` searches anew and longer (HYPOTHESIS_PROFILE=deep).
settings.register_profile(
    "ci", derandomize=True, deadline=None, database=None, suppress_health_check=[HealthCheck.too_slow]
)
settings.register_profile("deep", deadline=None, max_examples=2_000, print_blob=True)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "ci"))


@pytest.fixture(scope="session")
def external() -> Path:
    """The published test vectors beside the clone, or a skip that says where they were looked for."""
    folder = ROOT.parent / "shared" / "external"
    if not folder.is_dir():
        pytest.skip("published test vectors are absent: expected them at ../shared/external")
    return folder
