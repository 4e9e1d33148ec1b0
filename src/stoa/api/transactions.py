"""Routes for transactions: submit signed bytes, ask what has become of them."""

from dataclasses import dataclass
from typing import Annotated, Any, Final

import msgspec
from anyio import to_thread
from litestar import Request, Response, get, post
from litestar.datastructures import State
from litestar.openapi.datastructures import ResponseSpec
from litestar.openapi.spec import OpenAPIMediaType, OpenAPIType, Operation, RequestBody, Schema
from litestar.params import Parameter, RawBody

from stoa.api.limits import MAX_WAIT_SECONDS
from stoa.api.openapi import errors
from stoa.api.problems import BadRequest, NotFound, Problem, language_of
from stoa.api.receipts import TransactionView, view_of
from stoa.api.submitting import submit, wait_final
from stoa.api.viewer import House
from stoa.kernel import limits

OCTETS: Final = "application/octet-stream"
TransactionId = Annotated[
    str, Parameter(pattern=r"^[0-9a-f]{64}$", description="The transaction's id: 64 hexadecimal digits.")
]
Wait = Annotated[
    float, Parameter(ge=0, le=MAX_WAIT_SECONDS, description="Seconds to wait for the transaction to become final.")
]


class SignedEnvelope(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """An envelope's canonical bytes as hexadecimal text, for who cannot send bytes."""

    envelope: Annotated[str, msgspec.Meta(pattern=r"^([0-9a-fA-F]{2})+$", max_length=2 * limits.MAX_ENVELOPE_BYTES)]


_SIGNED_ENVELOPE = msgspec.json.Decoder(SignedEnvelope)


@dataclass
class SubmitOperation(Operation):
    """The body may be bytes or JSON; the framework's own description knows one kind only."""

    def __post_init__(self) -> None:
        text = Schema(type=OpenAPIType.STRING, pattern="^([0-9a-fA-F]{2})+$")
        as_json = Schema(
            type=OpenAPIType.OBJECT, properties={"envelope": text}, required=["envelope"], additional_properties=False
        )
        octets = Schema(type=OpenAPIType.STRING, format="binary")  # type: ignore[arg-type]
        content = {OCTETS: OpenAPIMediaType(schema=octets), "application/json": OpenAPIMediaType(schema=as_json)}
        self.request_body = RequestBody(content=content, required=True, description="A signed envelope.")


def language(request: Request[Any, Any, Any]) -> str:
    """The language that the request prefers."""
    return language_of(request.headers.get("accept-language", ""))


@post(
    "/transactions",
    operation_id="submitTransaction",
    tags=["transactions"],
    status_code=202,
    operation_class=SubmitOperation,
    responses={200: ResponseSpec(TransactionView, description="Final, with its receipt."), **errors(413, 422, 503)},
)
async def submit_transaction(
    request: Request[Any, Any, Any], services: House, state: State, body: RawBody, wait: Wait = 0.0
) -> Response[TransactionView]:
    """Submit a signed envelope. `accepted` (202) promises nothing; `final` (200) will not change.

    Sending the same transaction again is answered with how it stands, so a client that heard nothing just repeats.
    """
    raw = _from_json(body) if request.content_type[0] == "application/json" else body
    view = await submit(services, state.bell, raw, wait, language(request))
    return Response(view, status_code=200 if view.status == "final" else 202)


def _from_json(body: bytes) -> bytes:
    try:
        return bytes.fromhex(_SIGNED_ENVELOPE.decode(body).envelope)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise Problem(BadRequest(str(error))) from None


@get("/transactions/{transaction:str}", operation_id="getTransaction", tags=["transactions"], responses=errors(404))
async def get_transaction(
    request: Request[Any, Any, Any], services: House, state: State, transaction: TransactionId, wait: Wait = 0.0
) -> TransactionView:
    """What has become of a transaction: accepted, or final with its receipt. Nothing known of it: 404."""
    digest = bytes.fromhex(transaction)
    view = await to_thread.run_sync(view_of, services, digest, language(request))
    if view is None:
        raise Problem(NotFound(f"transaction {transaction}"))
    if view.status == "accepted" and wait:
        return await wait_final(services, state.bell, digest, wait, language(request))
    return view


HANDLERS: Final = (submit_transaction, get_transaction)
