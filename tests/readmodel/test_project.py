"""The projection: each block once, in order, whole; and views that no longer fit are emptied."""

from pathlib import Path

import pytest
from msgspec.structs import replace
from sqlalchemy import update

from stoa.kernel.base import Event
from stoa.ledger.catalog import EVENTS, tag_of
from stoa.ledger.settlement.transfer import Transfer
from stoa.readmodel import project as projection
from stoa.readmodel.project import HANDLERS, RECORDED_ONLY, DoesNotFollow, found, project
from stoa.readmodel.queries.explorer import block
from stoa.readmodel.rebuild import catch_up, rebuild
from stoa.readmodel.schema import CURSOR
from stoa.readmodel.views import NOTHING, Views
from stoa.wire.block import Block
from tests.ledger.hall import account
from tests.readmodel.chain import Chain, rows
from tests.readmodel.story import Market, raise_and_pay


@pytest.fixture(scope="module")
def market() -> Market:
    market = Market()
    market.do("kim", Transfer("HBT", account("kim"), account("lee"), 40, 500, ()))
    raise_and_pay(market)
    return market


def test_every_event_is_projected_or_named_as_recorded_only() -> None:
    tags = {tag_of(kind) for kind in EVENTS}
    assert tags == set(HANDLERS) | RECORDED_ONLY
    assert not set(HANDLERS) & RECORDED_ONLY


def test_one_block_at_a_time_or_all_together_gives_the_same_rows(market: Market, database: str, tmp_path: Path) -> None:
    one_by_one = market.views(database, group=1)
    together = market.views(tmp_path / "together.db", group=10_000)
    assert rows(one_by_one) == rows(together)


def test_a_block_that_is_there_is_skipped(market: Market, database: str) -> None:
    views = market.views(database)
    before = rows(views)
    assert project(views, market.blocks[3:]) == 0
    found(views, market.document, market.first)
    assert rows(views) == before


def test_a_gap_another_history_and_another_chain_change_nothing(market: Market, database: str) -> None:
    views = Views.open(database)
    with pytest.raises(DoesNotFollow, match="genesis"):
        project(views, market.blocks[:1])
    found(views, market.document, market.first)
    project(views, market.blocks[:5])
    before = rows(views)
    forged = Block(replace(market.blocks[5][0].header, previous=bytes(32)), b"", (), ())
    other = Block(replace(market.blocks[2][0].header, time=1), b"", (), ())
    foreign = Block(replace(market.blocks[5][0].header, chain="elsewhere"), b"", (), ())
    for blocks in (market.blocks[6:8], [(forged, None)], [(other, None)], [market.blocks[5], (foreign, None)]):
        with pytest.raises(DoesNotFollow):
            project(views, blocks)
        assert rows(views) == before
    with pytest.raises(DoesNotFollow):
        found(views, market.document, replace(market.first, time=1))


def test_a_crash_in_the_middle_leaves_whole_blocks_and_the_rest_follows(
    market: Market, database: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = rows(market.views(tmp_path / "whole.db"))
    views = Views.open(database)
    tag = "settlement.moved.v1"
    handler, left = HANDLERS[tag], 12

    def crashing(draft: projection.Draft, at: projection.At, event: Event) -> None:
        nonlocal left
        left -= 1
        if left == 0:
            raise OSError("the power went")
        handler(draft, at, event)

    monkeypatch.setitem(HANDLERS, tag, crashing)
    monkeypatch.setattr(projection, "BLOCKS_AT_ONCE", 3)
    with pytest.raises(OSError, match="power"):
        rebuild(views, market.document, market.first, market.replay)
    stopped = views.height
    assert 0 < stopped < market.height
    views.close()

    told: list[int] = []
    again = Views.open(database)
    assert again.height == stopped
    assert catch_up(again, market.document, market.first, market.replay, told.append) == market.height
    assert told[0] > stopped
    assert told[-1] == market.height
    assert rows(again) == whole


def test_a_certificate_makes_every_earlier_block_final(database: str) -> None:
    chain = Chain()
    chain.cash()
    chain.wait(1_000)
    chain.wait(1_000)
    views = Views.open(database)
    found(views, chain.document, chain.first)
    project(views, [(one, None) for one, _ in chain.blocks])
    assert _finality(views) == [(1, False, 0), (2, False, 0), (3, False, 0)]
    project(views, [chain.blocks[1]])
    assert _finality(views) == [(1, True, 0), (2, True, 1), (3, False, 0)]


def _finality(views: Views) -> list[tuple[int, bool, int]]:
    with views.read() as db:
        lines = [block(db, height) for height in (1, 2, 3)]
    return [(line.height, line.final, line.votes) for line in lines if line is not None]


def test_views_of_another_schema_are_emptied_on_opening(market: Market, database: str) -> None:
    views = market.views(database)
    assert Views.open(database).height == market.height
    with views.engine.begin() as connection:
        connection.execute(update(CURSOR).values(version="0-of-long-ago"))
    views.close()
    again = Views.open(database)
    assert again.height == NOTHING
    assert catch_up(again, market.document, market.first, market.replay) == market.height


def test_a_reader_sees_one_state_while_the_views_move_on(market: Market, database: str) -> None:
    views = Views.open(database)
    found(views, market.document, market.first)
    project(views, market.blocks[:5])
    with views.read() as db:
        assert block(db, 5) is not None
        project(views, market.blocks[5:])
        assert block(db, 6) is None
    with views.read() as db:
        assert block(db, 6) is not None
