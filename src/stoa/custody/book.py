"""What the audit log says now: intents that await approval, units used today, transactions signed.

The log is the only record; this is its reading, the same after a restart as before. Remembers two UTC days.
"""

from typing import Final

import msgspec

from stoa.custody.audit import Record
from stoa.custody.policy import Summary, moved
from stoa.kernel.codec import Shape
from stoa.kernel.identifiers import parse_address
from stoa.kernel.time import DAY

MAX_PENDING: Final = 1_000
MAX_SUMMARIES: Final = 64


class Intent(Shape):
    """What an authenticated user asks to have signed, after he has seen and confirmed it."""

    account: bytes
    body: bytes  # canonical ``ledger.catalog.Body``
    summaries: tuple[Summary, ...]  # of every instruction in the body, by whoever decoded it
    created: int  # milliseconds

    def __post_init__(self) -> None:
        if not 1 <= len(self.summaries) <= MAX_SUMMARIES:
            raise ValueError(f"an intent describes 1 to {MAX_SUMMARIES} instructions")


class Awaiting(msgspec.Struct, frozen=True):
    """An intent that needs approvals. ``approvals`` are the users who gave theirs."""

    transaction: bytes
    user: str
    grant: str
    intent: Intent
    approvals: tuple[str, ...] = ()


class Book:
    """The state behind the signer's decisions; ``apply`` is called with every record, live and on replay."""

    def __init__(self) -> None:
        self.pending: dict[bytes, Awaiting] = {}
        self._signed: dict[bytes, tuple[int, str]] = {}
        self._used: dict[tuple[int, str, str, str], int] = {}
        self._day = 0

    def used(self, user: str, now: int) -> "dict[tuple[str, str], int]":
        """Units signed for the user in the UTC day of ``now``, by (grant, asset)."""
        today = now // DAY
        return {
            (grant, asset): units
            for (day, who, grant, asset), units in self._used.items()
            if day == today and who == user
        }

    def signer_of(self, transaction: bytes) -> str | None:
        """The user for whom the transaction was signed, if that was today or yesterday."""
        return self._signed.get(transaction, (0, None))[1]

    def apply(self, record: Record) -> None:
        """Take in what happened."""
        self._turn(record.time // DAY)
        transaction = bytes.fromhex(record.transaction)
        match record.action:
            case "proposed":
                account = parse_address(record.account)
                intent = Intent(account, record.body, record.summaries, record.created)
                self.pending[transaction] = Awaiting(transaction, record.user, record.grant, intent)
            case "approved":
                waiting = self.pending[transaction]
                approvals = (*waiting.approvals, record.user)
                self.pending[transaction] = msgspec.structs.replace(waiting, approvals=approvals)
            case "signed":
                self.pending.pop(transaction, None)
                self._signed[transaction] = (record.time // DAY, record.user)
                for asset, units in moved(record.summaries).items():
                    place = (record.time // DAY, record.user, record.grant, asset)
                    self._used[place] = self._used.get(place, 0) + units
            case "declined" | "expired":
                self.pending.pop(transaction, None)

    def _turn(self, day: int) -> None:
        """Forget what no limit and no repetition asks about any more."""
        if day != self._day:
            self._day = day
            self._used = {place: units for place, units in self._used.items() if place[0] == day}
            self._signed = {name: known for name, known in self._signed.items() if known[0] >= day - 1}
