"""The route of the feed: final facts as server-sent events, resumed where a subscriber left off."""

from collections.abc import AsyncIterator
from typing import Annotated, Final

import msgspec
from litestar import get
from litestar.datastructures import State
from litestar.openapi.datastructures import ResponseSpec
from litestar.params import HeaderParameter, Parameter
from litestar.response import ServerSentEvent, ServerSentEventMessage

from stoa.api.building import ADDRESS_PATTERN
from stoa.api.feed import RETRY_MS, Fact, Feed, Filter
from stoa.api.limits import MAX_SUBSCRIBERS
from stoa.api.openapi import errors
from stoa.api.problems import Problem, TooMany
from stoa.kernel import limits
from stoa.kernel.identifiers import CODE_PATTERN

Cursor = Annotated[
    str, HeaderParameter(pattern=r"^(\d{1,15}\.\d{1,10})?$", name="Last-Event-ID", description="height.index")
]
Since = Annotated[
    int | None, Parameter(ge=0, le=limits.MAX_SEQUENCE, description="Tell from the block after this height.")
]
OfAsset = Annotated[str | None, Parameter(pattern=CODE_PATTERN, description="Only events that name this asset.")]
OfAccount = Annotated[str | None, Parameter(pattern=ADDRESS_PATTERN, description="Only events that name this account.")]
END_OF_BLOCK: Final = 2**31


FACTS: Final = ResponseSpec(
    Fact, description="Messages named `fact`; their id is `height.index`.", media_type="text/event-stream"
)


@get(
    "/events",
    operation_id="followEvents",
    tags=["chain"],
    media_type="text/event-stream",
    responses={200: FACTS, **errors()},
)
async def follow_events(
    state: State, cursor: Cursor = "", since: Since = None, asset: OfAsset = None, account: OfAccount = None
) -> ServerSentEvent:
    """Every final transaction and piece of due work from now on, or from where `Last-Event-ID` or `since` says.

    The first message, `start`, is no fact; its id is where telling begins.
    A client that reconnects with the id of the last message misses nothing and hears nothing twice.
    """
    feed: Feed = state.feed
    if feed.subscribers >= MAX_SUBSCRIBERS:
        raise Problem(TooMany("subscribers", MAX_SUBSCRIBERS, RETRY_MS))
    height, _, index = cursor.partition(".")
    after = (int(height), int(index)) if cursor else (feed.height if since is None else since, END_OF_BLOCK)
    return ServerSentEvent(_messages(feed, after, Filter(asset or "", account or "")), comment_message="facts")


async def _messages(feed: Feed, after: tuple[int, int], wanted: Filter) -> AsyncIterator[ServerSentEventMessage]:
    yield ServerSentEventMessage(data="{}", event="start", id=f"{after[0]}.{after[1]}")
    async for fact in feed.follow(after, wanted):
        if fact is None:
            yield ServerSentEventMessage(comment="nothing new")
        else:
            data = msgspec.json.encode(fact).decode()
            yield ServerSentEventMessage(data=data, event="fact", id=fact.cursor)


HANDLERS: Final = (follow_events,)
