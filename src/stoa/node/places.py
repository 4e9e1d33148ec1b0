"""Where the receipts of lately final transactions are, for those who ask and those who wait."""

import threading
from collections import OrderedDict
from typing import Final

import msgspec

from stoa.ledger.catalog import Receipt
from stoa.node.commit import FinalBlock

MAX_REMEMBERED: Final = 200_000  # older ones are in the read model


class Located(msgspec.Struct, frozen=True):
    """Where a transaction's receipt is, and the receipt's bytes."""

    height: int
    index: int
    receipt: bytes


class Places:
    """Safe for threads. ``note`` in the order of blocks."""

    def __init__(self) -> None:
        self._found: OrderedDict[bytes, tuple[Located, bool]] = OrderedDict()
        self._moved = threading.Condition()
        self._closed = False

    def note(self, final: FinalBlock) -> None:
        """Remember a block's receipts and wake who waits for one."""
        with self._moved:
            for receipt, raw in zip(final.receipts, final.block.receipts, strict=True):
                known = self._found.get(receipt.transaction)
                genuine = not _is_of_envelope(receipt)
                if known is None or (genuine and not known[1]):
                    self._found[receipt.transaction] = Located(receipt.height, receipt.index, raw), genuine
            while len(self._found) > MAX_REMEMBERED:
                self._found.popitem(last=False)
            self._moved.notify_all()

    def get(self, transaction: bytes) -> Located | None:
        """The final receipt, if it is remembered."""
        with self._moved:
            return self._at(transaction)

    def wait(self, transaction: bytes, timeout: float) -> Located | None:
        """The final receipt, waiting up to ``timeout`` seconds or until closed; None if it is not there yet."""
        with self._moved:
            self._moved.wait_for(lambda: transaction in self._found or self._closed, timeout)
            return self._at(transaction)

    def close(self) -> None:
        """Let everyone go who waits."""
        with self._moved:
            self._closed = True
            self._moved.notify_all()

    def _at(self, transaction: bytes) -> Located | None:
        known = self._found.get(transaction)
        return known[0] if known else None


def _is_of_envelope(receipt: Receipt) -> bool:
    """Whether only this envelope was refused: another one of the same transaction may yet be, or was, what counts."""
    return receipt.rejection is not None and receipt.failed < 0
