"""Questions about one known story, answered with its figures."""

import itertools
import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from sqlalchemy import Connection

from stoa.kernel.base import figures
from stoa.kernel.identifiers import address
from stoa.kernel.money import Rate
from stoa.kernel.time import DAY
from stoa.ledger.assets.pause import Pause
from stoa.ledger.catalog import tag_of
from stoa.ledger.compliance.revoke import Revoke
from stoa.ledger.corporate_actions.model import TaxRate
from stoa.ledger.holds.place_hold import PlaceHold
from stoa.ledger.settlement.settle import Leg, Settle
from stoa.ledger.settlement.transfer import Transfer
from stoa.readmodel.queries import assets, explorer, market, portfolio, primary, register, securities, statement
from stoa.readmodel.queries.paging import BadCursor, Page
from stoa.readmodel.queries.search import search
from stoa.wire.envelope import read_envelope, transaction_id
from tests.ledger.hall import START, account
from tests.ledger.income import announce
from tests.ledger.offering_hall import OfferingHall
from tests.readmodel.chain import Chain


class Story(OfferingHall, Chain):
    """An offering of 1,000 to two investors, a sale of 40 for 60.00, a pledge, a refusal, and a quarter's rent."""

    def __init__(self) -> None:
        super().__init__()
        for name, country in (("kim", "KR"), ("lee", "KR"), ("smith", "US"), ("payer", "KR"), ("taxes", "KR")):
            self.investor(name, country=country)
        self.person("nobody", country="")
        self.offer()
        self.subscribe("kim", 300)
        self.subscribe("smith", 700)
        self.deadline()
        self.opened = self.time
        self.wait(DAY)
        legs = (Leg("HBT", account("kim"), account("lee"), 40, 6_000, ()),
                Leg("USD", account("lee"), account("kim"), 6_000, 0, ()))  # fmt: skip
        self.do(("kim", "lee"), Settle(legs, "sale"))
        self.sold = self.time
        self.do("smith", PlaceHold("HBT", account("smith"), 100, account("lee"), "pledge", 0))
        refused = self.signed("kim", Transfer("HBT", account("kim"), account("nobody"), 10, 0, ()))
        self.refused_id = transaction_id(read_envelope(refused).body)
        self.block(refused)
        announce(
            self, pool=10_000, per_unit=Rate(10, 1), default_rate=Rate(1, 4), rates=(TaxRate("US", "", Rate(1, 3)),)
        )
        self.wait(DAY)
        self.wait(DAY)
        self.do("IDP", Revoke(self.parties["lee"], "category", "IDP", "error"))


@pytest.fixture(scope="module")
def story() -> Story:
    return Story()


@pytest.fixture
def db(story: Story, database: str) -> Iterator[Connection]:
    with story.views(database).read() as connection:
        yield connection


def test_overview_sums_up_the_market(story: Story, db: Connection) -> None:
    (line,) = market.overview(db, story.sold + 1).items
    assert (line.code, line.supply, line.holders, line.status) == ("HBT", 1_000, 3, "trading")
    assert (line.last_price, line.last_time, line.volume, line.turnover) == (150, story.sold, 40, 6_000)
    assert (line.currency, line.currency_decimals, line.issuer_name) == ("USD", 2, "Harbour Tower SPC")
    (later,) = market.overview(db, story.sold + DAY).items
    assert later.volume == 0


def test_daily_prices_start_with_the_offering(story: Story, db: Connection) -> None:
    first, second = market.prices(db, "HBT")
    assert (first.open, first.high, first.low, first.last, first.units, first.trades) == (100, 100, 100, 100, 1_000, 2)
    assert (second.day, second.last, second.turnover) == (story.sold // DAY * DAY, 150, 6_000)
    assert market.prices(db, "HBT", limit=1) == (second,)


def test_a_security_shows_what_binds_it_and_who_holds_it(story: Story, db: Connection) -> None:
    found = securities.security(db, "HBT", story.time)
    assert found is not None
    assert [one.kind for one in found.documents] == ["offering_document", "compliance_statement"]
    (profile,) = found.profiles
    assert profile.trusted == {"identity": ["IDP"], "category": ["IDP"]}
    assert [(rule.id, rule.en, rule.in_force) for rule in profile.rules] == [("OPEN", "OPEN must hold", True)]
    assert profile.rules[0].require == ["is", "receiver.units.after", ">=", 0]
    assert [(one.name, one.holders, one.units) for one in found.by_country] == [("KR", 2, 300), ("US", 1, 700)]
    assert [one.code for one in found.distributions] == ["Q1"]
    assert [one.stage for one in found.offerings] == ["settled"]
    assert securities.security(db, "NONE", story.time) is None


def test_an_offering_with_its_book(story: Story, db: Connection) -> None:
    found = primary.offering(db, "OFF")
    assert found is not None
    assert (found.stage, found.rule, found.sold, found.paid, found.held) == ("settled", "in_full", 1_000, 100_000, 0)
    book = primary.subscriptions(db, "OFF").items
    assert [(one.number, one.party, one.allotted, one.state) for one in book] == [
        (1, story.parties["kim"], 300, "settled"),
        (2, story.parties["smith"], 700, "settled"),
    ]


def test_a_distribution_accounts_for_its_pool(story: Story, db: Connection) -> None:
    found = primary.distribution(db, "Q1")
    assert found is not None
    assert (found.status, found.holders, found.pool) == ("complete", 3, 10_000)
    assert found.net + found.tax + found.unclaimed + found.residue == found.pool
    paid = {one.party: (one.gross, one.tax, one.net) for one in primary.income(db, distribution="Q1").items}
    assert paid[story.parties["smith"]] == (7_000, 2_334, 4_666)
    assert paid[story.parties["kim"]] == (2_600, 650, 1_950)
    assert primary.calendar(db, story.parties["kim"], story.sold) == ()


def test_a_portfolio_has_lots_cost_value_and_what_came_of_it(story: Story, db: Connection) -> None:
    found = portfolio.of_party(db, story.parties["kim"])
    cash, units = sorted(found.lines, key=lambda line: line.kind)
    assert (units.units, units.cost, units.price, units.value) == (260, 26_000, 150, 39_000)
    assert [(lot.units, lot.acquired, lot.cost, lot.source) for lot in units.lots] == [(260, story.opened, 26_000, "")]
    assert (cash.units, cash.value, cash.currency) == (1_000_000 - 30_000 + 6_000 + 1_950,) * 2 + ("USD",)
    assert [(one.pays, one.gross, one.tax, one.net) for one in found.income] == [("USD", 2_600, 650, 1_950)]
    assert [(one.asset, one.units, one.proceeds, one.basis, one.gain) for one in found.gains] == [
        ("HBT", 40, 6_000, 4_000, 2_000)
    ]
    (pledge,) = (portfolio.of_account(db, account("smith")) or found).holds
    assert (pledge.units, pledge.owner, pledge.reason) == (100, address(account("lee")), "pledge")
    assert portfolio.of_account(db, bytes(20)) is None


def test_a_statement_opens_moves_and_closes(story: Story, db: Connection) -> None:
    found = statement.statement(db, account("kim"), story.opened + 1, story.sold + 1)
    assert found is not None
    assert [(one.asset, one.opening, one.closing) for one in found.balances] == [
        ("HBT", 300, 260),
        ("USD", 970_000, 976_000),
    ]
    assert [(one.asset, one.delta, one.balance, one.counterparty) for one in found.entries.items] == [
        ("HBT", -40, 260, address(account("lee"))),
        ("USD", 6_000, 976_000, address(account("lee"))),
    ]
    assert found.income == ()
    assert [one.gain for one in found.gains] == [2_000]
    whole = statement.statement(db, account("kim"), START, story.time + 1)
    assert whole is not None
    assert {one.asset: one.closing for one in whole.balances} == {"HBT": 260, "USD": 977_950}
    assert [one.net for one in whole.income] == [1_950]


def test_holders_come_largest_first(story: Story, db: Connection) -> None:
    lines = everything(lambda after: market.holders(db, "HBT", after, 1))
    assert [(line.party, line.units, line.free) for line in lines] == [
        (story.parties["smith"], 700, 600),
        (story.parties["kim"], 260, 260),
        (story.parties["lee"], 40, 40),
    ]


def test_a_transaction_says_what_was_asked_and_why_not(story: Story, db: Connection) -> None:
    found = explorer.transaction(db, story.refused_id)
    assert found is not None
    assert (found.line.name, found.line.failed, found.line.tags) == ("NotIdentified", 0, ("settlement.transfer.v1",))
    assert found.instructions[0]["to"] == address(account("nobody"))
    assert found.signers == (address(account("kim")),)
    assert found.en
    assert found.ko
    assert found.events == ()
    raw = explorer.receipt(db, story.refused_id)
    assert raw is not None
    assert story.blocks[raw.height - 1][0].receipts[raw.index] == raw.receipt
    assert explorer.transaction(db, bytes(32)) is None


def test_due_work_is_a_line_of_its_block(story: Story, db: Connection) -> None:
    lines = everything(lambda after: explorer.transactions(db, after=after, limit=7))
    assert len(lines) == sum(len(one.receipts) for one, _ in story.blocks)
    due = [line for line in lines if line.due]
    assert due
    detail = explorer.transaction(db, bytes.fromhex(due[0].id))
    assert detail is not None
    assert detail.events


def test_blocks_are_final_and_chained(story: Story, db: Connection) -> None:
    lines = everything(lambda after: explorer.blocks(db, after, 4))
    assert [line.height for line in lines] == list(range(story.height, -1, -1))
    assert all(line.final for line in lines)
    assert all(newer.previous == older.hash for newer, older in itertools.pairwise(lines))


def test_the_facts_of_a_receipt_are_there_by_name(story: Story, db: Connection) -> None:
    for receipt in story.receipts:
        told = explorer.events_of(db, receipt.height, receipt.index)
        assert [line.tag for line in told] == [tag_of(type(event)) for event in receipt.events]
        assert [line.body for line in told] == [json.loads(json.dumps(figures(event))) for event in receipt.events]


def test_assets_are_listed_by_code(db: Connection) -> None:
    lines = everything(lambda after: assets.assets(db, after, 1))
    assert [(line.code, line.kind, line.supply, line.controllers) for line in lines] == [
        ("HBT", "security", 1_000, ("AGENT", "KSD")),
        ("USD", "cash", 5_000_000, ("BANK",)),
    ]
    assert assets.asset(db, "HBT") == lines[0]


def test_search_finds_by_height_hash_address_number_and_code(story: Story, db: Connection) -> None:
    head = explorer.blocks(db, limit=1).items[0]
    asked: dict[str, tuple[str, str]] = {
        str(head.height): ("block", str(head.height)),
        head.hash: ("block", str(head.height)),
        story.refused_id.hex(): ("transaction", story.refused_id.hex()),
        address(account("kim")): ("account", address(account("kim"))),
        str(story.parties["kim"]): ("party", str(story.parties["kim"])),
        "hb": ("security", "HBT"),
        "bank": ("institution", "BANK"),
        "off": ("offering", "OFF"),
        "Q1": ("distribution", "Q1"),
    }
    for text, (kind, key) in asked.items():
        assert (kind, key) in [(hit.kind, hit.key) for hit in search(db, text)], text
    for nothing in ("", "%", "'; DROP", "9" * 100, "stoa1qqqq"):
        assert search(db, nothing) == ()


def test_a_party_is_known_by_number_and_claims(story: Story, db: Connection) -> None:
    found = register.party(db, story.parties["lee"], story.time)
    assert found is not None
    assert [one.account for one in found.accounts] == [address(account("lee"))]
    assert [(one.topic, one.value, one.status) for one in found.claims] == [
        ("category", "retail", "revoked"),
        ("identity", "KR", "valid"),
    ]
    late = register.claims(db, story.parties["kim"], story.time + 4_000 * DAY).items
    assert {one.status for one in late} == {"expired"}
    assert next(one.code for one in everything(lambda after: register.institutions(db, after, 3))) == "AGENT"
    assert register.account(db, account("kim")) is not None


def test_a_halt_shows_in_the_overview(database: str) -> None:
    chain = Story()
    chain.do("AGENT", Pause("HBT", True, "news"))
    with chain.views(database).read() as db:
        assert market.overview(db, chain.time).items[0].status == "halted"


def test_a_cursor_that_was_never_given_is_refused(db: Connection) -> None:
    asked: list[Callable[[], Any]] = [
        lambda: explorer.blocks(db, "x"),
        lambda: explorer.transactions(db, after="1.-2"),
        lambda: market.holders(db, "HBT", "5.zz"),
        lambda: primary.income(db, after="now"),
        lambda: primary.offerings(db, after="."),
        lambda: primary.subscriptions(db, after="OFF"),
        lambda: statement.entries_of(db, account("kim"), 0, 1, after="1.1"),
    ]
    for question in asked:
        with pytest.raises(BadCursor):
            question()


def everything(ask: Callable[[str], Page[Any]]) -> list[Any]:
    """All items, over as many pages as it takes."""
    page = ask("")
    items = list(page.items)
    while page.next:
        page = ask(page.next)
        items += page.items
    return items
