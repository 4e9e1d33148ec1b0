"""What can grow is bounded: requests of a client, subscribers, clients that are counted; and views that stop say so."""

import asyncio
from pathlib import Path

import pytest
from litestar.testing import TestClient

from stoa.api.bell import Bell
from stoa.api.feed import Feed, Filter
from stoa.api.limits import MAX_CLIENTS, Buckets, Rate
from stoa.api.problems import Problem, language_of
from stoa.api.projector import Projector
from stoa.readmodel.views import Views
from tests.api.house import House
from tests.ledger.hall import account, send


def test_a_client_that_asks_too_often_is_told_when_to_come_back(house: House) -> None:
    with TestClient(house.app(Rate(per_second=0.5, burst=3))) as client:
        answers = [client.get("/health/live", headers={"accept-language": "ko"}) for _ in range(5)]
    assert [answer.status_code for answer in answers] == [200, 200, 200, 429, 429]
    assert (answers[-1].json()["name"], answers[-1].headers["retry-after"]) == ("TooMany", "2")


def test_buckets_fill_again_and_forget_the_longest_silent() -> None:
    buckets = Buckets(Rate(per_second=1, burst=1))
    assert [buckets.take("a", now) for now in (0.0, 0.5, 1.1)] == [True, False, True]
    for number in range(MAX_CLIENTS):
        buckets.take(str(number), 1.2)
    assert buckets.take("a", 1.3)  # forgotten, so full again: the table is bounded


def test_subscribers_are_bounded_and_counted_down(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("stoa.api.feed.MAX_SUBSCRIBERS", 1)
    feed = Feed(house.node.journal, house.projector, Bell())

    async def story() -> None:
        first = feed.follow((0, 0), Filter())
        assert (await anext(first)) is not None
        with pytest.raises(Problem):
            await anext(feed.follow((0, 0), Filter()))
        await first.aclose()  # type: ignore[attr-defined]
        assert feed.subscribers == 0

    asyncio.run(story())


def test_a_filter_tells_of_one_asset_and_of_one_account(house: House) -> None:
    house.do("park", send("park", "lee", 1))
    feed = Feed(house.node.journal, house.projector, bell := Bell())

    async def heard(wanted: Filter) -> list[tuple[int, list[str]]]:
        facts = []
        async for fact in feed.follow((0, 0), wanted):
            if fact is None or fact.height == feed.height:
                bell.close()
            if fact is not None:
                facts.append((fact.height, [event["tag"] for event in fact.events]))
        bell.closed = False
        return facts

    everything = asyncio.run(heard(Filter()))
    of_lee = asyncio.run(heard(Filter(account=str(house_account("lee")))))
    assert len(everything) > len(of_lee) > 0
    assert everything[-1] == of_lee[-1]


def house_account(name: str) -> str:
    from stoa.kernel.identifiers import address

    return address(account(name))


def test_views_catch_up_from_the_journal_and_follow(house: House, tmp_path: Path) -> None:
    views = Views.open(tmp_path / "other.sqlite")
    projector = Projector(house.node.journal, views)
    projector.start()
    assert projector.reached(house.node.health().height, 10)
    receipt = house.do("park", send("park", "kim", 1))
    assert projector.reached(receipt.height, 10)
    assert projector.lag == 0
    projector.close()
    assert Projector(house.node.journal, views).height >= receipt.height  # it goes on from where it was
    views.close()


def test_views_that_cannot_go_on_make_the_door_not_ready(fresh: House) -> None:
    fresh.views.clear()  # as if somebody had emptied them
    with TestClient(fresh.app(), raise_server_exceptions=False) as client:
        raw = fresh.signed("park", send("park", "kim", 1))
        headers = {"content-type": "application/octet-stream"}
        assert client.post("/v1/transactions?wait=10", content=raw, headers=headers).json()["status"] == "final"
        answer = client.get("/health/ready")
    assert (answer.status_code, answer.json()["name"]) == (503, "Unavailable")
    assert "DoesNotFollow" in fresh.projector.failure


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        ("", "en"),
        ("ko", "ko"),
        ("ko-KR,ko;q=0.9,en;q=0.8", "ko"),
        ("en,ko;q=0.5", "en"),
        ("fr", "en"),
        ("ko;q=x", "en"),
    ],
)
def test_the_preferred_language_is_heard(header: str, expected: str) -> None:
    assert language_of(header) == expected
