"""The promise of an ordering engine, and nothing of how one keeps it.

A producer publishes batches; every reader sees accepted batches under positions that rise by one, in one order, each
with the log's own time. What an engine may do, and readers must live with: show a batch twice under two positions (a
producer republishes what is not final), lose what was accepted before it became final and give its position to another,
begin anew after a restart, and delay. What it may not do: change a batch, show one that nobody published, or show two
readers two orders. Where an engine breaks that, the hash chain and the votes notice.

``accepted`` is all that a publish says. Only a certificate, which no engine makes, says final.
One message carries one batch, never one transaction.
"""

from typing import NamedTuple, Protocol

from stoa.ordering.condition import Condition


class Ordered(NamedTuple):
    """A batch in its place. ``time`` is the log's own, in milliseconds. ``publisher`` is who put it there, as the log
    knows, or empty: for people, since nothing in the batch proves it."""

    position: int
    time: int
    batch: bytes
    publisher: str = ""


class LogFull(Exception):
    """The engine holds as many batches as it may: try again after ``retry_ms`` milliseconds."""

    def __init__(self, retry_ms: int) -> None:
        super().__init__(f"the log is full; retry after {retry_ms} ms")
        self.retry_ms = retry_ms


class LogClosed(Exception):
    """The engine was closed; nothing was accepted."""


class Engine(Protocol):
    """Publish and read batches. Safe for one publisher thread and one reader thread."""

    def publish(self, batch: bytes) -> int:
        """Give the batch a place and return it. Raises LogFull (a fault: retry) or LogClosed."""

    def read(self, after: int, timeout: float) -> Ordered | None:
        """The first batch behind the position, waiting up to ``timeout`` seconds; None if none came.

        A reader starts at 0 and says by ``after`` what it is done with; it never goes back.
        """

    def condition(self) -> Condition:
        """How the log is."""

    def close(self) -> None:
        """Accept nothing more; readers get what is there, and then None at once."""
