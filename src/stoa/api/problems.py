"""Problem documents (RFC 9457): what every refusal and every error of the API looks like, and where they come from.

A door's own refusals are numbered like the ledger's (1060 to 1099) and have a sentence in English and Korean; a
refusal of the ledger, the gate or custody keeps its own name, number, figures and sentence, with every reason beside
the gravest. A fault tells its name alone: what went wrong inside is for the log.
"""

from collections.abc import Iterable, Sequence
from typing import Any, ClassVar, Final

import msgspec
import structlog
from litestar import Request, Response
from litestar.exceptions import HTTPException, ValidationException

from stoa.custody.refusals import Refusal
from stoa.kernel.base import Rejection, figures

MEDIA_TYPE: Final = "application/problem+json"
TYPES: Final = "/v1/catalog#"  # a problem's type is its name in the catalog


class Reason(msgspec.Struct, frozen=True):
    """One reason why not. ``instruction`` is the place of the instruction it speaks about; -1: the whole."""

    code: int
    name: str
    sentence: str
    figures: dict[str, Any]
    instruction: int = -1


class ProblemDocument(msgspec.Struct, frozen=True):
    """A problem document. ``title`` and ``detail`` are in the language that was asked for, the figures in none."""

    type: str
    title: str
    status: int
    detail: str
    instance: str
    code: int
    name: str
    reasons: list[Reason] = []


class DoorRefusal(Rejection):
    """Base of what only a door can say. ``status`` is its HTTP status."""

    status: ClassVar[int]


class BadRequest(DoorRefusal, tag=1060):
    """The request does not say what this route understands."""

    why: str
    status = 400
    en = "The request cannot be understood: {why}"
    ko = "요청을 이해할 수 없습니다: {why}"


class NotAuthenticated(DoorRefusal, tag=1061):
    """Nobody is logged in and no key signed the request, or what was shown is not valid."""

    why: str
    status = 401
    en = "This needs a login or a signed request: {why}"
    ko = "로그인 또는 서명된 요청이 필요합니다."


class NotAllowed(DoorRefusal, tag=1062):
    """The user may not see or do this."""

    what: str
    status = 403
    en = "You may not {what}."
    ko = "이 정보 또는 작업에 대한 권한이 없습니다."


class NotFound(DoorRefusal, tag=1063):
    """There is no such thing."""

    what: str
    status = 404
    en = "There is no {what}."
    ko = "찾을 수 없습니다: {what}"


class TooLarge(DoorRefusal, tag=1065):
    """The body has more bytes than a request may have."""

    limit: int
    status = 413
    en = "A request may have at most {limit} bytes."
    ko = "요청은 최대 {limit}바이트입니다."


class TooMany(DoorRefusal, tag=1066):
    """More requests or subscribers than may be."""

    what: str
    limit: int
    retry_ms: int
    status = 429
    en = "Too many {what}, at most {limit}; retry after {retry_ms} ms."
    ko = "요청이 너무 많습니다(최대 {limit}). {retry_ms}밀리초 후 다시 시도하십시오."


class Unavailable(DoorRefusal, tag=1067):
    """The node or its views stand still, or its word on finality cannot be relied on: why, in both languages."""

    why: str
    why_ko: str
    retry_ms: int
    status = 503
    en = "The service is not available: {why}"
    ko = "서비스를 사용할 수 없습니다: {why_ko}"


class NotSigned(DoorRefusal, tag=1068):
    """Custody signs nothing of the kind for this user; the reasons are custody's own."""

    why: str
    status = 422
    en = "The institution does not sign this: {why}"
    ko = "기관이 이 지시에 서명하지 않습니다. 사유를 확인하십시오."


class Fault(DoorRefusal, tag=1069):
    """Something broke inside; it is in the log under this kind."""

    kind: str
    status = 500
    en = "Something went wrong inside ({kind})."
    ko = "내부 오류가 발생했습니다({kind})."


class MethodUnknown(DoorRefusal, tag=1070):
    """The route exists, but not for this method, or not for this kind of body or answer."""

    status = 405
    en = "This route has no such method."
    ko = "이 경로는 해당 메서드를 지원하지 않습니다."


REFUSALS: Final[tuple[type[DoorRefusal], ...]] = (
    BadRequest, NotAuthenticated, NotAllowed, NotFound, TooLarge, TooMany, Unavailable, NotSigned, Fault,
    MethodUnknown,
)  # fmt: skip
log = structlog.get_logger(__name__)
_BY_STATUS: Final = {405: MethodUnknown(), 401: NotAuthenticated("nobody is logged in")}


class Problem(Exception):
    """Ends a request with a problem document. ``main`` is the gravest reason; ``reasons`` are all of them."""

    def __init__(
        self,
        main: Rejection,
        status: int = 0,
        reasons: Sequence[tuple[int, Rejection | Refusal]] = (),
        headers: dict[str, str] | None = None,
    ) -> None:
        super().__init__(main.name)
        self.main, self.reasons = main, reasons
        self.status = status or (main.status if isinstance(main, DoorRefusal) else 422)
        self.headers = headers or {}
        retry_ms = getattr(main, "retry_ms", 0)
        if retry_ms:
            self.headers["Retry-After"] = str(-(-retry_ms // 1_000))


def language_of(accept: str) -> str:
    """``ko`` when an Accept-Language header prefers Korean to English, else ``en``."""
    weights = {"en": 0.0, "ko": 0.0}
    for part in accept.lower().split(",")[:16]:
        name, _, weight = part.partition(";q=")
        short = name.strip()[:2]
        if short in weights:
            try:
                weights[short] = max(weights[short], float(weight or 1))
            except ValueError:
                continue
    return "ko" if weights["ko"] > weights["en"] else "en"


def reason_of(refused: Rejection | Refusal, language: str, instruction: int = -1) -> Reason:
    """A refusal as a reason. Custody's refusals have a name and no number."""
    code = refused.code if isinstance(refused, Rejection) else 0
    return Reason(code, refused.name, refused.sentence(language), figures(refused), instruction)


def reasons_of(reasons: Iterable[tuple[int, Rejection | Refusal]], language: str) -> list[Reason]:
    """Refusals with the places they speak about, as reasons."""
    return [reason_of(refused, language, place) for place, refused in reasons]


def answer(request: Request[Any, Any, Any], problem: Problem) -> Response[ProblemDocument]:
    """The problem document as a response."""
    language = language_of(request.headers.get("accept-language", ""))
    sentence = problem.main.sentence(language)
    document = ProblemDocument(
        type=TYPES + problem.main.name,
        title=problem.main.name,
        status=problem.status,
        detail=sentence,
        instance=request.url.path,
        code=problem.main.code,
        name=problem.main.name,
        reasons=reasons_of(problem.reasons or [(-1, problem.main)], language),
    )
    return Response(document, status_code=problem.status, media_type=MEDIA_TYPE, headers=problem.headers)


def answer_http(request: Request[Any, Any, Any], error: HTTPException) -> Response[ProblemDocument]:
    """What the framework refuses (an unknown route, a field of the wrong type) as a problem document."""
    status = error.status_code
    if status in _BY_STATUS:
        return answer(request, Problem(_BY_STATUS[status], headers=error.headers))
    if status == 404:
        return answer(request, Problem(NotFound(f"resource {request.url.path}")))
    if status == 413:
        limit = request.app.request_max_body_size
        return answer(request, Problem(TooLarge(limit if isinstance(limit, int) else 0)))
    return answer(request, Problem(BadRequest(_why(error)), 400 if status < 500 else status))


def _why(error: HTTPException) -> str:
    extra = error.extra if isinstance(error, ValidationException) else None
    if isinstance(extra, list) and extra:
        return "; ".join(
            f"{item.get('key', '')}: {item.get('message', '')}" for item in extra if isinstance(item, dict)
        )
    return error.detail


def answer_fault(request: Request[Any, Any, Any], error: Exception) -> Response[ProblemDocument]:
    """An exception that nobody expected. Its text stays inside: it may hold anything."""
    log.error("fault", path=request.url.path, exc_info=error)
    return answer(request, Problem(Fault(type(error).__name__)))
