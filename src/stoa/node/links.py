"""What ties a node to the others: the log of an epoch, and the peers. Alone on a machine: a log in memory, no peers.

The identity of each epoch's log is remembered: a log that was wiped and made again is another log, and is not read.
"""

from collections.abc import Callable
from pathlib import Path
from typing import Final, NamedTuple

from stoa.bus.bus import Bus, Counts
from stoa.bus.faults import BusFault
from stoa.journal.disk import REAL_DISK, write_whole
from stoa.kernel.codec import decoder, encode
from stoa.ordering.embedded import EmbeddedEngine
from stoa.ordering.engine import Engine
from stoa.ordering.jetstream import JetStreamEngine
from stoa.ordering.jetstream_log import Log, open_log
from stoa.peers.nats import NatsPeers
from stoa.peers.promise import Peers

FILE: Final = "logs"
OPEN_SECONDS: Final = 90.0  # for the servers to agree on a new log, from a cold start

TimeOf = Callable[[int], int]  # milliseconds to milliseconds

_IDENTITIES: Final = decoder(dict[int, str])


class CannotReach(OSError):
    """The ordering servers could not be reached, and without them this log cannot be begun."""


class Links(NamedTuple):
    """``engine`` opens the log of an epoch, to be read from a time in milliseconds; ``peers`` and the ``counts`` of a
    bus are None where there are none."""

    engine: Callable[[int, int], Engine]
    peers: Peers | None
    counts: Callable[[], Counts] | None = None


def alone(clock: Callable[[], int]) -> Links:
    """One validator on one machine."""
    return Links(lambda *_: EmbeddedEngine(clock), None)


def over(
    bus: Bus, folder: Path, institution: str, replicas: int, time_of: TimeOf | None = None
) -> Callable[[str], Links]:
    """The links of a validator of the ledger that is named, over a bus that they do not own.

    ``time_of``, the same for all validators, makes of the log's time the ledger's. Opening a log raises CannotReach.
    """
    return lambda chain: Links(
        _logs(bus, folder / FILE, chain, institution, replicas, time_of),
        NatsPeers(bus, chain, institution),
        bus.counts,
    )


def _logs(
    bus: Bus, path: Path, chain: str, institution: str, replicas: int, time_of: TimeOf | None
) -> Callable[[int, int], Engine]:
    def engine(epoch: int, since: int) -> Engine:
        log = Log(chain, epoch, replicas)
        known: dict[int, str] = _IDENTITIES.decode(path.read_bytes()) if path.exists() else {}
        if epoch not in known:
            known[epoch] = _opened(bus, log)
            write_whole(REAL_DISK, path, encode(known))
        return JetStreamEngine(bus, log, institution, known[epoch], time_of, 0 if time_of else since)

    return engine


def _opened(bus: Bus, log: Log) -> str:
    if not bus.wait(OPEN_SECONDS):
        raise CannotReach(f"no ordering server answers: {bus.counts().trouble}")
    try:
        return bus.run(lambda client: open_log(client, log), OPEN_SECONDS).identity
    except BusFault as fault:
        raise CannotReach(f"{log.stream} could not be opened: {fault}") from fault
