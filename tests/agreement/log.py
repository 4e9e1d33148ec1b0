"""The shared log of one epoch, with everything that a log in trouble has been seen to do.

Readers and writers stand on branches: usually all on one. What was read stays read, whatever becomes of it in the log.
"""

from collections.abc import Iterable

from stoa.agreement.effects import Entry


class LogDown(Exception):
    """It takes nothing just now."""


class TroubledLog:
    """One epoch's."""

    def __init__(self) -> None:
        self._branches: list[list[Entry | None]] = [[]]
        self._on: dict[str, int] = {}
        self.down = False
        self.deaf: dict[str, None] = {}  # whom it does not reach
        self.stale = 0  # so many of the next batches take the place of the one before them

    def publish(self, who: str, now: int, batch: bytes) -> int:
        """Give the batch a place; returns it."""
        if self.down or who in self.deaf:
            raise LogDown
        branch = self._branch(who)
        place = len(branch)
        if self.stale and branch:
            self.stale -= 1
            place -= 1
            branch.pop()
        branch.append(Entry(place + 1, now, batch))
        return place + 1

    def read(self, who: str, after: int) -> Entry | None:
        """The first batch behind the position that is there."""
        if self.down or who in self.deaf:
            return None
        return next((entry for entry in self._branch(who)[after:] if entry is not None), None)

    def _branch(self, who: str) -> list[Entry | None]:
        return self._branches[self._on.get(who, 0)]

    # ---- trouble

    def lose(self, count: int) -> None:
        """The last batches are gone, and their places are given again."""
        branch = self._branches[0]
        del branch[max(0, len(branch) - count) :]

    def lose_within(self, count: int) -> None:
        """Batches some way before the end are gone; their places stay empty."""
        branch = self._branches[0]
        end = max(0, len(branch) - 1)
        for place in range(max(0, end - count), end):
            branch[place] = None

    def fork(self, group: Iterable[str]) -> None:
        """These readers and writers go on alone from here."""
        self._branches.append(list(self._branches[0]))
        self._on.update(dict.fromkeys(group, len(self._branches) - 1))

    def repeat(self, now: int, back: int) -> None:
        """An old batch is there again."""
        branch = self._branches[0]
        again = [entry for entry in branch if entry is not None]
        if again:
            branch.append(Entry(len(branch) + 1, now, again[-1 - back % len(again)].batch))

    def wipe(self) -> None:
        """Nothing is left; readers wait behind the end."""
        self._branches[0].clear()

    def heal(self) -> None:
        """All on one branch again, and nothing strange any more."""
        self._on.clear()
        self.deaf.clear()
        self.down, self.stale = False, 0
