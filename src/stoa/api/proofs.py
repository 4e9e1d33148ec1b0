"""Routes for proofs: files that anyone can check with the validators' public keys and nothing else."""

from typing import Annotated, Any, Final, Literal

import msgspec
from anyio import CapacityLimiter, to_thread
from litestar import Request, Response, get, post
from litestar.datastructures import State
from litestar.openapi.datastructures import ResponseSpec
from litestar.params import JSONBody

from stoa.api.building import AddressParameter, Asset, account_of
from stoa.api.facts import receipt_form
from stoa.api.openapi import errors
from stoa.api.problems import BadRequest, NotFound, Problem
from stoa.api.receipts import place_of
from stoa.api.services import Services
from stoa.api.transactions import OCTETS, TransactionId
from stoa.api.viewer import Asking, House, Viewer, need
from stoa.kernel.codec import Malformed, encode
from stoa.ledger.catalog import read_holding, read_receipt
from stoa.node.proofs import NothingToProve
from stoa.wire.forms import to_form
from stoa.wire.proof import BadProof, Proof, ReceiptProof, check_proof, read_proof

MAX_PROOF_BYTES: Final = 262_144


class ProofView(msgspec.Struct, frozen=True):
    """A proof's canonical bytes in hexadecimal, its parts, and what it shows."""

    kind: Literal["receipt", "holding"]
    proof: str
    parts: dict[str, Any]
    shows: dict[str, Any]


class Keys(msgspec.Struct, frozen=True):
    """The validators' public keys by institution, and how many must have signed."""

    chain: str
    quorum: int
    validators: dict[str, str]


class CheckRequest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A proof's bytes in hexadecimal."""

    proof: Annotated[str, msgspec.Meta(pattern="^([0-9a-fA-F]{2})+$", max_length=2 * MAX_PROOF_BYTES)]


class Checked(msgspec.Struct, frozen=True):
    """Whether the proof holds against this ledger's keys; if not, ``why`` names the step that fails."""

    holds: bool
    why: str
    shows: dict[str, Any]


def shown(proof: Proof) -> dict[str, Any]:
    """What a proof shows, in plain figures."""
    if isinstance(proof, ReceiptProof):
        return receipt_form(read_receipt(proof.receipt)) | {"time": proof.header.time, "chain": proof.header.chain}
    holding: dict[str, Any] = to_form(read_holding(proof.key, proof.value))
    return holding | {"height": proof.checkpoint.height, "chain": proof.chain}


def proof_view(proof: Proof) -> ProofView:
    """The proof as JSON."""
    kind: Literal["receipt", "holding"] = "receipt" if isinstance(proof, ReceiptProof) else "holding"
    return ProofView(kind, encode(proof).hex(), to_form(proof), shown(proof))


def _answer(request: Request[Any, Any, Any], proof: Proof) -> Response[Any]:
    if OCTETS in request.headers.get("accept", ""):
        return Response(encode(proof), media_type=OCTETS)
    return Response(proof_view(proof))


BOTH: Final = {
    200: ResponseSpec(
        ProofView, generate_examples=False, description="As JSON; as bytes for Accept: application/octet-stream."
    )
}


@get(
    "/proofs/receipts/{transaction:str}",
    operation_id="proveReceipt",
    tags=["proofs"],
    responses={**BOTH, **errors(404)},
    sync_to_thread=True,
)
def prove_receipt(request: Request[Any, Any, Any], services: House, transaction: TransactionId) -> Response[Any]:
    """That a transaction had this receipt: its path to the block, and the block's certificate."""
    place = place_of(services, bytes.fromhex(transaction))
    if place is None:
        raise Problem(NotFound(f"final transaction {transaction}"))
    return _answer(request, services.node.prove_receipt(place.height, place.index))


@get(
    "/proofs/holdings/{asset:str}/{address:str}", operation_id="proveHolding", tags=["proofs"],
    responses={**BOTH, **errors(401, 403, 404)},
)  # fmt: skip
async def prove_holding(
    request: Request[Any, Any, Any],
    services: House,
    state: State,
    viewer: Asking,
    asset: Asset,
    address: AddressParameter,
) -> Response[Any]:
    """That a line of the register was this after the last block: its path to a signed root over the whole state.

    For whom the account concerns. Made one at a time, since each reads the whole state.
    """
    limiter: CapacityLimiter = state.proving
    proof = await to_thread.run_sync(_holding, services, viewer, asset, account_of(address), limiter=limiter)
    return _answer(request, proof)


def _holding(services: Services, viewer: Viewer, asset: str, account: bytes) -> Proof:
    with services.views.read() as views:
        need(viewer.may_see_account(views, account), viewer, "see this account")
    try:
        return services.node.prove_holding(asset, account)
    except NothingToProve as error:
        raise Problem(NotFound(f"such line of the register: {error}")) from None


@get("/keys", operation_id="validatorKeys", tags=["proofs"], responses=errors(), sync_to_thread=True)
def keys(services: House) -> Keys:
    """What a proof is checked against. Compare it with what you have from elsewhere."""
    who = services.node.members()
    return Keys(services.node.chain, who.quorum, {name: key.hex() for name, key in who.keys.items()})


@post(
    "/proofs/check",
    operation_id="checkProof",
    tags=["proofs"],
    status_code=200,
    responses=errors(413),
    sync_to_thread=True,
)
def check(services: House, data: JSONBody[CheckRequest]) -> Checked:
    """Check a proof against this ledger's keys. Better do it yourself: `stoa.client.check_proof` needs no server."""
    who = services.node.members()
    try:
        proof = read_proof(bytes.fromhex(data.proof))
        check_proof(proof, who.keys, who.quorum)
        return Checked(True, "", shown(proof))
    except BadProof as error:
        return Checked(False, str(error), {})
    except Malformed as error:
        raise Problem(BadRequest(f"the proof cannot be read: {error}")) from None


HANDLERS: Final = (prove_receipt, prove_holding, keys, check)
