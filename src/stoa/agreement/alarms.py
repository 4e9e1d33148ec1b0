"""Alarms: what people are told once, until it is over or its sentence changes."""

from collections.abc import Iterator

from stoa.agreement.effects import Alarm


class Alarms:
    """Those that stand, by kind."""

    def __init__(self) -> None:
        self._standing: dict[str, str] = {}

    def ring(self, kind: str, why: str) -> Iterator[Alarm]:
        """People should know, if they do not yet."""
        if self._standing.get(kind) != why:
            self._standing[kind] = why
            yield Alarm(kind, why)

    def calm(self, *kinds: str) -> Iterator[Alarm]:
        """These are over, if they stand."""
        for kind in kinds:
            if self._standing.pop(kind, ""):
                yield Alarm(kind, "")
