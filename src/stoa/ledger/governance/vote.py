"""A validator votes on a proposal, once."""

from msgspec.structs import replace

from stoa.kernel.base import Context, Instruction, Rejections
from stoa.kernel.identifiers import InstitutionId
from stoa.ledger.governance.errors import AlreadyVoted, NotValidator, ProposalClosed, ProposalUnknown, VotingOver
from stoa.ledger.governance.events import VoteCast
from stoa.ledger.governance.model import PROPOSALS, VALIDATORS, VOTES, ProposalNumber
from stoa.ledger.identity.authority import acts_for
from stoa.ledger.identity.errors import NotAuthorised
from stoa.ledger.state import State


class Vote(Instruction, tag="governance.vote.v1"):
    """Signed by a validator institution. A no counts like no vote; it is there to be seen."""

    proposal: ProposalNumber
    institution: InstitutionId
    yes: bool


def rejections(view: State, ctx: Context, ins: Vote) -> Rejections:
    """ProposalUnknown, NotValidator, NotAuthorised, ProposalClosed, VotingOver, AlreadyVoted."""
    proposal = view.get(PROPOSALS, ins.proposal)
    if proposal is None:
        yield ProposalUnknown(ins.proposal)
        return
    if view.get(VALIDATORS, ins.institution) is None:
        yield NotValidator(ins.institution)
    if not acts_for(view, ctx, ins.institution):
        yield NotAuthorised(ins.institution)
    if proposal.stage != "open":
        yield ProposalClosed(ins.proposal, proposal.stage)
    if ctx.time >= proposal.expires:
        yield VotingOver(ins.proposal, proposal.expires, ctx.time)
    if view.get(VOTES, (ins.proposal, ins.institution)) is not None:
        yield AlreadyVoted(ins.proposal, ins.institution)


def apply(view: State, ctx: Context, ins: Vote) -> None:
    """Enter the vote."""
    proposal = view.need(PROPOSALS, ins.proposal)
    tally = replace(proposal, yes=proposal.yes + ins.yes, no=proposal.no + (not ins.yes))
    view.put(PROPOSALS, ins.proposal, tally)
    view.put(VOTES, (ins.proposal, ins.institution), ins.yes)
    ctx.emit(VoteCast(ins.proposal, ins.institution, ins.yes))
