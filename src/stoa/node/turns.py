"""Turns: who is first to do what any validator may do and only one need: by names and the height, alike everywhere.

Nothing rests on it but economy: whoever sees another height, or cannot reach who is first, takes the next.
"""

from collections.abc import Sequence
from typing import Final, NamedTuple

GATHER_BLOCKS: Final = 64  # made before the turn to gather passes on


class Turns(NamedTuple):
    """Of the members, sorted, behind the block of a height."""

    members: Sequence[str]
    height: int

    def before(self, name: str) -> int:
        """How many are before this one to make the next block when only due work asks for one."""
        members = self.members
        return (members.index(name) - self.height) % len(members) if name in members else len(members)

    def gatherers(self) -> list[str]:
        """All of them, from the one whose turn it is to gather."""
        first = self.height // GATHER_BLOCKS % len(self.members) if self.members else 0
        return [*self.members[first:], *self.members[:first]]
