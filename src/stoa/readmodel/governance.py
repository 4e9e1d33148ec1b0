"""Proposals and votes as rows: what members want changed, who is for it, and what became of it.

A proposal keeps its change as a form, whole, and in one line what it is about. Does not own: what is in force now,
which is the ledger's and each domain's own.
"""

from typing import Any, Final

from stoa.readmodel.chain import as_json
from stoa.readmodel.draft import At, Draft, Handler
from stoa.readmodel.reasons import reasons_of
from stoa.readmodel.schema import PROPOSAL_VOTES, PROPOSALS
from stoa.wire.forms import to_form

OPEN: Final = "open"


def _proposed(draft: Draft, at: At, event: Any) -> None:
    change = to_form(event.change)
    terms = {name: getattr(event, name) for name in ("proposer", "height", "expires", "reason")}
    about = {"kind": change["tag"], "subject": _subject(change), "change": as_json(change)}
    undecided = {
        "stage": OPEN,
        "decided": 0,
        "yes": 0,
        "no": 0,
        "counted": 0,
        "quorum": 0,
        "validators": 0,
        "reasons": "[]",
    }
    made = {"number": event.proposal, "proposed": at.height, "made": at.time}
    draft.rows(PROPOSALS).put({**made, **terms, **about, **undecided})


def _subject(change: dict[str, Any]) -> str:
    """The pack or the institution, or the parameters with their values."""
    settings = [f"{one['name']}={one['value']}" for one in change.get("settings", ())]
    return ", ".join(settings) or str(change.get("institution") or change["code"])


def _vote_cast(draft: Draft, at: At, event: Any) -> None:
    key = {"proposal": event.proposal, "institution": event.institution}
    draft.rows(PROPOSAL_VOTES).put({**key, "yes": event.yes, "height": at.height, "time": at.time})
    rows, side = draft.rows(PROPOSALS), "yes" if event.yes else "no"
    row = rows.need(event.proposal)
    rows.put({**row, side: row[side] + 1})


def _enacted(draft: Draft, at: At, event: Any) -> None:
    _decide(draft, at, event, "enacted", "[]")


def _lapsed(draft: Draft, at: At, event: Any) -> None:
    _decide(draft, at, event, "lapsed", as_json(reasons_of(event.reasons)))


def _decide(draft: Draft, at: At, event: Any, stage: str, reasons: str) -> None:
    rows = draft.rows(PROPOSALS)
    count = {"counted": event.yes, "quorum": event.quorum, "validators": event.validators}
    rows.put({**rows.need(event.proposal), "stage": stage, "decided": at.height, **count, "reasons": reasons})


HANDLERS: Final[dict[str, Handler]] = {
    "governance.proposed.v1": _proposed,
    "governance.vote_cast.v1": _vote_cast,
    "governance.enacted.v1": _enacted,
    "governance.lapsed.v1": _lapsed,
}
