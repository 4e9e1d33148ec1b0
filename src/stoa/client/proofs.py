"""Proofs without a server: what a proof file shows, if it holds against the validators' public keys."""

from collections.abc import Mapping, Sequence

import msgspec

from stoa.kernel.codec import encode
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


def join_proofs(proofs: Sequence[bytes]) -> bytes:
    """One proof of a holding with the signatures of all these, which validators gave each for himself at one height.

    Raises BadProof if they are not of one row in one state, and Malformed.
    """
    rows = [one for one in map(wire.read_proof, proofs) if isinstance(one, wire.RowProof)]
    bare = {msgspec.structs.replace(one, checkpoint=msgspec.structs.replace(one.checkpoint, votes=())) for one in rows}
    if len(bare) != 1 or len(rows) != len(proofs):
        raise wire.BadProof("these proofs are not of one row in one state")
    votes = {vote.validator: vote for one in rows for vote in one.checkpoint.votes}
    signed = msgspec.structs.replace(rows[0].checkpoint, votes=tuple(votes[name] for name in sorted(votes)))
    return encode(msgspec.structs.replace(rows[0], checkpoint=signed))
