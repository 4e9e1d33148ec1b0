"""Keys at home: who signs for an account. A hardware module fits behind ``Signer`` as well."""

from collections.abc import Sequence
from typing import Protocol

from stoa.kernel import signing
from stoa.kernel.codec import encode
from stoa.kernel.identifiers import account_id, address
from stoa.wire.envelope import Envelope, Signature, transaction_id


class Signer(Protocol):
    """Signs for one account."""

    @property
    def account(self) -> bytes:
        """The account's 20 bytes."""

    def sign(self, digest: bytes) -> list[tuple[bytes, bytes]]:
        """(public key, 64-byte signature) of each key that is needed, over a 32-byte digest."""


class MultiKey:
    """An m-of-n account some of whose secrets are here: signs with the first m of them.

    Raises ValueError when fewer than m are given, or one that is no key of the account.
    """

    def __init__(self, threshold: int, public_keys: Sequence[bytes], secrets: Sequence[bytes]) -> None:
        self.account = account_id(threshold, tuple(public_keys))
        self._secrets = {signing.public_key(secret): secret for secret in secrets[:threshold]}
        if len(self._secrets) < threshold or not set(public_keys).issuperset(self._secrets):
            raise ValueError(f"{threshold} different secrets of the account's own keys are needed")

    def __repr__(self) -> str:
        return f"{type(self).__name__}({address(self.account)})"

    def sign(self, digest: bytes) -> list[tuple[bytes, bytes]]:
        """A signature of each of the m keys."""
        return [(public, signing.sign(secret, digest)) for public, secret in self._secrets.items()]


class Key(MultiKey):
    """The one secret of an account that a single key controls."""

    def __init__(self, secret: bytes) -> None:
        super().__init__(1, (signing.public_key(secret),), (secret,))


def sign_body(body: bytes, signers: Sequence[Signer]) -> bytes:
    """The envelope's bytes, with the signatures of every signer over the body's id."""
    digest = transaction_id(body)
    signatures = tuple(
        Signature(signer.account, public, signature) for signer in signers for public, signature in signer.sign(digest)
    )
    return encode(Envelope(body, signatures))
