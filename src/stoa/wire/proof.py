"""Proofs that stand alone: with the file and the validators' public keys, and nothing else, anyone can check that a
transaction had this receipt, or that a row of the state, such as a holding, was this at a height.
"""

from collections.abc import Mapping

from msgspec.msgpack import Decoder

from stoa.kernel import merkle
from stoa.kernel.codec import Shape, encode, read
from stoa.kernel.identifiers import Hash
from stoa.wire.block import Header
from stoa.wire.vote import Certificate, Checkpoint, certificate_valid, checkpoint_valid


class BadProof(ValueError):
    """The proof does not show what it says; the message names the step that fails."""


class ReceiptProof(Shape, tag="stoa.receipt_proof.v1"):
    """A receipt (canonical bytes of ``ledger.catalog.Receipt``), its path to the block, and the block's certificate."""

    header: Header
    certificate: Certificate
    receipt: bytes
    index: int
    size: int
    path: tuple[Hash, ...]


class RowProof(Shape, tag="stoa.row_proof.v1"):
    """A row of the state with its path to a checkpoint: ``key`` and ``value`` are the state's own bytes."""

    chain: str
    checkpoint: Checkpoint
    key: bytes
    value: bytes
    index: int
    path: tuple[Hash, ...]


Proof = ReceiptProof | RowProof
_READER: Decoder[Proof] = Decoder(Proof)


def read_proof(raw: bytes) -> Proof:
    """The proof behind its bytes. Raises Malformed."""
    return read(_READER, raw)


def row_leaf(key: bytes, value: bytes) -> bytes:
    """The leaf of a state row in a checkpoint's tree."""
    return encode((key, value))


def check_proof(proof: Proof, keys: Mapping[str, bytes], quorum: int) -> None:
    """Check a proof against the validators' public keys. Raises BadProof with the step that fails."""
    if isinstance(proof, ReceiptProof):
        _check_receipt(proof, keys, quorum)
    else:
        _check_row(proof, keys, quorum)


def _check_receipt(proof: ReceiptProof, keys: Mapping[str, bytes], quorum: int) -> None:
    header, certificate = proof.header, proof.certificate
    if certificate.height != header.height or certificate.block_hash != header.hash():
        raise BadProof("the certificate is for another block")
    if not certificate_valid(header.chain, certificate, keys, quorum):
        raise BadProof(f"the certificate lacks {quorum} valid votes of the validators")
    leaf = merkle.leaf_hash(proof.receipt)
    if not merkle.verify_inclusion(leaf, proof.index, proof.size, proof.path, header.receipts_root):
        raise BadProof("the receipt's path does not lead to the block's receipts root")


def _check_row(proof: RowProof, keys: Mapping[str, bytes], quorum: int) -> None:
    checkpoint = proof.checkpoint
    if not checkpoint_valid(proof.chain, checkpoint, keys, quorum):
        raise BadProof(f"the checkpoint lacks {quorum} valid signatures of the validators")
    leaf = merkle.leaf_hash(row_leaf(proof.key, proof.value))
    if not merkle.verify_inclusion(leaf, proof.index, checkpoint.size, proof.path, checkpoint.state_root):
        raise BadProof("the row's path does not lead to the checkpoint's state root")
