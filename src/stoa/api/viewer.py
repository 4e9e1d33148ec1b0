"""Who asks, and what he may see. A session's cookie or a signed request says who; the ledger says for whom he speaks.

A user speaks for the accounts linked to him. If one of them is an institution's operating account, he speaks for that
institution, with the roles that the ledger gives it: so authority over data follows authority over the ledger.

The facts of the chain (blocks, receipts, events) carry numbers and no names; every member has them and the door gives
them to whoever reaches it. What is gathered by person or account, and the list of holders, is for those it concerns.
"""

from collections.abc import Mapping
from hmac import compare_digest
from typing import Any, Final

import msgspec
from anyio import to_thread
from litestar import Request
from litestar.di import NamedDependency
from litestar.params import SkipValidation
from sqlalchemy import Connection, select

from stoa.api.problems import BadRequest, NotAllowed, NotAuthenticated, Problem
from stoa.api.services import Services
from stoa.custody.requests import OPERATOR
from stoa.readmodel.schema import ACCOUNTS, ASSETS, INSTITUTIONS, PARTIES, SECURITIES
from stoa.wire.request import Seal

SESSION_COOKIE: Final = "stoa_session"
FORM_TOKEN_HEADER: Final = "X-Form-Token"
FORM_TOKEN_FIELD: Final = "form_token"
FORMS: Final = ("application/x-www-form-urlencoded", "multipart/form-data")
SAFE: Final = frozenset({"GET", "HEAD", "OPTIONS"})
SEES_ALL: Final = frozenset({"registrar", "supervisor"})  # ledger roles that may look at every account


class Viewer(msgspec.Struct, frozen=True):
    """Who asks. ``user`` is empty for a stranger; ``institutions`` are those he speaks for, with their roles."""

    user: str = ""
    accounts: tuple[bytes, ...] = ()
    party: int | None = None
    roles: tuple[str, ...] = ()
    institutions: Mapping[str, tuple[str, ...]] = {}
    form_token: str = ""
    language: str = ""
    operator: bool = False  # runs this house: has its keystore's passphrase

    @property
    def known(self) -> bool:
        """Whether somebody has shown who he is."""
        return bool(self.user)

    @property
    def sees_all(self) -> bool:
        """Whether he speaks for a registrar or a supervisor."""
        return any(not SEES_ALL.isdisjoint(roles) for roles in self.institutions.values())

    def may_see_account(self, views: Connection, account: bytes) -> bool:
        """The owner, the owner's keeper, the account's custodian, the registrar, the supervisor."""
        if account in self.accounts or self.sees_all:
            return True
        found = views.execute(
            select(ACCOUNTS.c.party, ACCOUNTS.c.custodian).where(ACCOUNTS.c.account == account)
        ).first()
        return found is not None and (found.custodian in self.institutions or self.may_see_party(views, found.party))

    def may_see_party(self, views: Connection, party: int) -> bool:
        """The person himself, his keeper, the registrar, the supervisor."""
        if self.sees_all or (self.party is not None and party == self.party):
            return True
        keeper = views.scalar(select(PARTIES.c.keeper).where(PARTIES.c.party == party))
        return keeper is not None and keeper in self.institutions

    def may_see_holders(self, views: Connection, asset: str) -> bool:
        """The asset's controllers, the registrar, the supervisor."""
        named = views.scalar(select(ASSETS.c.controllers).where(ASSETS.c.code == asset))
        controllers = msgspec.json.decode(named, type=tuple[str, ...]) if named else ()
        both = select(SECURITIES.c.agent, SECURITIES.c.registrar).where(SECURITIES.c.code == asset)
        controllers += tuple(views.execute(both).first() or ())
        return self.sees_all or not set(controllers).isdisjoint(self.institutions)


STRANGER: Final = Viewer()
_OPERATOR: Final = Viewer(user=OPERATOR, operator=True)  # speaks for nobody on the ledger
House = SkipValidation[NamedDependency[Services]]
Asking = SkipValidation[NamedDependency[Viewer]]


def need(allowed: bool, viewer: Viewer, what: str) -> None:
    """Go on only if allowed. Raises Problem: 401 for a stranger, 403 for a user. ``what`` completes "You may not"."""
    if not allowed:
        raise Problem(NotAllowed(what) if viewer.known else NotAuthenticated(what))


def viewer_of(services: Services, user: str, form_token: str = "") -> Viewer:
    """The user as a viewer, or the stranger if he may not act."""
    found = services.users.get(user)
    if found is None or not found.active:
        return STRANGER
    with services.views.read() as views:
        mine = select(INSTITUTIONS.c.code, INSTITUTIONS.c.roles).where(
            INSTITUTIONS.c.account.in_(found.accounts), INSTITUTIONS.c.active
        )
        rows = views.execute(mine).all() if found.accounts else []
    institutions = {row.code: tuple(msgspec.json.decode(row.roles, type=list[str])) for row in rows}
    return Viewer(user, found.accounts, found.party, found.roles, institutions, form_token, found.language)


async def identify(request: Request[Any, Any, Any], services: Services) -> Viewer:
    """Who asks, by a signed request or by his session. Raises Problem for a bad signature and for a forged form."""
    require_same_site(request)
    if "stoa-key" in request.headers:
        return await _by_seal(request, services)
    token = request.cookies.get(SESSION_COOKIE)
    if not token:
        return STRANGER
    session = await to_thread.run_sync(services.sessions.find, token, services.clock())
    if session is None:
        return STRANGER
    if request.method not in SAFE:
        await _check_form(request, session.form_token)
    return await to_thread.run_sync(viewer_of, services, session.user, session.form_token)


def require_same_site(request: Request[Any, Any, Any]) -> None:
    """A browser says when another site made it send a change. Raises Problem."""
    if request.method not in SAFE and request.headers.get("sec-fetch-site") == "cross-site":
        raise Problem(NotAllowed("send this from another site"))


async def _check_form(request: Request[Any, Any, Any], expected: str) -> None:
    shown = request.headers.get(FORM_TOKEN_HEADER, "")
    if not shown and request.content_type[0] in FORMS:
        shown = str((await request.form()).get(FORM_TOKEN_FIELD, ""))
    if not compare_digest(shown.encode(), expected.encode()):
        raise Problem(NotAllowed("change anything without the session's form token"))


async def _by_seal(request: Request[Any, Any, Any], services: Services) -> Viewer:
    target = _target(request)
    verify = services.requests.verify
    seal, body = seal_of(request.headers), await request.body()
    user = await to_thread.run_sync(verify, seal, request.method, target, body, services.clock())
    if not isinstance(user, str):
        raise Problem(NotAuthenticated(user.sentence()), reasons=[(-1, user)])
    if user == OPERATOR:
        return _OPERATOR
    return await to_thread.run_sync(viewer_of, services, user)


def _target(request: Request[Any, Any, Any]) -> str:
    """Path and query as they came over the wire: that is what was signed."""
    path, query = request.scope["raw_path"].partition(b"?")[0], request.scope["query_string"]
    return (path + (b"?" + query if query else b"")).decode("ascii", errors="replace")


def seal_of(headers: Mapping[str, str]) -> Seal:
    """The seal in the headers of a signed request: Stoa-Key, Stoa-Time, Stoa-Nonce, Stoa-Signature. Raises Problem."""
    try:
        key, nonce, signature = (bytes.fromhex(headers[f"stoa-{name}"]) for name in ("key", "nonce", "signature"))
        return msgspec.convert([key, int(headers["stoa-time"]), nonce, signature], Seal)
    except (KeyError, ValueError) as error:
        raise Problem(BadRequest(f"the seal of the request cannot be read: {error}")) from None
