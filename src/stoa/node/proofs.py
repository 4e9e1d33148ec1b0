"""Making proofs: of a receipt from the journal, of a holding from a snapshot of the state; nothing stops for it."""

from collections.abc import Callable
from typing import Final

from stoa.journal.journal import Journal
from stoa.kernel import merkle
from stoa.ledger.assets.model import HOLDINGS
from stoa.ledger.state import FinalState
from stoa.node.finality import Finality
from stoa.node.state_store import FIRST_ROW, Snapshot, StateStore
from stoa.wire.proof import ReceiptProof, RowProof, row_leaf
from stoa.wire.vote import Checkpoint

ROWS_A_SLICE: Final = 500  # about a millisecond's work


class NothingToProve(LookupError):
    """There is no such receipt or row in the final state."""


def receipt_proof(journal: Journal, height: int, index: int) -> ReceiptProof:
    """The receipt at this index of the block, with its path and the block's certificate."""
    block, certificate = journal.block(height), journal.certificate(height)
    if certificate is None or not 0 <= index < len(block.receipts):
        raise NothingToProve(f"block {height} has no final receipt {index}")
    hashes = [merkle.leaf_hash(raw) for raw in block.receipts]
    path = tuple(merkle.inclusion_proof(hashes, index))
    return ReceiptProof(block.header, certificate, block.receipts[index], index, len(hashes), path)


def state_hashes(state: FinalState, rest: Callable[[], object] = lambda: None) -> list[bytes]:
    """The leaf hash of every row of the state, in key order: 32 bytes a row of memory.

    ``rest`` is called after every ``ROWS_A_SLICE`` rows, so that the work can be slowed down, or ended by an exception.
    """
    hashes: list[bytes] = []
    for number, (key, value) in enumerate(state.scan(FIRST_ROW), start=1):
        hashes.append(merkle.leaf_hash(row_leaf(key, value)))
        if number % ROWS_A_SLICE == 0:
            rest()
    return hashes


def sign_checkpoint(snapshot: Snapshot, hashes: list[bytes], finality: Finality) -> Checkpoint:
    """A checkpoint over the snapshot's rows, signed by this validator."""
    standing = snapshot.standing()
    assert standing is not None, "a node's store stands at genesis at least"
    return finality.checkpoint(standing.height, standing.block_hash, merkle.root_of_hashes(hashes), len(hashes))


def holding_proof(chain: str, store: StateStore, finality: Finality, asset: str, account: bytes) -> RowProof:
    """The line of the register as it stands after the last final block, under this validator's signature alone.

    Raises NothingToProve if there is none.
    """
    with store.snapshot() as snapshot:
        hashes = state_hashes(snapshot)
        return _row_proof(chain, sign_checkpoint(snapshot, hashes, finality), snapshot, hashes, asset, account)


def row_proof(chain: str, checkpoint: Checkpoint, snapshot: Snapshot, asset: str, account: bytes) -> RowProof:
    """The line of the register in the state of a checkpoint. Raises NothingToProve if there is none."""
    return _row_proof(chain, checkpoint, snapshot, None, asset, account)


def _row_proof(
    chain: str, checkpoint: Checkpoint, snapshot: Snapshot, hashes: list[bytes] | None, asset: str, account: bytes
) -> RowProof:
    key = HOLDINGS.pack((asset, account))
    value = snapshot.get(key)
    if value is None:
        raise NothingToProve(f"the account has no line in {asset} after block {checkpoint.height}")
    hashes = state_hashes(snapshot) if hashes is None else hashes
    index = hashes.index(merkle.leaf_hash(row_leaf(key, value)))
    return RowProof(chain, checkpoint, key, value, index, tuple(merkle.inclusion_proof(hashes, index)))
