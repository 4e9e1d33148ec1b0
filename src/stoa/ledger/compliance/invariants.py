"""What is always true of compliance. Each invariant reads the state and returns its failures as sentences."""

from collections.abc import Callable
from typing import Final

from stoa.kernel import limits
from stoa.kernel.hashing import tagged
from stoa.ledger.assets.model import ASSETS, HOLDINGS
from stoa.ledger.compliance.model import (
    BY_CATEGORY,
    BY_COUNTRY,
    COUNTS,
    NAMED_PACKS,
    NAMING,
    PACKS,
    POSITIONS,
    PROFILES,
    TOTAL,
)
from stoa.ledger.compliance.packs import pack_in_force
from stoa.ledger.identity.model import ACCOUNTS
from stoa.ledger.state import State

_MODULUS: Final = 2**256


def positions_are_the_sums_of_lines(view: State) -> list[str]:
    """A person's position in a scope is what all his accounts hold in it.

    Units are summed with a weight hashed from person and scope: the two sums of a scope are equal only if every
    person's are, and a state of any size is compared in the memory of one number a scope.
    """
    sums: dict[str, int] = {}
    for (party, scope), position in view.walk(POSITIONS):
        sums[scope] = sums.get(scope, 0) + position.units * _weight(party, scope)
    for asset, terms in view.walk(ASSETS):
        for (_, account), row in view.walk(HOLDINGS, (asset,)):
            if row.units:
                party = view.need(ACCOUNTS, account).party
                for scope in terms.scopes:
                    sums[scope] = sums.get(scope, 0) - row.units * _weight(party, scope)
    wrong = sorted(scope for scope, rest in sums.items() if rest % _MODULUS)
    return [f"the positions of persons in {scope} are not the sums of their lines" for scope in wrong]


def _weight(party: int, scope: str) -> int:
    return int.from_bytes(tagged("stoa.position", party.to_bytes(8, "big"), scope.encode()), "big")


def positions_are_positive(view: State) -> list[str]:
    """Who holds nothing has no position."""
    return [f"party {key}: {row}" for key, row in view.walk(POSITIONS) if row.units < 1]


def counts_are_those_of_positions(view: State) -> list[str]:
    """Holders in all, by country and by category are the persons with a position, as they are counted."""
    counted: dict[tuple[str, str, str], int] = {}
    for (_, scope), position in view.walk(POSITIONS):
        for key in (
            (scope, TOTAL, ""),
            (scope, BY_COUNTRY, position.country),
            (scope, BY_CATEGORY, position.category),
        ):
            counted[key] = counted.get(key, 0) + 1
    stated = dict(view.walk(COUNTS))
    return [
        f"{' '.join(key)}: {counted.get(key, 0)} holders, {stated.get(key, 0)} counted"
        for key in sorted(counted | stated)
        if counted.get(key) != stated.get(key)
    ]


def named_packs_are_in_force(view: State) -> list[str]:
    """A scope that names packs has rules of its own to stand beside; each pack is in force; none is named twice."""
    failures = []
    for scope, named in view.walk(NAMED_PACKS):
        if view.get(PROFILES, scope) is None:
            failures.append(f"{scope} names packs and has no rules")
        if not 1 <= len(named.codes) <= limits.MAX_PACKS_OF_SCOPE or len(dict.fromkeys(named.codes)) < len(named.codes):
            failures.append(f"{scope} names {', '.join(named.codes)}")
        failures += [f"{scope} names {code}" for code in named.codes if pack_in_force(view, code) is None]
    return failures


def packs_are_bounded_and_know_who_names_them(view: State) -> list[str]:
    """Not more packs, nor rules in one, than allowed; the scopes that name each are as many as is said."""
    packs = dict(view.scan(PACKS, (), limits.MAX_PACKS + 1))
    failures = [f"there are {len(packs)} packs or more"] if len(packs) > limits.MAX_PACKS else []
    failures += [
        f"{code} has {len(pack.rules)} rules" for code, pack in packs.items() if len(pack.rules) > limits.MAX_PACK_RULES
    ]
    counted: dict[str, int] = {}
    for _, named in view.walk(NAMED_PACKS):
        for code in named.codes:
            counted[code] = counted.get(code, 0) + 1
    stated = dict(view.walk(NAMING))
    return failures + [
        f"{code}: {counted.get(code, 0)} scopes, {stated.get(code, 0)} counted"
        for code in sorted(counted | stated)
        if counted.get(code) != stated.get(code)
    ]


INVARIANTS: Final[tuple[Callable[[State], list[str]], ...]] = (
    positions_are_the_sums_of_lines,
    positions_are_positive,
    counts_are_those_of_positions,
    named_packs_are_in_force,
    packs_are_bounded_and_know_who_names_them,
)
