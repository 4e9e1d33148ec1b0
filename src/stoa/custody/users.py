"""The users of an institution's doors: passwords (argon2id), roles, the accounts they may act for, API keys.

A user id is a login name that the institution gives out; names and addresses of people are in the ``vault``.
``log_in`` takes 90 ms of work on purpose: call it in a thread.
Does not own: what a role may do (``policy``), how long a login lasts (``sessions``).
"""

import re
from pathlib import Path
from typing import Final, Literal

import msgspec
from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from sqlalchemy import Connection, Row, delete, func, insert, select, update

from stoa.custody import sealing, throttle
from stoa.custody.policy import Actor
from stoa.custody.refusals import BadCredentials, Throttled
from stoa.custody.sealing import Cost
from stoa.custody.secret import Secret
from stoa.custody.tables import API_KEYS, SESSIONS, USERS, connect, reading
from stoa.kernel import signing
from stoa.kernel.codec import Shape, decoder, encode

MAX_USERS: Final = 1_000_000
MAX_API_KEYS: Final = 16  # of one user
MAX_LINKED: Final = 256  # roles or accounts of one user
MIN_PASSWORD_BYTES: Final = 10
MAX_PASSWORD_BYTES: Final = 1_024
_ID: Final = re.compile(r"^[a-z0-9][a-z0-9._@-]{0,63}$")
_ROLES = decoder(tuple[str, ...])
_ACCOUNTS = decoder(tuple[bytes, ...])

Language = Literal["en", "ko"]


class UserError(ValueError):
    """This cannot be done to the user; the message says why and names no secret."""


class User(msgspec.Struct, frozen=True):
    """A user as others may see him."""

    id: str
    roles: tuple[str, ...]
    accounts: tuple[bytes, ...]
    party: int | None  # the party number of the person, where he is a customer
    language: Language
    active: bool
    created: int  # milliseconds


class ApiKey(Shape):
    """A public key whose signatures on requests speak for a user."""

    public: bytes
    user: str
    label: str
    created: int


class Users:
    """The users in a file; safe for several threads and processes."""

    def __init__(self, path: Path, cost: Cost = sealing.RECOMMENDED) -> None:
        self.engine = connect(path)
        self._reading = reading(self.engine)
        self._hasher = PasswordHasher(cost.passes, cost.memory_kib, cost.lanes)
        self._nobody = self._hasher.hash(sealing.random_key().reveal())  # checked for names that do not exist

    def close(self) -> None:
        """Let go of the file."""
        self.engine.dispose()

    def add(
        self,
        user: str,
        password: Secret,
        now: int,
        *,
        roles: tuple[str, ...] = (),
        accounts: tuple[bytes, ...] = (),
        party: int | None = None,
        language: Language = "en",
    ) -> User:
        """A new user. Raises UserError."""
        if not _ID.fullmatch(user):
            raise UserError("a user's id has 1 to 64 small letters, digits or . _ @ -")
        _bounded(roles, accounts)
        row = {"id": user, "password": self._hash(password), "roles": encode(roles), "party": party}
        row |= {"accounts": encode(accounts), "language": language, "active": True, "created": now}
        with self.engine.begin() as connection:
            if _row(connection, user) is not None:
                raise UserError(f"there is a user {user} already")
            if connection.execute(select(func.count()).select_from(USERS)).scalar_one() >= MAX_USERS:
                raise UserError(f"there are {MAX_USERS} users already")
            connection.execute(insert(USERS).values(row))
        return self.need(user)

    def get(self, user: str) -> User | None:
        """The user of this id."""
        with self._reading.connect() as connection:
            row = _row(connection, user)
        return None if row is None else _user(row)

    def need(self, user: str) -> User:
        """The user of this id. Raises UserError."""
        found = self.get(user)
        if found is None:
            raise UserError("there is no such user")
        return found

    def listing(self, limit: int = 100, after: str = "") -> tuple[User, ...]:
        """Users by id, a page at a time."""
        page = select(USERS).where(USERS.c.id > after).order_by(USERS.c.id).limit(limit)
        with self._reading.connect() as connection:
            return tuple(_user(row) for row in connection.execute(page))

    def actor(self, user: str) -> Actor | None:
        """The user as the signing policy sees him; None when he does not exist or is not active."""
        found = self.get(user)
        return Actor(found.id, found.roles, found.accounts) if found is not None and found.active else None

    def log_in(self, user: str, password: Secret, source: str, now: int) -> User | BadCredentials | Throttled:
        """The user, if the password is his. ``source``: where the attempt comes from, e.g. an IP address."""
        name, place = f"user {user}", f"source {source}"
        with self.engine.begin() as connection:
            refusal = throttle.charge(connection, [name, place], now)
            row = _row(connection, user)
        if refusal is not None:
            return refusal
        known = self._nobody if row is None else row.password
        right = self._verify(known, password)  # for a user that does not exist too: as slow as for one that does
        if not right or row is None or not row.active:
            return BadCredentials()
        with self.engine.begin() as connection:
            throttle.absolve(connection, name)
            throttle.refund(connection, place)
            if self._hasher.check_needs_rehash(known):
                again = update(USERS).where(USERS.c.id == user, USERS.c.password == known)
                connection.execute(again.values(password=self._hash(password)))
        return _user(row)

    def set_password(self, user: str, password: Secret) -> None:
        """A new password; ends the user's sessions. Raises UserError."""
        self._change(user, end_sessions=True, password=self._hash(password))

    def set_active(self, user: str, active: bool) -> None:
        """Let the user in, or shut him out and end his sessions. Raises UserError."""
        self._change(user, end_sessions=not active, active=active)

    def set_roles(self, user: str, roles: tuple[str, ...]) -> None:
        """The user's roles from now on. Raises UserError."""
        _bounded(roles, ())
        self._change(user, roles=encode(roles))

    def set_accounts(self, user: str, accounts: tuple[bytes, ...]) -> None:
        """The accounts that the user may act for from now on. Raises UserError."""
        _bounded((), accounts)
        self._change(user, accounts=encode(accounts))

    def set_language(self, user: str, language: Language) -> None:
        """The language that the user reads. Raises UserError."""
        self._change(user, language=language)

    def add_key(self, user: str, public: bytes, label: str, now: int) -> ApiKey:
        """Register an API key of the user. Raises UserError."""
        self.need(user)
        if not signing.is_public_key(public):
            raise UserError("an API key is a compressed secp256k1 public key of 33 bytes")
        with self.engine.begin() as connection:
            if connection.execute(select(API_KEYS).where(API_KEYS.c.public == public)).first():
                raise UserError("this key is registered already")
            if len(connection.execute(select(API_KEYS).where(API_KEYS.c.user == user)).all()) >= MAX_API_KEYS:
                raise UserError(f"a user has at most {MAX_API_KEYS} API keys")
            key = ApiKey(public, user, label[:120], now)
            connection.execute(insert(API_KEYS).values(msgspec.structs.asdict(key)))
        return key

    def api_keys(self, user: str) -> tuple[ApiKey, ...]:
        """The user's API keys, oldest first."""
        chosen = select(API_KEYS).where(API_KEYS.c.user == user).order_by(API_KEYS.c.created)
        with self._reading.connect() as connection:
            return tuple(ApiKey(*row) for row in connection.execute(chosen))

    def remove_key(self, user: str, public: bytes) -> None:
        """Make the user's API key worthless."""
        with self.engine.begin() as connection:
            connection.execute(delete(API_KEYS).where(API_KEYS.c.public == public, API_KEYS.c.user == user))

    def _change(self, user: str, end_sessions: bool = False, **values: object) -> None:
        with self.engine.begin() as connection:
            if not connection.execute(update(USERS).where(USERS.c.id == user).values(values)).rowcount:
                raise UserError("there is no such user")
            if end_sessions:
                connection.execute(delete(SESSIONS).where(SESSIONS.c.user == user))

    def _hash(self, password: Secret) -> str:
        if not MIN_PASSWORD_BYTES <= len(password) <= MAX_PASSWORD_BYTES:
            raise UserError(f"a password has {MIN_PASSWORD_BYTES} to {MAX_PASSWORD_BYTES} bytes")
        return self._hasher.hash(password.reveal())

    def _verify(self, known: str, password: Secret) -> bool:
        if len(password) > MAX_PASSWORD_BYTES:
            return False
        try:
            return self._hasher.verify(known, password.reveal())
        except (VerificationError, InvalidHashError):
            return False


def _row(connection: Connection, user: str) -> Row[tuple[object, ...]] | None:
    return connection.execute(select(USERS).where(USERS.c.id == user)).first()


def _user(row: Row[tuple[object, ...]]) -> User:
    roles, accounts = _ROLES.decode(row.roles), _ACCOUNTS.decode(row.accounts)
    return User(row.id, roles, accounts, row.party, row.language, row.active, row.created)


def _bounded(roles: tuple[str, ...], accounts: tuple[bytes, ...]) -> None:
    if max(len(roles), len(accounts)) > MAX_LINKED:
        raise UserError(f"a user has at most {MAX_LINKED} roles and {MAX_LINKED} accounts")
