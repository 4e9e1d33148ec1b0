"""Proposals in the views: as the ledger remembers them, with who voted how and why one lapsed; and a rebuild."""

import pytest

from stoa.ledger.governance.model import (
    PROPOSALS,
    VOTES,
    RemoveValidator,
)
from stoa.readmodel.queries.paging import BadCursor
from stoa.readmodel.queries.proposals import ProposalVote, proposal, proposals
from stoa.readmodel.rebuild import rebuild
from stoa.wire.forms import to_form
from tests.ledger.senate import LINGER, Senate, admit
from tests.ledger.test_packs import pack
from tests.ledger.test_rules import MAXIMUM
from tests.readmodel.chain import Chain, rows


class Council(Senate, Chain):
    """One proposal of each fate: enacted, lapsed without a quorum, lapsed in time, open."""

    def __init__(self) -> None:
        super().__init__(3)
        self.yes, self.no = (name for name in self.validators() if name != "KSD")
        self.enacted = self.propose("KSD", LINGER, ahead=3)
        self.vote(self.enacted, self.yes)
        self.vote(self.enacted, self.no, yes=False)
        self.decide(self.enacted)
        self.missed = self.propose("KSD", pack(MAXIMUM), ahead=2)
        self.decide(self.missed)
        self.late = self.propose("KSD", admit("AGENT"), ahead=500, lasts=2_000)
        self.wait(3)
        self.removal = self.propose("KSD", RemoveValidator(self.no), ahead=500)
        self.vote(self.removal, self.yes)


def test_views_show_proposals_as_the_ledger_remembers_them(database: str) -> None:
    council = Council()
    views = council.views(database)
    with views.read() as db:
        lines = proposals(db).items
        numbers = [council.removal, council.late, council.missed, council.enacted]
        assert [(one.number, one.stage) for one in lines] == list(
            zip(numbers, ("open", "lapsed", "lapsed", "enacted"), strict=True)
        )
        for one in lines:
            row = council.view.need(PROPOSALS, one.number)
            assert (one.proposer, one.height, one.expires, one.made, one.stage, one.yes, one.no) == (
                row.proposer, row.height, row.expires, row.made, row.stage, row.yes, row.no,
            )  # fmt: skip
            remembered = {name: yes for (_, name), yes in council.view.walk(VOTES, (one.number,))}
            assert {vote.institution: vote.yes for vote in one.votes} == remembered
            detail = proposal(db, one.number)
            assert detail is not None
            assert (detail.line, detail.change) == (one, to_form(row.change))
        first = proposals(db, limit=3)
        assert [one.number for one in proposals(db, first.next, 3).items] == [council.enacted]
        with pytest.raises(BadCursor):
            proposals(db, "soon")
        assert proposal(db, 99) is None
    live = rows(views)
    assert rebuild(views, council.document, council.first, council.replay) == council.height
    assert rows(views) == live
    views.close()


def test_what_became_of_a_proposal_is_told_with_its_figures(database: str) -> None:
    council = Council()
    with council.views(database).read() as db:
        enacted, missed, late, removal = (
            proposal(db, number) for number in (council.enacted, council.missed, council.late, council.removal)
        )
        assert enacted is not None
        line = enacted.line
        assert (line.decided, line.counted, line.quorum, line.validators) == (line.height, 2, 2, 3)
        assert enacted.reasons == ()
        assert (line.kind, line.subject) == ("set", "batch_linger_ms=7")
        assert ProposalVote(council.no, False, line.proposed + 2, line.made + 2_000) in line.votes
        assert missed is not None
        assert [one.name for one in missed.reasons] == ["QuorumMissed"]
        assert (missed.line.counted, missed.line.kind, missed.line.subject) == (1, "adopt_pack", "KR-OTC")
        assert late is not None
        assert [one.name for one in late.reasons] == ["VotingOver"]
        assert 0 < late.line.decided < late.line.height
        assert (late.line.kind, late.line.subject) == ("admit", "AGENT")
        assert removal is not None
        assert (removal.line.decided, removal.line.quorum, removal.line.subject) == (0, 0, council.no)
