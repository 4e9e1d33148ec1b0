"""One suite for every engine: what ``ordering.engine`` promises, with duplicates, delays, losses and restarts."""

import threading
import time
from collections.abc import Callable, Iterator
from itertools import pairwise

import pytest

from stoa.ordering.embedded import EmbeddedEngine
from stoa.ordering.engine import Engine, LogClosed, LogFull, Ordered
from stoa.ordering.jetstream import JetStreamEngine
from tests.bus.servers import Servers
from tests.ordering.simulated import LONGEST_DELAY, SimulatedEngine
from tests.ordering.streams import Streams

NOW = 1_800_000_000_000
Restart = Callable[[Engine], Engine]
Make = Callable[..., Engine]


def embedded(capacity: int = 64, clock: Callable[[], int] = lambda: NOW) -> Engine:
    return EmbeddedEngine(clock, capacity)


def simulated(seed: int) -> Make:
    def make(capacity: int = 64, clock: Callable[[], int] = lambda: NOW) -> Engine:
        return SimulatedEngine(clock, seed, capacity)

    return make


IN_MEMORY = [pytest.param(embedded, id="embedded")] + [
    pytest.param(simulated(at), id=f"simulated-{at}") for at in range(8)
]
JETSTREAM = "jetstream"
every_engine = pytest.mark.parametrize("make", [*IN_MEMORY, JETSTREAM], indirect=True)
every_engine_in_memory = pytest.mark.parametrize("make", IN_MEMORY, indirect=True)  # bounded, and with the test's clock


@pytest.fixture(scope="module")
def streams(one_server: Servers) -> Iterator[Streams]:
    with Streams(one_server) as streams:
        yield streams


@pytest.fixture
def make(request: pytest.FixtureRequest) -> Make:
    """Makes engines, each with a log of its own."""
    if request.param != JETSTREAM:
        return request.param  # type: ignore[no-any-return]
    streams: Streams = request.getfixturevalue("streams")
    return streams.engine


def restart(engine: Engine) -> Engine:
    """The engine after its process ended: the embedded one begins anew with it."""
    if isinstance(engine, JetStreamEngine):
        return Streams.again(engine)
    return engine.restart() if isinstance(engine, SimulatedEngine) else embedded()


def patience_of(engine: Engine) -> float:
    """How long one look for a next batch takes, in seconds: what is in memory is there at once."""
    return 0.05 if isinstance(engine, JetStreamEngine) else 0.0


def read_all(engine: Engine, after: int = 0) -> Iterator[Ordered]:
    """What is there now, as a reader gets it that does not give up before the longest delay."""
    patience = LONGEST_DELAY
    while patience >= 0:
        ordered = engine.read(after, patience_of(engine))
        patience = LONGEST_DELAY if ordered else patience - 1
        if ordered:
            after = ordered.position
            yield ordered


def publish_until_read(engine: Engine, batches: list[bytes]) -> list[Ordered]:
    """A producer that republishes what was lost, and everything that its reader got."""
    seen: list[Ordered] = []
    for batch in batches:
        while batch not in [ordered.batch for ordered in seen]:
            engine.publish(batch)
            seen += read_all(engine, seen[-1].position if seen else 0)
    return seen


BATCHES = [b"batch %d" % number for number in range(20)]


@every_engine
def test_batches_come_unchanged_in_one_order_under_positions_that_rise_by_one(make: Make) -> None:
    seen = publish_until_read(make(), BATCHES)
    assert list(dict.fromkeys(ordered.batch for ordered in seen)) == BATCHES
    assert seen[0].position == 1
    assert all(later.position == earlier.position + 1 for earlier, later in pairwise(seen))


@every_engine
def test_only_what_was_published_comes(make: Make) -> None:
    engine = make()
    for batch in BATCHES:
        engine.publish(batch)
    seen = [ordered.batch for ordered in read_all(engine)]
    assert set(seen) <= set(BATCHES)
    firsts = list(dict.fromkeys(seen))
    assert firsts == sorted(firsts, key=BATCHES.index)


@every_engine_in_memory
def test_each_batch_has_the_time_of_the_log(make: Make) -> None:
    times = iter(range(NOW, NOW + 1_000))
    engine = make(clock=lambda: next(times))
    seen = publish_until_read(engine, BATCHES)
    assert all(NOW <= earlier.time < later.time for earlier, later in pairwise(seen))


@every_engine
def test_what_a_reader_is_not_done_with_it_gets_again(make: Make) -> None:
    engine = make()
    first = publish_until_read(engine, [b"first"])[0]
    engine = make()
    while not (seen := list(read_once(engine))):
        engine.publish(b"first")
    assert list(read_once(engine)) == seen
    assert (seen[0].position, seen[0].batch) == (first.position, first.batch)


def read_once(engine: Engine) -> Iterator[Ordered]:
    """The first batch there is, if there is one."""
    for ordered in read_all(engine):
        yield ordered
        return


@every_engine
def test_an_empty_log_lets_its_reader_go_in_time(make: Make) -> None:
    mark = time.monotonic()
    assert make().read(0, 0.02) is None
    assert 0.015 < time.monotonic() - mark < 2.0


@every_engine
def test_a_waiting_reader_is_woken_by_a_batch(make: Make) -> None:
    engine = make()

    def publish_until_got() -> None:
        while not got:
            engine.publish(b"batch")
            time.sleep(0.005)

    got: list[Ordered] = []
    publisher = threading.Thread(target=publish_until_got)
    publisher.start()
    mark = time.monotonic()
    while not got:
        ordered = engine.read(0, 30.0)
        got += [ordered] if ordered else []
    publisher.join()
    assert got[0].batch == b"batch"
    assert time.monotonic() - mark < 10.0


@every_engine_in_memory
def test_a_full_log_takes_nothing_until_something_was_read(make: Make) -> None:
    engine = make(capacity=4)
    with pytest.raises(LogFull) as full:
        fill(engine)
    assert full.value.retry_ms > 0
    assert f"retry after {full.value.retry_ms} ms" in str(full.value)
    seen = list(read_all(engine))
    assert len(seen) == 4
    engine.read(seen[-1].position, 0.0)
    engine.publish(b"room again")


def fill(engine: Engine) -> None:
    """Publish until there is no room."""
    for batch in BATCHES * 100:
        engine.publish(batch)


@every_engine
def test_a_closed_log_takes_nothing_and_gives_what_it_has(make: Make) -> None:
    engine = make()
    while not list(read_once(engine)):
        engine.publish(b"last")
    engine.close()
    with pytest.raises(LogClosed):
        engine.publish(b"late")
    seen = list(read_all(engine))
    assert {ordered.batch for ordered in seen} == {b"last"}
    mark = time.monotonic()
    assert engine.read(seen[-1].position, 30.0) is None
    assert time.monotonic() - mark < 5.0


@every_engine
def test_closing_lets_a_waiting_reader_go(make: Make) -> None:
    engine = make()
    threading.Timer(0.02, engine.close).start()
    mark = time.monotonic()
    assert engine.read(0, 30.0) is None
    assert time.monotonic() - mark < 5.0


@every_engine
def test_after_a_restart_nothing_stands_elsewhere_and_work_goes_on(make: Make) -> None:
    engine = make()
    before = publish_until_read(engine, BATCHES[:10])
    for batch in BATCHES[10:15]:
        engine.publish(batch)
    engine = restart(engine)
    kept = list(read_all(engine))
    assert not kept or kept[: len(before)] == before, "what was read stands where it stood, or nothing does"
    assert {ordered.batch for ordered in kept} <= set(BATCHES[:15])
    position = kept[-1].position if kept else 0
    while not (new := list(read_all(engine, position))):
        engine.publish(b"new")
    assert (new[0].position, new[0].batch) == (position + 1, b"new")


@every_engine
def test_one_publisher_and_one_reader_at_once(make: Make) -> None:
    engine, batches = make(capacity=8), [b"batch %d" % number for number in range(300)]
    seen: list[Ordered] = []

    def publish_all() -> None:
        for number, batch in enumerate(batches):
            while len({ordered.batch for ordered in seen[-40:]} & {batch}) == 0:
                try:
                    engine.publish(batch)
                except LogFull as full:
                    time.sleep(full.retry_ms / 10_000)
                else:
                    time.sleep(0 if number % 10 else 0.0005)

    publisher = threading.Thread(target=publish_all)
    publisher.start()
    while publisher.is_alive():
        ordered = engine.read(seen[-1].position if seen else 0, 0.01)
        seen += [ordered] if ordered else []
    publisher.join()
    seen += read_all(engine, seen[-1].position)
    assert list(dict.fromkeys(ordered.batch for ordered in seen)) == batches
    assert [ordered.position for ordered in seen] == list(range(1, len(seen) + 1))
