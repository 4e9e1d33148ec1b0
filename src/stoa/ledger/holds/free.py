"""The one question whether a line has enough free units, with the figures of why not."""

from stoa.kernel.base import Rejections
from stoa.ledger.assets.model import Holding
from stoa.ledger.holds.errors import InsufficientFreeUnits, InsufficientUnits, UnitsFrozen


def free_rejections(asset: str, account: bytes, held: Holding, needed: int, released: int = 0) -> Rejections:
    """InsufficientUnits, UnitsFrozen or InsufficientFreeUnits. ``released`` units come out of a hold in this act."""
    free = max(0, held.units - held.held - held.frozen + released)
    if free >= needed:
        return
    if held.units < needed:
        yield InsufficientUnits(asset, account, held.units, needed)
    elif held.units - held.held + released >= needed:
        yield UnitsFrozen(asset, account, held.units, held.held, held.frozen, free, needed)
    else:
        yield InsufficientFreeUnits(asset, account, held.units, held.held, held.frozen, free, needed)
