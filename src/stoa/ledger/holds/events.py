"""What happened to liens."""

from stoa.kernel.base import Event


class HoldPlaced(Event, tag="holds.placed.v1"):
    """Units of a line are under a lien, placed at ``placed``: a recovery carries it along with its time."""

    asset: str
    account: bytes
    hold: int
    units: int
    owner: bytes
    business: str
    reason: str
    expires: int
    placed: int


class HoldReduced(Event, tag="holds.reduced.v1"):
    """A lien ended or became smaller: ``units`` were freed, ``left`` remain under it."""

    asset: str
    account: bytes
    hold: int
    units: int
    left: int
    why: str


class UnitsFreezeSet(Event, tag="holds.freeze_set.v1"):
    """The frozen part of a line changed to ``frozen``."""

    asset: str
    account: bytes
    frozen: int
    reason: str
    evidence: bytes
