"""The market at a glance: one line a security, with what it last cost, who holds it, what moved and what it pays."""

from collections.abc import Callable, Sequence
from fractions import Fraction
from typing import Any, Final, NamedTuple

import msgspec
from litestar import Response, get
from sqlalchemy import Connection

from stoa.api.viewer import House
from stoa.kernel.time import DAY
from stoa.readmodel.queries.market import PriceDay, SecurityLine, overview, prices
from stoa.readmodel.queries.paging import LONGEST_PAGE
from stoa.readmodel.queries.primary import DistributionLine, distributions
from stoa.web.page import Page, Paper

YEAR: Final = 365 * DAY
SPARK_DAYS: Final = 30  # prices in the small curve of a line
SPARK_WIDTH: Final = 96
SPARK_HEIGHT: Final = 26
EARNED: Final = ("recorded", "complete")  # stages of a distribution whose pool is known


class Order(NamedTuple):
    """How a table is sorted."""

    by: str
    down: bool


class MarketLine(msgspec.Struct, frozen=True):
    """A security as the overview shows it. ``income``: a year's income per unit over the last price, or None."""

    security: SecurityLine
    before: int  # the last price of the day before the latest, 0 if there is none
    income: Fraction | None
    spark: str  # points of the curve, SVG

    @property
    def value(self) -> int:
        """All units at the last price, or at the nominal price before the first trade."""
        return self.security.supply * (self.security.last_price or self.security.price)


_ORDERS: Final[dict[str, Callable[[MarketLine], Any]]] = {
    "code": lambda line: line.security.code,
    "price": lambda line: line.security.last_price,
    "holders": lambda line: line.security.holders,
    "supply": lambda line: line.security.supply,
    "value": lambda line: line.value,
    "volume": lambda line: line.security.turnover,
    "income": lambda line: line.income or Fraction(0),
    "status": lambda line: line.security.status,
}


@get("/", sync_to_thread=True)
def market(page: Paper, services: House) -> Response[str]:
    """The overview."""
    now = services.clock()
    with services.views.read() as views:
        lines = [market_line(views, one, now) for one in overview(views, now, limit=LONGEST_PAGE).items]
    order = order_of(page, tuple(_ORDERS), "code")
    lines.sort(key=_ORDERS[order.by], reverse=order.down)
    return page.render("market.html", lines=lines, order=order, totals=totals(lines), now=now)


def order_of(page: Page, columns: Sequence[str], default: str) -> Order:
    """The sorting that the address asks for, if there is such a column."""
    by = page.query.get("sort", default)
    return Order(by, page.query.get("down") == "1") if by in columns else Order(default, False)


def market_line(views: Connection, security: SecurityLine, now: int) -> MarketLine:
    """The line of one security."""
    latest = max(security.classes, key=lambda one: one.last_time)
    days = prices(views, latest.code, limit=SPARK_DAYS)
    before = days[-2].last if len(days) > 1 else 0
    paid = distributions(views, [one.code for one in security.classes]).items
    return MarketLine(security, before, income_yield(paid, security, now), spark(days))


def income_yield(paid: Sequence[DistributionLine], security: SecurityLine, now: int) -> Fraction | None:
    """Income of one unit in the last 365 days, over its last price; None without a price or without income."""
    year = [
        Fraction(one.pool, one.units)
        for one in paid
        if one.status in EARNED and one.units and now - YEAR < one.payment <= now and one.pays == security.currency
    ]
    price = security.last_price or security.price
    return sum(year, Fraction(0)) / price if year and price else None


def spark(days: Sequence[PriceDay]) -> str:
    """The points of a small curve through the daily prices; empty for fewer than two."""
    if len(days) < 2:
        return ""
    low, high = min(one.last for one in days), max(one.last for one in days)
    span, first, width = max(high - low, 1), days[0].day, days[-1].day - days[0].day
    places = [
        ((one.day - first) * SPARK_WIDTH // width, SPARK_HEIGHT - (one.last - low) * (SPARK_HEIGHT - 4) // span - 2)
        for one in days
    ]
    return " ".join(f"{x},{y}" for x, y in places)


class Total(NamedTuple):
    """Sums over the securities of one currency."""

    currency: str
    decimals: int
    value: int
    turnover: int


def totals(lines: Sequence[MarketLine]) -> list[Total]:
    """Market value and turnover by currency, the largest first."""
    found: dict[str, Total] = {}
    for line in lines:
        one = line.security
        before = found.get(one.currency, Total(one.currency, one.currency_decimals, 0, 0))
        found[one.currency] = before._replace(value=before.value + line.value, turnover=before.turnover + one.turnover)
    return sorted(found.values(), key=lambda total: -total.value)
