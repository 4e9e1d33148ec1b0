"""What ties a node to the others: the log of an epoch, and the peers. Alone on a machine: a log in memory, no peers."""

from collections.abc import Callable
from typing import NamedTuple

from stoa.ordering.embedded import EmbeddedEngine
from stoa.ordering.engine import Engine
from stoa.peers.promise import Peers


class Links(NamedTuple):
    """``engine`` opens the log of an epoch; ``peers`` is None where there are none."""

    engine: Callable[[int], Engine]
    peers: Peers | None


def alone(clock: Callable[[], int]) -> Links:
    """One validator on one machine."""
    return Links(lambda _: EmbeddedEngine(clock), None)
