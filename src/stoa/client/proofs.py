"""Proofs without a server: what a proof file shows, if it holds against the validators' public keys."""

from collections.abc import Mapping

from stoa.ledger.catalog import HoldingLine, Receipt, read_holding, read_receipt
from stoa.wire import proof as wire


def check_proof(proof: bytes, keys: Mapping[str, bytes], quorum: int) -> Receipt | HoldingLine:
    """The receipt, or the line of the register, that the proof's bytes show.

    ``keys`` are the validators' public keys by institution, from a source that you trust. Raises BadProof with the
    step that fails, or Malformed.
    """
    read = wire.read_proof(proof)
    wire.check_proof(read, keys, quorum)
    if isinstance(read, wire.ReceiptProof):
        return read_receipt(read.receipt)
    return read_holding(read.key, read.value)
