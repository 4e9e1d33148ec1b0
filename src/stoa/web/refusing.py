"""What a page says when it cannot be shown: the refusal's own sentence, and where to go from there.

Owns the pages' exception handlers; the refusals themselves are the API's (``api.problems``). A fault tells its name
and nothing else: what went wrong inside is for the log.
"""

from typing import Any, Final

from litestar import Request, Response
from litestar.exceptions import HTTPException

from stoa.api.problems import BadRequest, Fault, NotFound, Problem
from stoa.api.viewer import STRANGER
from stoa.readmodel.queries.paging import BadCursor
from stoa.web.page import Page

MISSING: Final = (404, 405)


def refuse(request: Request[Any, Any, Any], problem: Problem) -> Response[str]:
    """The refusal as a page."""
    page: Page = getattr(request.state, "page", None) or Page(request, STRANGER)
    language = page.words.language
    sentences = [reason.sentence(language) for _, reason in problem.reasons] or [problem.main.sentence(language)]
    found = page.render("refused.html", problem.status, refused=problem.status, sentences=sentences)
    found.headers.update(problem.headers)
    return found


def refuse_http(request: Request[Any, Any, Any], error: HTTPException) -> Response[str]:
    """What the framework refuses: a wrong address, a field of the wrong type."""
    if error.status_code in MISSING:
        return refuse(request, Problem(NotFound(f"page {request.url.path[:120]}")))
    return refuse(request, Problem(BadRequest(error.detail), error.status_code))


def refuse_cursor(request: Request[Any, Any, Any], _: BadCursor) -> Response[str]:
    """A cursor that no list gave: the address was changed by hand."""
    return refuse(request, Problem(NotFound("such page of the list")))


def refuse_fault(request: Request[Any, Any, Any], error: Exception) -> Response[str]:
    """An exception that nobody expected."""
    if request.app.logger:
        request.app.logger.error("fault", exc_info=error)
    return refuse(request, Problem(Fault(type(error).__name__)))
