"""What happened in settlement: one event for every movement, whatever its phase."""

from stoa.kernel.base import Event
from stoa.ledger.assets.model import Lot


class UnitsMoved(Event, tag="settlement.moved.v1"):
    """Units of an asset moved. ``source`` is empty for an issue, ``to`` for a redemption.

    ``gave``: (lot number, units) that left the source; ``got``: the receiver's new lots, numbered from ``first``.
    ``cost`` is the stated consideration in the currency's smallest unit.
    """

    asset: str
    phase: str
    source: bytes
    to: bytes
    units: int
    cost: int
    gave: tuple[tuple[int, int], ...]
    first: int
    got: tuple[Lot, ...]


class TransferForced(Event, tag="settlement.forced.v1"):
    """Controllers moved units against the will of the owner; ``unfrozen`` is by how much that lowered the freeze."""

    asset: str
    source: bytes
    to: bytes
    units: int
    unfrozen: int
    reason: str
    evidence: bytes


class AccountRecovered(Event, tag="settlement.recovered.v1"):
    """Everything of a lost account is with another account of the same person."""

    account: bytes
    successor: bytes
    reason: str
    evidence: bytes
