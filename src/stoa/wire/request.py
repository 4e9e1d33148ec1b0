"""The signed request: an API key signs method, target, body, time and nonce of each request. No token to steal.

Owns what is signed and what a request carries. Does not own: headers (``api``, ``client``), whose key it is and
whether the request was seen before (``custody``).
"""

from hashlib import sha256
from typing import Annotated, Final

from msgspec import Meta

from stoa.kernel import signing
from stoa.kernel.codec import Shape, encode
from stoa.kernel.hashing import tagged
from stoa.kernel.identifiers import PublicKey
from stoa.kernel.time import Time

NONCE_BYTES: Final = 16


class Seal(Shape):
    """What a signed request carries besides itself."""

    key: PublicKey
    time: Time  # the client's clock, in milliseconds
    nonce: Annotated[bytes, Meta(min_length=NONCE_BYTES, max_length=NONCE_BYTES)]  # random, used once
    signature: bytes


def request_digest(audience: str, method: str, target: str, body: bytes, time: int, nonce: bytes) -> bytes:
    """What the key signs. ``audience`` names the institution's door, ``target`` is path and query."""
    parts = (audience, method.upper(), target, sha256(body).digest(), time, nonce)
    return tagged("stoa.request", encode(parts))


def sign_request(secret: bytes, audience: str, method: str, target: str, body: bytes, time: int, nonce: bytes) -> Seal:
    """The seal of a request."""
    digest = request_digest(audience, method, target, body, time, nonce)
    return Seal(signing.public_key(secret), time, nonce, signing.sign(secret, digest))
