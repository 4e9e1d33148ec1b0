"""How a node is, and how it stands among the others: what probes, metrics and pages ask for."""

from collections.abc import Iterator
from typing import Final, NamedTuple

from stoa.agreement.details import Detail
from stoa.bus.bus import Counts
from stoa.node.details import LeftQuorum, LogUnwell, TooFewHeard
from stoa.node.sayings import Saying, both
from stoa.ordering.condition import Condition, Kind

HEARD_SECONDS: Final = 5.0  # who was heard within so long counts as present; standings are told four times a second
RULES: Final = ("majority", "byzantine")  # by the value of the governed number ``quorum``


class Health(NamedTuple):
    """How the node is. ``failure`` is empty while it is well."""

    chain: str
    height: int
    block_hash: bytes
    time: int
    waiting: int
    failure: str


class PeerSeen(NamedTuple):
    """A peer as it was heard last, so many seconds ago. ``version`` is that of its program, empty if it did not say."""

    validator: str
    height: int
    epoch: int
    block_hash: bytes
    seconds: float
    version: str


class Network(NamedTuple):
    """How a validator stands among the others. ``alone``: there are no others to be heard. ``rule`` is the name of the
    quorum rule, ``produced`` the last batch number of each producer, ``away`` whether it has left the quorum,
    ``alarms`` what stands, by kind. ``in_flight`` batches of its own are published and not final, ``unread`` ones came
    from the log and wait here; ``dropped`` words of peers found no room. ``bus`` is None where there is none."""

    validator: str
    alone: bool
    height: int
    epoch: int
    rule: str
    quorum: int
    members: tuple[str, ...]
    peers: tuple[PeerSeen, ...]
    produced: tuple[tuple[str, int], ...]
    away: bool
    alarms: dict[str, Detail]
    evidence: int
    in_flight: int
    unread: int
    dropped: int
    log: Condition
    bus: Counts | None


def missing(network: Network) -> tuple[str, ...]:
    """The members that were not heard lately."""
    heard = {peer.validator for peer in network.peers if peer.seconds <= HEARD_SECONDS} | {network.validator}
    return () if network.alone else tuple(name for name in network.members if name not in heard)


def troubles(network: Network) -> Iterator[Saying]:
    """Why this validator cannot be relied on for finality just now, one sentence each; none if it can."""
    silent, members = missing(network), len(network.members)
    if members - len(silent) < network.quorum:
        heard = members - len(silent)
        yield both(TooFewHeard(network.quorum, members, heard, round(HEARD_SECONDS), ", ".join(silent)))
    if network.away:
        yield both(LeftQuorum())
    if network.log.kind in (Kind.UNREACHABLE, Kind.GONE, Kind.REPLACED):
        log, unwell = network.log, both(LogUnwell(network.log.kind))
        yield Saying(f"{unwell.en}: {log.en}", f"{unwell.ko}: {log.ko}")
    for kind, detail in sorted(network.alarms.items()):
        alarm = both(detail)
        yield Saying(f"alarm {kind}: {alarm.en}", f"경보 {kind}: {alarm.ko}")
