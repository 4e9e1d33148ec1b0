"""How each member is: its processes by pid files, its ordering server by its monitor, its validator by its gateway.

Each member is asked in a thread of its own, which enters the member's namespace where there is one: a member that is
cut off from the others still answers about itself. Nothing here needs a key.
"""

import http.client
import json
import threading
from collections.abc import Callable
from typing import Any, Final, TypeVar

import msgspec
from prometheus_client.parser import text_string_to_metric_families

from stoa.network.hosts import enter
from stoa.network.plan import HERE, Member
from stoa.network.processes import State

T = TypeVar("T")
ASK_SECONDS: Final = 2.0
MAX_ANSWER: Final = 4 * 1024 * 1024


class Ordering(msgspec.Struct, frozen=True):
    """How an ordering server is. ``routes``: others it reaches; ``leader``: of them all, as this one sees it;
    ``keeps_log``: false for one that only passes messages on."""

    state: State
    healthy: bool = False
    routes: int = 0
    connections: int = 0
    leader: str = ""
    synced: bool = False
    keeps_log: bool = True


class Standing(msgspec.Struct, frozen=True):
    """How a member is. ``lag``: final blocks behind the highest known; ``cut``: how it is partitioned off;
    ``namespace``: where its gateway is reached, if it has one of its own; ``version``: its validator's; ``health_ko``:
    why it is not ready, in Korean; ``seat``: whether its validator may vote, by the ledger as it has it, while it
    answers."""

    code: str
    validator: State
    ordering: Ordering
    health: str
    health_ko: str = ""
    height: int = -1
    block_hash: str = ""
    block_time: int = 0
    producer: str = ""
    votes: int = 0
    views: int = -1
    waiting: int = 0
    lag: int = 0
    cut: str = ""
    namespace: str = ""
    version: str = ""
    seat: bool | None = None
    metrics: dict[str, float] = {}


class Silence(Exception):
    """Nobody answers there, or not in a form that is known."""


def ask(port: int, path: str) -> tuple[int, bytes]:
    """Status and body of a local HTTP request. Raises Silence."""
    connection = http.client.HTTPConnection(HERE, port, timeout=ASK_SECONDS)
    try:
        connection.request("GET", path)
        answer = connection.getresponse()
        return answer.status, answer.read(MAX_ANSWER)
    except (OSError, http.client.HTTPException) as error:
        raise Silence(str(error)) from None
    finally:
        connection.close()


def ask_json(port: int, path: str) -> dict[str, Any]:
    """The JSON object that a local port answers with, whatever its status. Raises Silence."""
    _, body = ask(port, path)
    try:
        value = json.loads(body)
    except ValueError:
        raise Silence("not JSON") from None
    return value if isinstance(value, dict) else {}


def beside(work: Callable[[], T], namespace: str = "") -> T:
    """Do the work in a thread of its own, inside a namespace if one is named. Raises what it raises."""
    found: list[T] = []
    wrong: list[BaseException] = []

    def run() -> None:
        try:
            if namespace:
                enter(namespace)
            found.append(work())
        except Exception as error:  # noqa: BLE001 - whatever it is, it is raised where the work was asked for
            wrong.append(error)

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    thread.join()
    if wrong:
        raise wrong[0]
    return found[0]


def look_at_ordering(member: Member, state: State) -> Ordering:
    """What the member's ordering server says of itself, also if somebody else (systemd) started it."""
    if state == "paused":
        return Ordering(state)
    try:
        healthy = ask_json(member.monitor, "/healthz").get("status") == "ok"
        told, streams = ask_json(member.monitor, "/varz"), ask_json(member.monitor, "/jsz")
        routes = ask_json(member.monitor, "/routez").get("routes", [])
    except Silence:
        return Ordering(state)
    if told.get("server_name") != member.code:
        return Ordering(state)
    return Ordering(
        state="running",
        healthy=healthy,
        routes=len({one.get("remote_name") for one in routes}),
        connections=int(told.get("connections", 0)),
        leader=str(streams.get("meta_cluster", {}).get("leader", "")),
        synced=bool(told.get("jetstream", {}).get("config", {}).get("sync_always")),
        keeps_log=bool(told.get("jetstream", {}).get("config")),
    )


def look_at(chain: str, member: Member, validator: State, ordering: State, cut: str) -> Standing:
    """How the member is, as it says itself; what it does not say is left at its default."""
    server = look_at_ordering(member, ordering)
    if validator == "paused":
        return Standing(member.code, validator, server, validator, cut=cut)
    try:
        told, alive = ask_json(member.port, "/health/ready"), ask_json(member.port, "/health/live")
        metrics = _metrics(ask(member.port, "/metrics")[1])
        blocks = ask_json(member.port, "/v1/blocks?limit=1").get("items", [])
    except Silence:
        return Standing(member.code, validator, server, "silent" if validator == "running" else validator, cut=cut)
    if validator == "stopped" and told.get("chain") != chain:  # somebody else listens there
        return Standing(member.code, validator, server, validator, cut=cut)
    last = blocks[0] if blocks else {}
    ready = "height" in told
    version = str(told.get("version", "")) if ready else _version(member)
    return Standing(
        code=member.code,
        validator="running",
        ordering=server,
        health="ready" if ready else _why(told, "why") or str(told.get("detail", told.get("title", "not ready"))),
        health_ko=_why(told, "why_ko"),
        height=int(metrics.get("stoa_height", told.get("height", -1))),
        block_hash=str(told.get("block_hash", last.get("hash", ""))),
        block_time=int(last.get("time", 0)),
        producer=str(last.get("producer", "")),
        votes=int(last.get("votes", 0)),
        views=int(metrics.get("stoa_views_height", -1)),
        waiting=int(metrics.get("stoa_waiting_transactions", 0)),
        cut=cut,
        version=str(alive.get("version", version)),
        seat=bool(metrics["stoa_seat"]) if "stoa_seat" in metrics else None,
        metrics=metrics,
    )


def _why(told: dict[str, Any], figure: str) -> str:
    """Why one is not ready; nothing where its version is older and has it in its English detail alone."""
    reasons = told.get("reasons") or [{}]
    return str(reasons[0].get("figures", {}).get(figure, ""))


def _version(member: Member) -> str:
    """The version of one that is not ready, which its gateway tells all the same."""
    try:
        told = ask_json(member.port, "/v1/network")
    except Silence:
        return ""
    mine = (one for one in told.get("members", []) if one["institution"] == member.code)
    return next((str(one["version"] or "") for one in mine), "")


def _metrics(text: bytes) -> dict[str, float]:
    """The gauges and counters without labels, by name."""
    families = text_string_to_metric_families(text.decode("utf-8", "replace"))
    return {sample.name: sample.value for family in families for sample in family.samples if not sample.labels}
