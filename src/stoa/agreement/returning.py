"""Returning: when a validator that may have cast votes which it does not remember may vote again.

It must come above every height at which it may have voted. Nobody tells it which these are; but it voted at most behind
a block that a quorum had kept, so enough of the others, when first heard, stood at most one block lower than that.
As few liars as the quorum bears cannot bring it back too early. Where more are heard than must be, as many of the
highest are left out as there may be liars among them: those who claim to be far ahead keep it away no longer.
"""

from collections.abc import Mapping

from stoa.agreement.model import Seats
from stoa.wire.status import Status


def voices_needed(seats: Seats) -> int:
    """How many other members must say where they stand, until for sure one of them has kept the block before the
    newest that was ever voted on, and says so in truth."""
    return len(seats.keys) - seats.quorum + 1 + seats.liars


class Return:
    """Of one validator. ``lost``: votes of its own are, and it is not above them yet."""

    def __init__(self, name: str, lost: bool) -> None:
        self.lost, self._name = lost, name
        self._keys: Mapping[str, bytes] = {}
        self._stood: dict[str, int] = {}  # where each of these members stood when it was heard first

    def heard(self, status: Status, seats: Seats) -> None:
        """A member told where it stands. Other members are other voices: then all are heard anew."""
        if self._keys != seats.keys:
            self._keys, self._stood = seats.keys, {}
        if self.lost and status.validator != self._name:
            self._stood.setdefault(status.validator, status.height)

    def may_vote(self, height: int, seats: Seats) -> bool:
        """Whether it may, behind this final block: the newest lost vote is at most two above what the others had, as
        this validator alone may have seen the certificate of the block between."""
        more = len(self._stood) - voices_needed(seats)
        if self.lost and self._keys == seats.keys and more >= 0:
            highest = sorted(self._stood.values(), reverse=True)[min(more, seats.liars)]
            self.lost = height < highest + 2
        return not self.lost
