"""Returning: when a validator that may have cast votes which it does not remember may vote again.

It must come above every height at which it may have voted. Nobody tells it which these are; but it voted at most behind
a block that a quorum had kept, so enough of the others, when first heard, stood at most one block lower than that.
Members that lie about where they stand can keep it away, as few as the quorum bears cannot bring it back too early.
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
        if self.lost and self._keys == seats.keys and len(self._stood) >= voices_needed(seats):
            self.lost = height < max(self._stood.values()) + 2
        return not self.lost
