"""What members have proposed: who voted how, and what became of it, newest first."""

import json
from typing import Any, Final

import msgspec
from sqlalchemy import Connection, select

from stoa.readmodel.queries.paging import PAGE, Page, bounded_limit, fill, numbers, page
from stoa.readmodel.reasons import Reason
from stoa.readmodel.schema import LARGEST, PROPOSAL_VOTES, PROPOSALS

_REASONS: Final = msgspec.json.Decoder(tuple[Reason, ...])


class ProposalVote(msgspec.Struct, frozen=True):
    """An institution's vote, in the block of a height."""

    institution: str
    yes: bool
    height: int
    time: int


class ProposalLine(msgspec.Struct, frozen=True):
    """A proposal for the block of ``height``. ``kind``: set, admit, remove, rotate, adopt_pack or retire_pack;
    ``subject``: what it is about.

    ``stage``: open, enacted or lapsed, in the block ``decided`` (0: open), where ``counted`` of ``validators`` members
    were for it and ``quorum`` had to be. ``yes``, ``no`` and ``votes`` are all that were ever cast; ``proposed`` is the
    block it was made in.
    """

    number: int
    proposer: str
    kind: str
    subject: str
    height: int
    expires: int
    reason: str
    proposed: int
    made: int
    stage: str
    decided: int
    yes: int
    no: int
    counted: int
    quorum: int
    validators: int
    votes: tuple[ProposalVote, ...]


class ProposalDetail(msgspec.Struct, frozen=True):
    """A proposal with its change as a form, and why it lapsed."""

    line: ProposalLine
    change: dict[str, Any]
    reasons: tuple[Reason, ...]


def proposals(db: Connection, after: str = "", limit: int = PAGE) -> Page[ProposalLine]:
    """Every proposal, the newest first. Raises BadCursor."""
    limit, [before] = bounded_limit(limit), numbers(after, 1) if after else (LARGEST,)
    wanted = select(PROPOSALS).where(PROPOSALS.c.number < before).order_by(PROPOSALS.c.number.desc()).limit(limit + 1)
    found = db.execute(wanted).all()
    votes = _votes(db, [row.number for row in found])
    return page(found, limit, lambda row: fill(ProposalLine, row, votes=votes[row.number]), lambda row: str(row.number))


def proposal(db: Connection, number: int) -> ProposalDetail | None:
    """One proposal in full; None if there is none of this number."""
    row = db.execute(select(PROPOSALS).where(PROPOSALS.c.number == number)).first()
    if row is None:
        return None
    line = fill(ProposalLine, row, votes=_votes(db, [number])[number])
    return ProposalDetail(line, json.loads(row.change), _REASONS.decode(row.reasons))


def _votes(db: Connection, wanted: list[int]) -> dict[int, tuple[ProposalVote, ...]]:
    """The votes on each of these, by institution."""
    columns = PROPOSAL_VOTES.c
    found: dict[int, tuple[ProposalVote, ...]] = dict.fromkeys(wanted, ())
    for row in db.execute(select(PROPOSAL_VOTES).where(columns.proposal.in_(wanted)).order_by(columns.institution)):
        found[row.proposal] += (fill(ProposalVote, row),)
    return found
