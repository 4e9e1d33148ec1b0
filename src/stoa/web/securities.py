"""One security in full: terms, documents, rules in plain words, classes, holders, income, prices and offerings."""

from typing import Any, Final

from litestar import Response, get
from litestar.params import FromPath

from stoa.api.problems import NotFound, Problem
from stoa.api.viewer import Asking, House
from stoa.readmodel.queries.market import HolderLine, decimals, holders, prices
from stoa.readmodel.queries.paging import Page as Listing
from stoa.readmodel.queries.securities import security
from stoa.web.conditions import condition
from stoa.web.market import market_line
from stoa.web.page import Paper

HOLDERS_SHOWN: Final = 25
NOBODY: Final = Listing[HolderLine]((), "")
UPCOMING: Final = ("announced", "recorded")


@get("/securities/{code:str}", sync_to_thread=True)
def security_page(page: Paper, services: House, viewer: Asking, code: FromPath[str]) -> Response[str]:
    """The page of a security. Raises Problem: NotFound."""
    now = services.clock()
    with services.views.read() as views:
        found = security(views, code, now)
        if found is None:
            raise Problem(NotFound(f"security {code[:40]}"))
        chosen = next((one for one in found.line.classes if one.code == page.query.get("class")), found.line.classes[0])
        series = prices(views, chosen.code)
        seen = viewer.may_see_holders(views, code)
        lines = holders(views, chosen.code, page.query.get("after", ""), HOLDERS_SHOWN) if seen else NOBODY
        line = market_line(views, found.line, now)
        cash = {one.pays: decimals(views, one.pays) for one in found.distributions}
    return page.render(
        "security.html",
        found=found, line=line, chosen=chosen, series=[(day.day, day.last, day.units) for day in series],
        seen=seen, lines=lines, cash=cash, now=now, upcoming=UPCOMING, shares=shares(found.by_country),
        exact=lambda tree: condition(tree, page.words),
    )  # fmt: skip


def shares(counts: Any) -> list[tuple[Any, float]]:
    """Each count with the width of its bar in percent of the largest."""
    most = max((one.holders for one in counts), default=1)
    return [(one, round(100 * one.holders / most, 1)) for one in counts]
