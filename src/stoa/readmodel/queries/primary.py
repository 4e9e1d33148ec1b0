"""Offerings with their books, and distributions with what they paid to whom."""

import json
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

import msgspec
from sqlalchemy import Column, ColumnElement, Connection, Select, select

from stoa.readmodel.queries.paging import PAGE, BadCursor, Page, behind, bounded_limit, fill, numbers, page
from stoa.readmodel.reasons import Reason
from stoa.readmodel.schema import DISTRIBUTIONS, HOLDINGS, INCOME, OFFERINGS, SUBSCRIPTIONS

T = TypeVar("T")


class Tier(msgspec.Struct, frozen=True):
    """A price of one unit for subscriptions made before ``until``."""

    until: int
    price: int


class OfferingLine(msgspec.Struct, frozen=True):
    """An offering and how far it has come. ``stage``: open, closing, settled or refunded.

    ``subscriptions`` and ``subscribed`` (units) are the book as it was when it closed; ``held`` is cash still under
    holds; ``rule`` is how units were allotted: in_full, pro_rata or time, empty until then.
    """

    code: str
    asset: str
    currency: str
    units: int
    soft_cap: int
    hard_cap: int
    minimum: int
    limit: int
    tiers: tuple[Tier, ...]
    opens: int
    closes: int
    locked: int
    allotment: str
    revocable: bool
    closable: bool
    proceeds: str
    stage: str
    subscriptions: int
    subscribed: int
    held: int
    rule: str
    sold: int
    paid: int
    opened: int


class SubscriptionLine(msgspec.Struct, frozen=True):
    """``state``: open, withdrawn, refunded or settled; ``ended`` is 0 while open."""

    offering: str
    number: int
    account: str
    party: int
    units: int
    price: int
    cost: int
    made: int
    state: str
    allotted: int
    paid: int
    reasons: tuple[Reason, ...]
    ended: int


class DistributionLine(msgspec.Struct, frozen=True):
    """A distribution and how far it has come. ``per_unit_over`` 0: the pool is shared pro rata.

    ``status``: announced, cancelled, underfunded, recorded or complete; then net + tax + unclaimed + residue == pool.
    """

    code: str
    asset: str
    pays: str
    payer: str
    pool: int
    per_unit_over: int
    per_unit_under: int
    record: int
    payment: int
    document: str
    announced: int
    status: str
    units: int
    holders: int
    net: int
    tax: int
    unclaimed: int
    residue: int
    reason: str


class IncomeLine(msgspec.Struct, frozen=True):
    """What one line of the register got: gross == net + tax. ``paid`` is 0 while the net waits for its owner."""

    distribution: str
    account: str
    party: int
    target: str
    asset: str
    pays: str
    units: int
    gross: int
    tax: int
    net: int
    rate_over: int
    rate_under: int
    country: str
    time: int
    paid: int
    reasons: tuple[Reason, ...]


def offering(db: Connection, code: str) -> OfferingLine | None:
    """The offering, or None."""
    row = db.execute(select(OFFERINGS).where(OFFERINGS.c.code == code)).first()
    return _offering(row) if row else None


def offerings(db: Connection, assets: Sequence[str] = (), after: str = "", limit: int = PAGE) -> Page[OfferingLine]:
    """Offerings of these assets, or of all, the newest first. Raises BadCursor."""
    query = select(OFFERINGS)
    if assets:
        query = query.where(OFFERINGS.c.asset.in_(assets))
    return _newest(db, query, OFFERINGS.c.opened, OFFERINGS.c.code, after, limit, _offering)


def _offering(row: Any) -> OfferingLine:
    return fill(OfferingLine, row, tiers=tuple(Tier(**one) for one in json.loads(row.tiers)))


def subscriptions(
    db: Connection, offering: str = "", party: int = 0, after: str = "", limit: int = PAGE
) -> Page[SubscriptionLine]:
    """Of an offering in the order of subscription, of a person, or both. Raises BadCursor."""
    limit, table = bounded_limit(limit), SUBSCRIPTIONS.c
    query = select(SUBSCRIPTIONS)
    if offering:
        query = query.where(table.offering == offering)
    if party:
        query = query.where(table.party == party)
    if after:
        code, _, number = after.rpartition(".")
        query = query.where(behind((table.offering, table.number), (code, numbers(number, 1)[0])))
    found = db.execute(query.order_by(table.offering, table.number).limit(limit + 1)).all()
    return page(found, limit, _subscription, lambda row: f"{row.offering}.{row.number}")


def _subscription(row: Any) -> SubscriptionLine:
    return fill(SubscriptionLine, row, reasons=_reasons(row.reasons))


def _reasons(raw: str) -> tuple[Reason, ...]:
    return tuple(Reason(**one) for one in json.loads(raw))


def distribution(db: Connection, code: str) -> DistributionLine | None:
    """The distribution, or None."""
    row = db.execute(select(DISTRIBUTIONS).where(DISTRIBUTIONS.c.code == code)).first()
    return fill(DistributionLine, row) if row else None


def distributions(
    db: Connection, assets: Sequence[str] = (), after: str = "", limit: int = PAGE
) -> Page[DistributionLine]:
    """Distributions on these assets, or on all, the latest payment first. Raises BadCursor."""
    query = select(DISTRIBUTIONS)
    if assets:
        query = query.where(DISTRIBUTIONS.c.asset.in_(assets))
    table = DISTRIBUTIONS.c
    return _newest(db, query, table.payment, table.code, after, limit, lambda row: fill(DistributionLine, row))


def calendar(db: Connection, party: int, now: int) -> tuple[DistributionLine, ...]:
    """Distributions still to be paid on what a person holds now, the soonest first; at most a page."""
    table = DISTRIBUTIONS.c
    owned = select(HOLDINGS.c.asset).where(HOLDINGS.c.party == party, HOLDINGS.c.units > 0)
    coming = table.status.in_(("announced", "recorded"))
    wanted = select(DISTRIBUTIONS).where(coming, table.payment >= now, table.asset.in_(owned))
    found = db.execute(wanted.order_by(table.payment, table.code).limit(PAGE))
    return tuple(fill(DistributionLine, row) for row in found)


def income(
    db: Connection,
    account: bytes = b"",
    party: int = 0,
    distribution: str = "",
    since: int = 0,
    until: int = 0,
    after: str = "",
    limit: int = PAGE,
) -> Page[IncomeLine]:
    """Income of an account, a person or a distribution, the newest first; from ``since`` until before ``until``."""
    table = INCOME.c
    query = select(INCOME).where(table.time >= since)
    given = (
        (account, table.account == account), (party, table.party == party),
        (distribution, table.distribution == distribution), (until, table.time < until),
    )  # fmt: skip
    for wanted, condition in given:
        query = query.where(condition) if wanted else query
    limit = bounded_limit(limit)
    if after:
        query = query.where(_before_income(after))
    order = (table.time.desc(), table.distribution.desc(), table.account.desc())
    found = db.execute(query.order_by(*order).limit(limit + 1)).all()
    return page(
        found, limit, lambda row: fill(IncomeLine, row, reasons=_reasons(row.reasons)),
        lambda row: f"{row.time}:{row.distribution}:{row.account.hex()}",
    )  # fmt: skip


def _before_income(cursor: str) -> ColumnElement[bool]:
    time, _, rest = cursor.partition(":")
    distribution, _, account = rest.partition(":")
    try:
        key = (numbers(time, 1)[0], distribution, bytes.fromhex(account))
    except ValueError:
        raise BadCursor(f"{cursor!r} is not a cursor of this list") from None
    return behind((INCOME.c.time, INCOME.c.distribution, INCOME.c.account), key, newest_first=True)


def _newest(
    db: Connection,
    query: Select[Any],
    time: Column[int],
    code: Column[str],
    after: str,
    limit: int,
    make: Callable[[Any], T],
) -> Page[T]:
    """A page of rows by time and then code, both falling."""
    limit = bounded_limit(limit)
    if after:
        moment, _, last = after.partition(".")
        query = query.where(behind((time, code), (numbers(moment, 1)[0], last), newest_first=True))
    found = db.execute(query.order_by(time.desc(), code.desc()).limit(limit + 1)).all()
    return page(found, limit, make, lambda row: f"{row._mapping[time]}.{row._mapping[code]}")
