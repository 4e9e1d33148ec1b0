"""Random stories of a market, and the ledger's own state after them as the views ought to show it."""

from __future__ import annotations

from collections import Counter
from typing import Any

from hypothesis import strategies as st
from sqlalchemy import func, select

from stoa.kernel.base import Instruction
from stoa.kernel.time import DAY
from stoa.ledger.assets.model import ASSETS, HOLDINGS, LOTS, SUPPLY, ClassTerms
from stoa.ledger.catalog import Receipt
from stoa.ledger.compliance.attest import Attest
from stoa.ledger.compliance.model import CLAIMS, COUNTS, POSITIONS
from stoa.ledger.compliance.revoke import Revoke
from stoa.ledger.corporate_actions.claim_income import ClaimIncome
from stoa.ledger.corporate_actions.model import DISTRIBUTIONS as TERMS
from stoa.ledger.corporate_actions.model import PRO_RATA, PROGRESS, UNCLAIMED
from stoa.ledger.holds.freeze_units import FreezeUnits
from stoa.ledger.holds.model import HOLDS
from stoa.ledger.holds.place_hold import PlaceHold
from stoa.ledger.holds.release_hold import ReleaseHold
from stoa.ledger.identity.freeze_account import FreezeAccount
from stoa.ledger.identity.model import ACCOUNTS
from stoa.ledger.offerings.model import OFFERINGS, SUBSCRIPTIONS
from stoa.ledger.settlement.execute_hold import ExecuteHold
from stoa.ledger.settlement.force_transfer import ForceTransfer
from stoa.ledger.settlement.issue import Issue
from stoa.ledger.settlement.recover import Recover
from stoa.ledger.settlement.redeem import Redeem
from stoa.ledger.settlement.settle import Leg, Settle
from stoa.ledger.settlement.transfer import Transfer
from stoa.readmodel import schema
from stoa.readmodel.views import Views
from tests.ledger.hall import EVIDENCE, Refused, account
from tests.ledger.income import announce
from tests.ledger.offering_hall import OfferingHall
from tests.readmodel.chain import Chain

ASSETS_HELD = ("HBT", "USD", "BND.A", "BND.B")
PEOPLE = ("kim", "lee", "smith", "kim2", "lee2")


class Market(OfferingHall, Chain):
    """Three people with five accounts and a spare one each, a security of one class and one of two, cash, a payer of
    income and a tax office."""

    def __init__(self) -> None:
        super().__init__()
        self.security("BND", classes=(ClassTerms("A", "Senior", 10**9), ClassTerms("B", "Junior", 10**9)))
        for name, country in (("kim", "KR"), ("lee", "KR"), ("smith", "US"), ("payer", "KR"), ("taxes", "KR")):
            self.person(name, country)
        for name in ("kim2", "lee2", "kim3", "lee3", "smith3"):
            self.second_account(name, name[:-1])
        self.issue("USD", "payer", 1_000_000)
        for name in PEOPLE:
            self.issue("USD", name, 100_000)
            for asset, cost in (("HBT", 90_001), ("BND.A", 101), ("BND.B", 0)):
                self.issue(asset, name, 900, cost)

    def sign(self, names: str | tuple[str, ...], *instructions: Instruction) -> bytes:
        return self.signed(names, *instructions)


def steps() -> st.SearchStrategy[tuple[Any, ...]]:
    """One act: what kind, by whom, to whom, of what, how much, and for how much."""
    kinds = st.sampled_from(sorted(ACTS))
    assets = st.sampled_from(("HBT", "HBT", "USD", "BND.A", "BND.B"))
    return st.tuples(
        kinds, st.sampled_from(PEOPLE), st.sampled_from(PEOPLE), assets, st.integers(1, 400), st.integers(0, 999)
    )


def _lien(market: Market, who: str) -> tuple[str, str, int, str]:
    """The account, asset, number and owner of some hold, on this account if it has one."""
    for name in (who, *PEOPLE):
        for asset in ASSETS_HELD:
            for (_, _, number), hold in market.view.scan(HOLDS, (asset, account(name)), 1):
                return name, asset, number, next((one for one in PEOPLE if account(one) == hold.owner), "kim")
    return who, "HBT", 1, "kim"


def _control(asset: str) -> tuple[str, ...]:
    return ("BANK",) if asset == "USD" else ("AGENT", "KSD")


def _end_hold(market: Market, who: str, to: str, units: int, cost: int, execute: bool) -> bytes:
    who, asset, number, owner = _lien(market, who)
    if execute:
        return market.sign(owner, ExecuteHold(asset, account(who), number, account(to), units // 4 + 1, cost))
    return market.sign(owner, ReleaseHold(asset, account(who), number, units // 4 + 1, "done"))


ACTS: dict[str, Any] = {
    "transfer": lambda m, a, b, asset, units, cost: m.sign(
        a, Transfer(asset, account(a), account(b), units, cost, ())
    ),
    "issue": lambda m, a, b, asset, units, cost: m.sign(
        _control(asset), Issue(asset, account(a), units, cost, m.time + cost * 100)
    ),
    "redeem": lambda m, a, b, asset, units, cost: m.sign(
        (a, *_control(asset)), Redeem(asset, account(a), units, cost, ())
    ),
    "settle": lambda m, a, b, asset, units, cost: m.sign(
        (a, b),
        Settle(
            (
                Leg("HBT", account(a), account(b), units, cost + 1, ()),
                Leg("USD", account(b), account(a), cost + 1, 0, ()),
            ),
            "",
        ),
    ),
    "hold": lambda m, a, b, asset, units, cost: m.sign(
        a, PlaceHold(asset, account(a), units, account(b), "pledge", m.time + 50_000 if cost % 5 == 0 else 0)
    ),
    "release": lambda m, a, b, asset, units, cost: _end_hold(m, a, b, units, cost, execute=False),
    "execute": lambda m, a, b, asset, units, cost: _end_hold(m, a, b, units, cost, execute=True),
    "freeze": lambda m, a, b, asset, units, cost: m.sign(
        "FSS", FreezeUnits(asset, account(a), units, cost % 3 == 0, "court", EVIDENCE)
    ),
    "freeze account": lambda m, a, b, asset, units, cost: m.sign(
        "FSS", FreezeAccount(account(a), cost % 4 == 0, "court", EVIDENCE)
    ),
    "force": lambda m, a, b, asset, units, cost: m.sign(
        _control(asset), ForceTransfer(asset, account(a), account(b), units, cost, "court", EVIDENCE)
    ),
    "recover": lambda m, a, b, asset, units, cost: m.sign(
        ("BROKER-A", "KSD"), Recover(account(a), account(a.rstrip("2") + "3"), "lost", EVIDENCE)
    ),
    "attest": lambda m, a, b, asset, units, cost: m.sign(
        "IDP",
        Attest(m.parties[a.rstrip("2")], "identity", "IDP", ("KR", "US", "SG")[cost % 3], m.time + units * DAY // 40),
    ),
    "revoke": lambda m, a, b, asset, units, cost: m.sign(
        "IDP", Revoke(m.parties[a.rstrip("2")], "category", "IDP", "error")
    ),
}  # fmt: skip


def tell(market: Market, story: list[tuple[Any, ...]], together: int) -> list[Receipt]:
    """Play the story, ``together`` transactions in a block. Refusals belong to it."""
    receipts: list[Receipt] = []
    for start in range(0, len(story), together):
        envelopes = [ACTS[kind](market, *rest) for kind, *rest in story[start : start + together]]
        receipts += market.block(*envelopes, later=20_000)
    return receipts


def raise_and_pay(market: Market) -> None:
    """An over-subscribed offering that settles, and a distribution that is paid, with some of it claimed late."""
    market.offer(units=500, soft_cap=100)
    for name, units in (("kim", 400), ("smith", 333), ("lee", 5)):
        try:
            market.subscribe(name, units)
        except Refused:
            continue
    market.deadline()
    try:
        announce(market, per_unit=PRO_RATA, pool=1_001)
    except Refused:
        return
    market.act("FSS", FreezeAccount(account("lee"), True, "court", EVIDENCE))
    market.wait(DAY)
    market.wait(DAY)
    market.act("FSS", FreezeAccount(account("lee"), False, "court", EVIDENCE))
    market.act("lee", ClaimIncome("Q1", account("lee")))


def ledger_rows(market: Market) -> dict[str, Any]:
    """What the ledger itself remembers."""
    view, most = market.view, 10_000

    def scan(table: Any) -> list[tuple[Any, Any]]:
        return view.scan(table, (), most)

    return {
        "holdings": {key: (row.units, row.held, row.frozen, row.free) for key, row in scan(HOLDINGS)},
        "lots": {key: (r.units, r.acquired, r.source, r.cost, r.locked) for key, r in scan(LOTS)},
        "supply": {key: view.get(SUPPLY, key) or 0 for key, _ in scan(ASSETS)},
        "holds": {key: (r.units, r.owner, r.business, r.reason, r.expires, r.placed) for key, r in scan(HOLDS)},
        "claims": {key: (r.value, r.issued, r.expires, r.revoked) for key, r in scan(CLAIMS)},
        "positions": {(scope, p): (r.units, r.country, r.category) for (p, scope), r in scan(POSITIONS)},
        "counts": dict(scan(COUNTS)),
        "accounts": {a: (r.frozen, r.successor) for a in map(account, PEOPLE) for r in [view.need(ACCOUNTS, a)]},
        "offerings": {key: (r.count, r.held, r.sold, r.paid) for key, r in scan(OFFERINGS)},
        "subscriptions": {key: (r.units, r.price, r.state) for key, r in scan(SUBSCRIPTIONS)},
        "distributions": {
            key: (p.status, p.holders, p.net, p.tax, p.unclaimed, p.residue)
            for key, _ in scan(TERMS)
            for p in [view.need(PROGRESS, key)]
        },
        "unclaimed": {key: (r.entitlement.gross, r.entitlement.net) for key, r in scan(UNCLAIMED)},
    }  # fmt: skip


def view_rows(views: Views) -> dict[str, Any]:
    """The same, as the views show it."""
    with views.read() as db:

        def rows(table: Any, key: str, value: str) -> dict[Any, Any]:
            names, figures = key.split(), value.split()
            one = len(names) == 1
            return {
                (r[names[0]] if one else tuple(r[name] for name in names)): tuple(r[name] for name in figures)
                for r in db.execute(select(table)).mappings()
            }

        positions = rows(schema.POSITIONS, "scope party", "units country category")
        counts: Counter[tuple[str, str, str]] = Counter()
        for (scope, _), (_, country, category) in positions.items():
            counts.update([(scope, "total", ""), (scope, "country", country), (scope, "category", category)])
        people = [account(name) for name in PEOPLE]
        income = rows(schema.INCOME, "distribution account", "gross net paid")
        made = dict(db.execute(select(schema.SUBSCRIPTIONS.c.offering, func.count()).group_by("offering")).all())
        offerings = rows(schema.OFFERINGS, "code", "held sold paid")
        return {
            "holdings": rows(schema.HOLDINGS, "asset account", "units held frozen free"),
            "lots": rows(schema.LOTS, "asset account number", "units acquired source cost locked"),
            "supply": {key: row[0] for key, row in rows(schema.ASSETS, "code", "supply").items()},
            "holds": rows(schema.HOLDS, "asset account hold", "units owner business reason expires placed"),
            "claims": rows(schema.CLAIMS, "party topic issuer", "value issued expires revoked"),
            "positions": positions,
            "counts": dict(counts),
            "accounts": {k: v for k, v in rows(schema.ACCOUNTS, "account", "frozen successor").items() if k in people},
            "offerings": {code: (made.get(code, 0), *row) for code, row in offerings.items()},
            "subscriptions": rows(schema.SUBSCRIPTIONS, "offering number", "units price state"),
            "distributions": rows(schema.DISTRIBUTIONS, "code", "status holders net tax unclaimed residue"),
            "unclaimed": {key: (gross, net) for key, (gross, net, paid) in income.items() if not paid},
        }  # fmt: skip
