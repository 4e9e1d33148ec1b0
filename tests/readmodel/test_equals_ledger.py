"""After any story the views show exactly what the ledger remembers; and a rebuild shows it again, row for row."""

from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from stoa.readmodel.rebuild import rebuild
from stoa.readmodel.views import Views
from tests.readmodel.chain import rows
from tests.readmodel.story import Market, ledger_rows, raise_and_pay, steps, tell, view_rows

STORIES = settings(max_examples=10, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])


@STORIES
@given(before=st.lists(steps(), max_size=30), after=st.lists(steps(), max_size=20), together=st.integers(1, 9))
def test_views_show_what_the_ledger_remembers(
    database: str, before: list[tuple[Any, ...]], after: list[tuple[Any, ...]], together: int
) -> None:
    market = Market()
    tell(market, before, together)
    raise_and_pay(market)
    tell(market, after, together)

    Views.open(database).clear()
    views = market.views(database, group=together)
    shown, remembered = view_rows(views), ledger_rows(market)
    for name, expected in remembered.items():
        assert shown[name] == expected, name

    live = rows(views)
    assert rebuild(views, market.document, market.first, market.replay) == market.height
    assert rows(views) == live
    views.close()


def test_lots_that_a_line_joins_are_joined_here(database: str) -> None:
    from stoa.kernel import limits
    from stoa.ledger.settlement.issue import Issue
    from tests.ledger.hall import account

    market = Market()
    for _ in range(limits.MAX_LOTS // 64 + 1):
        market.block(market.signed(("AGENT", "KSD"), *[Issue("HBT", account("smith"), 1, 7, 0)] * 64))
    views = market.views(database)
    assert view_rows(views)["lots"] == ledger_rows(market)["lots"]
    with views.read() as db:
        from stoa.readmodel.queries.explorer import events_since

        assert events_since(db, tags=["assets.lots_joined.v1"])
