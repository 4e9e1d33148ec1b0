"""A holder's lines with lots, cost and value, what encumbers them, and the income they brought and will bring.

Shown to those whom the API lets see the account (``api.viewer``). Values are at the last price; what was never priced
counts at its cost.
"""

from collections.abc import Sequence
from typing import Any, Final, NamedTuple

from litestar import Response, get
from litestar.params import FromPath
from sqlalchemy import Connection

from stoa.api.problems import NotFound, Problem
from stoa.api.viewer import Asking, House, Viewer, need
from stoa.kernel.identifiers import BadAddress, address, parse_address
from stoa.readmodel.queries import portfolio, primary
from stoa.readmodel.queries.market import class_lines, decimals
from stoa.readmodel.queries.portfolio import Line, Portfolio
from stoa.readmodel.queries.primary import DistributionLine
from stoa.web.page import Page, Paper

INCOME_SHOWN: Final = 20
COMING: Final = ("announced", "recorded")
WHAT: Final = "look at this account"


class Sum(NamedTuple):
    """Lines of one currency together, in its smallest unit."""

    currency: str
    decimals: int
    value: int
    cost: int
    cash: int


class Coming(NamedTuple):
    """A distribution ahead, and what these lines would get of it before tax if the register stayed as it is."""

    distribution: DistributionLine
    units: int
    gross: int


@get("/portfolio", sync_to_thread=True)
def portfolio_page(page: Paper, services: House, viewer: Asking) -> Response[str]:
    """The visitor's own portfolio, over all his accounts."""
    if not viewer.known:
        return page.render("portfolio_closed.html")
    with services.views.read() as views:
        found = _own(views, viewer)
        if found is None or not found.accounts:
            return page.render("portfolio_closed.html")
        return _shown(page, views, found, services.clock())


def _own(views: Connection, viewer: Viewer) -> Portfolio | None:
    """What the visitor has as a person; where custody knows no number of his, what is on his first account."""
    if viewer.party is not None:
        return portfolio.of_party(views, viewer.party)
    return portfolio.of_account(views, viewer.accounts[0]) if viewer.accounts else None


@get("/portfolio/{holder:str}", sync_to_thread=True)
def account_portfolio_page(page: Paper, services: House, viewer: Asking, holder: FromPath[str]) -> Response[str]:
    """The portfolio on one account. Raises Problem: NotFound, NotAllowed, NotAuthenticated."""
    account = account_of(holder)
    with services.views.read() as views:
        need(viewer.may_see_account(views, account), viewer, WHAT)
        found = portfolio.of_account(views, account)
        if found is None:
            raise Problem(NotFound(f"account {holder[:80]}"))
        return _shown(page, views, found, services.clock())


def account_of(holder: str) -> bytes:
    """The account behind an address in a path. Raises Problem: NotFound."""
    try:
        return parse_address(holder)
    except BadAddress:
        raise Problem(NotFound(f"account {holder[:80]}")) from None


def _shown(page: Page, views: Connection, found: Portfolio, now: int) -> Response[str]:
    paid: list[Any] = []
    for one in found.accounts:
        paid += primary.income(views, account=parse_address(one), limit=INCOME_SHOWN).items
    paid.sort(key=lambda line: line.time, reverse=True)
    ahead = coming(views, found.lines, now)
    cash = {
        code: decimals(views, code)
        for code in dict.fromkeys(
            [*(line.pays for line in (*paid, *found.income)), *(one.distribution.pays for one in ahead)]
        )
    }
    return page.render(
        "portfolio.html",
        found=found, sums=sums(found.lines), coming=ahead, paid=paid[:INCOME_SHOWN], cash=cash, now=now, worth=worth,
        scale={line.asset: line.decimals for line in found.lines},
        single=address(parse_address(found.accounts[0])) if len(found.accounts) == 1 else "",
    )  # fmt: skip


def worth(line: Line) -> int:
    """The line's value, or its cost while there is no price."""
    return line.value if line.price or line.kind == "cash" else line.cost


def sums(lines: Sequence[Line]) -> list[Sum]:
    """What the lines come to, by currency."""
    found: dict[str, Sum] = {}
    for line in lines:
        before = found.get(line.currency, Sum(line.currency, line.currency_decimals, 0, 0, 0))
        if line.kind == "cash":
            found[line.currency] = before._replace(cash=before.cash + line.units)
        else:
            found[line.currency] = before._replace(value=before.value + worth(line), cost=before.cost + line.cost)
    return list(found.values())


def coming(views: Connection, lines: Sequence[Line], now: int) -> list[Coming]:
    """Distributions ahead for what is held, the soonest first."""
    held: dict[str, int] = {}
    for line in lines:
        if line.kind == "security":
            held[line.asset] = held.get(line.asset, 0) + line.units
    if not held:
        return []
    security = {line.asset: line.security for line in lines}
    supply = {
        one.code: one.supply for code in dict.fromkeys(security.values()) for one in class_lines(views, code, now)
    }
    ahead = [one for one in primary.distributions(views, tuple(held)).items if one.status in COMING]
    ahead.sort(key=lambda one: one.payment)
    return [Coming(one, held[one.asset], gross(one, held[one.asset], supply[one.asset])) for one in ahead]


def gross(one: DistributionLine, units: int, supply: int) -> int:
    """By the rate per unit, or by the share of the pool: of the units at the record, until then of the supply."""
    if one.per_unit_over:
        return units * one.per_unit_over // one.per_unit_under
    return one.pool * units // (one.units or supply or 1)
