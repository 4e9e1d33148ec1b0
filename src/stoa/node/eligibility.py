"""May this account acquire these units, asked of a running node's last final state. Nothing is signed and nothing sent.

Does not own: the rules; ``ledger.settlement`` asks them.
"""

from stoa.kernel.base import Rejection
from stoa.ledger.settlement.acquire import acquisition_rejections, is_issued
from stoa.node.node import Node


def against_acquiring(node: Node, time: int, asset: str, account: bytes, units: int) -> list[Rejection] | None:
    """Every reason against it, whoever gives the units; None for an unknown asset, and while so many could still be
    issued: that is another question. ``time`` in milliseconds."""
    with node.reader() as view:
        if not is_issued(view, asset, units):
            return None
        return list(acquisition_rejections(view, max(time, node.health().time), asset, account, units))
