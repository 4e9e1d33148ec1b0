"""A validator proposes a change for the block of a stated height, and thereby votes for it."""

from stoa.kernel.base import Context, Instruction, Rejections
from stoa.kernel.identifiers import InstitutionId
from stoa.kernel.time import Time
from stoa.ledger.due import next_number, schedule
from stoa.ledger.governance.changes import change_rejections
from stoa.ledger.governance.errors import (
    HeightNotAhead,
    NotValidator,
    TooManyPacksAtHeight,
    TooManyProposals,
    VotingPeriodInvalid,
)
from stoa.ledger.governance.events import ChangeProposed, VoteCast
from stoa.ledger.governance.model import (
    AGENDA,
    EXPIRE,
    MAX_OPEN_PROPOSALS,
    MAX_PACKS_AT_HEIGHT,
    MAX_VOTING_MS,
    PROPOSALS,
    VALIDATORS,
    VOTES,
    AdoptPack,
    Change,
    Height,
    Proposal,
)
from stoa.ledger.identity.authority import acts_for
from stoa.ledger.identity.errors import NotAuthorised
from stoa.ledger.identity.model import Reason
from stoa.ledger.state import State


class Propose(Instruction, tag="governance.propose.v1"):
    """Signed by a validator institution. ``expires`` is the first millisecond at which the change comes too late."""

    institution: InstitutionId
    change: Change
    height: Height
    expires: Time
    reason: Reason


def rejections(view: State, ctx: Context, ins: Propose) -> Rejections:
    """NotValidator, NotAuthorised, the reasons against the change, HeightNotAhead, VotingPeriodInvalid,
    TooManyProposals, TooManyPacksAtHeight."""
    if view.get(VALIDATORS, ins.institution) is None:
        yield NotValidator(ins.institution)
    if not acts_for(view, ctx, ins.institution):
        yield NotAuthorised(ins.institution)
    yield from change_rejections(view, ins.change)
    if ins.height <= ctx.height:
        yield HeightNotAhead(ins.height, ctx.height)
    if not ctx.time < ins.expires <= ctx.time + MAX_VOTING_MS:
        yield VotingPeriodInvalid(ins.expires, ctx.time, ctx.time + MAX_VOTING_MS)
    waiting = _open_proposals(view, ins.institution)
    if waiting >= MAX_OPEN_PROPOSALS:
        yield TooManyProposals(ins.institution, waiting, MAX_OPEN_PROPOSALS)
    if isinstance(ins.change, AdoptPack):
        packs = _packs_at(view, ins.height)
        if packs >= MAX_PACKS_AT_HEIGHT:
            yield TooManyPacksAtHeight(ins.height, packs, MAX_PACKS_AT_HEIGHT)


def _open_proposals(view: State, institution: str) -> int:
    """How many open proposals the institution has made."""
    numbers = [number for (_, number), _ in view.walk(AGENDA)]
    return sum(1 for number in numbers if view.need(PROPOSALS, number).proposer == institution)


def _packs_at(view: State, height: int) -> int:
    """How many packs are proposed for the height."""
    numbers = [number for (_, number), _ in view.walk(AGENDA, (height,))]
    return sum(1 for number in numbers if isinstance(view.need(PROPOSALS, number).change, AdoptPack))


def apply(view: State, ctx: Context, ins: Propose) -> None:
    """Put the proposal on the agenda with its first vote, and have it lapse in time."""
    number = next_number(view, "governance.proposal")
    proposal = Proposal(ins.institution, ins.change, ins.height, ins.expires, ctx.time, "open", 1, 0)
    view.put(PROPOSALS, number, proposal)
    view.put(AGENDA, (ins.height, number), True)
    view.put(VOTES, (number, ins.institution), True)
    schedule(view, ins.expires, EXPIRE, str(number))
    ctx.emit(ChangeProposed(number, ins.institution, ins.change, ins.height, ins.expires, ins.reason))
    ctx.emit(VoteCast(number, ins.institution, True))
