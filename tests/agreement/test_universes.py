"""As many universes as fit into the suite; ``python -m tests.agreement.soak`` runs more."""

import pytest

from tests.agreement.plan import plan_of
from tests.agreement.soak import UNDECIDED, explained, failure, shrunk
from tests.agreement.toy import toy_signatures

GROUPS = 6
UNIVERSES = 150  # in each group


@pytest.mark.parametrize("group", range(GROUPS))
def test_every_invariant_holds_in_every_universe(group: int) -> None:
    undecided = 0
    with toy_signatures():
        for seed in range(group * UNIVERSES, (group + 1) * UNIVERSES):
            plan = plan_of(seed)
            name = failure(plan)
            undecided += name == UNDECIDED
            if name not in ("", UNDECIDED):
                pytest.fail(f"seed {seed}: {name}\n{plan}\nshrunk:\n{explained(shrunk(plan))}")
    assert undecided <= UNIVERSES // 20
