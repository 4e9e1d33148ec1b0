"""Routes for custodied users: say what you want, and your institution signs it if its policy and its people allow.

A user comes with his session or with a request signed by his API key. What is signed is one body, decoded once; the
policy judges what that decoding shows. With an approval needed the intent waits; another user approves or declines it.
"""

from typing import Annotated, Any, Final, Literal

import msgspec
from anyio import to_thread
from litestar import Request, get, post
from litestar.datastructures import State
from litestar.params import JSONBody
from msgspec import Meta

from stoa.api.building import Address, BuildRequest, Explanation, account_of, build, explain
from stoa.api.lanes import Lanes
from stoa.api.openapi import errors
from stoa.api.problems import BadRequest, NotSigned, Problem, reasons_of
from stoa.api.receipts import ReceiptView, url_of
from stoa.api.services import Services
from stoa.api.submitting import submit
from stoa.api.summaries import intent_of
from stoa.api.transactions import TransactionId, Wait, language
from stoa.api.viewer import Asking, House, Viewer, need
from stoa.custody.acts import Outcome, Pending, Refused, Signed
from stoa.custody.refusals import NotPending
from stoa.kernel import limits
from stoa.kernel.identifiers import address
from stoa.ledger.catalog import read_body
from stoa.wire.forms import to_form

VALIDITY_MS: Final = 60 * 60_000  # of a body built for an intent: approvals take time


class IntentRequest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What to have signed for an account, in instructions; or a whole canonical ``body``, e.g. for others to sign too.

    With ``submit`` false the signed envelope is given back instead, for others to add their signatures.
    """

    account: Address | None = None
    instructions: Annotated[list[dict[str, Any]], Meta(max_length=limits.MAX_INSTRUCTIONS)] = []
    body: Annotated[str, Meta(pattern="^([0-9a-fA-F]{2})*$", max_length=2 * limits.MAX_ENVELOPE_BYTES)] = ""
    submit: bool = True


class IntentView(msgspec.Struct, frozen=True):
    """How an intent stands. ``pending``: awaits approvals; ``signed``: not submitted, here is the envelope."""

    transaction: str
    status: Literal["pending", "signed", "accepted", "final", "declined"]
    url: str
    approvals: tuple[str, ...] = ()
    needed: int = 0
    expires: int = 0
    envelope: str = ""
    receipt: ReceiptView | None = None


class PendingView(msgspec.Struct, frozen=True):
    """An intent that awaits approval, with what it would do."""

    transaction: str
    user: str
    grant: str
    account: str
    created: int
    approvals: tuple[str, ...]
    body: dict[str, Any]


def body_of(services: Services, lanes: Lanes, data: IntentRequest) -> bytes:
    """The one body that is judged, shown and signed. Raises Problem."""
    if data.body:
        return bytes.fromhex(data.body)
    if data.account is None or not data.instructions:
        raise Problem(BadRequest("either body, or account and instructions"))
    now, account = services.clock(), account_of(data.account)
    lane, sequence = lanes.take(account, now, now + VALIDITY_MS)
    try:
        return build(services, BuildRequest(data.account, data.instructions, lane, sequence, VALIDITY_MS))[1]
    except Problem:
        lanes.give_back(account, lane, sequence)
        raise


def explain_intent(services: Services, viewer: Viewer, body: bytes, words: str) -> Explanation:
    """Every reason of custody's, then every reason of the ledger's; nothing is kept."""
    now = services.clock()
    against = services.signer.explain(intent_of(body, now), viewer.user, now)
    said = explain(services, read_body(body), [], words)
    reasons = [*reasons_of([(-1, refusal) for refusal in against], words), *said.reasons]
    return Explanation(not reasons, reasons, said.events)


def authorise(services: Services, lanes: Lanes, viewer: Viewer, body: bytes) -> Outcome:
    """Custody's answer to the viewer's intent to have this body signed; a refusal frees its lane. Raises Problem."""
    now = services.clock()
    intent = intent_of(body, now)
    outcome = services.signer.authorise(intent, viewer.user, now)
    if isinstance(outcome, Refused):
        give_back(lanes, body)
    return outcome


def give_back(lanes: Lanes, body: bytes) -> None:
    """Free the lane of a body that will not be submitted."""
    decoded = read_body(body)
    lanes.give_back(decoded.author, decoded.lane, decoded.sequence)


def refused(outcome: Refused) -> Problem:
    """Custody's refusal as a problem, with all its reasons."""
    first = outcome.refusals[0]
    status = 409 if isinstance(first, NotPending) else 422
    return Problem(NotSigned(first.sentence()), status, reasons=[(-1, reason) for reason in outcome.refusals])


async def follow(
    request: Request[Any, Any, Any], services: Services, state: State, outcome: Outcome, send: bool, wait: float
) -> IntentView:
    """Turn custody's answer into the API's: submit what is signed, if wanted. Raises Problem."""
    if isinstance(outcome, Refused):
        raise refused(outcome)
    name, url = outcome.transaction.hex(), url_of(outcome.transaction)
    if isinstance(outcome, Pending):
        return IntentView(name, "pending", url, outcome.approvals, outcome.needed, outcome.expires)
    assert isinstance(outcome, Signed)
    if not send:
        return IntentView(name, "signed", url, envelope=outcome.envelope.hex())
    view = await submit(services, state.bell, outcome.envelope, wait, language(request))
    return IntentView(name, view.status, url, receipt=view.receipt)


@post(
    "/intents",
    operation_id="submitIntent",
    tags=["custody"],
    status_code=200,
    responses=errors(401, 403, 413, 422, 503),
)
async def submit_intent(
    request: Request[Any, Any, Any],
    services: House,
    state: State,
    viewer: Asking,
    data: JSONBody[IntentRequest],
    wait: Wait = 0.0,
) -> IntentView:
    """Have instructions signed by the institution and submitted, or kept for approval."""
    need(viewer.known, viewer, "have anything signed")
    body = await to_thread.run_sync(body_of, services, state.lanes, data)
    outcome = await to_thread.run_sync(authorise, services, state.lanes, viewer, body)
    return await follow(request, services, state, outcome, data.submit, wait)


@post(
    "/intents/explain",
    operation_id="explainIntent",
    tags=["custody"],
    status_code=200,
    responses=errors(401, 403, 413),
    sync_to_thread=True,
)
def explain_for_user(
    request: Request[Any, Any, Any], services: House, state: State, viewer: Asking, data: JSONBody[IntentRequest]
) -> Explanation:
    """Whether the institution would sign this for the user and the ledger apply it, and if not, every reason."""
    need(viewer.known, viewer, "have anything signed")
    body = body_of(services, state.lanes, data)
    if not data.body:
        give_back(state.lanes, body)
    return explain_intent(services, viewer, body, language(request))


@get("/intents", operation_id="pendingIntents", tags=["custody"], responses=errors(401), sync_to_thread=True)
def pending_intents(services: House, viewer: Asking) -> list[PendingView]:
    """The intents that await approval, as far as the user made them or may approve them; oldest first."""
    need(viewer.known, viewer, "see what awaits approval")
    return [
        PendingView(
            one.transaction.hex(), one.user, one.grant, address(one.intent.account), one.intent.created, one.approvals,
            to_form(read_body(one.intent.body)),
        )
        for one in services.signer.awaiting(viewer.user, services.clock())
    ]  # fmt: skip


@post(
    "/intents/{transaction:str}/approve", operation_id="approveIntent", tags=["custody"], status_code=200,
    responses=errors(401, 403, 409, 422, 503),
)  # fmt: skip
async def approve_intent(
    request: Request[Any, Any, Any],
    services: House,
    state: State,
    viewer: Asking,
    transaction: TransactionId,
    wait: Wait = 0.0,
) -> IntentView:
    """Consent to another user's intent. The last consent needed has it signed and submitted."""
    need(viewer.known, viewer, "approve anything")
    digest = bytes.fromhex(transaction)
    outcome = await to_thread.run_sync(services.signer.approve, digest, viewer.user, services.clock())
    return await follow(request, services, state, outcome, True, wait)


@post(
    "/intents/{transaction:str}/decline", operation_id="declineIntent", tags=["custody"], status_code=200,
    responses=errors(401, 403, 409, 422), sync_to_thread=True,
)  # fmt: skip
def decline_intent(services: House, viewer: Asking, transaction: TransactionId) -> IntentView:
    """Take an intent back, or refuse to approve it."""
    need(viewer.known, viewer, "decline anything")
    outcome = services.signer.decline(bytes.fromhex(transaction), viewer.user, services.clock())
    if outcome is not None:
        raise refused(outcome)
    return IntentView(transaction, "declined", url_of(bytes.fromhex(transaction)))


HANDLERS: Final = (submit_intent, explain_for_user, pending_intents, approve_intent, decline_intent)
