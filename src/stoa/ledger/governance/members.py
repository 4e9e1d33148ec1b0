"""Who validates, and how many equal votes make a quorum: of the next block, and of every block there ever was.

One quorum decides both whether a block is final and whether a proposal passes. A change of members closes an era: the
members as they were are kept under the last height that they governed, so that any certificate can be judged later.
"""

from collections.abc import Mapping
from typing import NamedTuple

from stoa.kernel import limits
from stoa.ledger.governance.model import ERAS, QUORUM, VALIDATORS, Era, Seat, parameter
from stoa.ledger.state import State
from stoa.wire.vote import byzantine, majority


class Members(NamedTuple):
    """The validators' voting keys by institution, sorted, and how many equal votes make a quorum."""

    keys: Mapping[str, bytes]
    quorum: int


def quorum_of(validators: int, rule: int) -> int:
    """How many of so many validators are a quorum under a value of the parameter ``quorum``."""
    return byzantine(validators) if rule else majority(validators)


def members(view: State) -> Members:
    """The members as the view has them: those of the block after the last one in it."""
    keys = dict(view.scan(VALIDATORS, (), limits.MAX_VALIDATORS))
    return Members(keys, quorum_of(len(keys), parameter(view, QUORUM)))


def members_at(view: State, height: int) -> Members:
    """Who produced, voted on and counted the block of this height, whether the view has that block in it or not."""
    eras = view.scan(ERAS, (), 1, after=height - 1 if height else None)
    if not eras:
        return members(view)
    _, era = eras[0]
    return Members({seat.institution: seat.key for seat in era.seats}, era.quorum)


def close_era(view: State, height: int, before: Members) -> None:
    """Keep the members of this block, now that others follow them. Of several changes in a block the first counts."""
    if view.get(ERAS, height) is None:
        seats = tuple(Seat(institution, key) for institution, key in before.keys.items())
        view.put(ERAS, height, Era(seats, before.quorum))
