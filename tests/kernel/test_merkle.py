"""Merkle trees against published vectors of RFC 9162's proofs, and against a recursive tree after the RFC's text."""

import json
from base64 import b64decode
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stoa.kernel import merkle

hashes = st.lists(st.binary(min_size=32, max_size=32), max_size=40)


def vectors(folder: Path) -> list[tuple[str, dict[str, Any]]]:
    found = sorted(folder.rglob("*.json"))
    return [(path.relative_to(folder).as_posix(), json.loads(path.read_text())) for path in found]


def decoded(value: list[str] | None) -> list[bytes]:
    return [b64decode(part) for part in value or []]


def test_published_inclusion_proofs(external: Path) -> None:
    cases = vectors(external / "merkle" / "testdata" / "inclusion")
    assert len(cases) > 50
    for name, case in cases:
        good = merkle.verify_inclusion(
            b64decode(case["leafHash"]), case["leafIdx"], case["treeSize"], decoded(case["proof"]),
            b64decode(case["root"]),
        )  # fmt: skip
        assert good != case["wantErr"], f"{name}: {case['desc']}"


def test_published_consistency_proofs(external: Path) -> None:
    cases = vectors(external / "merkle" / "testdata" / "consistency")
    assert len(cases) > 50
    for name, case in cases:
        first, second = case["size1"], case["size2"]
        good = merkle.verify_consistency(
            first, second, decoded(case["proof"]), b64decode(case["root1"]), b64decode(case["root2"])
        )
        # RFC 9162 defines the proof for 0 < first: what "nothing is a prefix of it" would mean is refused here
        assert good == (not case["wantErr"] and first > 0), f"{name}: {case['desc']}"


def by_the_text(leaves: list[bytes]) -> bytes:
    """RFC 9162, section 2.1.1, word by word."""
    if not leaves:
        return sha256(b"").digest()
    if len(leaves) == 1:
        return leaves[0]
    split = 1
    while split * 2 < len(leaves):
        split *= 2
    return sha256(b"\x01" + by_the_text(leaves[:split]) + by_the_text(leaves[split:])).digest()


@given(hashes)
def test_the_root_is_that_of_the_recursive_definition(leaves: list[bytes]) -> None:
    assert merkle.root_of_hashes(leaves) == by_the_text(leaves)


def test_leaves_and_nodes_are_hashed_apart() -> None:
    assert merkle.root([b"a", b"b"]) == merkle.node_hash(merkle.leaf_hash(b"a"), merkle.leaf_hash(b"b"))
    assert merkle.leaf_hash(b"a") == sha256(b"\x00a").digest()
    assert merkle.root([]) == merkle.EMPTY


@given(hashes.filter(bool), st.data())
def test_every_leaf_has_a_proof_that_holds_for_it_alone(leaves: list[bytes], data: st.DataObject) -> None:
    at = data.draw(st.integers(0, len(leaves) - 1))
    path, root = merkle.inclusion_proof(leaves, at), merkle.root_of_hashes(leaves)
    assert merkle.verify_inclusion(leaves[at], at, len(leaves), path, root)
    assert not merkle.verify_inclusion(leaves[at], at, len(leaves), [*path, bytes(32)], root)
    assert not merkle.verify_inclusion(sha256(leaves[at]).digest(), at, len(leaves), path, root)
    if len(set(leaves)) == len(leaves):
        holds = [merkle.verify_inclusion(leaves[at], other, len(leaves), path, root) for other in range(len(leaves))]
        assert holds == [other == at for other in range(len(leaves))]


@given(hashes.filter(bool), st.data())
def test_every_prefix_is_consistent_and_no_other_tree_is(leaves: list[bytes], data: st.DataObject) -> None:
    first = data.draw(st.integers(1, len(leaves)))
    path = merkle.consistency_proof(leaves, first)
    old, new = merkle.root_of_hashes(leaves[:first]), merkle.root_of_hashes(leaves)
    assert merkle.verify_consistency(first, len(leaves), path, old, new)
    forged = merkle.root_of_hashes([*leaves[: first - 1], sha256(leaves[first - 1]).digest()])
    assert not merkle.verify_consistency(first, len(leaves), path, forged, new)


def test_proofs_outside_the_tree_are_an_error() -> None:
    for at in (-1, 2):
        with pytest.raises(IndexError):
            merkle.inclusion_proof([bytes(32)] * 2, at)
    for first in (0, 3):
        with pytest.raises(IndexError):
            merkle.consistency_proof([bytes(32)] * 2, first)
