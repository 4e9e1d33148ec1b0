"""JetStream as an engine, on real servers: one order for all, and what happens when servers die or lose entries."""

import shutil
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from nats.aio.client import Client

from stoa.bus.bus import Bus
from stoa.bus.faults import TooLarge
from stoa.kernel import limits
from stoa.ordering import jetstream_log
from stoa.ordering.condition import Kind
from stoa.ordering.engine import LogFull, Ordered
from stoa.ordering.jetstream import JetStreamEngine
from stoa.ordering.jetstream_log import Log, LogTrouble, LogUnfit, open_log
from stoa.ordering.jetstream_reader import MAX_AHEAD
from stoa.ordering.jetstream_safe import LogUnsafe, check_synced
from tests.bus.servers import READY_S, Servers, eventually
from tests.ordering.streams import Streams, new_log, opened

PATIENCE = 20.0  # seconds, for servers to elect and readers to begin again


def published(engine: JetStreamEngine, batch: bytes) -> int:
    """As a producer does it: again until it is accepted."""
    end = time.monotonic() + READY_S
    while True:
        try:
            return engine.publish(batch)
        except LogFull as full:
            assert time.monotonic() < end
            time.sleep(full.retry_ms / 1_000)


def read(engine: JetStreamEngine, count: int, after: int = 0) -> list[Ordered]:
    """So many entries."""
    seen: list[Ordered] = []
    while len(seen) < count:
        ordered = engine.read(seen[-1].position if seen else after, PATIENCE)
        assert ordered, f"{len(seen)} of {count} came"
        seen.append(ordered)
    return seen


def becomes(engine: JetStreamEngine, kind: Kind) -> None:
    eventually(lambda: engine.condition().kind is kind, PATIENCE, f"not {kind}")


@pytest.fixture
def streams(one_server: Servers) -> Iterator[Streams]:
    with Streams(one_server) as streams:
        yield streams


@pytest.fixture
def own_server(tmp_path: Path) -> Iterator[Servers]:
    """A server that a test may ruin."""
    servers = Servers(tmp_path, 1).start()
    yield servers
    servers.stop()


def test_the_time_is_the_logs_and_the_same_for_every_reader(streams: Streams, one_server: Servers) -> None:
    engine = streams.engine()
    before = int(time.time() * 1_000)
    for number in range(5):
        engine.publish(b"%d" % number)
    seen = read(engine, 5)
    assert all(before <= ordered.time <= time.time() * 1_000 for ordered in seen)
    assert seen == sorted(seen, key=lambda ordered: ordered.time)
    with Streams(one_server, name="BROKER-B") as others:
        assert read(others.on(engine._log, engine._identity), 5) == seen


def test_who_comes_back_reads_from_a_time_on_and_then_all(streams: Streams) -> None:
    engine = streams.engine()
    engine.publish(b"long ago")
    first = read(engine, 1)[0]
    eventually(lambda: int(time.time() * 1_000) > first.time + 1)
    engine.publish(b"lately")
    lately = read(engine, 1, first.position)[0]
    later = JetStreamEngine(streams.bus, engine._log, "BROKER-A", engine._identity, since=lately.time)
    try:
        assert read(later, 1) == [lately]
        engine.publish(b"now")
        assert read(later, 1, lately.position)[0].batch == b"now"
    finally:
        later.close()


def test_the_ledgers_time_may_be_another_function_of_the_logs(streams: Streams) -> None:
    engine = streams.engine()
    position = engine.publish(b"one")
    real = read(engine, 1)[0]
    told = JetStreamEngine(streams.bus, engine._log, "BROKER-A", engine._identity, lambda time: time + 1_000_000)
    try:
        assert read(told, 1) == [Ordered(position, real.time + 1_000_000, b"one", "BROKER-A")]
    finally:
        told.close()


def test_the_largest_batch_fits_and_a_larger_one_is_named(streams: Streams) -> None:
    engine = streams.engine()
    engine.publish(bytes(limits.MAX_BATCH_BYTES))
    assert len(read(engine, 1)[0].batch) == limits.MAX_BATCH_BYTES
    with pytest.raises(TooLarge):
        engine.publish(bytes(limits.MAX_BATCH_BYTES + 64 * 1024))


def test_more_and_larger_batches_than_are_read_ahead_all_come(streams: Streams) -> None:
    engine, count = streams.engine(), 3 * MAX_AHEAD
    for number in range(count):
        engine.publish(number.to_bytes(4) + bytes(150_000 if number < 160 else 0))
    assert engine.read(0, PATIENCE)
    eventually(lambda: len(engine._ahead) > MAX_AHEAD // 2)
    assert len(engine._ahead) <= MAX_AHEAD
    assert [int.from_bytes(ordered.batch[:4]) for ordered in read(engine, count)] == list(range(count))


def test_what_the_log_discarded_is_jumped_over(streams: Streams) -> None:
    engine = streams.on(new_log(max_bytes=1024 * 1024))
    last = [engine.publish(bytes(100_000)) for _ in range(30)][-1]
    seen = read(engine, 1)
    assert 1 < seen[0].position < last
    assert [ordered.position for ordered in read(engine, last + 1 - seen[0].position)][-1] == last


def test_a_log_is_opened_once_and_checked_by_who_comes_later(streams: Streams) -> None:
    log = new_log()
    seen = opened(streams.bus, log)
    assert opened(streams.bus, log) == seen
    with pytest.raises(LogUnfit, match="max_bytes"):
        opened(streams.bus, log._replace(max_bytes=log.max_bytes * 2))


def test_a_log_of_an_older_version_is_used_and_said_to_be_unfit(
    streams: Streams, monkeypatch: pytest.MonkeyPatch
) -> None:
    log = new_log()
    with monkeypatch.context() as older:
        older.setattr(jetstream_log, "MAX_ENTRY_BYTES", 1024 * 1024)
        opened(streams.bus, log)
    engine = streams.on(log)
    becomes(engine, Kind.UNFIT)
    assert "max_msg_size 1048576 for" in engine.condition().en
    assert published(engine, b"small") == 1
    with pytest.raises(LogFull):
        engine.publish(bytes(2 * 1024 * 1024))
    with pytest.raises(LogUnfit, match=r"agreed: max_bytes \d+ for \d+$"):
        opened(streams.bus, log._replace(max_bytes=log.max_bytes * 2))


def test_a_server_that_takes_less_than_a_batch_has_is_named(streams: Streams, monkeypatch: pytest.MonkeyPatch) -> None:
    engine = streams.engine()
    engine.publish(b"one")
    monkeypatch.setattr(Bus, "max_payload", 1024 * 1024)
    with pytest.raises(LogFull):
        engine.publish(bytes(1024 * 1024))
    assert "raise its max_payload" in engine.condition().en


def test_a_log_that_cannot_be_is_refused_with_the_servers_words(streams: Streams) -> None:
    log = new_log(replicas=3)
    with pytest.raises(LogTrouble, match="replicas > 1"):
        streams.bus.run(lambda client: open_log(client, log, patience=0.1), READY_S)


def test_names_that_are_no_subjects_are_written_so_that_they_are(streams: Streams) -> None:
    log = Log("a chain. of *", 7, 1)
    identity = opened(streams.bus, log).identity
    engine = JetStreamEngine(streams.bus, log, "BROKER.A", identity)
    assert (engine.publish(b"batch"), read(engine, 1)[0].batch) == (1, b"batch")
    engine.close()


def test_synced_always_is_asserted(one_server: Servers, tmp_path: Path) -> None:
    check_synced(one_server.monitor(0))
    careless = Servers(tmp_path, 1, sync="2m").start()
    try:
        with pytest.raises(LogUnsafe, match="sync_interval"):
            check_synced(careless.monitor(0))
    finally:
        careless.stop()


def test_a_log_that_was_made_anew_is_not_read(streams: Streams) -> None:
    engine = streams.engine()
    first = engine.publish(b"old")
    assert read(engine, 1)[0].batch == b"old"
    streams.bus.run(lambda client: client.jsm().delete_stream(engine._log.stream), READY_S)
    assert opened(streams.bus, engine._log).identity != engine._identity
    other = streams.on(engine._log)
    assert [other.publish(b"%d" % number) for number in range(3)] == [1, 2, 3]
    becomes(engine, Kind.REPLACED)
    assert engine._identity in engine.condition().en
    assert engine.read(first, 0.5) is None
    with pytest.raises(LogFull):
        engine.publish(b"refused")
    assert not other.condition().stopped


def test_a_log_that_is_gone_is_said_to_be(streams: Streams, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("stoa.ordering.jetstream.WATCH_S", 0.2)
    engine = streams.engine()
    engine.publish(b"batch")
    read(engine, 1)
    streams.bus.run(lambda client: client.jsm().delete_stream(engine._log.stream), READY_S)
    becomes(engine, Kind.GONE)
    with pytest.raises(LogFull):
        engine.publish(b"nowhere")
    assert engine.read(1, 0.1) is None


def test_a_server_that_starts_again_is_read_on(own_server: Servers) -> None:
    with Streams(own_server) as streams:
        engine = streams.engine()
        assert [published(engine, b"%d" % number) for number in range(5)] == [1, 2, 3, 4, 5]
        before = read(engine, 3)
        own_server.kill(0)
        becomes(engine, Kind.UNREACHABLE)
        with pytest.raises(LogFull):
            engine.publish(b"nobody")
        own_server.spawn(0)
        published(engine, b"5")
        seen = before + read(engine, 3, after=before[-1].position)
        assert [ordered.batch for ordered in seen] == [b"%d" % number for number in range(6)]
        becomes(engine, Kind.WELL)


def test_a_log_that_lost_its_end_is_said_to_have_regressed_and_works_again_when_it_has_grown(
    own_server: Servers, tmp_path: Path
) -> None:
    with Streams(own_server) as streams:
        engine = streams.engine()
        for number in range(3):
            published(engine, b"kept %d" % number)
        own_server.kill(0)
        shutil.copytree(own_server.store(0), tmp_path / "copy")
        own_server.spawn(0)
        for number in range(3):
            published(engine, b"lost %d" % number)
        assert len(read(engine, 6)) == 6
        own_server.kill(0)
        shutil.rmtree(own_server.store(0))
        shutil.copytree(tmp_path / "copy", own_server.store(0))
        own_server.spawn(0)
        becomes(engine, Kind.REGRESSED)
        assert [published(engine, b"again %d" % number) for number in range(3)] == [4, 5, 6]
        assert engine.read(6, 0.3) is None, "positions that were read are not shown again"
        assert published(engine, b"new") == 7
        assert read(engine, 1, after=6)[0].batch == b"new"
        becomes(engine, Kind.WELL)


def test_readers_on_different_servers_see_one_order(five_servers: Servers) -> None:
    with (
        Streams(five_servers, 0, "A") as first,
        Streams(five_servers, 1, "B") as second,
        Streams(five_servers, 2) as third,
    ):
        log = new_log(replicas=5)
        publishers = [first.on(log), second.on(log)]
        reader = third.on(log)
        threads = [
            threading.Thread(target=lambda at=at: [published(publishers[at], b"%d %d" % (at, n)) for n in range(40)])
            for at in range(2)
        ]
        for thread in threads:
            thread.start()
        seen = read(reader, 80)
        for thread in threads:
            thread.join()
        assert read(publishers[0], 80) == read(publishers[1], 80) == seen
        assert [ordered.position for ordered in seen] == list(range(1, 81))
        for at in range(2):
            assert [o.batch for o in seen if o.batch.startswith(b"%d " % at)] == [b"%d %d" % (at, n) for n in range(40)]


def test_nothing_acknowledged_is_lost_when_the_leader_is_killed(five_servers: Servers) -> None:
    log = new_log(replicas=5)
    with Streams(five_servers) as opening:
        identity = opened(opening.bus, log).identity
    eventually(lambda: five_servers.leader(log.stream) is not None)
    leader = five_servers.leader(log.stream)
    assert leader is not None
    with Streams(five_servers, (leader + 1) % 5, "A") as writing, Streams(five_servers, leader, "B") as reading:
        writer, reader = writing.on(log, identity), reading.on(log, identity)
        acknowledged: dict[int, bytes] = {}
        for number in range(30):
            if number == 10:
                five_servers.kill(leader)
            acknowledged[published(writer, b"batch %d" % number)] = b"batch %d" % number
        seen = read(reader, max(acknowledged))
        becomes(reader, Kind.WELL)
    assert {ordered.position: ordered.batch for ordered in seen}.items() >= acknowledged.items()


def test_without_a_majority_nothing_is_accepted_and_then_it_goes_on(five_servers: Servers) -> None:
    with Streams(five_servers) as streams:
        engine = streams.on(new_log(replicas=5))
        accepted = {published(engine, b"before %d" % number): b"before %d" % number for number in range(5)}
        for at in (2, 3, 4):
            five_servers.kill(at)
        becomes(engine, Kind.UNREACHABLE)
        assert engine.condition().en
        with pytest.raises(LogFull):
            engine.publish(b"refused")
        for at in (2, 3, 4):
            five_servers.spawn(at)
        last = published(engine, b"after")
        accepted[last] = b"after"
        seen = {ordered.position: ordered.batch for ordered in read(engine, last)}
        assert seen.items() >= accepted.items()
        becomes(engine, Kind.WELL)


def test_a_reader_whose_consumer_is_deleted_goes_on_without_a_gap(streams: Streams) -> None:
    engine = streams.engine()
    engine.publish(b"0")
    read(engine, 1)
    for number in range(1, 20):
        if number % 5 == 0:
            streams.bus.run(lambda client: forget_consumers(client, engine._log), READY_S)
        engine.publish(b"%d" % number)
    assert [ordered.batch for ordered in read(engine, 19, after=1)] == [b"%d" % number for number in range(1, 20)]


def test_a_reader_reads_at_its_own_server_so_that_others_may_end(
    five_servers: Servers, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("stoa.ordering.jetstream_reader.HOME_TRIES", 200)
    log = new_log(replicas=5)
    with Streams(five_servers) as opening:
        identity = opened(opening.bus, log).identity
    eventually(lambda: five_servers.leader(log.stream) is not None)
    leader = five_servers.leader(log.stream)
    assert leader is not None
    home, others = (leader + 1) % 5, [(leader + 2) % 5, (leader + 3) % 5]
    with Streams(five_servers, leader, "A") as writing, Streams(five_servers, home, "B") as reading:
        writer, reader = writing.on(log, identity), reading.on(log, identity)
        published(writer, b"before")
        assert read(reader, 1)[0].batch == b"before"
        mine = reading.bus.run(lambda client: readers(client, log), READY_S)
        assert list(mine.values()) == [five_servers.name(home)]
        for other in others:
            five_servers.kill(other)
        published(writer, b"after")
        assert read(reader, 1, after=1)[0].batch == b"after"
        (name,) = mine  # the others that end make a list of all incomplete; the one that it had is asked for
        found = reading.bus.run(lambda client: client.jsm().consumer_info(log.stream, name), READY_S)
        assert found.delivered is not None
        assert found.delivered.stream_seq == 2, "it had nothing to begin again"


async def readers(client: Client, log: Log) -> dict[str, str]:
    """The consumers and the servers where they are."""
    found = await client.jsm().consumers_info(log.stream)
    return {one.name: str(one.cluster.leader) for one in found if one.cluster}


async def forget_consumers(client: Client, log: Log) -> None:
    """Delete every reader's consumer."""
    for info in await client.jsm().consumers_info(log.stream):
        await client.jsm().delete_consumer(log.stream, info.name)
