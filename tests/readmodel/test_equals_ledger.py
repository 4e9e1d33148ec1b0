"""After any story the views show exactly what the ledger remembers; and a rebuild shows it again, row for row."""

import json
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from msgspec.structs import asdict
from sqlalchemy import select

from stoa.kernel import limits
from stoa.kernel.time import DAY
from stoa.ledger.assets.events import LotsJoined
from stoa.ledger.compliance.attest import Attest
from stoa.ledger.compliance.revoke import Revoke
from stoa.ledger.corporate_actions.model import PRO_RATA
from stoa.ledger.holds.place_hold import PlaceHold
from stoa.ledger.identity.errors import AccountFrozen
from stoa.ledger.identity.freeze_account import FreezeAccount
from stoa.ledger.settlement.issue import Issue
from stoa.ledger.settlement.recover import Recover
from stoa.ledger.settlement.transfer import Transfer
from stoa.readmodel.queries import primary
from stoa.readmodel.reasons import Reason
from stoa.readmodel.rebuild import rebuild
from stoa.readmodel.schema import EVENTS
from stoa.readmodel.views import Views
from tests.ledger.hall import EVIDENCE, account
from tests.ledger.income import announce
from tests.readmodel.chain import rows
from tests.readmodel.story import Market, ledger_rows, raise_and_pay, steps, tell, view_rows

STORIES = settings(max_examples=8, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])


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


def test_a_hold_that_a_recovery_carries_along_keeps_its_time(database: str) -> None:
    market = Market()
    market.do("kim", PlaceHold("HBT", account("kim"), 1, account("lee"), "pledge", 0))
    since = market.time
    market.wait(DAY)
    market.do(("BROKER-A", "KSD"), Recover(account("kim"), account("kim3"), "lost", EVIDENCE))
    shown = view_rows(market.views(database))["holds"]
    assert shown == ledger_rows(market)["holds"]
    assert [placed for *_, placed in shown.values()] == [since]


def test_lots_that_a_line_joins_are_joined_here(database: str) -> None:
    market = Market()
    for _ in range(limits.MAX_LOTS // 64 + 1):
        market.block(market.signed(("AGENT", "KSD"), *[Issue("HBT", account("smith"), 1, 7, 0)] * 64))
    assert any(isinstance(event, LotsJoined) for receipt in market.receipts for event in receipt.events)
    assert view_rows(market.views(database))["lots"] == ledger_rows(market)["lots"]


def test_a_person_enters_under_the_claims_that_count_at_that_time(database: str) -> None:
    market = Market()
    for name in ("ann", "ben", "eve"):
        market.person(name, "SG", "professional")
    market.do("IDP", Attest(market.parties["ann"], "category", "IDP", "retail", market.time + 5_000))
    market.do("IDP", Revoke(market.parties["ben"], "category", "IDP", "error"))
    market.wait(5_000)
    for name in ("ann", "ben", "eve"):
        market.issue("HBT", name, 1)
    market.do("eve", Transfer("HBT", account("eve"), account("ann"), 1, 0, ()))
    shown = view_rows(market.views(database))
    assert shown["positions"]["HBT", market.parties["ann"]] == (2, "SG", "")
    assert shown["counts"]["HBT", "category", ""] == 2
    assert shown["positions"] == ledger_rows(market)["positions"]


def test_why_income_waits_is_told_in_both_languages(database: str) -> None:
    market, against = Market(), AccountFrozen(account("lee"))
    announce(market, per_unit=PRO_RATA, pool=1_001)
    market.do("FSS", FreezeAccount(account("lee"), True, "court", EVIDENCE))
    market.wait(DAY)
    market.wait(DAY)
    with market.views(database).read() as db:
        [line] = [one for one in primary.income(db).items if not one.paid]
        body = db.scalar(select(EVENTS.c.body).where(EVENTS.c.tag == "corporate_actions.income_unclaimed.v1"))
    wanted = Reason(1108, "AccountFrozen", against.sentence("en"), against.sentence("ko"))
    assert line.reasons == (wanted,)
    assert json.loads(str(body))["reasons"] == [asdict(wanted)]


def test_income_waits_for_its_owner_and_is_claimed(database: str) -> None:
    market = Market()
    raise_and_pay(market)
    waiting = Market()
    announce(waiting, per_unit=PRO_RATA, pool=1_001)
    waiting.do("FSS", FreezeAccount(account("lee"), True, "court", EVIDENCE))
    waiting.wait(DAY)
    waiting.wait(DAY)
    for told, unclaimed in ((waiting, 1), (market, 0)):
        Views.open(database).clear()
        shown, remembered = view_rows(told.views(database)), ledger_rows(told)
        assert len(shown["unclaimed"]) == unclaimed
        assert {name: shown[name] for name in ("unclaimed", "distributions")} == {
            name: remembered[name] for name in ("unclaimed", "distributions")
        }
