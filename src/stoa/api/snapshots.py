"""Routes for the operator: a snapshot of the state, taken while the node goes on.

Taken by a thread of its own, one at a time; who asked looks again until it is there. Does not own: what a snapshot is
and when it counts (``node.snapshot``).
"""

import threading
from typing import Any, Final, Literal

import msgspec
from litestar import get, post
from litestar.datastructures import State

from stoa.api.openapi import errors
from stoa.api.viewer import Asking, need
from stoa.node.node import Node

TAGS: Final = ["operator"]


class SnapshotState(msgspec.Struct, frozen=True):
    """How the last snapshot stands that was asked for since the node started: where it is, or why it failed."""

    state: Literal["none", "running", "taken", "failed"]
    file: str = ""
    bytes: int = 0
    why: str = ""


class Snapshots:
    """At most one snapshot at a time. Safe for threads."""

    def __init__(self, node: Node) -> None:
        self._node = node
        self._lock = threading.Lock()
        self._now = SnapshotState("none")

    def begin(self) -> SnapshotState:
        """Begin one, unless one is under way."""
        with self._lock:
            if self._now.state != "running":
                self._now = SnapshotState("running")
                threading.Thread(target=self._take, name="stoa-snapshot", daemon=True).start()
            return self._now

    def now(self) -> SnapshotState:
        """How it stands."""
        with self._lock:
            return self._now

    def _take(self) -> None:
        try:
            path = self._node.snapshot()
            done = SnapshotState("taken", str(path), path.stat().st_size)
        except Exception as error:  # noqa: BLE001 - whatever it was, who asked must be told
            done = SnapshotState("failed", why=f"{type(error).__name__}: {error}")
        with self._lock:
            self._now = done


@post(
    "/snapshots",
    operation_id="takeSnapshot",
    tags=TAGS,
    status_code=202,
    responses=errors(401, 403),
    sync_to_thread=False,
)
def take(state: State, viewer: Asking) -> SnapshotState:
    """Begin a snapshot of the state, unless one is under way. For who runs the node."""
    need(viewer.operator, viewer, "have snapshots taken")
    return _of(state).begin()


@get("/snapshots", operation_id="snapshotState", tags=TAGS, responses=errors(401, 403), sync_to_thread=False)
def look(state: State, viewer: Asking) -> SnapshotState:
    """How the last snapshot stands that was asked for. For who runs the node."""
    need(viewer.operator, viewer, "see snapshots")
    return _of(state).now()


def _of(state: Any) -> Snapshots:
    found: Snapshots = state.snapshots
    return found


HANDLERS: Final = (take, look)
