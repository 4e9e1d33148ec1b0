"""The connection of a process to the servers, for threads that know nothing of asyncio.

A thread runs the loop; the loop holds one connection: to the institution's own server if that answers, else to the
next that does, and back home when it can. It tries for ever. Nothing waits for a connection: what is said without one
is dropped and counted, what is asked without one fails at once. Handlers run on lanes, never on the loop.
"""

import asyncio
import concurrent.futures
import threading
from collections.abc import Callable, Coroutine
from typing import Any, Final, NamedTuple, TypeVar

import nats.errors
from nats.aio.client import Client
from nats.aio.msg import Msg

from stoa.bus.faults import Disconnected, Silent, TooLarge
from stoa.bus.lane import Arrived, Lane
from stoa.bus.link import Link, NoLink, open_link
from stoa.bus.settings import HOME_S, MAX_OUTBOUND_BYTES, MAX_PAYLOAD_BYTES, RETRY_S, BusSettings

T = TypeVar("T")
Handler = Callable[[str, bytes], None]  # subject, payload
Answerer = Callable[[str, bytes], bytes]
Work = Callable[[Client], Coroutine[Any, Any, T]]

FAILED: Final = "Nats-Service-Error"  # the header by which a NATS service says that it cannot answer
GRACE_S: Final = 2.0  # beyond a work's own time, for the loop to say how it ended
JOIN_S: Final = 5.0


class Counts(NamedTuple):
    """What health and metrics show of a bus."""

    connected: bool
    server: str  # connected to, or empty
    trouble: str  # of the connection, or why there is none; or empty
    connections: int  # made since the start; one is none lost
    sent: int
    received: int
    dropped: int  # said without a connection, or more than the outbound bound
    overflowed: int  # came faster than a handler worked
    failed: int  # handlers that raised


class Kept:
    """A work that runs on every connection, until ``stop``."""

    def __init__(self, bus: "Bus", work: Work[None], lane: Lane | None = None) -> None:
        self._bus, self._work, self._lane = bus, work, lane
        self._task: asyncio.Task[None] | None = None
        self._stopped = False

    def stop(self) -> None:
        """Run it no more. From any thread."""
        self._stopped = True
        self._bus.soon(lambda: self._bus.drop(self))
        if self._lane:
            self._lane.close()

    def cancel(self) -> None:
        """On the loop: the connection is over."""
        if self._task:
            self._task.cancel()
            self._task = None

    def begin(self, client: Client) -> None:
        """On the loop: there is a connection."""
        if not self._stopped:
            self._task = asyncio.get_running_loop().create_task(self._persist(client))

    async def _persist(self, client: Client) -> None:
        while self._task is asyncio.current_task():
            try:
                await self._work(client)
            except Exception:  # noqa: BLE001 - whatever failed is tried again while the connection lasts
                await asyncio.sleep(RETRY_S)
            else:
                return


class Bus:
    """Publish, subscribe, request and serve over one connection that mends itself. Safe from any thread."""

    def __init__(self, settings: BusSettings) -> None:
        self._settings = settings
        self._link: Link | None = None
        self._homecoming: Link | None = None
        self._kept: list[Kept] = []
        self._lanes: list[Lane] = []
        self._sending: set[asyncio.Task[None]] = set()
        self._outbound = self._sent = self._received = self._dropped = self._connections = 0
        self._trouble = ""
        self._lock = threading.Lock()
        self._up, self._closed = threading.Event(), False
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._live, name="bus", daemon=True)
        self._thread.start()

    @property
    def connected(self) -> bool:
        """Whether there is a connection now."""
        return self._up.is_set()

    @property
    def max_payload(self) -> int:
        """What one message may carry, in bytes: the servers' bound, and ours."""
        link = self._link
        return min(link.client.max_payload, MAX_PAYLOAD_BYTES) if link else MAX_PAYLOAD_BYTES

    def wait(self, timeout: float) -> bool:
        """Wait for a connection, up to ``timeout`` seconds; whether there is one."""
        return self._up.wait(timeout)

    def counts(self) -> Counts:
        """The state and the counters."""
        link, lanes = self._link, list(self._lanes)
        return Counts(
            self.connected,
            link.server if link else "",
            link.trouble if link else self._trouble,
            self._connections,
            self._sent,
            self._received,
            self._dropped,
            sum(lane.overflowed for lane in lanes),
            sum(lane.failed for lane in lanes),
        )

    def publish(self, subject: str, payload: bytes) -> None:
        """Say it to whoever listens, at most once. Never blocks. Raises TooLarge."""
        self.check(payload)
        self._hand_over(subject, payload, None)

    def subscribe(self, subject: str, handler: Handler) -> Kept:
        """Call ``handler(subject, payload)`` for what is said under the subject, on every connection, until stopped."""
        return self._listen(subject, lambda arrived: handler(arrived.subject, arrived.payload))

    def serve(self, subject: str, answerer: Answerer) -> Kept:
        """Answer what is asked under the subject; who asks is told when the answerer raises or says too much."""

        def answer(arrived: Arrived) -> None:
            if not arrived.reply:
                return
            try:
                payload = answerer(arrived.subject, arrived.payload)
                self.check(payload)
            except Exception as error:
                self._hand_over(arrived.reply, b"", {FAILED: type(error).__name__})
                raise
            self._hand_over(arrived.reply, payload, None)

        return self._listen(subject, answer)

    def request(self, subject: str, payload: bytes, timeout: float) -> bytes:
        """Ask, and wait up to ``timeout`` seconds. Raises Silent, Disconnected, TooLarge."""
        self.check(payload)

        async def ask(client: Client) -> Msg:
            return await client.request(subject, payload, timeout)

        answer = self.run(ask, timeout)
        if answer.headers and FAILED in answer.headers:
            raise Silent(f"{subject}: {answer.headers[FAILED]}")
        return answer.data

    def run(self, work: Work[T], timeout: float) -> T:
        """Do something with the connection, within ``timeout`` seconds. Raises what it raises, Disconnected, Silent."""
        if self._closed:
            raise Disconnected
        future = asyncio.run_coroutine_threadsafe(self._within(work, timeout), self._loop)
        try:
            return future.result(timeout + GRACE_S)
        except concurrent.futures.CancelledError:
            raise Disconnected from None
        except concurrent.futures.TimeoutError:
            future.cancel()
            raise Silent(f"nothing within {timeout} s") from None

    def keep(self, work: Work[None], lane: Lane | None = None) -> Kept:
        """Run the work on every connection as long as it lasts; again if it raises, not again if it returns.

        The lane, if there is one, closes with it.
        """
        kept = Kept(self, work, lane)
        self.soon(lambda: self._add(kept))
        return kept

    def soon(self, call: Callable[[], object]) -> None:
        """Call it on the loop. From any thread; dropped when the bus is closed."""
        try:
            self._loop.call_soon_threadsafe(call)
        except RuntimeError:  # the loop is closed
            return

    def close(self) -> None:
        """End the connection; what is said or asked later fails as without one."""
        if not self._closed:
            self._closed = True
            self.soon(self._main.cancel)
            self._thread.join(JOIN_S)
        for lane in self._lanes:
            lane.close()

    def check(self, payload: bytes) -> None:
        """Raise TooLarge when a message cannot carry so much."""
        if len(payload) > self.max_payload:
            raise TooLarge(len(payload), self.max_payload)

    # On any thread.

    def _hand_over(self, subject: str, payload: bytes, headers: dict[str, str] | None) -> None:
        with self._lock:
            if not self.connected or self._outbound + len(payload) > MAX_OUTBOUND_BYTES:
                self._dropped += 1
                return
            self._outbound += len(payload)
        self.soon(lambda: self._launch(subject, payload, headers))

    def _listen(self, subject: str, handle: Callable[[Arrived], None]) -> Kept:
        lane = Lane(subject, handle)
        self._lanes.append(lane)

        async def arrive(message: Msg) -> None:
            self._received += 1
            lane.put(Arrived(message.subject, message.data, message.reply))

        async def listen(client: Client) -> None:
            subscription = await client.subscribe(subject, cb=arrive)
            try:
                await asyncio.get_running_loop().create_future()  # until the work is stopped or the connection ends
            finally:
                if not client.is_closed:
                    await subscription.unsubscribe()

        return self.keep(listen, lane)

    # On the loop.

    def _live(self) -> None:
        self._main = self._loop.create_task(self._reconnect())
        try:
            self._loop.run_until_complete(self._main)
        except asyncio.CancelledError:
            pass
        finally:
            self._loop.run_until_complete(self._wind_up())
            self._loop.close()

    async def _wind_up(self) -> None:
        others = asyncio.all_tasks(self._loop) - {asyncio.current_task()}
        for task in others:
            task.cancel()
        await asyncio.gather(*others, return_exceptions=True)

    async def _reconnect(self) -> None:
        while not self._closed:  # beside the cancelling: a library's waiting may swallow that
            link = self._homecoming or await self._first_that_answers()
            self._homecoming = None
            if link and not link.ended.done():
                await self._use(link)
            else:
                await asyncio.sleep(RETRY_S)

    async def _first_that_answers(self) -> Link | None:
        for server in self._settings.servers:
            try:
                return await open_link(self._settings, server)
            except NoLink as no:
                self._trouble = str(no)
        return None

    async def _use(self, link: Link) -> None:
        """Until the connection ends."""
        self._link, self._trouble = link, ""
        self._connections += 1
        for kept in tuple(self._kept):
            kept.begin(link.client)
        self._up.set()
        home = asyncio.get_running_loop().create_task(self._go_home(link))
        try:
            if not self._closed:
                await link.over()
        finally:
            self._up.clear()
            self._link = None
            home.cancel()
            for kept in self._kept:
                kept.cancel()
            await link.close()

    async def _go_home(self, away: Link) -> None:
        """From another institution's server to the own one, once that takes a connection again."""
        home = self._settings.servers[0]
        while away.server != home and not away.ended.done():
            await asyncio.sleep(HOME_S)
            try:
                link = await open_link(self._settings, home)
            except NoLink:
                continue
            if away.ended.done():
                await link.close()
            else:
                self._homecoming = link
                await away.close()

    def _add(self, kept: Kept) -> None:
        self._kept.append(kept)
        if self._link:
            kept.begin(self._link.client)

    def drop(self, kept: Kept) -> None:
        """On the loop: keep this work no longer."""
        kept.cancel()
        if kept in self._kept:
            self._kept.remove(kept)

    def _launch(self, subject: str, payload: bytes, headers: dict[str, str] | None) -> None:
        task = self._loop.create_task(self._send(subject, payload, headers))
        self._sending.add(task)
        task.add_done_callback(self._sending.discard)

    async def _send(self, subject: str, payload: bytes, headers: dict[str, str] | None) -> None:
        try:
            if self._link is None:
                raise nats.errors.ConnectionClosedError
            await self._link.client.publish(subject, payload, headers=headers)
            self._sent += 1
        except (nats.errors.Error, OSError):
            self._dropped += 1
        finally:
            with self._lock:
                self._outbound -= len(payload)

    async def _within(self, work: Work[T], timeout: float) -> T:
        if self._link is None:
            raise Disconnected
        ended = self._link.ended
        task = self._loop.create_task(work(self._link.client))
        try:
            either: set[asyncio.Future[Any]] = {task, ended}
            await asyncio.wait(either, timeout=timeout, return_when=asyncio.FIRST_COMPLETED)
            if task.done():
                return task.result()
            raise Disconnected if ended.done() else Silent(f"nothing within {timeout} s")
        except (nats.errors.NoRespondersError, nats.errors.TimeoutError) as error:
            raise Silent(str(error)) from None
        except (nats.errors.Error, OSError) as error:
            raise (Disconnected() if ended.done() else Silent(str(error))) from error
        finally:
            task.cancel()
