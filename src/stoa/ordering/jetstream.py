"""The engine of several institutions: a JetStream stream with a replica at each.

Positions are the stream's sequence numbers, times are the stream's own, the same for every reader. What a publish
says is that a majority of the servers has the batch on disk; tests published by others show that even this can be lost,
so it means accepted and no more. ``condition`` says how the log is; what to do about it is the node's matter.
"""

import asyncio
import json
import threading
from collections import deque
from collections.abc import Callable
from typing import Final

from nats.aio.client import Client
from nats.aio.msg import Msg

from stoa.bus.bus import Bus
from stoa.bus.faults import BusFault, TooLarge
from stoa.ordering.condition import WELL, Condition, Kind, unwell
from stoa.ordering.engine import LogClosed, LogFull, Ordered
from stoa.ordering.jetstream_log import MAX_ENTRY_BYTES, STREAM_NOT_FOUND, Log, LogTrouble, Seen, differences, look
from stoa.ordering.jetstream_reader import MAX_AHEAD, MAX_AHEAD_BYTES, Feed

PUBLISH_S: Final = 3.0  # for a majority to have the batch; then it is unknown, and published again
RETRY_MS: Final = 100
STOPPED_RETRY_MS: Final = 1_000
WATCH_S: Final = 2.0  # how often the log is looked at
SURE: Final = 3  # looks in a row before a log is called gone or regressed: a new leader may not know all at once
EXPECTED_STREAM: Final = "Nats-Expected-Stream"
HEADERS_BYTES: Final = 1_024
MAX_BATCH: Final = MAX_ENTRY_BYTES - HEADERS_BYTES


class JetStreamEngine:
    """Satisfies ``Engine`` over a bus that it does not own.

    ``identity`` is the log's, from ``open_log`` at the epoch's beginning, kept by the node: a log with another one is
    not this log. ``time_of`` makes of the log's own time the ledger's: for a story told faster than the world goes.
    What came to the log before ``since``, in milliseconds of its own time, is not read.
    """

    def __init__(
        self,
        bus: Bus,
        log: Log,
        producer: str,
        identity: str,
        time_of: Callable[[int], int] | None = None,
        since: int = 0,
    ) -> None:
        self._bus, self._log, self._identity, self._time_of, self._since = bus, log, identity, time_of, since
        self._subject = log.subject(producer)
        self._ahead: deque[Ordered] = deque()
        self._bytes = 0
        self._read = 0  # the highest position that was delivered or that a reader is done with
        self._reading = self._closed = self._is_full = False
        self._changed = threading.Condition()
        self._room: asyncio.Event | None = None  # of the loop
        self._condition = WELL
        self._strikes = {Kind.GONE: 0, Kind.REGRESSED: 0}
        self._kept = [bus.keep(self._watch)]

    def publish(self, batch: bytes) -> int:
        """Give the batch a place: a majority of the servers has it on disk. Raises LogFull, LogClosed, TooLarge."""
        if self._closed:
            raise LogClosed(f"{self._log.stream} is closed here")
        if self._condition.stopped:
            raise LogFull(STOPPED_RETRY_MS)
        if len(batch) > MAX_BATCH:
            raise TooLarge(len(batch), MAX_BATCH)
        if len(batch) + HEADERS_BYTES > self._bus.max_payload:
            self._say(unwell("small_payload", limit=self._bus.max_payload, size=len(batch)))
            raise LogFull(STOPPED_RETRY_MS)
        read_before = self._read

        async def ask(client: Client) -> Msg:
            headers = {EXPECTED_STREAM: self._log.stream}
            return await client.request(self._subject, batch, PUBLISH_S, headers=headers)

        try:
            told = json.loads(self._bus.run(ask, PUBLISH_S).data)
        except BusFault:
            raise LogFull(RETRY_MS) from None
        if "error" in told:
            raise LogFull(RETRY_MS)
        position = int(told["seq"])
        if position <= read_before:
            self._say(self._regressed(position))
        return position

    def read(self, after: int, timeout: float) -> Ordered | None:
        """The first batch behind the position."""
        with self._changed:
            self._forget(after)
            if not self._reading and not self._closed:
                self._reading = True
                self._kept.append(self._bus.keep(self._follow))
            self._changed.wait_for(lambda: self._ahead or self._closed, timeout)
            return self._ahead[0] if self._ahead else None

    def condition(self) -> Condition:
        """How the log is."""
        if not self._condition.stopped and not self._bus.connected:
            return unwell("unconnected")
        return self._condition

    def close(self) -> None:
        """Accept nothing more."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()
        for kept in self._kept:
            kept.stop()

    def _forget(self, upto: int) -> None:
        self._read = max(self._read, upto)
        while self._ahead and self._ahead[0].position <= upto:
            self._bytes -= len(self._ahead.popleft().batch)
        if self._is_full and self._has_room() and self._room:
            self._is_full = False
            self._bus.soon(self._room.set)

    def _has_room(self) -> bool:
        return len(self._ahead) <= MAX_AHEAD // 2 and self._bytes <= MAX_AHEAD_BYTES // 2

    # On the bus's loop.

    async def _follow(self, client: Client) -> None:
        """Read on from where this reader is, until something is odd; the bus calls again."""
        self._room = asyncio.Event()
        feed = Feed(self._log, self._take)
        try:
            self._judge(await feed.begin(client, self._read, self._since))
            while not self._condition.stopped:
                await self._wait_for_room(self._room)
                await feed.pull(MAX_AHEAD - len(self._ahead), MAX_AHEAD_BYTES - self._bytes)
        finally:
            await feed.end()

    async def _wait_for_room(self, room: asyncio.Event) -> None:
        room.clear()
        with self._changed:
            self._is_full = not self._has_room()
        if self._is_full:
            await room.wait()

    def _take(self, ordered: Ordered) -> None:
        """Entries that this reader has had are not shown again: a log that regressed gives their positions anew."""
        with self._changed:
            if ordered.position <= self._read:
                return
            self._read = ordered.position
            if self._time_of is not None:
                ordered = ordered._replace(time=self._time_of(ordered.time))
            self._ahead.append(ordered)
            self._bytes += len(ordered.batch)
            self._changed.notify_all()

    async def _watch(self, client: Client) -> None:
        """Look at the log from time to time."""
        while not self._condition.stopped:
            try:
                self._judge(await look(client, self._log))
            except LogTrouble as trouble:
                self._judge_trouble(trouble)
            await asyncio.sleep(WATCH_S)

    def _judge(self, seen: Seen) -> None:
        self._strikes[Kind.GONE], stream = 0, self._log.stream
        if seen.identity != self._identity:
            self._say(unwell("another", stream=stream, found=seen.identity, known=self._identity))
        elif not seen.accepts:
            self._say(unwell("no_majority", stream=stream, away=", ".join(seen.away), replicas=seen.replicas))
        elif seen.last < self._read:
            if self._is_sure(Kind.REGRESSED):
                self._say(self._regressed(seen.last))
        else:
            self._strikes[Kind.REGRESSED] = 0
            wrong = differences(self._log, seen)
            self._say(unwell("other_settings", stream=stream, wrong=wrong) if wrong else WELL)

    def _judge_trouble(self, trouble: LogTrouble) -> None:
        if trouble.number != STREAM_NOT_FOUND:
            self._say(unwell("no_answer", stream=self._log.stream, trouble=trouble))
        elif self._is_sure(Kind.GONE):
            self._say(unwell("not_there", stream=self._log.stream))

    def _is_sure(self, kind: Kind) -> bool:
        self._strikes[kind] += 1
        return self._strikes[kind] >= SURE

    def _regressed(self, last: int) -> Condition:
        return unwell("shorter", stream=self._log.stream, last=last, read=self._read)

    def _say(self, condition: Condition) -> None:
        if not self._condition.stopped:
            self._condition = condition
