"""What both clients share in carrying plans out over httpx: a request from an ask, an answer from a response."""

from typing import Any, Final

import httpx

from stoa.client.plans import NOTHING_CAME, Answer, Ask

TIMEOUT: Final = httpx.Timeout(10.0, read=45.0)  # seconds; the API holds a request that waits for up to 30


def options(url: str, auth: httpx.Auth | None) -> dict[str, Any]:
    """How a connection pool is made. Proxies and other settings of the environment are not looked at."""
    return {"base_url": url, "auth": auth, "timeout": TIMEOUT, "trust_env": False, "follow_redirects": False}


def request_of(asked: Ask) -> dict[str, Any]:
    """The arguments of httpx's ``request``."""
    headers = {"Accept": asked.accept}
    if asked.content is not None:
        headers["Content-Type"] = "application/octet-stream"
    return {
        "method": asked.method,
        "url": asked.path,
        "params": asked.params,
        "json": asked.json,
        "content": asked.content,
        "headers": headers,
    }


def answer_of(response: httpx.Response) -> Answer:
    """What came back."""
    retry_after = response.headers.get("retry-after", "0")
    return Answer(response.status_code, response.content, float(retry_after) if retry_after.isdigit() else 0.0)


def lost(error: httpx.HTTPError) -> Answer:
    """Nothing came back: whether it arrived is unknown."""
    return Answer(NOTHING_CAME, f"{type(error).__name__}: {error}".encode())
