"""A reader of one log that is never behind a gap, whatever servers do.

It makes a consumer of its own, which the server forgets after it, and pulls bounded portions: at the server that it is
connected to, from that one's replica, so that the end of any other server is none of its concern. Anything odd (a
missed number, a silence, a leader that changed, a consumer that is gone) and it begins again behind the last entry that
it has. It asks who the log is after each new consumer and before the first entry, so nothing of a log with another
identity is ever delivered.
"""

import asyncio
import json
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Final

from nats.aio.client import Client
from nats.aio.msg import Msg

from stoa.bus.link import server_name
from stoa.bus.names import text_of
from stoa.ordering.engine import Ordered
from stoa.ordering.jetstream_log import API, MAX_ENTRY_BYTES, Log, LogTrouble, Seen, asked, look

MAX_AHEAD: Final = 64  # batches read ahead of who reads
MAX_AHEAD_BYTES: Final = 24 * 1024 * 1024
PULL_S: Final = 30  # how long one pull waits at the server
HEARTBEAT_S: Final = 0.5  # the server says in this time that a pull still waits
MISSED: Final = 3  # so many of them, counted here so that a slow machine does not blame the server, and it is given up
HOME_TRIES: Final = 16  # servers place a consumer by chance: one try in five is at home, of 16 at least one in 36 of 37
FORGET_S: Final = 120  # a consumer that nobody pulls from goes after this
SECOND_NS: Final = 1_000_000_000

HEARTBEAT, EXPIRED, CONFLICT = "100", "408", "409"
FULL: Final = ("maxbytes", "batch completed")  # a pull's ends that a conflict's description names


class Feed:
    """One pull consumer on one connection, from its making to the first oddity, which ``follow`` raises."""

    def __init__(self, log: Log, take: Callable[[Ordered], None]) -> None:
        self._log, self._take = log, take
        self._consumed = 0  # the consumer's own numbering, without gaps if nothing was missed
        self._asked = 0
        self._answered = asyncio.Event()
        self._odd = ""
        self._quiet = 0  # heartbeats' times that passed since the server was last heard

    async def begin(self, client: Client, after: int, since: int = 0) -> Seen:
        """Make the consumer, behind a position, or where that is 0 at a time of the log in milliseconds, and say whose
        it is. Raises LogTrouble."""
        self._client, self._inbox = client, client.new_inbox()
        self._subscription = await client.subscribe(self._inbox, cb=self._arrive)
        name, seen = await self._made(after, since)
        self._next = f"{API}.CONSUMER.MSG.NEXT.{self._log.stream}.{name}"
        return seen

    async def _made(self, after: int, since: int) -> tuple[str, Seen]:
        """The name of a new consumer, at the server of this connection if that has a replica, and then whose it is."""
        home, body = server_name(self._client), {"stream_name": self._log.stream, "config": _consumer(after, since)}
        for left in reversed(range(HOME_TRIES)):
            made = await asked(self._client, f"CONSUMER.CREATE.{self._log.stream}", body)
            seen, name = await look(self._client, self._log), str(made["name"])
            at = made.get("cluster", {}).get("leader", home)
            if at == home or home not in seen.servers or not left:
                break
            await asked(self._client, f"CONSUMER.DELETE.{self._log.stream}.{name}")
        return name, seen

    async def pull(self, count: int, size: int) -> None:
        """Ask for a portion and take it in until it is complete. Raises LogTrouble."""
        self._asked = count
        self._answered.clear()
        self._quiet = 0
        wanted = {
            "batch": count,
            "max_bytes": size,
            "expires": PULL_S * SECOND_NS,
            "idle_heartbeat": int(HEARTBEAT_S * SECOND_NS),
        }
        await self._client.publish(self._next, json.dumps(wanted).encode(), reply=self._inbox)
        while not self._answered.is_set():
            try:
                await asyncio.wait_for(self._answered.wait(), HEARTBEAT_S)
            except TimeoutError:
                self._quiet += 1
                if self._quiet > MISSED:
                    raise LogTrouble(f"the consumer was silent for {MISSED * HEARTBEAT_S} s") from None
        if self._odd:
            raise LogTrouble(self._odd)

    async def end(self) -> None:
        """Listen no more. The server forgets the consumer by itself."""
        if hasattr(self, "_subscription") and not self._client.is_closed:
            await self._subscription.unsubscribe()

    async def _arrive(self, message: Msg) -> None:
        self._quiet = 0
        if self._odd:
            return
        if message.subject == self._inbox:
            self._status(message.headers or {})
            return
        position, consumed, time = _places(message.reply)
        self._consumed += 1
        self._asked -= 1
        if consumed != self._consumed:
            self._odd = f"entry {self._consumed} of the consumer was missed"
        else:
            self._take(Ordered(position, time, message.data, _publisher(message.subject)))
        if self._odd or self._asked == 0:
            self._answered.set()

    def _status(self, headers: dict[str, str]) -> None:
        status, said = headers.get("Status", ""), headers.get("Description", "")
        if status == HEARTBEAT:
            return
        ended = status == EXPIRED or (status == CONFLICT and any(full in said.lower() for full in FULL))
        self._odd = "" if ended else f"the consumer ended: {status} {said}"
        self._answered.set()


def _consumer(after: int, since: int) -> dict[str, object]:
    start: dict[str, object] = {"deliver_policy": "by_start_sequence", "opt_start_seq": after + 1}
    if since and not after:
        moment = datetime.fromtimestamp(since / 1_000, UTC).isoformat(timespec="milliseconds")
        start = {"deliver_policy": "by_start_time", "opt_start_time": moment}
    return start | {
        "ack_policy": "none",
        "replay_policy": "instant",
        "inactive_threshold": FORGET_S * SECOND_NS,
        "mem_storage": True,
        "num_replicas": 1,
    }


def _publisher(subject: str) -> str:
    """Whose subject it is: a server lets an institution publish under its own alone."""
    try:
        return text_of(subject.rpartition(".")[2])
    except ValueError:
        return ""


def _places(reply: str) -> tuple[int, int, int]:
    """Position, the consumer's number and the log's time in milliseconds, from the subject for acknowledgements.

    ``$JS.ACK.stream.consumer.delivered.position.consumed.nanoseconds.pending``, or with domain and account before the
    stream and a token behind.
    """
    parts = reply.split(".")
    at = 5 if len(parts) == 9 else 7
    return int(parts[at]), int(parts[at + 1]), int(parts[at + 2]) // 1_000_000


assert MAX_AHEAD_BYTES // 2 > MAX_ENTRY_BYTES, "half the room must take the largest entry, or a pull would never end"
