"""What is always true of governance. Each invariant reads the state and returns its failures as sentences."""

from collections.abc import Callable
from typing import Final

from stoa.kernel import limits, signing
from stoa.ledger.governance.members import members
from stoa.ledger.governance.model import AGENDA, BOUNDS, ERAS, FOUNDING, PARAMETERS, PROPOSALS, VALIDATORS, VOTES
from stoa.ledger.state import State


def somebody_validates(view: State) -> list[str]:
    """There is a validator, and not more of them than a certificate has room for."""
    count = len(view.scan(VALIDATORS, (), limits.MAX_VALIDATORS + 1))
    return [] if 1 <= count <= limits.MAX_VALIDATORS else [f"there are {count} validators"]


def voting_keys_are_usable_and_different(view: State) -> list[str]:
    """One key, one validator, one vote."""
    keys = members(view).keys
    failures = [f"the voting key of {name} is no key" for name, key in keys.items() if not signing.is_public_key(key)]
    if len(dict.fromkeys(keys.values())) < len(keys):
        failures.append("two validators have one voting key")
    return failures


def parameters_are_in_bounds(view: State) -> list[str]:
    """Every parameter of genesis, none that is unknown, and each within its bounds."""
    found = dict(view.scan(PARAMETERS, (), len(BOUNDS) + 1))
    failures = [f"there is no {name}" for name in FOUNDING if name not in found]
    for name, value in found.items():
        if name not in BOUNDS or not BOUNDS[name].low <= value <= BOUNDS[name].high:
            failures.append(f"{name} is {value}")
    return failures


def tallies_equal_votes(view: State) -> list[str]:
    """Every proposal's tally is the sum of its votes."""
    failures = []
    for number, proposal in view.walk(PROPOSALS):
        votes = [yes for _, yes in view.scan(VOTES, (number,), proposal.yes + proposal.no + 1)]
        if (votes.count(True), votes.count(False)) != (proposal.yes, proposal.no):
            failures.append(f"proposal {number}: {proposal.yes} to {proposal.no}, its votes are {votes}")
    return failures


def the_agenda_is_what_is_open(view: State) -> list[str]:
    """Every open proposal, and nothing else, waits for its height."""
    failures = []
    for number, proposal in view.walk(PROPOSALS):
        waits = view.get(AGENDA, (proposal.height, number)) is not None
        if waits != (proposal.stage == "open"):
            failures.append(f"proposal {number} is {proposal.stage}, and it {'waits' if waits else 'does not wait'}")
    return failures


def eras_had_a_quorum(view: State) -> list[str]:
    """No era was without members who could make a block final."""
    return [f"the era up to {last}" for last, era in view.walk(ERAS) if not 1 <= era.quorum <= len(era.seats)]


INVARIANTS: Final[tuple[Callable[[State], list[str]], ...]] = (
    somebody_validates,
    voting_keys_are_usable_and_different,
    parameters_are_in_bounds,
    tallies_equal_votes,
    the_agenda_is_what_is_open,
    eras_had_a_quorum,
)
