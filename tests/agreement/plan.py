"""A plan from a seed: who is there, what is handed in when, what goes wrong, who lies."""

from random import Random
from typing import Final

from tests.agreement.liar import LIES
from tests.agreement.universe import NAMES, Fault, Plan

# How often each kind comes, and the longest it lasts.
KINDS: Final = {
    "crash": (6, 5_000),
    "pause": (3, 6_000),
    "partition": (3, 5_000),
    "one_way": (3, 5_000),
    "lossy": (2, 5_000),
    "sluggish": (2, 4_000),
    "skew": (2, 6_000),
    "corrupt": (1, 0),
    "deaf": (2, 5_000),
    "lose": (2, 0),
    "lose_within": (2, 0),
    "fork": (3, 4_000),
    "stale": (2, 0),
    "repeat": (2, 0),
    "wipe": (1, 0),
    "down": (1, 3_000),
    "reopen": (2, 500),
    "heist": (3, 2_500),
}
STORM: Final = ("crash", "pause", "partition", "one_way", "fork", "stale", "lose", "reopen", "heist", "heist", "heist")
STORMS: Final = 0.4  # of the universes have only these faults: logs that disagree, while people open new epochs
MAX_FAULTS: Final = 12
LENGTH_MS: Final = 8_000


def plan_of(seed: int) -> Plan:
    """The universe of this seed."""
    random = Random(seed)
    members = random.choice((5, 5, 5, 4, 7))
    byzantine = random.random() < 0.5
    joiner = random.random() < 0.2
    names = tuple(NAMES[: members + joiner])
    liars: tuple[tuple[str, tuple[str, ...]], ...] = ()
    if byzantine and random.random() < 0.6:
        count = random.randint(1, (members - 1) // 3)
        who = sorted(random.sample(names[:members], count))
        liars = tuple((name, tuple(sorted(random.sample(LIES, random.randint(1, 4))))) for name in who)
    length = random.randint(2_000, LENGTH_MS)
    storm = random.random() < STORMS
    drawn = [_fault(random, names, length, storm) for _ in range(random.randint(0, MAX_FAULTS))]
    broken = [fault for fault in drawn if fault.kind == "corrupt"][: 0 if liars else 1]
    faults = tuple(sorted((one for one in drawn if one.kind != "corrupt" or one in broken), key=_at))
    depth_first = random.random() < 0.5
    work = _work(random, names, members, length, joiner)
    return Plan(seed, members, byzantine, joiner, depth_first, liars, faults, work, length)


def _at(fault: Fault) -> int:
    return fault.at


def _fault(random: Random, names: tuple[str, ...], length: int, storm: bool) -> Fault:
    kind = random.choices(list(KINDS), [often for often, _ in KINDS.values()])[0]
    if storm:
        kind = random.choice(STORM)
    lasts = random.randint(0, KINDS[kind][1])
    most = len(names) if random.random() < 0.2 else 2
    who = tuple(sorted(random.sample(names, random.randint(1, most))))
    much = random.randint(1, 100)
    if kind == "crash":
        much = random.choice((0, random.randint(1, 40)))
    if kind == "corrupt":
        who = who[:1]
    if kind == "heist":
        who = tuple(random.sample(names, random.randint(1, 2)))
    if kind == "reopen" and random.random() < 0.7:
        who = tuple(sorted(random.sample(names, random.randint(len(names) // 2 + 1, len(names)))))
    return Fault(kind, random.randint(0, length), lasts, who, much)


def _work(
    random: Random, names: tuple[str, ...], members: int, length: int, joiner: bool
) -> tuple[tuple[int, str, bytes], ...]:
    work = []
    for name in names[:members]:
        envelopes = (b"%s %d" % (name.encode(), number) for number in range(random.randint(0, 6)))
        work += [(random.randint(0, length), name, envelope) for envelope in envelopes]
    if joiner:
        work.append((random.randint(0, length), random.choice(names[:members]), b"+" + names[-1].encode()))
        work.append((random.randint(length // 2, length), names[-1], b"from the joiner"))
    if random.random() < 0.1:
        work.append((random.randint(0, length), random.choice(names[:members]), b"!"))
    if random.random() < 0.1 and members > 4:
        work.append((random.randint(0, length), names[0], b"-" + random.choice(names[1:members]).encode()))
    return tuple(sorted(work))
