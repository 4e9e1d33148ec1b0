"""The bound of everything a client can make the API do, and the table that counts each client's requests."""

import threading
import time
from collections import OrderedDict
from typing import Any, Final, NamedTuple

from litestar.enums import ScopeType
from litestar.types import ASGIApp, Receive, Scope, Send

from stoa.api.problems import Problem, TooMany, answer
from stoa.kernel import limits

MAX_BODY_BYTES: Final = 4 * limits.MAX_ENVELOPE_BYTES  # an envelope as hexadecimal text in JSON, with room to spare
MAX_PAGE: Final = 500  # rows of one answer
DEFAULT_PAGE: Final = 100
MAX_WAIT_SECONDS: Final = 30  # how long a submission may wait to become final
MAX_SUBSCRIBERS: Final = 256  # of the event feed
MAX_WAITING: Final = 2_048  # submissions that wait at one time
MAX_CLIENTS: Final = 10_000  # addresses whose requests are counted; the longest silent gives way
MAX_PROOFS: Final = 1  # holding proofs made at one time: each reads the whole state
DEFAULT_VALIDITY_MS: Final = 10 * 60_000  # of a body that is built here


class Rate(NamedTuple):
    """Requests a second that one client may send for long, and how many at once after a silence."""

    per_second: float = 1_000.0
    burst: int = 4_000


class Buckets:
    """A token bucket for each client, in a bounded table. Safe for threads."""

    def __init__(self, rate: Rate) -> None:
        self.rate = rate
        self._lock = threading.Lock()
        self._levels: OrderedDict[str, tuple[float, float]] = OrderedDict()

    def take(self, client: str, now: float) -> bool:
        """Whether the client may send one more request at ``now`` (seconds of a monotonic clock)."""
        with self._lock:
            level, since = self._levels.pop(client, (float(self.rate.burst), now))
            level = min(float(self.rate.burst), level + (now - since) * self.rate.per_second)
            allowed = level >= 1.0
            self._levels[client] = (level - allowed, now)
            while len(self._levels) > MAX_CLIENTS:
                self._levels.popitem(last=False)
        return allowed


def rate_limit(buckets: Buckets) -> Any:
    """The middleware that asks the buckets before anything else is done."""

    def middleware(app: ASGIApp) -> ASGIApp:
        async def limited(scope: Scope, receive: Receive, send: Send) -> None:
            if scope["type"] == ScopeType.HTTP:
                client = scope.get("client")
                if not buckets.take(client[0] if client else "", time.monotonic()):
                    await _refuse(scope, receive, send, buckets.rate)
                    return
            await app(scope, receive, send)

        return limited

    return middleware


async def _refuse(scope: Scope, receive: Receive, send: Send, rate: Rate) -> None:
    request = scope["litestar_app"].request_class(scope, receive, send)
    problem = Problem(TooMany("requests", int(rate.per_second), max(1, int(1_000 / rate.per_second))))
    response = answer(request, problem).to_asgi_response(app=None, request=request)
    await response(scope, receive, send)
