"""What happened to assets and to the register outside movements."""

from stoa.kernel.base import Event
from stoa.ledger.assets.model import Lot, Security


class SecurityCreated(Event, tag="assets.security_created.v1"):
    """A security exists, with everything that is bound to it."""

    security: str
    terms: Security


class AssetRegistered(Event, tag="assets.asset_registered.v1"):
    """A cash token or a class of a security exists."""

    asset: str
    kind: str
    security: str
    name: str
    decimals: int
    controllers: tuple[str, ...]
    authorised: int


class AssetPauseSet(Event, tag="assets.pause_set.v1"):
    """Movements of the asset were halted or resumed."""

    asset: str
    paused: bool
    by: str
    reason: str


class LotsJoined(Event, tag="assets.lots_joined.v1"):
    """A line had too many lots. Those that are ``gone`` (number, units) became fewer, under the later date and lock of
    the neighbours that were joined: ``lots``, numbered from ``first``. The movement that follows is in it already."""

    asset: str
    account: bytes
    gone: tuple[tuple[int, int], ...]
    first: int
    lots: tuple[Lot, ...]


class RecordTaken(Event, tag="assets.record_taken.v1"):
    """The register of an asset was recorded as it stood: later reads can ask for this snapshot."""

    asset: str
    snapshot: int
    units: int
