"""The feed of final facts: every receipt with its events, in the chain's order, to whoever follows it.

Each subscriber reads the journal at his own pace and nothing is queued for him, so a slow one costs nothing; blocks
read lately are kept decoded for all. A fact is told once the views show it, so that what it makes one look up is there.
"""

from collections.abc import AsyncIterator
from functools import lru_cache
from typing import Any, Final

import msgspec
from anyio import to_thread

from stoa.api.bell import Bell
from stoa.api.facts import event_form
from stoa.api.limits import MAX_SUBSCRIBERS
from stoa.api.problems import Problem, TooMany
from stoa.api.projector import Projector
from stoa.journal.journal import Journal
from stoa.ledger.catalog import read_body, read_receipt
from stoa.wire.envelope import read_envelope
from stoa.wire.forms import to_form

KEPT_BLOCKS: Final = 64  # decoded, for subscribers who are near the end
HEARTBEAT_SECONDS: Final = 15.0
RETRY_MS: Final = 5_000


class Fact(msgspec.Struct, frozen=True):
    """What became of one transaction, or what a piece of due work did. ``code`` 0 and an empty ``name``: applied."""

    height: int
    index: int
    time: int
    transaction: str
    author: str
    code: int
    name: str
    events: list[dict[str, Any]]

    @property
    def cursor(self) -> str:
        """Its place on the chain, to go on from: ``height.index``."""
        return f"{self.height}.{self.index}"


class Filter(msgspec.Struct, frozen=True):
    """What a subscriber wants to hear of; empty: everything."""

    asset: str = ""
    account: str = ""

    def of(self, fact: Fact) -> Fact | None:
        """The fact with the events that matter, or None."""
        if not (self.asset or self.account):
            return fact
        events = [event for event in fact.events if self._concerns(event)]
        mine = bool(self.account) and not self.asset and fact.author == self.account
        return msgspec.structs.replace(fact, events=events) if events or mine else None

    def _concerns(self, event: dict[str, Any]) -> bool:
        values = event.values()
        return (not self.asset or self.asset in values) and (not self.account or self.account in values)


class Feed:
    """The journal's facts, up to what the views show."""

    def __init__(self, journal: Journal, projector: Projector, bell: Bell) -> None:
        self._journal, self._projector, self._bell = journal, projector, bell
        self.subscribers = 0
        self._facts = lru_cache(maxsize=KEPT_BLOCKS)(self._read)

    def _read(self, height: int) -> list[Fact]:
        block = self._journal.block(height)
        facts = []
        for index, raw in enumerate(block.receipts):
            receipt, refused = read_receipt(raw), read_receipt(raw).rejection
            events = [event_form(event) for event in receipt.events]
            author = _author(block.envelopes[index]) if index < len(block.envelopes) else ""
            code, name = (refused.code, refused.name) if refused else (0, "")
            time = block.header.time
            facts.append(Fact(height, index, time, receipt.transaction.hex(), author, code, name, events))
        return facts

    @property
    def height(self) -> int:
        """The last block whose facts are told."""
        return self._projector.height

    async def follow(self, after: tuple[int, int], wanted: Filter) -> AsyncIterator[Fact | None]:
        """The facts behind a place (height, index), for ever; None now and then while there is nothing to tell.

        Ends when the house closes. Raises Problem when there are too many subscribers.
        """
        if self.subscribers >= MAX_SUBSCRIBERS:
            raise Problem(TooMany("subscribers", MAX_SUBSCRIBERS, RETRY_MS))
        self.subscribers += 1
        try:
            height, index = after
            while not self._bell.closed:
                for fact in await self._behind(height, index):
                    index = fact.index
                    if (told := wanted.of(fact)) is not None:
                        yield told
                if height < self.height:
                    height, index = height + 1, -1
                elif await self._bell.until(lambda at=height: self.height > at or None, HEARTBEAT_SECONDS) is None:  # type: ignore[misc]
                    yield None
        finally:
            self.subscribers -= 1

    async def _behind(self, height: int, index: int) -> list[Fact]:
        if not 1 <= height <= self.height:
            return []
        facts = await to_thread.run_sync(self._facts, height)
        return [fact for fact in facts if fact.index > index]


def _author(envelope: bytes) -> str:
    try:
        return str(to_form(read_body(read_envelope(envelope).body).author))
    except ValueError:
        return ""
