"""Merkle trees of RFC 9162 (section 2.1): roots, inclusion proofs, consistency proofs, and their checks.

A leaf is any bytes. The empty tree's root is SHA-256 of nothing. Proofs are lists of 32-byte hashes, leaf side first.
"""

from collections.abc import Sequence
from hashlib import sha256
from typing import Final

HASH_BYTES: Final = 32
EMPTY: Final = sha256(b"").digest()
_LEAF: Final = b"\x00"
_NODE: Final = b"\x01"


def leaf_hash(leaf: bytes) -> bytes:
    """The hash of one leaf: SHA-256(0x00 ‖ leaf)."""
    return sha256(_LEAF + leaf).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """The hash of two subtrees: SHA-256(0x01 ‖ left ‖ right)."""
    return sha256(_NODE + left + right).digest()


def root(leaves: Sequence[bytes]) -> bytes:
    """The root over the leaves, in their order."""
    return root_of_hashes([sha256(_LEAF + leaf).digest() for leaf in leaves])


def root_of_hashes(hashes: list[bytes]) -> bytes:
    """The root over leaves that are hashed already.

    Pairing level by level and carrying an odd last node up gives the same tree as the RFC's split at the largest power
    of two below n, without recursion.
    """
    if not hashes:
        return EMPTY
    level = hashes
    while len(level) > 1:
        pairs = [sha256(_NODE + level[at] + level[at + 1]).digest() for at in range(0, len(level) - 1, 2)]
        if len(level) & 1:
            pairs.append(level[-1])
        level = pairs
    return level[0]


def inclusion_proof(hashes: Sequence[bytes], index: int) -> list[bytes]:
    """The path that proves leaf ``index`` of the given leaf hashes. Raises IndexError outside the tree."""
    if not 0 <= index < len(hashes):
        raise IndexError(f"leaf {index} of a tree of {len(hashes)}")
    path: list[bytes] = []
    level = list(hashes)
    while len(level) > 1:
        sibling = index ^ 1
        if sibling < len(level):
            path.append(level[sibling])
        carried = level[-1:] if len(level) & 1 else []
        level = [node_hash(level[at], level[at + 1]) for at in range(0, len(level) - 1, 2)] + carried
        index >>= 1
    return path


def verify_inclusion(leaf: bytes, index: int, size: int, path: Sequence[bytes], expected: bytes) -> bool:
    """Whether the path leads from this leaf hash, at this index of a tree of this size, to the expected root.

    RFC 9162, section 2.1.3.2.
    """
    if not 0 <= index < size or len(leaf) != HASH_BYTES:
        return False
    at, last, value = index, size - 1, leaf
    for sibling in path:
        if last == 0:
            return False
        if at & 1 or at == last:
            value = node_hash(sibling, value)
            while not at & 1 and at:
                at, last = at >> 1, last >> 1
        else:
            value = node_hash(value, sibling)
        at, last = at >> 1, last >> 1
    return last == 0 and value == expected


def consistency_proof(hashes: Sequence[bytes], first: int) -> list[bytes]:
    """The proof that the tree over the first ``first`` leaf hashes is a prefix of the whole (RFC 9162, 2.1.4.1)."""
    if not 0 < first <= len(hashes):
        raise IndexError(f"a prefix of {first} in a tree of {len(hashes)}")
    return [] if first == len(hashes) else _subproof(first, list(hashes), whole=True)


def _subproof(first: int, hashes: list[bytes], whole: bool) -> list[bytes]:
    if first == len(hashes):
        return [] if whole else [root_of_hashes(hashes)]
    split = 1 << (len(hashes) - 1).bit_length() - 1
    if first <= split:
        return [*_subproof(first, hashes[:split], whole), root_of_hashes(hashes[split:])]
    return [*_subproof(first - split, hashes[split:], whole=False), root_of_hashes(hashes[:split])]


def verify_consistency(first: int, second: int, path: Sequence[bytes], root1: bytes, root2: bytes) -> bool:
    """Whether the path shows that the tree of root1 is a prefix of the tree of root2 (RFC 9162, section 2.1.4.2)."""
    if not 0 < first <= second:
        return False
    if first == second:
        return not path and root1 == root2
    if not path:
        return False
    steps = [root1, *path] if first & (first - 1) == 0 else list(path)
    at, last = first - 1, second - 1
    while at & 1:
        at, last = at >> 1, last >> 1
    old = new = steps[0]
    for sibling in steps[1:]:
        if last == 0:
            return False
        if at & 1 or at == last:
            old, new = node_hash(sibling, old), node_hash(sibling, new)
            while not at & 1 and at:
                at, last = at >> 1, last >> 1
        else:
            new = node_hash(new, sibling)
        at, last = at >> 1, last >> 1
    return last == 0 and old == root1 and new == root2
