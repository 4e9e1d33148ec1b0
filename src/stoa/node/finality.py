"""Finality: what this validator signs as a validator: votes, promises, checkpoints, heads of the log.

Who may vote and how many make a quorum are rows of the ledger; here they are asked for, never decided. When to vote is
decided by ``agreement``.
"""

from typing import NamedTuple

from stoa import __version__
from stoa.agreement.model import Signer
from stoa.kernel import signing
from stoa.ledger.governance.members import Members as Members
from stoa.ledger.governance.members import members as members
from stoa.ledger.governance.members import members_at as members_at
from stoa.wire.history import LogHead, head_digest
from stoa.wire.status import Promise, sign_promise
from stoa.wire.vote import (
    Certificate,
    Checkpoint,
    Vote,
    checkpoint_digest,
    sign_vote,
)


class CannotValidate(ValueError):
    """This ledger does not know the validator by this key, or one validator is not enough for it."""


class Validator(NamedTuple):
    """Who signs here."""

    institution: str
    secret: bytes

    def __repr__(self) -> str:
        return f"Validator({self.institution})"


class Finality:
    """One validator's signatures for one ledger."""

    def __init__(self, chain: str, validator: Validator) -> None:
        self._chain, self._validator = chain, validator

    @property
    def name(self) -> str:
        """Whose signatures these are."""
        return self._validator.institution

    def signer(self) -> Signer:
        """What agreement needs to know of this validator."""
        return Signer(self._validator.institution, self.vote, self.promise, __version__)

    def vote(self, height: int, block_hash: bytes, epoch: int) -> Vote:
        """This validator's word that it has executed the block. To be sent once the block is on disk."""
        return sign_vote(self._chain, height, block_hash, self._validator.institution, self._validator.secret, epoch)

    def promise(self, promise: Promise) -> Promise:
        """The promise with this validator's signature."""
        return sign_promise(promise, self._validator.secret)

    def checkpoint(self, height: int, block_hash: bytes, state_root: bytes, size: int) -> Checkpoint:
        """This validator's signature under a root over the whole state."""
        digest = checkpoint_digest(self._chain, height, block_hash, state_root, size)
        vote = Vote(height, block_hash, self._validator.institution, signing.sign(self._validator.secret, digest))
        return Checkpoint(height, block_hash, state_root, size, (vote,))

    def log_head(self, certificate: Certificate, root: bytes) -> LogHead:
        """This validator's signature under a root over the hashes of all blocks up to the certified one."""
        height, block_hash = certificate.height, certificate.block_hash
        digest = head_digest(self._chain, height, block_hash, root)
        vote = Vote(height, block_hash, self._validator.institution, signing.sign(self._validator.secret, digest))
        return LogHead(self._chain, height, block_hash, root, certificate, (vote,))


def require_alone(who: Members, validator: Validator) -> None:
    """A validator that is alone must be the quorum by itself. Raises CannotValidate."""
    if who.keys.get(validator.institution) != signing.public_key(validator.secret):
        raise CannotValidate(f"{validator.institution} is no validator of this ledger, or votes with another key")
    if who.quorum > 1:
        raise CannotValidate(f"{who.quorum} validators must vote, and an embedded network has one")
