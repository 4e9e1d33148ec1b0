"""Sessions: a browser's login, kept on the server. The browser holds a random token, the file only its hash.

A session ends by itself after a time without use, or at the latest some hours after the login; with the
user's password; and when he is shut out.
"""

import secrets
from typing import Final

import msgspec
from sqlalchemy import ColumnElement, Engine, delete, insert, or_, select, update

from stoa.custody.tables import SESSIONS, USERS, reading
from stoa.kernel.hashing import tagged
from stoa.kernel.time import SECOND

TOKEN_BYTES: Final = 32
MAX_TOKEN_CHARACTERS: Final = 64
IDLE_LIFE: Final = 30 * 60 * SECOND
WHOLE_LIFE: Final = 12 * 3_600 * SECOND
NOTED_EVERY: Final = 60 * SECOND  # use is written down so often at most
MAX_SESSIONS: Final = 16  # of one user; the oldest gives way


class Session(msgspec.Struct, frozen=True):
    """Who is logged in, since when (he last proved who he is then), last seen when. Milliseconds."""

    user: str
    created: int
    seen: int
    form_token: str  # a form that changes something carries it, so that another site cannot send the form


class Sessions:
    """The sessions in the file of the users (``Users.engine``)."""

    def __init__(self, engine: Engine) -> None:
        self._engine, self._reading = engine, reading(engine)

    def start(self, user: str, now: int) -> str:
        """A new session's token, for the cookie; it is not kept here."""
        token = secrets.token_urlsafe(TOKEN_BYTES)
        oldest = select(SESSIONS.c.hash).where(SESSIONS.c.user == user).order_by(SESSIONS.c.created.desc())
        with self._engine.begin() as connection:
            connection.execute(delete(SESSIONS).where(_ended(now)))
            surplus = oldest.offset(MAX_SESSIONS - 1)
            connection.execute(delete(SESSIONS).where(SESSIONS.c.hash.in_(surplus)))
            row = {"hash": _hash(token), "user": user, "created": now, "seen": now}
            connection.execute(insert(SESSIONS).values(row))
        return token

    def find(self, token: str, now: int) -> Session | None:
        """The session of the token, if it lives and its user is active; marks it as used."""
        if len(token) > MAX_TOKEN_CHARACTERS:
            return None
        mine = SESSIONS.c.hash == _hash(token)
        living = select(SESSIONS).join(USERS, USERS.c.id == SESSIONS.c.user)
        with self._reading.connect() as connection:
            row = connection.execute(living.where(mine, USERS.c.active, ~_ended(now))).first()
        if row is None:
            return None
        if now - row.seen >= NOTED_EVERY:
            with self._engine.begin() as connection:
                connection.execute(update(SESSIONS).where(mine).values(seen=now))
        return Session(row.user, row.created, max(row.seen, now), _form_token(token))

    def end(self, token: str) -> None:
        """Log out."""
        with self._engine.begin() as connection:
            connection.execute(delete(SESSIONS).where(SESSIONS.c.hash == _hash(token)))

    def end_all(self, user: str) -> None:
        """Log the user out everywhere."""
        with self._engine.begin() as connection:
            connection.execute(delete(SESSIONS).where(SESSIONS.c.user == user))


def _ended(now: int) -> ColumnElement[bool]:
    return or_(SESSIONS.c.seen <= now - IDLE_LIFE, SESSIONS.c.created <= now - WHOLE_LIFE)


def _hash(token: str) -> bytes:
    return tagged("stoa.custody.session", token.encode())


def _form_token(token: str) -> str:
    return tagged("stoa.custody.form", token.encode()).hex()
