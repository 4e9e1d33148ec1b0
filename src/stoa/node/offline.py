"""What may be read of a ledger's folder beside the node that runs on it, or without one. Changes nothing."""

from pathlib import Path
from typing import Any, NamedTuple

from stoa.journal.journal import Journal
from stoa.ledger.governance.model import AGENDA, PROPOSALS, QUORUM, VOTES, parameter
from stoa.ledger.identity.model import INSTITUTIONS
from stoa.ledger.state import State
from stoa.node.finality import Members, members
from stoa.node.health import RULES
from stoa.node.node import JOURNAL_FOLDER, STATE_FOLDER
from stoa.node.state_store import reading
from stoa.wire.forms import to_form


class Ballot(NamedTuple):
    """A proposal, its change as a form, and who has voted how."""

    number: int
    proposer: str
    change: dict[str, Any]
    height: int
    expires: int
    stage: str
    votes: dict[str, bool]


class Chamber(NamedTuple):
    """Members with the rule of their quorum, institutions with their roles and operating accounts, and ballots, after
    the final block of a height and time."""

    height: int
    time: int
    members: Members
    rule: str
    roles: dict[str, tuple[str, ...]]
    accounts: dict[str, bytes]
    ballots: dict[int, Ballot]


def validators_of(folder: Path) -> tuple[str, Members]:
    """The ledger's name, and its validators after the last final block. Raises NoJournal, Damaged, Unusable."""
    with Journal.open(folder / JOURNAL_FOLDER, readonly=True) as journal:
        chain = journal.chain
    with reading(folder / STATE_FOLDER) as snapshot:
        return chain, members(State(snapshot))


def chamber_of(folder: Path, number: int = 0) -> Chamber:
    """How the members stand, with the open proposals and that of this number, if there is one. Raises Unusable."""
    with reading(folder / STATE_FOLDER) as snapshot:
        view, standing = State(snapshot), snapshot.standing()
        institutions = dict(view.walk(INSTITUTIONS))
        roles: dict[str, tuple[str, ...]] = {name: one.roles for name, one in institutions.items() if one.active}
        accounts = {name: one.account for name, one in institutions.items()}
        numbers = sorted({number, *(one for (_, one), _ in view.walk(AGENDA))})
        ballots = {one: found for one in numbers if (found := _ballot(view, one)) is not None}
        height, time = (standing.height, standing.time) if standing else (0, 0)
        rule = RULES[parameter(view, QUORUM)]
        return Chamber(height, time, members(view), rule, roles, accounts, ballots)


def _ballot(view: State, number: int) -> Ballot | None:
    one = view.get(PROPOSALS, number)
    if one is None:
        return None
    votes = {name: yes for (_, name), yes in view.walk(VOTES, (number,))}
    return Ballot(number, one.proposer, to_form(one.change), one.height, one.expires, one.stage, votes)
