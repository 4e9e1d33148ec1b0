"""Requests signed by an API key, for either client: each carries key, time, nonce and signature, and counts once."""

import secrets
import time
from collections.abc import Callable, Generator

import httpx

from stoa.wire.request import NONCE_BYTES, sign_request


def wall_clock() -> int:
    """Milliseconds since 1970, UTC."""
    return time.time_ns() // 1_000_000


class Seal(httpx.Auth):
    """Signs every request. ``audience`` names the door that it is for; ``clock`` is the door's, in milliseconds."""

    requires_request_body = True

    def __init__(self, secret: bytes, audience: str, clock: Callable[[], int] = wall_clock) -> None:
        self._secret, self._audience, self._clock = secret, audience, clock

    def auth_flow(self, request: httpx.Request) -> Generator[httpx.Request, httpx.Response, None]:
        """Called by httpx for each request, and again for each repetition, which gets a nonce of its own."""
        now, nonce = self._clock(), secrets.token_bytes(NONCE_BYTES)
        target = request.url.raw_path.decode("ascii")
        seal = sign_request(self._secret, self._audience, request.method, target, request.content, now, nonce)
        request.headers["Stoa-Key"] = seal.key.hex()
        request.headers["Stoa-Time"] = str(seal.time)
        request.headers["Stoa-Nonce"] = seal.nonce.hex()
        request.headers["Stoa-Signature"] = seal.signature.hex()
        yield request
