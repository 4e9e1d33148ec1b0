"""The bulk door: a member's own systems submit many envelopes in one message over the bus, and hear what became final.

``submit.<chain>.<institution>`` is asked, ``final.<chain>.<institution>`` is told; the servers let an institution ask
under its own name alone. The same gate judges each envelope as at the HTTP door.
"""

from stoa.bus.bus import Bus
from stoa.bus.faults import TooLarge
from stoa.bus.names import token
from stoa.intake.gate import Busy
from stoa.kernel.base import Rejection
from stoa.kernel.codec import encode
from stoa.node.commit import FinalBlock
from stoa.node.node import Node
from stoa.wire.bulk import Told, Verdict, read_submission


class BulkDoor:
    """Open from construction until ``close``."""

    def __init__(self, bus: Bus, node: Node) -> None:
        self._bus, self._node = bus, node
        place = f"{token(node.chain)}.{token(node.validator.institution)}"
        self._told = f"final.{place}"
        self._kept = bus.serve(f"submit.{place}", self._submit)
        node.listen(self._tell)

    def _submit(self, _: str, payload: bytes) -> bytes:
        codes, retry_ms = list[int](), 0
        for raw in read_submission(payload).envelopes:
            if retry_ms:  # room may have come meanwhile, but a later sequence must not overtake the one sent back
                codes.append(codes[-1])
                continue
            outcome = self._node.submit(raw)
            codes.append(outcome.code if isinstance(outcome, Rejection) else 0)
            if isinstance(outcome, Busy):
                retry_ms = outcome.retry_ms
        return encode(Verdict(tuple(codes), retry_ms))

    def _tell(self, final: FinalBlock) -> None:
        header = final.block.header
        asked_for = final.receipts[: header.count]
        told = Told(
            header.height,
            final.certificate.block_hash,
            header.time,
            tuple(receipt.transaction for receipt in asked_for),
            tuple(receipt.rejection.code if receipt.rejection else 0 for receipt in asked_for),
        )
        try:
            self._bus.publish(self._told, encode(told))
        except TooLarge:  # the followers ask for the receipts
            return

    def close(self) -> None:
        """Take nothing more in."""
        self._kept.stop()
