"""Votes and certificates: how a block becomes final, and what shows it to somebody who trusts nobody.

A vote says: this validator executed this block, got this hash, and has it on disk. A quorum of equal votes is the
certificate. A vote belongs to an epoch, the life of one ordering log: at one height a validator votes once in an epoch,
and again only in a later one, which members open together. A checkpoint is the same for the root over the whole sorted
state after a block.
"""

from collections.abc import Mapping
from typing import Annotated, Final

from msgspec import Meta

from stoa.kernel import limits, signing
from stoa.kernel.codec import Shape, encode
from stoa.kernel.hashing import tagged
from stoa.kernel.identifiers import Hash, InstitutionId

FIRST_EPOCH: Final = 1

Epoch = Annotated[int, Meta(ge=FIRST_EPOCH, le=limits.MAX_SEQUENCE)]


class Vote(Shape):
    """One validator's word on one block, or its signature under a checkpoint or a head of the log."""

    height: int
    block_hash: Hash
    validator: InstitutionId
    signature: bytes
    epoch: Epoch = FIRST_EPOCH  # of a vote on a block; elsewhere the first


class Certificate(Shape):
    """Votes of a quorum for one block hash in one epoch, sorted by validator."""

    height: int
    block_hash: Hash
    votes: Annotated[tuple[Vote, ...], Meta(max_length=limits.MAX_VALIDATORS)]
    epoch: Epoch = FIRST_EPOCH


class Checkpoint(Shape):
    """The root over all rows of the state after a block, signed by validators. ``size`` is the number of rows."""

    height: int
    block_hash: Hash
    state_root: Hash
    size: int
    votes: Annotated[tuple[Vote, ...], Meta(max_length=limits.MAX_VALIDATORS)]


def vote_digest(chain: str, height: int, block_hash: bytes, epoch: int = FIRST_EPOCH) -> bytes:
    """What a validator signs for a block."""
    return tagged("stoa.vote", encode((chain, height, block_hash, epoch)))


def checkpoint_digest(chain: str, height: int, block_hash: bytes, state_root: bytes, size: int) -> bytes:
    """What a validator signs for a checkpoint."""
    return tagged("stoa.checkpoint", encode((chain, height, block_hash, state_root, size)))


def sign_vote(
    chain: str, height: int, block_hash: bytes, validator: str, secret: bytes, epoch: int = FIRST_EPOCH
) -> Vote:
    """The validator's vote for the block."""
    signature = signing.sign(secret, vote_digest(chain, height, block_hash, epoch))
    return Vote(height, block_hash, validator, signature, epoch)


def vote_valid(chain: str, vote: Vote, keys: Mapping[str, bytes]) -> bool:
    """Whether a member with one of these keys cast this vote on a block."""
    key = keys.get(vote.validator)
    digest = vote_digest(chain, vote.height, vote.block_hash, vote.epoch)
    return key is not None and signing.verify(key, digest, vote.signature)


def majority(validators: int) -> int:
    """The smallest number that is more than half: survives crashes."""
    return validators // 2 + 1


def byzantine(validators: int) -> int:
    """The smallest number that is more than two thirds: survives liars as well."""
    return validators * 2 // 3 + 1


def liars_borne(validators: int) -> int:
    """How many liars the ``byzantine`` quorum survives."""
    return (validators - 1) // 3


def counted(
    votes: tuple[Vote, ...],
    digest: bytes,
    height: int,
    block_hash: bytes,
    keys: Mapping[str, bytes],
    epoch: int = FIRST_EPOCH,
) -> int:
    """How many different members' valid votes are for this digest, height, hash and epoch."""
    return len(signers(votes, digest, height, block_hash, keys, epoch))


def signers(
    votes: tuple[Vote, ...],
    digest: bytes,
    height: int,
    block_hash: bytes,
    keys: Mapping[str, bytes],
    epoch: int = FIRST_EPOCH,
) -> set[str]:
    """Whose valid votes are for this digest, height, hash and epoch."""
    return {
        vote.validator
        for vote in votes
        if vote.height == height
        and vote.block_hash == block_hash
        and vote.epoch == epoch
        and vote.validator in keys
        and signing.verify(keys[vote.validator], digest, vote.signature)
    }


def certificate_valid(chain: str, certificate: Certificate, keys: Mapping[str, bytes], quorum: int) -> bool:
    """Whether at least ``quorum`` of the validators with these keys vote for the certificate's block."""
    height, block_hash, epoch = certificate.height, certificate.block_hash, certificate.epoch
    digest = vote_digest(chain, height, block_hash, epoch)
    return counted(certificate.votes, digest, height, block_hash, keys, epoch) >= quorum


def checkpoint_valid(chain: str, checkpoint: Checkpoint, keys: Mapping[str, bytes], quorum: int) -> bool:
    """Whether at least ``quorum`` of the validators with these keys signed the checkpoint's state root."""
    digest = checkpoint_digest(chain, checkpoint.height, checkpoint.block_hash, checkpoint.state_root, checkpoint.size)
    return counted(checkpoint.votes, digest, checkpoint.height, checkpoint.block_hash, keys) >= quorum
