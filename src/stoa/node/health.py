"""How a node is, and how it stands among the others: what probes, metrics and pages ask for."""

from typing import NamedTuple


class Health(NamedTuple):
    """How the node is. ``failure`` is empty while it is well."""

    chain: str
    height: int
    block_hash: bytes
    time: int
    waiting: int
    failure: str


class PeerSeen(NamedTuple):
    """A peer as it was heard last, so many seconds ago."""

    validator: str
    height: int
    epoch: int
    block_hash: bytes
    seconds: float


class Network(NamedTuple):
    """How a validator stands among the others. ``alarms`` are sentences by kind, ``produced`` the last batch number of
    each producer, ``away`` whether it has left the quorum."""

    validator: str
    epoch: int
    quorum: int
    members: tuple[str, ...]
    peers: tuple[PeerSeen, ...]
    produced: tuple[tuple[str, int], ...]
    away: bool
    alarms: dict[str, str]
    evidence: int
    dropped: int
