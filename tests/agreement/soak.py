"""Run many universes: ``python -m tests.agreement.soak --seeds N --from S``. The first that fails is shrunk."""

import argparse
import sys
import time
import traceback
from collections.abc import Iterator

from tests.agreement.auditor import Violated
from tests.agreement.plan import plan_of
from tests.agreement.toy import toy_signatures
from tests.agreement.universe import Plan, Universe

UNDECIDED = "undecided"


def failure(plan: Plan) -> str:
    """The name of what does not hold in the universe, empty if all does."""
    try:
        Universe(plan).run()
    except Violated as violated:
        return violated.name
    except Exception as error:  # noqa: BLE001 - any is a finding
        return type(error).__name__
    return ""


def shrunk(plan: Plan) -> Plan:
    """A smaller plan that fails in the same way."""
    name = failure(plan)
    smaller = True
    while smaller:
        smaller = False
        for less in _smaller(plan):
            if failure(less) == name:
                plan, smaller = less, True
                break
    return plan


def _smaller(plan: Plan) -> Iterator[Plan]:
    for field in ("faults", "work", "liars"):
        items = getattr(plan, field)
        step = len(items) // 2
        while step:
            for at in range(0, len(items), step):
                yield plan._replace(**{field: items[:at] + items[at + step :]})
            step //= 2
    for at, (name, lies) in enumerate(plan.liars):
        for lie in lies if len(lies) > 1 else ():
            fewer = (name, tuple(one for one in lies if one != lie))
            yield plan._replace(liars=(*plan.liars[:at], fewer, *plan.liars[at + 1 :]))
    if plan.length > 500:
        yield plan._replace(length=plan.length // 2)


def explained(plan: Plan) -> str:
    """The plan, and what happens in it."""
    try:
        Universe(plan).run()
    except Exception:  # noqa: BLE001 - any is a finding
        return f"{plan}\n{traceback.format_exc()}"
    return f"{plan}\nholds"


def show(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("--seeds", type=int, default=1_000)
    parser.add_argument("--from", type=int, default=0, dest="start")
    parser.add_argument("--keep-going", action="store_true")
    asked = parser.parse_args()
    begun, failed, undecided = time.monotonic(), 0, 0
    with toy_signatures():
        for seed in range(asked.start, asked.start + asked.seeds):
            plan = plan_of(seed)
            name = failure(plan)
            undecided += name == UNDECIDED
            if name in ("", UNDECIDED):
                continue
            failed += 1
            if asked.keep_going:
                show(f"seed {seed}: {name} ({plan.members}, byzantine={plan.byzantine}, liars={plan.liars})")
                continue
            show(f"seed {seed}: {name}\n{explained(plan)}\nshrunk:\n{explained(shrunk(plan))}")
            return 1
    rate = asked.seeds / (time.monotonic() - begun)
    show(f"{asked.seeds} universes, {rate:.1f} a second, {failed} failed, {undecided} undecided")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
