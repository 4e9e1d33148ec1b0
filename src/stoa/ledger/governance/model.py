"""What the ledger remembers of its own government: validators and parameters."""

from typing import Final

from stoa.ledger.state import TEXT, Table

VALIDATORS: Final = Table[str, bytes](112, "governance.validator", (TEXT,), bytes, scanned=True)
PARAMETERS: Final = Table[str, int](113, "governance.parameter", (TEXT,), int, scanned=True)

QUORUM: Final = "quorum"  # 0: majority, survives crashes; 1: Byzantine, survives liars
BATCH_TRANSACTIONS: Final = "batch_transactions"
BATCH_BYTES: Final = "batch_bytes"
BATCH_LINGER_MS: Final = "batch_linger_ms"
CLOCK_TOLERANCE_MS: Final = "clock_tolerance_ms"  # how far a batch's time may be from the log's

DEFAULTS: Final[dict[str, int]] = {
    QUORUM: 0,
    BATCH_TRANSACTIONS: 1_000,
    BATCH_BYTES: 1_048_576,
    BATCH_LINGER_MS: 20,
    CLOCK_TOLERANCE_MS: 5_000,
}
