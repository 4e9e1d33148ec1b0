"""The log of final blocks, as one who keeps a single root of it can check it: that today's ledger extends his.

The log is the Merkle tree of RFC 9162 over the hashes of blocks 1, 2, 3, … A head is its root after a block, signed by
the validators. Two heads of one chain that no consistency path joins are proof, in their own hands, of two histories.
"""

from collections.abc import Mapping, Sequence
from typing import Annotated

from msgspec import Meta

from stoa.kernel import limits, merkle
from stoa.kernel.codec import Shape, encode
from stoa.kernel.hashing import tagged
from stoa.kernel.identifiers import Hash
from stoa.wire.proof import BadProof
from stoa.wire.vote import Certificate, Vote, certificate_valid, signers

Size = Annotated[int, Meta(ge=1, le=limits.MAX_SEQUENCE)]


class LogRoot(Shape):
    """What a holder keeps: the root over the hashes of blocks 1 to ``height``."""

    chain: str
    height: Size
    root: Hash


class LogHead(Shape):
    """The root over blocks 1 to ``size``, signed by validators; the last block's hash, and its certificate."""

    chain: str
    size: Size
    block_hash: Hash
    root: Hash
    certificate: Certificate
    votes: Annotated[tuple[Vote, ...], Meta(max_length=limits.MAX_VALIDATORS)]


def head_digest(chain: str, size: int, block_hash: bytes, root: bytes) -> bytes:
    """What a validator signs for a head of the log."""
    return tagged("stoa.log_head", encode((chain, size, block_hash, root)))


def head_signers(head: LogHead, keys: Mapping[str, bytes]) -> set[str]:
    """Which of the validators with these keys signed this very root."""
    digest = head_digest(head.chain, head.size, head.block_hash, head.root)
    return signers(head.votes, digest, head.size, head.block_hash, keys)


def check_head(head: LogHead, path: Sequence[bytes], keys: Mapping[str, bytes], quorum: int) -> LogRoot:
    """The root to keep, if the validators signed it and the block that they certified is its last leaf, by this path.

    Raises BadProof with the step that fails.
    """
    certificate, block_hash = head.certificate, head.block_hash
    if (certificate.height, certificate.block_hash) != (head.size, block_hash):
        raise BadProof("the certificate is for another block")
    if not certificate_valid(head.chain, certificate, keys, quorum):
        raise BadProof(f"the certificate lacks {quorum} valid votes of the validators")
    if len(head_signers(head, keys)) < quorum:
        raise BadProof(f"the log's root lacks {quorum} valid signatures of the validators")
    if not merkle.verify_inclusion(merkle.leaf_hash(block_hash), head.size - 1, head.size, path, head.root):
        raise BadProof("the last block's path does not lead to the log's root")
    return LogRoot(head.chain, head.size, head.root)


def check_extends(earlier: LogRoot, later: LogRoot, path: Sequence[bytes]) -> None:
    """Check that the later log holds the earlier one, unchanged, as its beginning. Raises BadProof."""
    if earlier.chain != later.chain:
        raise BadProof(f"the root that was kept is of {earlier.chain}, this ledger is {later.chain}")
    if earlier.height > later.height:
        raise BadProof(f"the ledger had {earlier.height} blocks, and shows {later.height}")
    if not merkle.verify_consistency(earlier.height, later.height, path, earlier.root, later.root):
        raise BadProof(f"the ledger of today does not extend the one of block {earlier.height}")
