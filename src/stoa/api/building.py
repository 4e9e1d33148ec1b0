"""Routes that help a signer in any language: build canonical bytes from a form, and explain what signing would do.

Nothing here signs, and who encodes for himself needs none of it: the id of what is built is the digest to sign.
"""

from typing import Annotated, Any, Final

import msgspec
from litestar import Request, get, post
from litestar.openapi.spec import Example
from litestar.params import JSONBody, Parameter
from msgspec import Meta
from sqlalchemy import select

from stoa.api.facts import event_form
from stoa.api.limits import DEFAULT_VALIDITY_MS
from stoa.api.openapi import errors
from stoa.api.problems import BadRequest, NotFound, Problem, Reason, reasons_of
from stoa.api.services import Services
from stoa.api.transactions import language
from stoa.api.viewer import House
from stoa.kernel import limits
from stoa.kernel.base import Instruction
from stoa.kernel.codec import Malformed
from stoa.kernel.identifiers import CODE_PATTERN, BadAddress, parse_address
from stoa.ledger.catalog import INSTRUCTION_BY_TAG, Body, checked_body, read_body
from stoa.node.eligibility import against_acquiring
from stoa.readmodel.schema import ASSETS, INSTITUTIONS
from stoa.wire.envelope import transaction_id
from stoa.wire.forms import BadForm, pick_form, to_form

TRANSFER: Final = "settlement.transfer.v1"
ISSUE: Final = "settlement.issue.v1"
ADDRESS_PATTERN: Final = "^stoa1[02-9ac-hj-np-z]{38}$"
Lane = Annotated[int, Meta(ge=0, le=limits.MAX_LANE)]
EXAMPLE_ADDRESS: Final = "stoa1hrm9uwye2kq2y592dfl7wwf4xm996rm3phcuw7"
Address = Annotated[str, Meta(pattern=ADDRESS_PATTERN, description="A bech32m address.", examples=[EXAMPLE_ADDRESS])]
EXAMPLE_FORM: Final[dict[str, Any]] = {
    "tag": TRANSFER, "asset": "HBT", "source": EXAMPLE_ADDRESS, "to": "stoa1q64ghf6h2x8g3gel5en6dh9cxxarwmjtgc399z",
    "units": 3, "cost": 0, "lots": [],
}  # fmt: skip
Forms = Annotated[
    list[dict[str, Any]], Meta(min_length=1, max_length=limits.MAX_INSTRUCTIONS, examples=[[EXAMPLE_FORM]])
]
Signers = Annotated[list[Address], Meta(max_length=limits.MAX_SIGNATURES)]
Asset = Annotated[
    str,
    Parameter(
        pattern=CODE_PATTERN,
        description="The code of a security, a class or a cash token.",
        examples=[Example(value="HBT")],
    ),
]
AddressParameter = Annotated[
    str,
    Parameter(
        pattern=ADDRESS_PATTERN,
        description="An account's bech32m address.",
        examples=[Example(value=EXAMPLE_ADDRESS)],
    ),
]


class BuildRequest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Instructions as forms (see the catalog). Without ``sequence`` the next one of the lane is taken."""

    author: Address
    instructions: Forms
    lane: Lane = 0
    sequence: Annotated[int, Meta(ge=1, le=limits.MAX_SEQUENCE)] | None = None
    valid_for_ms: Annotated[int, Meta(ge=1, le=limits.MAX_VALIDITY_MS)] = DEFAULT_VALIDITY_MS


class Built(msgspec.Struct, frozen=True):
    """The canonical body in hexadecimal, and its id: the 32 bytes to sign."""

    body: str
    transaction: str
    sequence: int
    valid_until: int


class ExplainRequest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Either ``body`` (canonical, hexadecimal) or ``author`` with ``instructions``. The author signs by default."""

    author: Address | None = None
    instructions: Annotated[list[dict[str, Any]], Meta(max_length=limits.MAX_INSTRUCTIONS)] = []
    body: Annotated[str, Meta(pattern="^([0-9a-fA-F]{2})*$", max_length=2 * limits.MAX_ENVELOPE_BYTES)] = ""
    signers: Signers = []


class Explanation(msgspec.Struct, frozen=True):
    """Every reason against it, gravest first for each instruction, and what would happen as far as nothing is."""

    allowed: bool
    reasons: list[Reason]
    events: list[dict[str, Any]]


def account_of(address: str) -> bytes:
    """The account behind an address. Raises Problem."""
    try:
        return parse_address(address)
    except BadAddress as error:
        raise Problem(BadRequest(str(error))) from None


def instructions_of(forms: list[dict[str, Any]]) -> tuple[Instruction, ...]:
    """The instructions behind forms. Raises Problem."""
    try:
        return tuple(pick_form(INSTRUCTION_BY_TAG, form) for form in forms)
    except BadForm as error:
        raise Problem(BadRequest(str(error))) from None


def build(services: Services, data: BuildRequest) -> tuple[Body, bytes]:
    """The body and its canonical bytes. Raises Problem."""
    author = account_of(data.author)
    sequence = data.sequence or services.node.next_sequence(author, data.lane)
    until = services.clock() + data.valid_for_ms
    body = Body(services.node.chain, author, data.lane, sequence, until, instructions_of(data.instructions))
    try:
        return body, checked_body(body)
    except Malformed as error:
        raise Problem(BadRequest(str(error))) from None


@post(
    "/build", operation_id="build", tags=["transactions"], status_code=200, responses=errors(413), sync_to_thread=True
)
def build_body(services: House, data: JSONBody[BuildRequest]) -> Built:
    """Encode instructions as the canonical body of a transaction, with its id to sign. Checks form, not rules."""
    body, raw = build(services, data)
    return Built(raw.hex(), transaction_id(raw).hex(), body.sequence, body.valid_until)


def _body_to_explain(services: Services, data: ExplainRequest) -> Body:
    if data.body:
        try:
            return read_body(bytes.fromhex(data.body))
        except Malformed as error:
            raise Problem(BadRequest(f"the body cannot be read: {error}")) from None
    if data.author is None or not data.instructions:
        raise Problem(BadRequest("either body, or author and instructions"))
    return build(services, BuildRequest(data.author, data.instructions, sequence=1))[0]


def explain(services: Services, body: Body, signers: list[bytes], words: str) -> Explanation:
    """What the ledger would say to the body if these accounts signed it now."""
    explained = services.node.explain(body, tuple(dict.fromkeys([body.author, *signers])))
    events = [event_form(event) for event in explained.events]
    return Explanation(not explained.reasons, reasons_of(explained.reasons, words), events)


@post(
    "/explain", operation_id="explain", tags=["transactions"], status_code=200, responses=errors(413),
    sync_to_thread=True,
)  # fmt: skip
def explain_body(request: Request[Any, Any, Any], services: House, data: JSONBody[ExplainRequest]) -> Explanation:
    """Every rule that fails, with its figures, and every event that would happen: before anyone signs."""
    body = _body_to_explain(services, data)
    return explain(services, body, [account_of(signer) for signer in data.signers], language(request))


@get("/eligibility", operation_id="eligibility", tags=["transactions"], responses=errors(404), sync_to_thread=True)
def eligibility(
    request: Request[Any, Any, Any],
    services: House,
    security: Asset,
    account: AddressParameter,
    units: Annotated[int, Parameter(ge=1, le=limits.MAX_UNITS)] = 1,
    seller: Annotated[
        str | None, Parameter(pattern=ADDRESS_PATTERN, description="From whom; absent: from anyone.")
    ] = None,
) -> Explanation:
    """May this account acquire these units, and if not, why not?

    Judged as a transfer by the seller; without one as an issue while so many units are unissued, else as a transfer by
    whoever may sell, so that the rules about a seller say nothing.
    """
    source = account_of(seller) if seller else b""
    return may_acquire(services, security, account_of(account), units, language(request), source)[1]


def may_acquire(
    services: Services, asset: str, account: bytes, units: int, words: str, source: bytes = b""
) -> tuple[str, Explanation]:
    """The phase that it is judged in, and whether units could go to the account if who must sign did: the controllers,
    the source, or some holder. Raises Problem."""
    if not source:
        against = against_acquiring(services.node, services.clock(), asset, account, units)
        if against is not None:
            return "transfer", Explanation(not against, reasons_of([(-1, one) for one in against], words), [])
    signers = [source] if source else _controllers(services, asset)
    if not signers:
        raise Problem(NotFound(f"asset {asset}"))
    form: dict[str, Any] = {"asset": asset, "to": to_form(account), "units": units, "cost": 0}
    if source:
        form |= {"tag": TRANSFER, "source": to_form(source), "lots": []}
    else:
        form |= {"tag": ISSUE, "locked": 0}
    instruction = pick_form(INSTRUCTION_BY_TAG, form)
    body = Body(services.node.chain, signers[0], 0, 1, services.clock(), (instruction,))
    return ("transfer" if source else "issue"), explain(services, body, signers, words)


def _controllers(services: Services, asset: str) -> list[bytes]:
    """The operating accounts of the institutions that must all sign an issue."""
    with services.views.read() as views:
        named = views.scalar(select(ASSETS.c.controllers).where(ASSETS.c.code == asset))
        codes = msgspec.json.decode(named, type=list[str]) if named else []
        return list(views.scalars(select(INSTITUTIONS.c.account).where(INSTITUTIONS.c.code.in_(codes))))


HANDLERS: Final = (build_body, explain_body, eligibility)
