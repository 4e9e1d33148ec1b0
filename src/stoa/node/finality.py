"""Finality: this validator's votes, everybody's votes, and the certificate when a quorum agrees.

Who may vote and how many make a quorum are rows of the ledger; here they are asked for, never decided.
"""

from typing import NamedTuple

from stoa.kernel import signing
from stoa.ledger.governance.members import Members as Members
from stoa.ledger.governance.members import members as members
from stoa.ledger.governance.members import members_at as members_at
from stoa.wire.block import Header
from stoa.wire.history import LogHead, head_digest
from stoa.wire.vote import (
    Certificate,
    Checkpoint,
    Vote,
    checkpoint_digest,
    sign_vote,
)


class Validator(NamedTuple):
    """Who signs here."""

    institution: str
    secret: bytes

    def __repr__(self) -> str:
        return f"Validator({self.institution})"


class Finality:
    """Collects votes on blocks that are not final yet."""

    def __init__(self, chain: str, validator: Validator) -> None:
        self._chain, self._validator = chain, validator
        self._votes: dict[bytes, dict[str, Vote]] = {}

    def vote(self, header: Header) -> Vote:
        """This validator's word that it has executed the block. To be sent once the block is on disk."""
        return sign_vote(self._chain, header.height, header.hash(), self._validator.institution, self._validator.secret)

    def take(self, vote: Vote, who: Members) -> Certificate | None:
        """Count a vote that was checked; returns the certificate when it completes a quorum."""
        votes = self._votes.setdefault(vote.block_hash, {})
        votes[vote.validator] = vote
        if len(votes) < who.quorum:
            return None
        del self._votes[vote.block_hash]
        return Certificate(vote.height, vote.block_hash, tuple(votes[name] for name in sorted(votes)), vote.epoch)

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
