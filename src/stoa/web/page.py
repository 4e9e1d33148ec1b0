"""A page: one request's language, theme, visitor and nonce, and the template that becomes the answer.

Promises: what is put into a template is escaped; a script runs only with the answer's own nonce; nothing is fetched
from another host; an answer with somebody's holdings in it is kept by no cache.
"""

import secrets
from collections.abc import Mapping
from functools import cache
from hashlib import sha256
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlencode

import msgspec
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from litestar import MediaType, Request, Response
from litestar.datastructures import Cookie
from litestar.di import NamedDependency
from litestar.params import SkipValidation

from stoa.api.viewer import Asking, Viewer
from stoa.web.figures import TIMES, filters
from stoa.web.language import NAMES, WORDS, Words, chosen

LANGUAGE_COOKIE: Final = "stoa_language"
THEME_COOKIE: Final = "stoa_theme"
THEMES: Final = ("light", "dark")
YEAR_SECONDS: Final = 365 * 24 * 3_600
NONCE_BYTES: Final = 18
TEMPLATES: Final = Path(__file__).parent / "templates"
STATIC: Final = Path(__file__).parent / "static"


def policy(nonce: str) -> str:
    """The content security policy of a page: our own files, and scripts that carry the nonce."""
    return (
        f"default-src 'none'; script-src 'nonce-{nonce}'; style-src 'self'; font-src 'self'; img-src 'self' data:; "
        "connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'; "
        "require-trusted-types-for 'script'; trusted-types htmx"
    )


SECURITY_HEADERS: Final = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
    "Cache-Control": "no-store",
}


@cache
def environment(language: str) -> Environment:
    """The templates, speaking one language."""
    made = Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    words = WORDS[language]
    made.filters.update(filters(words.locale))
    made.globals.update(t=words, language=language, languages=NAMES, file=versioned, json=as_json, times=TIMES)
    return made


@cache
def versioned(name: str) -> str:
    """The address of one of our static files; it changes with the content, so browsers may keep it."""
    digest = sha256((STATIC / name).read_bytes()).hexdigest()[:12]
    return f"/static/{name}?v={digest}"


def as_json(value: object) -> str:
    """JSON text for a ``data-`` attribute; the template escapes it."""
    return msgspec.json.encode(value).decode()


class Page:
    """What a handler renders with."""

    def __init__(self, request: Request[Any, Any, Any], viewer: Viewer) -> None:
        asked = request.query_params.get("lang")
        cookies = request.cookies
        remembered = cookies.get(LANGUAGE_COOKIE) or viewer.language
        language = chosen(asked, remembered, request.headers.get("accept-language", ""))
        self.words: Words = WORDS[language]
        self.viewer = viewer
        self.path, self.query = request.url.path, dict(request.query_params)
        self._switched = asked == language and cookies.get(LANGUAGE_COOKIE) != language
        theme = cookies.get(THEME_COOKIE, "")
        self.theme = theme if theme in THEMES else ""
        self.nonce = secrets.token_urlsafe(NONCE_BYTES)

    @property
    def place(self) -> str:
        """The part of the console that the page belongs to, for the navigation."""
        first = self.path.strip("/").partition("/")[0]
        return {"": "market", "securities": "market"}.get(first, first)

    def address(self, **changes: object) -> str:
        """This page's address with some of its query changed; None leaves a field out."""
        query: Mapping[str, object] = {**self.query, **changes}
        kept = {name: value for name, value in query.items() if value is not None}
        return f"{self.path}?{urlencode(kept)}" if kept else self.path

    def render(self, template: str, status: int = 200, **context: object) -> Response[str]:
        """The page, or the part of one, as an answer."""
        text = environment(self.words.language).get_template(template).render(page=self, **context)
        headers = {**SECURITY_HEADERS, "Content-Security-Policy": policy(self.nonce), "Vary": "Cookie, Accept-Language"}
        cookies = [preference(LANGUAGE_COOKIE, self.words.language)] if self._switched else []
        return Response(text, media_type=MediaType.HTML, status_code=status, headers=headers, cookies=cookies)


Paper = SkipValidation[NamedDependency[Page]]


async def provide_page(request: Request[Any, Any, Any], viewer: Asking) -> Page:
    """The page of a request, for Litestar's dependency injection; kept for a refusal to be shown with."""
    page = Page(request, viewer)
    request.state.page = page
    return page


def preference(name: str, value: str) -> Cookie:
    """A cookie that remembers a taste; it says nothing about the person."""
    return Cookie(key=name, value=value, max_age=YEAR_SECONDS, samesite="lax", path="/")
