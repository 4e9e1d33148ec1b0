"""Positions of persons and counts of holders, kept exactly through every movement and every change of a claim.

A person enters the counts when his units in a scope rise from zero and leaves when they return to it, under the country
and category that were snapshotted on entry or by a later attestation, so that entry and exit always match.
"""

from msgspec.structs import replace

from stoa.kernel import limits
from stoa.kernel.base import Context, Rejections
from stoa.ledger.compliance.case import NO_POSITION, NOBODY, Case, Movement
from stoa.ledger.compliance.errors import TooManyPositions
from stoa.ledger.compliance.evaluate import Cases, profile_of
from stoa.ledger.compliance.events import HolderRecounted
from stoa.ledger.compliance.model import (
    BY_CATEGORY,
    BY_COUNTRY,
    CATEGORY,
    COUNTS,
    IDENTITY,
    POSITIONS,
    TOTAL,
    Position,
)
from stoa.ledger.state import State


def count_movement(view: State, cases: Cases) -> None:
    """Bring positions and counts up to the movement, which the rules have let pass in these cases."""
    for _, case in cases:
        if case.move.sender != case.move.receiver:
            if case.move.sender != NOBODY:
                _leave(view, case)
            if case.move.receiver != NOBODY:
                _enter(view, case)


def _leave(view: State, case: Case) -> None:
    key = (case.move.sender, case.scope)
    position, units = case.sender_before, case.move.units
    assert position is not NO_POSITION, "who gives units has a position"
    if position.units == units:
        view.change(POSITIONS, key, position, None)
        _count(view, case.scope, position, -1)
    else:
        left = Position(position.units - units, position.country, position.category)
        view.change(POSITIONS, key, position, left)


def _enter(view: State, case: Case) -> None:
    key = (case.move.receiver, case.scope)
    position, units = case.receiver_before, case.move.units
    if position is NO_POSITION:
        position = Position(units, case.receiver_country(), case.receiver_category())
        view.change(POSITIONS, key, None, position)
        _count(view, case.scope, position, +1)
    else:
        more = Position(position.units + units, position.country, position.category)
        view.change(POSITIONS, key, position, more)


def _count(view: State, scope: str, position: Position, step: int) -> None:
    keys = (
        (scope, TOTAL, ""),
        (scope, BY_COUNTRY, position.country),
        (scope, BY_CATEGORY, position.category),
    )
    for key in keys:
        view.put(COUNTS, key, ((view.get(COUNTS, key) or 0) + step) or None)


def suppose_a_seller(view: State, scopes: tuple[str, ...]) -> None:
    """For a question that names no seller: let nobody have plenty, so that no minimum of the seller's is in the way.
    The asker rolls it back."""
    for scope in scopes:
        view.put(POSITIONS, (NOBODY, scope), Position(limits.MAX_UNITS, "", ""))


def recount_rejections(view: State, party: int, topic: str) -> Rejections:
    """TooManyPositions: a holder is counted anew in all his positions or in none."""
    if topic in (IDENTITY, CATEGORY):
        positions = len(view.scan(POSITIONS, (party,), limits.MAX_ASSETS_OF_ACCOUNT + 1))
        if positions > limits.MAX_ASSETS_OF_ACCOUNT:
            yield TooManyPositions(party, positions, limits.MAX_ASSETS_OF_ACCOUNT)


def recount_person(view: State, ctx: Context, party: int, topic: str, issuer: str) -> None:
    """Count a holder anew wherever the institution that has just attested is trusted for the topic.

    He is counted under the claim that the rules would use: that of an issuer whom the scope prefers may still stand.
    """
    if topic not in (IDENTITY, CATEGORY):
        return
    for (_, scope), position in view.scan(POSITIONS, (party,), limits.MAX_ASSETS_OF_ACCOUNT):
        profile = profile_of(view, scope)
        if profile is None or issuer not in profile.trusted.get(topic, ()):
            continue
        case = Case(view, ctx.time, scope, profile.trusted, Movement((scope,), "", NOBODY, party, 0, -1))
        if topic == IDENTITY:
            moved = replace(position, country=case.receiver_country())
        else:
            moved = replace(position, category=case.receiver_category())
        if moved != position:
            _count(view, scope, position, -1)
            _count(view, scope, moved, +1)
            view.put(POSITIONS, (party, scope), moved)
            ctx.emit(HolderRecounted(scope, party, moved.country, moved.category))
