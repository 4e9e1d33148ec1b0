"""The case: one proposed movement, and the facts about it that rules may ask for, each looked up once.

A movement has a sender (none for an issue) and a receiver (none for a redemption). Facts speak of persons, not of
accounts: a move between two accounts of one person changes nobody's position.
"""

from typing import Final

import msgspec

from stoa.kernel.time import DAY
from stoa.ledger.compliance.model import (
    BY_CATEGORY,
    BY_COUNTRY,
    CATEGORY,
    CLAIMS,
    COUNTS,
    IDENTITY,
    TOTAL,
    Claim,
    Position,
    Trust,
)
from stoa.ledger.state import State

NOBODY: Final = 0  # the party number of a missing side
NO_POSITION: Final = Position(0, "", "")


class Movement(msgspec.Struct, frozen=True, gc=False):
    """What compliance is asked about. ``youngest`` is when the youngest moved lot was acquired, or -1 without lots."""

    scopes: tuple[str, ...]
    phase: str
    sender: int
    receiver: int
    units: int
    youngest: int


class Standing(msgspec.Struct, frozen=True, gc=False):
    """The state of a claim about a party for a scope: the claim that counts, or the best that does not."""

    valid: bool
    issuer: str
    claim: Claim | None


class Case(msgspec.Struct, frozen=True, gc=False):
    """One movement in one scope, with the persons' positions as they are before it."""

    view: State
    time: int
    scope: str
    trusted: dict[str, tuple[str, ...]]
    move: Movement
    sender_before: Position = NO_POSITION
    receiver_before: Position = NO_POSITION

    # claims

    def standing(self, party: int, topic: str) -> Standing:
        """The first valid claim of an issuer the scope trusts; else the first that is revoked or expired; else none."""
        best = _NO_CLAIM
        for issuer in self.trusted.get(topic, ()):
            claim = self.view.rows[CLAIMS][party, topic, issuer]
            if claim is not None:
                if not claim.revoked and claim.expires > self.time:
                    return Standing(True, issuer, claim)
                if best.claim is None:
                    best = Standing(False, issuer, claim)
        return best

    def claim(self, party: int, topic: str) -> str:
        """The value of the claim that counts, or an empty word."""
        for issuer in self.trusted.get(topic, ()):
            claim = self.view.rows[CLAIMS][party, topic, issuer]
            if claim is not None and not claim.revoked and claim.expires > self.time:
                return claim.value
        return ""

    def sender_country(self) -> str:
        return self.claim(self.move.sender, IDENTITY)

    def receiver_country(self) -> str:
        return self.claim(self.move.receiver, IDENTITY)

    def sender_category(self) -> str:
        return self.claim(self.move.sender, CATEGORY)

    def receiver_category(self) -> str:
        return self.claim(self.move.receiver, CATEGORY)

    # positions of persons

    def same_person(self) -> int:
        return 1 if self.move.sender == self.move.receiver else 0

    def sender_after(self) -> int:
        move = self.move
        return self.sender_before.units - (0 if move.sender == move.receiver else move.units)

    def receiver_after(self) -> int:
        move = self.move
        return self.receiver_before.units + (0 if move.sender == move.receiver else move.units)

    def enters(self) -> int:
        """1 if the receiver holds nothing yet, else 0."""
        return 1 if self.move.receiver != NOBODY and self.receiver_before.units == 0 else 0

    def leaves(self) -> int:
        """1 if the sender will hold nothing any more, else 0."""
        return 1 if self.move.sender != NOBODY and not self.same_person() and self.sender_after() <= 0 else 0

    # counts of holders

    def holders(self) -> int:
        return self.view.rows[COUNTS][self.scope, TOTAL, ""] or 0

    def holders_after(self) -> int:
        return self.holders() + self.enters() - self.leaves()

    def country_after(self, country: str) -> int:
        """Holders counted under the country once the movement is done."""
        count = self.view.rows[COUNTS][self.scope, BY_COUNTRY, country] or 0
        count += self.enters() and self.receiver_country() == country
        return count - (self.leaves() and self.sender_before.country == country)

    def category_after(self, category: str) -> int:
        """Holders counted under the investor category once the movement is done."""
        count = self.view.rows[COUNTS][self.scope, BY_CATEGORY, category] or 0
        count += self.enters() and self.receiver_category() == category
        return count - (self.leaves() and self.sender_before.category == category)

    # lots

    def lot_age_days(self) -> int:
        """Whole days since the youngest moved lot was acquired; without lots as old as can be."""
        return (self.time - self.move.youngest) // DAY if self.move.youngest >= 0 else 1_000_000


_NO_CLAIM: Final = Standing(False, "", None)


def trust_by_topic(trusted: tuple[Trust, ...]) -> dict[str, tuple[str, ...]]:
    """The profile's trusted issuers, by topic."""
    return {trust.topic: trust.issuers for trust in trusted}
