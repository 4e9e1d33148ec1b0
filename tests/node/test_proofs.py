"""Proofs hold with the validators' keys alone, and no field of one can be changed."""

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from stoa.kernel.codec import encode
from stoa.ledger.assets.model import HOLDINGS
from stoa.ledger.catalog import read_receipt
from stoa.ledger.identity.register_party import RegisterParty
from stoa.node.finality import Members
from stoa.node.proofs import NothingToProve, state_hashes
from stoa.wire.proof import BadProof, Proof, ReceiptProof, RowProof, check_proof, read_proof
from tests.ledger.hall import account, public
from tests.node.house import House

OTHER_KEYS = {"KSD": public("other")}


@pytest.fixture
def proofs(running: House) -> tuple[ReceiptProof, RowProof, Members]:
    """Of a receipt among many, and of a holding among many rows."""
    running.cash_for("kim", 777)
    act = RegisterParty(5_000, False, "BROKER-A")
    ids = [running.send(running.signed("BROKER-A", act, sequence=at)) for at in range(2, 30)]
    receipts = [running.receipt(one) for one in ids]
    last = receipts[-1]
    receipt = running.node.prove_receipt(last.height, last.index)
    return receipt, running.node.prove_holding("USD", account("kim")), running.node.members()


def test_both_hold_after_a_walk_through_bytes(proofs: tuple[ReceiptProof, RowProof, Members]) -> None:
    receipt, row, (keys, quorum) = proofs
    for proof in (receipt, row):
        read = read_proof(encode(proof))
        assert read == proof
        check_proof(read, keys, quorum)
    assert read_receipt(receipt.receipt).index == receipt.index
    assert HOLDINGS.unpack(row.key) == ("USD", account("kim"))
    assert HOLDINGS.decode(row.value).units == 777


def test_they_need_nothing_but_the_keys(proofs: tuple[ReceiptProof, RowProof, Members], tmp_path: Path) -> None:
    """A process that has the file, the keys and ``stoa.wire``."""
    receipt, row, (keys, quorum) = proofs
    code = (
        "import json, sys; from stoa.wire.proof import *; keys = json.loads(sys.argv[1]);"
        "check_proof(read_proof(open(sys.argv[2], 'rb').read()), {k: bytes.fromhex(v) for k, v in keys.items()}, 1);"
        "assert not any(name.startswith(('stoa.node', 'stoa.ledger', 'stoa.journal')) for name in sys.modules)"
    )
    assert quorum == 1
    for proof in (receipt, row):
        path = tmp_path / "proof"
        path.write_bytes(encode(proof))
        named = json.dumps({name: key.hex() for name, key in keys.items()})
        subprocess.run([sys.executable, "-c", code, named, str(path)], check=True)


def mutations(value: Any) -> Iterator[Any]:
    """The value with one thing in it changed, at every depth."""
    match value:
        case int():
            yield value + 1
            yield value - 1
        case bytes():
            yield from (value[:at] + bytes([value[at] ^ 1]) + value[at + 1 :] for at in range(len(value)))
            yield value + b"\0"
            yield value[:-1]
        case str():
            yield value + "x"
        case tuple():
            for at, one in enumerate(value):
                yield from ((*value[:at], other, *value[at + 1 :]) for other in mutations(one))
            yield value[:-1]
        case _:
            for name in value.__struct_fields__:
                yield from (replace(value, **{name: other}) for other in mutations(getattr(value, name)))


def refuted(proof: Proof, keys: dict[str, bytes], quorum: int) -> bool:
    try:
        check_proof(proof, keys, quorum)
    except BadProof:
        return True
    return False


def test_every_changed_field_is_refused(proofs: tuple[ReceiptProof, RowProof, Members]) -> None:
    """But one: how many receipts the block has, beside the last path, says nothing that the path does not show."""
    receipt, row, (keys, quorum) = proofs
    tried = 0
    for proof in (receipt, row):
        for altered in mutations(proof):
            tried += 1
            only_size = isinstance(altered, ReceiptProof) and replace(altered, size=receipt.size) == receipt
            assert refuted(altered, dict(keys), quorum) or only_size, altered
    assert tried > 500


def test_other_keys_and_a_larger_quorum_refuse_it(proofs: tuple[ReceiptProof, RowProof, Members]) -> None:
    receipt, row, (keys, _) = proofs
    for proof in (receipt, row):
        for wrong, quorum in ((OTHER_KEYS, 1), ({}, 1), (keys, 2)):
            with pytest.raises(BadProof, match="lacks"):
                check_proof(proof, wrong, quorum)


def test_what_is_not_there_cannot_be_proved(running: House) -> None:
    running.party(1)
    for height, index in ((1, 1), (1, -1), (2, 0), (0, 0)):
        with pytest.raises(LookupError):
            running.node.prove_receipt(height, index)
    with pytest.raises(NothingToProve, match="no line in USD"):
        running.node.prove_holding("USD", account("kim"))


def test_a_proof_is_of_the_last_final_block(running: House) -> None:
    running.cash_for("kim")
    before = running.node.prove_holding("USD", account("kim"))
    running.party(1)
    after = running.node.prove_holding("USD", account("kim"))
    assert (before.checkpoint.height, after.checkpoint.height) == (4, 5)
    assert before.value == after.value
    with running.node.store.snapshot() as view:
        assert len(state_hashes(view)) == after.checkpoint.size
