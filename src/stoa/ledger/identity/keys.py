"""The one check of a set of keys, for every verb that gives keys to an account."""

from stoa.kernel import signing
from stoa.kernel.base import Rejections
from stoa.ledger.identity.errors import BadKeys


def key_rejections(threshold: int, keys: tuple[bytes, ...]) -> Rejections:
    """Why m of these keys cannot speak for an account: unsorted or repeated, off the curve, or fewer than m."""
    if list(keys) != sorted(set(keys)):
        yield BadKeys(threshold, len(keys), "keys must be sorted and different")
    if not all(signing.is_public_key(key) for key in keys):
        yield BadKeys(threshold, len(keys), "a key is not a point of secp256k1")
    if threshold > len(keys):
        yield BadKeys(threshold, len(keys), "more signatures needed than there are keys")
