"""Views brought up to a journal: from where they stand, or from nothing.

Both are the same replay; a rebuild empties the tables first. A crash in the middle loses nothing but time: the views
stand at some block, and ``catch_up`` goes on from there.
"""

from collections.abc import Callable, Iterable

from stoa.readmodel.project import Certified, Progress, found, project
from stoa.readmodel.views import Views
from stoa.wire.block import Header

Replay = Callable[[int], Iterable[Certified]]  # the blocks from a height on, each with its own certificate


def catch_up(views: Views, genesis: bytes, header: Header, replay: Replay, progress: Progress | None = None) -> int:
    """Project what the journal has and the views have not. Returns the height reached. Raises DoesNotFollow."""
    found(views, genesis, header)
    project(views, replay(views.height + 1), progress)
    return views.height


def rebuild(views: Views, genesis: bytes, header: Header, replay: Replay, progress: Progress | None = None) -> int:
    """Empty the views and project the whole journal. Returns the height reached."""
    views.clear()
    return catch_up(views, genesis, header, replay, progress)
