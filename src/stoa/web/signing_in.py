"""Signing in and out: a form, custody's answer, and a cookie that holds a random token.

Custody checks passwords (argon2id, 90 ms of work) and slows down who guesses; so it is asked in a thread. Does not own:
what a session is (``custody.sessions``), its cookie (``api.sessions``), what the visitor may see (``api.viewer``).
"""

from typing import Annotated, Any, Final
from urllib.parse import urlsplit

import msgspec
from litestar import Request, Response, get, post
from litestar.enums import RequestEncodingType
from litestar.params import Body
from litestar.response import Redirect

from stoa.api.problems import Problem
from stoa.api.sessions import cookie, log_in
from stoa.api.viewer import SESSION_COOKIE, Asking, House
from stoa.web.page import Paper

SEE_OTHER: Final = 303
START: Final = "/"


class Credentials(msgspec.Struct, frozen=True):
    """What the form sends. ``next``: the page to go on to."""

    user: str = ""
    password: str = ""
    next: str = START


def local(path: str) -> str:
    """The path if it is one of this site, else the start page: a link must not send people elsewhere."""
    parts = urlsplit(path)
    fine = path.startswith("/") and not path.startswith(("//", "/\\")) and not parts.scheme and not parts.netloc
    return path if fine and path.isascii() and path.isprintable() else START


@get("/sign-in", sync_to_thread=False)
def sign_in_form(page: Paper) -> Response[str]:
    """The form."""
    return page.render("sign_in.html", next=local(page.query.get("next", START)), user="", refusals=[])


@post("/sign-in", sync_to_thread=True, status_code=SEE_OTHER)
def sign_in(
    request: Request[Any, Any, Any],
    page: Paper,
    services: House,
    data: Annotated[Credentials, Body(media_type=RequestEncodingType.URL_ENCODED)],
) -> Response[Any]:
    """Start a session, or show the form again with the reasons."""
    source = request.client.host if request.client else ""
    try:
        token, _ = log_in(services, data.user.strip().lower(), data.password, source)
    except Problem as problem:
        refusals = [reason.sentence(page.words.language) for _, reason in problem.reasons]
        return page.render("sign_in.html", problem.status, next=local(data.next), user=data.user, refusals=refusals)
    return Redirect(local(data.next), status_code=SEE_OTHER, cookies=[cookie(token)])


@post("/sign-out", sync_to_thread=True, status_code=SEE_OTHER)
def sign_out(request: Request[Any, Any, Any], services: House, viewer: Asking) -> Redirect:
    """End the session; finding the viewer has checked the form token."""
    token = request.cookies.get(SESSION_COOKIE)
    if viewer.known and token:
        services.sessions.end(token)
    gone = Redirect(START, status_code=SEE_OTHER)
    gone.delete_cookie(SESSION_COOKIE, path="/")
    return gone
