"""Routes of proposals: what the members have been asked to change, how each voted, and what became of it."""

from typing import Annotated, Final

from litestar import get
from litestar.params import Parameter

from stoa.api.openapi import errors
from stoa.api.reading import PAGE, After, Limit, ask, found
from stoa.api.viewer import House
from stoa.kernel.limits import MAX_SEQUENCE
from stoa.readmodel.queries import proposals
from stoa.readmodel.queries.paging import Page
from stoa.readmodel.queries.proposals import ProposalDetail, ProposalLine

TAGS: Final = ["network"]
Number = Annotated[int, Parameter(ge=1, le=MAX_SEQUENCE, description="The proposal's number.")]


@get("/proposals", operation_id="listProposals", tags=TAGS, responses=errors(), sync_to_thread=True)
def list_proposals(services: House, after: After = "", limit: Limit = PAGE) -> Page[ProposalLine]:
    """Every proposal, the newest first, with its votes and whether it is open, enacted or lapsed."""
    return ask(services, proposals.proposals, after, limit)


@get("/proposals/{number:int}", operation_id="getProposal", tags=TAGS, responses=errors(404), sync_to_thread=True)
def get_proposal(services: House, number: Number) -> ProposalDetail:
    """One proposal with the whole change, and why it lapsed if it did."""
    return found(ask(services, proposals.proposal, number), f"proposal {number}")


HANDLERS: Final = (list_proposals, get_proposal)
