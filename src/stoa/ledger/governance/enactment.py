"""What becomes of proposals, by itself: at its height each is enacted or lapses; at its time what is left lapses."""

from msgspec.structs import replace

from stoa.kernel.base import Context, Rejection, Rejections, kept
from stoa.ledger.governance.changes import change_rejections, make_change
from stoa.ledger.governance.errors import QuorumMissed, VotingOver
from stoa.ledger.governance.events import ChangeEnacted, ProposalLapsed
from stoa.ledger.governance.members import Members, close_era, members
from stoa.ledger.governance.model import AGENDA, PROPOSALS, VOTES, Proposal, Stage
from stoa.ledger.state import State


def enact(view: State, ctx: Context) -> None:
    """Work at a height: decide every proposal for this block, in the order in which they were made."""
    while rows := view.scan(AGENDA, (ctx.height,), 1):
        _, number = rows[0][0]
        _decide(view, ctx, number)


def expire(view: State, ctx: Context, ref: str, budget: int) -> tuple[int, bool]:
    """Due work: a proposal whose time is over and whose height has not come lapses."""
    number = int(ref)
    proposal = view.need(PROPOSALS, number)
    if proposal.stage == "open":
        _lapse(view, ctx, number, [VotingOver(number, proposal.expires, ctx.time)])
    return 1, True


def yes_votes(view: State, number: int, who: Members) -> int:
    """How many of these members vote for the proposal."""
    return sum(1 for institution in who.keys if view.get(VOTES, (number, institution)))


def _decide(view: State, ctx: Context, number: int) -> None:
    proposal, before = view.need(PROPOSALS, number), members(view)
    against = list(_reasons_against(view, ctx, number, proposal, before))
    if against:
        _lapse(view, ctx, number, against)
        return
    _close(view, number, "enacted")
    ctx.emit(ChangeEnacted(number, yes_votes(view, number, before), before.quorum, len(before.keys)))
    make_change(view, ctx, proposal.change)
    if members(view) != before:
        close_era(view, ctx.height, before)


def _reasons_against(view: State, ctx: Context, number: int, proposal: Proposal, who: Members) -> Rejections:
    """VotingOver, QuorumMissed, then the reasons against the change as things stand now."""
    if ctx.time >= proposal.expires:
        yield VotingOver(number, proposal.expires, ctx.time)
    yes = yes_votes(view, number, who)
    if yes < who.quorum:
        yield QuorumMissed(number, yes, who.quorum, len(who.keys))
    yield from change_rejections(view, proposal.change)


def _lapse(view: State, ctx: Context, number: int, reasons: list[Rejection]) -> None:
    who = members(view)
    _close(view, number, "lapsed")
    yes = yes_votes(view, number, who)
    ctx.emit(ProposalLapsed(number, yes, who.quorum, len(who.keys), kept(reasons)))


def _close(view: State, number: int, stage: Stage) -> None:
    """Take the proposal off the agenda."""
    proposal = view.need(PROPOSALS, number)
    view.put(PROPOSALS, number, replace(proposal, stage=stage))
    view.put(AGENDA, (proposal.height, number), None)
