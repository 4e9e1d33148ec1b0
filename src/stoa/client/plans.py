"""Plans: what to ask of the API, and how to go on after each answer, apart from how asking is done.

A plan is a generator. It yields an ``Ask`` and is sent an ``Answer``, or yields a ``Pause``; what it returns is the
result. The two clients differ only in how they carry a plan out, so what is decided here is decided once.
"""

from collections.abc import Generator, Mapping
from types import MappingProxyType
from typing import Any, Final, NamedTuple, TypeVar

import msgspec

from stoa.client.errors import Problem, ProblemError, Unreachable

T = TypeVar("T")

NOTHING_CAME: Final = 0  # the status of an answer that never arrived
BUSY: Final = frozenset({NOTHING_CAME, 429, 503})
MAX_ATTEMPTS: Final = 12
FIRST_PAUSE: Final = 0.1
LONGEST_PAUSE: Final = 5.0


class Ask(NamedTuple):
    """One request. ``params`` are the query; ``json`` is encoded, ``content`` sent as it is."""

    method: str
    path: str
    params: Mapping[str, Any] = MappingProxyType({})
    json: Any = None
    content: bytes | None = None
    accept: str = "application/json"


class Pause(NamedTuple):
    """Wait so many seconds."""

    seconds: float


class Answer(NamedTuple):
    """What came back; status 0 and a reason in ``body`` if nothing did."""

    status: int
    body: bytes
    retry_after: float = 0.0


Plan = Generator[Ask | Pause, Answer, T]


def ask(request: Ask) -> Plan[bytes]:
    """Ask until there is an answer: again after a pause while the API is busy or out of reach.

    For requests that may be repeated: reads, and submissions, which are one and the same however often they are sent.
    Raises ProblemError, or Unreachable after MAX_ATTEMPTS.
    """
    pause = FIRST_PAUSE
    for attempt in range(MAX_ATTEMPTS):
        answer = yield request
        if answer.status < 400 and answer.status != NOTHING_CAME:
            return answer.body
        if answer.status not in BUSY:
            raise ProblemError(problem_of(answer))
        if attempt + 1 < MAX_ATTEMPTS:
            yield Pause(min(LONGEST_PAUSE, max(pause, answer.retry_after)))
            pause *= 2
    raise Unreachable(answer.body.decode(errors="replace") or f"busy, {MAX_ATTEMPTS} times")


def ask_once(request: Ask) -> Plan[bytes]:
    """Ask without repeating: for what must not happen twice. Raises ProblemError, Unreachable."""
    answer = yield request
    if answer.status == NOTHING_CAME:
        raise Unreachable(answer.body.decode(errors="replace"))
    if answer.status >= 400:
        raise ProblemError(problem_of(answer))
    return answer.body


def read(kind: type[T], request: Ask) -> Plan[T]:
    """Ask, and decode. Raises ProblemError, Unreachable."""
    body = yield from ask(request)
    return decode(kind, body)


def decode(kind: type[T], body: bytes) -> T:
    """The typed answer. Raises Unreachable when it is not of this API."""
    try:
        return msgspec.json.decode(body, type=kind)
    except msgspec.DecodeError as error:
        raise Unreachable(f"the answer is not one of this API: {error}") from None


def problem_of(answer: Answer) -> Problem:
    """The problem document of an answer, or one made up from its status."""
    try:
        return msgspec.json.decode(answer.body, type=Problem)
    except msgspec.DecodeError:
        return Problem(answer.status, answer.body[:200].decode(errors="replace"))
