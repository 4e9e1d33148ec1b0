"""Routes for the log of final blocks: its signed head, and paths that show that it was only ever added to.

Made one at a time, as holding proofs are: the work grows with the log.
"""

from collections.abc import Callable
from typing import Annotated, Any, Final, TypeVar

import msgspec
from anyio import to_thread
from litestar import get
from litestar.datastructures import State
from litestar.params import Parameter

from stoa.api.openapi import errors
from stoa.api.problems import NotFound, Problem
from stoa.api.viewer import House
from stoa.kernel import limits
from stoa.node.proofs import NothingToProve
from stoa.wire.forms import to_form

T = TypeVar("T")
TAGS: Final = ["proofs"]
Blocks = Annotated[int, Parameter(ge=1, le=limits.MAX_SEQUENCE)]


class LogView(msgspec.Struct, frozen=True):
    """The log of blocks 1 to ``size``: its root with the validators' votes for it, the last block's hash with its
    certificate."""

    chain: str
    size: int
    block_hash: str
    root: str
    certificate: dict[str, Any]
    votes: list[dict[str, Any]]


class LogPath(msgspec.Struct, frozen=True):
    """Hashes of a path in the tree of RFC 9162, leaf side first."""

    path: list[str]


async def _shown(state: State, ask: Callable[..., T], *figures: int) -> T:
    try:
        return await to_thread.run_sync(ask, *figures, limiter=state.proving)
    except NothingToProve as error:
        raise Problem(NotFound(f"such part of the log: {error}")) from None


def _path(hashes: tuple[bytes, ...]) -> LogPath:
    return LogPath([one.hex() for one in hashes])


@get("/log", operation_id="logHead", tags=TAGS, responses=errors(404))
async def log_head(services: House, state: State) -> LogView:
    """The head of the log of final blocks. Keep size and root: later they show whether the ledger was rewritten."""
    return LogView(**to_form(await _shown(state, services.node.history.head)))


@get("/log/inclusion", operation_id="logInclusion", tags=TAGS, responses=errors(404))
async def log_inclusion(services: House, state: State, height: Blocks, size: Blocks) -> LogPath:
    """That a block is in the log of `size` blocks: the path from its hash to the root (RFC 9162, 2.1.3)."""
    return _path(await _shown(state, services.node.history.inclusion, height, size))


@get("/log/consistency", operation_id="logConsistency", tags=TAGS, responses=errors(404))
async def log_consistency(services: House, state: State, first: Blocks, second: Blocks) -> LogPath:
    """That the log of `first` blocks is the beginning of that of `second`: the path between roots (RFC 9162, 2.1.4)."""
    return _path(await _shown(state, services.node.history.consistency, first, second))


HANDLERS: Final = (log_head, log_inclusion, log_consistency)
