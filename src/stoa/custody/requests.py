"""The door's side of signed requests (``wire.request``): whose key signed, and whether the request is new.

A request counts once: its time must be near the server's, and its nonce is remembered for as long as its time
would be accepted. Beside the keys of users there is the operator's: who runs the house derives it from the keystore,
so whoever has the passphrase may ask the running node as its operator. What was not validly signed by
a registered key leaves no trace.
"""

from typing import Final

from sqlalchemy import Engine, delete, func, select
from sqlalchemy.dialects.sqlite import insert

from stoa.custody import refusals as why
from stoa.custody.refusals import Refusal
from stoa.custody.tables import API_KEYS, NONCES, USERS, reading
from stoa.kernel import signing
from stoa.kernel.time import SECOND
from stoa.wire.request import NONCE_BYTES, Seal, request_digest

WINDOW: Final = 60 * SECOND  # how far a request's time may be from the server's, either way
OPERATOR: Final = "(operator)"  # in place of a user's id; no user can be called so
OPERATOR_PURPOSE: Final = "stoa.operator"  # for ``Keystore.derived``
MAX_REQUESTS: Final = 12_000  # of one key, remembered at a time: 100 a second


class Requests:
    """The door's side, in the file of the users (``Users.engine``)."""

    def __init__(self, engine: Engine, audience: str, operator: bytes = b"") -> None:
        self._engine, self._reading, self._audience = engine, reading(engine), audience
        self._operator = operator  # his public key; empty: there is none

    def verify(self, seal: Seal, method: str, target: str, body: bytes, now: int) -> str | Refusal:
        """The id of the user for whom the request speaks, or OPERATOR, or why it does not."""
        if abs(now - seal.time) > WINDOW:
            return why.StaleRequest(seal.time, now, WINDOW)
        if len(seal.nonce) != NONCE_BYTES:
            return why.BadSignature()
        user = OPERATOR if seal.key == self._operator else self._owner(seal.key)
        if user is None:
            return why.UnknownKey()
        digest = request_digest(self._audience, method, target, body, seal.time, seal.nonce)
        if not signing.verify(seal.key, digest, seal.signature):
            return why.BadSignature()
        refusal = self._remember(seal, now)
        return user if refusal is None else refusal

    def _owner(self, public: bytes) -> str | None:
        chosen = select(API_KEYS.c.user).join(USERS, USERS.c.id == API_KEYS.c.user)
        with self._reading.connect() as connection:
            return connection.execute(chosen.where(API_KEYS.c.public == public, USERS.c.active)).scalar()

    def _remember(self, seal: Seal, now: int) -> Refusal | None:
        """Note the nonce, unless it is known. Forgets those whose time is refused anyway."""
        with self._engine.begin() as connection:
            connection.execute(delete(NONCES).where(NONCES.c.time < now - WINDOW))
            kept = select(func.count()).select_from(NONCES).where(NONCES.c.key == seal.key)
            if connection.execute(kept).scalar_one() >= MAX_REQUESTS:
                return why.TooManyRequests(MAX_REQUESTS, 2 * WINDOW)
            row = insert(NONCES).values(key=seal.key, nonce=seal.nonce, time=seal.time)
            fresh = connection.execute(row.on_conflict_do_nothing()).rowcount
        return None if fresh else why.Replayed()
