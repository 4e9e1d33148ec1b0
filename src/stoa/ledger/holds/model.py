"""What the ledger remembers of liens."""

from typing import Annotated, Final

from msgspec import Meta

from stoa.kernel import limits
from stoa.kernel.codec import Shape
from stoa.kernel.time import Time
from stoa.ledger.state import ACCOUNT, NUMBER, TEXT, Table

HoldNumber = Annotated[int, Meta(ge=1)]
Business = Annotated[str, Meta(max_length=limits.MAX_TOPIC * 2)]


class Hold(Shape):
    """A lien. ``owner`` is the account that may release or execute it; empty if ``business`` owns it.

    ``expires`` is when it ends by itself, 0 for never.
    """

    units: int
    owner: bytes
    business: Business
    reason: str
    expires: Time
    placed: Time

    def ended(self, time: int) -> bool:
        """Whether its time has come, though the work that ends it may still be waiting for its turn."""
        return 0 < self.expires <= time


HOLDS: Final = Table[tuple[str, bytes, int], Hold](48, "holds.hold", (TEXT, ACCOUNT, NUMBER), Hold, scanned=True)
EXPIRY: Final = "holds.expiry"  # the kind of due work that ends a hold
