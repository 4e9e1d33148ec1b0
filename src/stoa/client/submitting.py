"""The plan of a transaction: number it, sign it, send the same bytes until its fate is known.

A number that somebody else has used meanwhile costs a new signature. One that is too far ahead does not: such a
transaction might still be taken later by whoever has its bytes, so a second one beside it could happen as well; the
count is put right and the receipt handed to the caller.
"""

import time
from collections.abc import Sequence
from typing import Final

from stoa.client.errors import NotFinal, ProblemError
from stoa.client.keys import Signer, sign_body
from stoa.client.lanes import Lanes
from stoa.client.plans import Ask, Plan, ask, decode, read
from stoa.client.views import Keys, Transaction
from stoa.kernel.base import Instruction, figures
from stoa.kernel.codec import Malformed
from stoa.kernel.identifiers import address
from stoa.ledger.catalog import Body, Receipt, checked_body
from stoa.wire.envelope import transaction_id

VALIDITY_MS: Final = 60_000  # how long a transaction that is built here may wait for its block
LONGEST_WAIT: Final = 30.0  # seconds that the API holds one request
MAX_RENUMBERED: Final = 3
OCTETS: Final = "application/octet-stream"


class Desk:
    """What submissions of one client share: the ledger's name and the lanes."""

    def __init__(self) -> None:
        self.lanes = Lanes()
        self._chain = ""

    def chain(self) -> Plan[str]:
        """The ledger's name, asked once."""
        if not self._chain:
            keys = yield from read(Keys, Ask("GET", "/v1/keys"))
            self._chain = keys.chain
        return self._chain

    def build(
        self, instructions: Sequence[Instruction], author: bytes, lane: int, validity_ms: int = VALIDITY_MS
    ) -> Plan[bytes]:
        """The canonical body with the lane's next number. Raises Malformed where a field is out of bounds."""
        chain = yield from self.chain()
        sequence = self.lanes.take(author, lane)
        if sequence is None:
            expected = yield from next_sequence(author, lane)
            self.lanes.learn(author, lane, expected)
            sequence = self.lanes.take(author, lane) or expected
        until = time.time_ns() // 1_000_000 + validity_ms
        try:
            return checked_body(Body(chain, author, lane, sequence, until, tuple(instructions)))
        except Malformed:
            self.lanes.forget(author, lane)
            raise

    def submit(
        self, instructions: Sequence[Instruction], signers: Sequence[Signer], lane: int, wait: float
    ) -> Plan[Receipt]:
        """Build, sign by all, send, and wait for the receipt. Raises ProblemError, NotFinal, Unreachable, Malformed."""
        author = signers[0].account
        for _ in range(MAX_RENUMBERED):
            body = yield from self.build(instructions, author, lane)
            try:
                receipt = yield from send(sign_body(body, signers), transaction_id(body), wait)
            except ProblemError:
                self.lanes.forget(author, lane)  # the gate refused it: the number was not used
                raise
            refused = receipt.rejection
            if refused is None or refused.name not in ("SequenceUsed", "SequenceAhead"):
                return receipt
            self.lanes.resync(author, lane, int(str(figures(refused)["expected"])))
            if refused.name == "SequenceAhead":
                return receipt
        return receipt


def next_sequence(account: bytes, lane: int) -> Plan[int]:
    """What the ledger says the lane takes next."""
    path = f"/v1/accounts/{address(account)}/next-sequence"
    body = yield from ask(Ask("GET", path, {"lane": lane}))
    return int(decode(dict[str, int | str], body)["sequence"])


def send(envelope: bytes, transaction: bytes, wait: float) -> Plan[Receipt]:
    """Send the bytes and wait up to ``wait`` seconds for the receipt. Raises ProblemError, NotFinal, Unreachable."""
    until = time.monotonic() + wait
    request = Ask("POST", "/v1/transactions", {"wait": _seconds(wait)}, content=envelope)
    while True:
        body = yield from ask(request)
        receipt = decode(Transaction, body).decoded
        if receipt is not None:
            return receipt
        left = until - time.monotonic()
        if left <= 0:
            raise NotFinal(transaction)
        request = Ask("GET", f"/v1/transactions/{transaction.hex()}", {"wait": _seconds(left)})


def _seconds(wait: float) -> float:
    return round(max(0.0, min(LONGEST_WAIT, wait)), 3)
