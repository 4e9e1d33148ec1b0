"""Alarms: what people are told once, until it is over or its detail changes."""

from collections.abc import Iterator
from typing import Final

from stoa.agreement.details import Detail
from stoa.agreement.effects import Alarm

KINDS: Final = ("diverged", "epoch", "split")  # of a core: with it they are over, and the next one says what still is


class Alarms:
    """Those that stand, by kind."""

    def __init__(self) -> None:
        self._standing: dict[str, Detail] = {}

    def ring(self, detail: Detail) -> Iterator[Alarm]:
        """People should know, if they do not yet."""
        if self._standing.get(detail.kind) != detail:
            self._standing[detail.kind] = detail
            yield Alarm(detail.kind, detail)

    def calm(self, *kinds: str) -> Iterator[Alarm]:
        """These are over, if they stand."""
        for kind in kinds:
            if self._standing.pop(kind, None):
                yield Alarm(kind, None)
