"""JetStream engines for tests, each on a stream of its own, all over one bus."""

import itertools
from types import TracebackType

from stoa.bus.bus import Bus
from stoa.bus.settings import BusSettings
from stoa.ordering.engine import Engine
from stoa.ordering.jetstream import JetStreamEngine
from stoa.ordering.jetstream_log import Log, Seen, open_log
from tests.bus.servers import READY_S, Servers

SMALL = 64 * 1024 * 1024  # bytes of a test's log
_chains = itertools.count(1)


def new_log(replicas: int = 1, max_bytes: int = SMALL) -> Log:
    """A log that no test has had before."""
    return Log(f"test-{next(_chains)}", 1, replicas, max_bytes)


def opened(bus: Bus, log: Log) -> Seen:
    """The log, made on the servers."""
    return bus.run(lambda client: open_log(client, log), READY_S)


class Streams:
    """Engines over one bus to some servers; all are closed at the end."""

    def __init__(self, servers: Servers, first: int = 0, name: str = "BROKER-A") -> None:
        self.bus, self.name = Bus(BusSettings(servers.urls(first), name)), name
        self._made: list[JetStreamEngine] = []

    def __enter__(self) -> "Streams":
        assert self.bus.wait(READY_S), self.bus.counts()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for engine in self._made:
            engine.close()
        self.bus.close()

    def engine(self, **ignored: object) -> JetStreamEngine:
        """An engine on a new stream. It has neither a capacity nor a test's clock."""
        return self.on(new_log())

    def on(self, log: Log, identity: str = "") -> JetStreamEngine:
        """An engine on this log, which is made if it is absent and no identity is given."""
        self._made.append(JetStreamEngine(self.bus, log, self.name, identity or opened(self.bus, log).identity))
        return self._made[-1]

    @staticmethod
    def again(engine: Engine) -> JetStreamEngine:
        """What a process that starts again makes of the same log."""
        assert isinstance(engine, JetStreamEngine)
        engine.close()
        return JetStreamEngine(engine._bus, engine._log, "BROKER-A", engine._identity)
