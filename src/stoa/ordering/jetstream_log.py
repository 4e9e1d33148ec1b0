"""One ordering log as a JetStream stream: its names, its agreed configuration, and what the server is asked about it.

Owns the form of the requests. A stream is one epoch of one chain. It is bounded and discards its oldest entries, since
the log is not the record; it has no time limit and no duplicate window, for a producer that publishes again must be
taken at its word.
"""

import asyncio
import json
from typing import Any, Final, NamedTuple

import nats.errors
from nats.aio.client import Client

from stoa.bus.names import token
from stoa.kernel import limits

API: Final = "$JS.API"
ANSWER_S: Final = 2.0  # for JetStream to answer a request about the log
AWAY_NS: Final = 5_000_000_000  # a replica is heard every second while it is there
OPEN_S: Final = 20.0  # for a log to be opened, from the start of a cluster
AGAIN_S: Final = 0.5  # from one try to open a log to the next

MAX_ENTRY_BYTES: Final = limits.MAX_BATCH_BYTES + 64 * 1024  # a batch, its signature and its headers
MAX_SIZE: Final = "max_msg_size"
MAX_LOG_BYTES: Final = 2 * 1024**3  # kept by each replica, unless said otherwise

STREAM_NOT_FOUND: Final = 10059
DEFAULT_WINDOW_NS: Final = 100_000_000  # the least that a server takes; nothing uses it, as no entry has a message id


class LogTrouble(Exception):
    """JetStream did not do what it was asked: it has no leader, or says an error, whose code is ``number``, or 0."""

    def __init__(self, said: str, number: int = 0) -> None:
        super().__init__(said)
        self.number = number


class LogUnfit(Exception):
    """The log exists with another configuration than the agreed one; the message names the fields."""


class Log(NamedTuple):
    """Which log, and how it is kept."""

    chain: str
    epoch: int
    replicas: int
    max_bytes: int = MAX_LOG_BYTES

    @property
    def stream(self) -> str:
        """The stream's name."""
        return f"LOG-{token(self.chain)}-{self.epoch}"

    def subject(self, producer: str) -> str:
        """Where one producer publishes. A server lets an institution publish under its own alone."""
        return f"{self.root}.{token(producer)}"

    @property
    def root(self) -> str:
        """What all subjects of the log begin with."""
        return f"log.{token(self.chain)}.{self.epoch}"

    @property
    def configuration(self) -> dict[str, object]:
        """What all agree on; what is not named here is the server's default."""
        return {
            "name": self.stream,
            "subjects": [f"{self.root}.*"],
            "storage": "file",
            "retention": "limits",
            "discard": "old",
            "max_bytes": self.max_bytes,
            MAX_SIZE: MAX_ENTRY_BYTES,
            "max_msgs": -1,
            "max_age": 0,
            "num_replicas": self.replicas,
            "duplicate_window": DEFAULT_WINDOW_NS,
            "deny_delete": True,
            "deny_purge": True,
        }


class Seen(NamedTuple):
    """A log as its leader describes it. ``identity`` is the time of its creation: another one, another log.

    ``away`` are the replicas that the leader has not heard from of late; without a majority it stays leader for long.
    ``servers`` are all that have a replica.
    """

    identity: str
    last: int
    leader: str
    away: tuple[str, ...]
    replicas: int
    configuration: dict[str, object]
    servers: tuple[str, ...] = ()

    @property
    def accepts(self) -> bool:
        """Whether a majority of the replicas is there."""
        return 2 * (self.replicas - len(self.away)) > self.replicas


async def asked(client: Client, what: str, body: dict[str, Any] | None = None) -> dict[str, Any]:
    """Ask JetStream. Raises LogTrouble."""
    try:
        answer = await client.request(f"{API}.{what}", json.dumps(body).encode() if body else b"", ANSWER_S)
    except nats.errors.NoRespondersError:
        raise LogTrouble("JetStream has no leader") from None
    except nats.errors.TimeoutError:
        raise LogTrouble(f"JetStream did not answer within {ANSWER_S} s") from None
    told: dict[str, Any] = json.loads(answer.data)
    if error := told.get("error"):
        raise LogTrouble(error.get("description", "an error without words"), error.get("err_code", 0))
    return told


async def look(client: Client, log: Log) -> Seen:
    """The log as it is now. Raises LogTrouble, with STREAM_NOT_FOUND where there is none."""
    return _seen(await asked(client, f"STREAM.INFO.{log.stream}"))


async def open_log(client: Client, log: Log, patience: float = OPEN_S) -> Seen:
    """The log, created if it is absent. For whoever opens an epoch, once; a node that knows an identity looks only.

    Tries for ``patience`` seconds, as a cluster that has just started has no leader yet, then raises LogTrouble with
    what was last said. Raises LogUnfit where there is a log with other settings. One that takes smaller entries, as
    those of older versions do, will do: its condition says so.
    """
    end = asyncio.get_running_loop().time() + patience
    while True:
        try:
            seen = await _created_or_found(client, log)
        except LogTrouble:
            if asyncio.get_running_loop().time() > end:
                raise
            await asyncio.sleep(AGAIN_S)
            continue
        if wrong := differences(log, seen, but=MAX_SIZE if _takes(seen) < MAX_ENTRY_BYTES else ""):
            raise LogUnfit(f"{log.stream} has other settings than agreed: {wrong}")
        return seen


async def _created_or_found(client: Client, log: Log) -> Seen:
    try:
        return _seen(await asked(client, f"STREAM.CREATE.{log.stream}", dict(log.configuration)))
    except LogTrouble as refused:
        try:
            return await look(client, log)
        except LogTrouble:
            raise refused from None


def differences(log: Log, seen: Seen, but: str = "") -> str:
    """The fields in which the log differs from the agreed ones, with both values; empty where there are none."""
    return ", ".join(
        f"{field} {seen.configuration.get(field, 0)!r} for {agreed!r}"
        for field, agreed in log.configuration.items()
        if field != but and seen.configuration.get(field, 0) != agreed
    )


def _takes(seen: Seen) -> int:
    """The size of the largest entry that the log takes."""
    size = seen.configuration.get(MAX_SIZE)
    return size if isinstance(size, int) and size > 0 else MAX_ENTRY_BYTES


def _seen(told: dict[str, Any]) -> Seen:
    cluster = told.get("cluster") or {}
    others = cluster.get("replicas") or []
    away = tuple(one["name"] for one in others if one.get("offline") or one.get("active", 0) > AWAY_NS)
    last, leader = told["state"]["last_seq"], cluster.get("leader", "")
    servers = (leader, *(one["name"] for one in others))
    return Seen(told["created"], last, leader, away, len(others) + 1, told["config"], servers)
