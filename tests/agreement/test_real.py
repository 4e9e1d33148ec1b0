"""A few universes of real parts: round, commit loop, journal, recovery and ledger, on simulated disks and logs."""

import os
from random import Random

import pytest

from tests.agreement.plan import plan_of
from tests.agreement.real import SEATS, RealUniverse
from tests.agreement.universe import Plan

UNIVERSES = 12
GROUPS = 2


def real_plan(seed: int) -> Plan:
    """The faults of a seed, for five honest members under the majority."""
    plan, names = plan_of(seed), dict(zip("ABCDEFGH", (*SEATS, *SEATS), strict=False))
    faults = tuple(
        fault._replace(who=tuple(dict.fromkeys(names[name] for name in fault.who)))
        for fault in plan.faults
        if fault.kind != "corrupt"
    )
    work = tuple((when, names[who], b"") for when, who, _ in plan.work)
    return plan._replace(members=5, byzantine=False, joiner=False, liars=(), faults=faults, work=work)


def lived(seed: int) -> RealUniverse:
    plan = real_plan(seed)
    universe = RealUniverse(plan)
    setting = tuple((0, SEATS[0], envelope) for envelope in universe.script.first)
    transfers = zip(plan.work, universe.script.transfers, strict=True)
    work = tuple((when, who, envelope) for (when, who, _), envelope in transfers)
    universe.plan = plan._replace(work=(*setting, *work))
    universe.run()
    universe.inspect()
    return universe


@pytest.mark.parametrize("group", range(GROUPS))
def test_real_validators_agree_through_crashes_and_a_log_in_trouble(
    group: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    for seed in range(group, UNIVERSES, GROUPS):
        monkeypatch.setattr(os, "urandom", Random(seed).randbytes)  # the markers of segments
        try:
            universe = lived(seed)
        except BaseException as error:
            raise AssertionError(f"seed {seed}: {error!r}") from error
        assert universe.auditor.height > 0
