"""A holding proven by several validators, each for itself, is one proof that a quorum has signed."""

from hashlib import sha256

import pytest

from stoa.client import BadProof, check_proof, join_proofs
from stoa.kernel import merkle, signing
from stoa.kernel.codec import encode
from stoa.ledger.assets.model import HOLDINGS, Holding
from stoa.ledger.catalog import HoldingLine
from stoa.wire.proof import RowProof, row_leaf
from stoa.wire.vote import Checkpoint, Vote, checkpoint_digest

CHAIN, HEIGHT, BLOCK = "test", 7, sha256(b"block").digest()
SECRETS = {name: sha256(name.encode()).digest() for name in ("A", "B", "C", "D", "E")}
KEYS = {name: signing.public_key(secret) for name, secret in SECRETS.items()}
KEY = HOLDINGS.pack(("HBT", b"\x01" * 20))
VALUE = encode(Holding(70, 0, 0, 0, 1, 2, 0))
ROWS = [row_leaf(b"before", b"1"), row_leaf(KEY, VALUE), row_leaf(b"\xff", b"2")]


def proof_by(name: str, height: int = HEIGHT) -> bytes:
    """What one validator gives out."""
    hashes = [merkle.leaf_hash(row) for row in ROWS]
    root, size = merkle.root_of_hashes(hashes), len(hashes)
    signature = signing.sign(SECRETS[name], checkpoint_digest(CHAIN, height, BLOCK, root, size))
    checkpoint = Checkpoint(height, BLOCK, root, size, (Vote(height, BLOCK, name, signature),))
    return encode(RowProof(CHAIN, checkpoint, KEY, VALUE, 1, tuple(merkle.inclusion_proof(hashes, 1))))


def test_as_many_as_the_quorum_make_a_proof_that_holds() -> None:
    joined = join_proofs([proof_by(name) for name in "CAB"])
    found = check_proof(joined, KEYS, 3)
    assert isinstance(found, HoldingLine)
    assert found.units == 70
    assert joined == join_proofs([proof_by(name) for name in "ABC"])
    with pytest.raises(BadProof, match="lacks 4 valid signatures"):
        check_proof(joined, KEYS, 4)


def test_one_alone_or_twice_is_one_signature() -> None:
    for proofs in ([proof_by("A")], [proof_by("A"), proof_by("A"), proof_by("A")]):
        with pytest.raises(BadProof, match="lacks 3 valid signatures"):
            check_proof(join_proofs(proofs), KEYS, 3)


def test_proofs_of_different_states_are_not_one() -> None:
    with pytest.raises(BadProof, match="not of one row"):
        join_proofs([proof_by("A"), proof_by("B", HEIGHT + 1)])
    with pytest.raises(BadProof, match="not of one row"):
        join_proofs([])


def test_a_false_signature_among_them_counts_for_nothing() -> None:
    false = proof_by("C").replace(b"\xa1C", b"\xa1D")  # the name under a signature, in its canonical bytes
    joined = join_proofs([proof_by("A"), proof_by("B"), false])
    with pytest.raises(BadProof, match="lacks 3 valid signatures"):
        check_proof(joined, KEYS, 3)
    assert check_proof(joined, KEYS, 2)
