"""Proofs for people: a receipt's or a holding's as a file to keep, and the checker that shows what a file proves.

The checker trusts nothing but the validators' public keys: the same check runs offline on any machine (``wire.proof``).
What is uploaded is not kept.
"""

from typing import Annotated, Any, Final, NamedTuple

from anyio import CapacityLimiter, to_thread
from litestar import Response, get, post
from litestar.datastructures import State, UploadFile
from litestar.enums import RequestEncodingType
from litestar.params import Body, FromPath

from stoa.api.problems import NotFound, Problem
from stoa.api.proofs import MAX_PROOF_BYTES, shown
from stoa.api.receipts import place_of
from stoa.api.services import Services
from stoa.api.transactions import OCTETS
from stoa.api.viewer import Asking, House, Viewer, need
from stoa.kernel.codec import Malformed, encode
from stoa.kernel.identifiers import is_code
from stoa.node.finality import Members
from stoa.node.proofs import NothingToProve
from stoa.web.page import SECURITY_HEADERS, Paper
from stoa.web.portfolio import WHAT, account_of
from stoa.wire.proof import BadProof, Proof, ReceiptProof, check_proof, read_proof

MISTAKEN: Final = 422
ID_BYTES: Final = 32


class Shown(NamedTuple):
    """What a proof says, once it holds. ``kind``: receipt or holding; ``facts`` as in the API."""

    kind: str
    height: int
    block_hash: str
    facts: dict[str, Any]


@get("/proofs", sync_to_thread=True)
def proofs_page(page: Paper, services: House) -> Response[str]:
    """The form, and the keys that a proof is checked with."""
    return page.render("proofs.html", members=services.node.members(), shown=None, wrong="")


@post("/proofs", status_code=200)
async def check_page(
    page: Paper,
    services: House,
    data: Annotated[dict[str, Any], Body(media_type=RequestEncodingType.MULTI_PART)],
) -> Response[str]:
    """The verdict on an uploaded proof."""
    upload = data.get("proof")
    raw = await upload.read(MAX_PROOF_BYTES + 1) if isinstance(upload, UploadFile) else b""
    members = await to_thread.run_sync(services.node.members)
    found, wrong = await to_thread.run_sync(check, raw, members)
    return page.render("proofs.html", MISTAKEN if wrong else 200, members=members, shown=found, wrong=wrong)


def check(raw: bytes, members: Members) -> tuple[Shown | None, str]:
    """What the proof shows, or the step at which it fails."""
    try:
        proof = read_proof(raw)
        check_proof(proof, members.keys, members.quorum)
        return _shown(proof), ""
    except (Malformed, BadProof) as error:
        return None, str(error)


def _shown(proof: Proof) -> Shown:
    if isinstance(proof, ReceiptProof):
        return Shown("receipt", proof.header.height, proof.header.hash().hex(), shown(proof))
    return Shown("holding", proof.checkpoint.height, proof.checkpoint.block_hash.hex(), shown(proof))


@get("/explorer/transactions/{transaction:str}/proof", sync_to_thread=True)
def receipt_file(services: House, transaction: FromPath[str]) -> Response[bytes]:
    """The proof of a receipt, as a file. Raises Problem: NotFound."""
    try:
        wanted = bytes.fromhex(transaction)
    except ValueError:
        wanted = b""
    place = place_of(services, wanted) if len(wanted) == ID_BYTES else None
    if place is None:
        raise Problem(NotFound(f"transaction {transaction[:80]}"))
    return _file(services.node.prove_receipt(place.height, place.index), f"receipt-{transaction[:16]}")


@get("/portfolio/{holder:str}/proof/{asset:str}")
async def holding_file(
    services: House, viewer: Asking, state: State, holder: FromPath[str], asset: FromPath[str]
) -> Response[bytes]:
    """The proof of a holding, as a file; made one at a time, since each reads the whole state. Raises Problem."""
    limiter: CapacityLimiter = state.proving
    proof = await to_thread.run_sync(_holding, services, viewer, account_of(holder), asset, limiter=limiter)
    return _file(proof, f"holding-{asset}-{holder[:16]}")


def _holding(services: Services, viewer: Viewer, account: bytes, asset: str) -> Proof:
    with services.views.read() as views:
        need(viewer.may_see_account(views, account), viewer, WHAT)
    if not is_code(asset):
        raise Problem(NotFound("such asset"))
    try:
        return services.node.prove_holding(asset, account)
    except NothingToProve as error:
        raise Problem(NotFound(f"such line of the register: {error}")) from None


def _file(proof: Proof, name: str) -> Response[bytes]:
    headers = {**SECURITY_HEADERS, "Content-Disposition": f'attachment; filename="{name}.proof"'}
    return Response(encode(proof), media_type=OCTETS, headers=headers)
