"""Routes for a browser's login: start, look, end. The token is in a cookie that no script reads."""

from typing import Any, Final

import msgspec
from anyio import to_thread
from litestar import Request, Response, delete, get, post
from litestar.datastructures import Cookie
from litestar.params import JSONBody

from stoa.api.openapi import errors
from stoa.api.problems import NotAuthenticated, Problem, TooMany
from stoa.api.services import Services
from stoa.api.viewer import SESSION_COOKIE, STRANGER, Asking, House, Viewer, need, require_same_site, viewer_of
from stoa.custody.refusals import Throttled
from stoa.custody.secret import Secret
from stoa.custody.sessions import WHOLE_LIFE
from stoa.custody.users import User
from stoa.kernel.identifiers import address
from stoa.kernel.time import SECOND


class Login(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A user and his password."""

    user: str
    password: str


class SessionView(msgspec.Struct, frozen=True):
    """Who is logged in. ``form_token`` goes into X-Form-Token of every request that changes something."""

    user: str
    roles: tuple[str, ...]
    accounts: tuple[str, ...]
    party: int | None
    institutions: dict[str, tuple[str, ...]]
    language: str
    form_token: str


def session_view(viewer: Viewer) -> SessionView:
    """The viewer as his own session shows him."""
    accounts = tuple(address(account) for account in viewer.accounts)
    return SessionView(
        viewer.user, viewer.roles, accounts, viewer.party, dict(viewer.institutions), viewer.language, viewer.form_token
    )


def log_in(services: Services, user: str, password: str, source: str) -> tuple[str, Viewer]:
    """A new session's token and its user. Takes the time of an argon2 hash: call it in a thread. Raises Problem."""
    found = services.users.log_in(user, Secret(password), source, services.clock())
    if isinstance(found, Throttled):
        raise Problem(TooMany("failed attempts to log in", 1, found.seconds * SECOND), reasons=[(-1, found)])
    if not isinstance(found, User):
        raise Problem(NotAuthenticated(found.sentence()), reasons=[(-1, found)])
    token = services.sessions.start(found.id, services.clock())
    session = services.sessions.find(token, services.clock())
    return token, viewer_of(services, found.id, session.form_token) if session else STRANGER


def cookie(token: str) -> Cookie:
    """The session's cookie: for this site's own requests only, out of reach of scripts."""
    return Cookie(SESSION_COOKIE, value=token, path="/", httponly=True, samesite="strict", max_age=WHOLE_LIFE // SECOND)


@post("/session", operation_id="logIn", tags=["session"], responses=errors(401, 403, 413))
async def start_session(
    request: Request[Any, Any, Any], services: House, data: JSONBody[Login]
) -> Response[SessionView]:
    """Log in. Sets the session's cookie. A wrong name and a wrong password are told apart by nobody."""
    require_same_site(request)
    source = request.client.host if request.client else ""
    token, now = await to_thread.run_sync(log_in, services, data.user, data.password, source)
    return Response(session_view(now), cookies=[cookie(token)], status_code=201)


@get("/session", operation_id="currentSession", tags=["session"], responses=errors(401), sync_to_thread=False)
def current_session(viewer: Asking) -> SessionView:
    """Who the request speaks for."""
    need(viewer.known, viewer, "look at a session without one")
    return session_view(viewer)


@delete("/session", operation_id="logOut", tags=["session"], responses=errors(401, 403), sync_to_thread=True)
def end_session(request: Request[Any, Any, Any], services: House, viewer: Asking) -> Response[None]:
    """Log out."""
    need(viewer.known, viewer, "end a session without one")
    token = request.cookies.get(SESSION_COOKIE)
    if token:
        services.sessions.end(token)
    gone = Response(None, status_code=204)
    gone.delete_cookie(SESSION_COOKIE, path="/")
    return gone


HANDLERS: Final = (start_session, current_session, end_session)
