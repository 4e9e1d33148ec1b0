"""Reading from the views: one connection an answer, cursors that lead on, and what is not there.

Every list takes ``after`` (the cursor of the page before) and ``limit``, and answers ``{items, next}``.
"""

from collections.abc import Callable
from typing import Annotated, Concatenate, ParamSpec, TypeVar

from litestar.params import Parameter
from sqlalchemy import Connection
from sqlalchemy.exc import DataError

from stoa.api.limits import DEFAULT_PAGE, MAX_PAGE
from stoa.api.problems import BadRequest, NotFound, Problem
from stoa.api.services import Services
from stoa.readmodel.queries.paging import BadCursor

P = ParamSpec("P")
T = TypeVar("T")

After = Annotated[str, Parameter(max_length=200, description="The `next` of the page before.")]
Limit = Annotated[int, Parameter(ge=1, le=MAX_PAGE, description="The most items to answer with.")]
PAGE = DEFAULT_PAGE


def ask(services: Services, question: Callable[Concatenate[Connection, P], T], *args: P.args, **kwargs: P.kwargs) -> T:
    """The views' answer. Raises Problem for a cursor that is none of theirs."""
    with services.views.read() as views:
        try:
            return question(views, *args, **kwargs)
        except (BadCursor, OverflowError, DataError) as error:  # a number may be one that no column can hold
            raise Problem(BadRequest(str(error) if isinstance(error, BadCursor) else "a number is too large")) from None


def found(answer: T | None, what: str) -> T:
    """The answer, if there is one. Raises Problem."""
    if answer is None:
        raise Problem(NotFound(what))
    return answer
