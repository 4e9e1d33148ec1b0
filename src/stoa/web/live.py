"""The pulse: an event stream that tells a browser that a block is final, so that it fetches what it shows anew.

One event a block at most, and at most one a second: regions renew themselves by an ordinary request, with the visitor's
own rights and language, so the stream itself says nothing that needs a right.
"""

import asyncio
from collections.abc import AsyncIterator
from typing import Final

import msgspec
from litestar import get
from litestar.datastructures import State
from litestar.response import ServerSentEvent, ServerSentEventMessage

from stoa.api.bell import Bell
from stoa.api.limits import MAX_SUBSCRIBERS
from stoa.api.problems import Problem, TooMany
from stoa.api.services import Services
from stoa.api.viewer import House
from stoa.web.figures import units
from stoa.web.language import Words
from stoa.web.page import Paper

BREATH_SECONDS: Final = 1.0  # at least this long between two events
QUIET_SECONDS: Final = 15.0  # a comment goes out after this long, so that a dead connection is noticed
RETRY_MS: Final = 2_000


@get("/live", sync_to_thread=False)
def live(page: Paper, services: House, state: State) -> ServerSentEvent:
    """The stream. Raises Problem: TooMany."""
    bell: Bell = state.bell
    if bell.waiting >= MAX_SUBSCRIBERS:
        raise Problem(TooMany("live pages", MAX_SUBSCRIBERS, RETRY_MS))
    return ServerSentEvent(_pulse(services, bell, page.words), retry_duration=RETRY_MS)


async def _pulse(services: Services, bell: Bell, words: Words) -> AsyncIterator[ServerSentEventMessage]:
    shown = -1

    def moved() -> int | None:
        return services.projector.height if services.projector.height != shown else None

    while not bell.closed:
        height = await bell.until(moved, QUIET_SECONDS)
        if height is None:
            yield ServerSentEventMessage(comment="quiet")
            continue
        shown = height
        text = words("live.block", height=units(height, words.locale))
        yield ServerSentEventMessage(event="block", data=msgspec.json.encode({"height": height, "text": text}).decode())
        await asyncio.sleep(BREATH_SECONDS)
