"""An account's statement for a period: on paper, and as a file in CSV or JSON with the same figures.

A period is two UTC dates, both included. For every asset, opening balance plus movements is the closing balance.
"""

import csv
import io
from datetime import UTC, date, datetime, timedelta
from typing import Final

import msgspec
from litestar import Response, get
from litestar.params import FromPath
from sqlalchemy import Connection

from stoa.api.problems import BadRequest, NotFound, Problem
from stoa.api.viewer import Asking, House, Viewer, need
from stoa.kernel.time import iso
from stoa.readmodel.queries.market import decimals
from stoa.readmodel.queries.statement import Entry, Statement, entries_of, statement
from stoa.web.page import SECURITY_HEADERS, Page, Paper
from stoa.web.portfolio import WHAT, account_of

DEFAULT_DAYS: Final = 90
MAX_ENTRIES: Final = 10_000  # movements of one statement; a longer period is refused by name
MEDIA: Final = {"json": "application/json", "csv": "text/csv; charset=utf-8"}
COLUMNS: Final = ("time", "asset", "phase", "delta", "balance", "counterparty", "cost", "transaction")


class Period(msgspec.Struct, frozen=True):
    """From the first day to the last, both included; ``start`` and ``end`` in milliseconds, the end excluded."""

    first: date
    last: date

    @property
    def start(self) -> int:
        """The first millisecond."""
        return _midnight(self.first)

    @property
    def end(self) -> int:
        """The millisecond after the last."""
        return _midnight(self.last + timedelta(days=1))


def _midnight(day: date) -> int:
    return int(datetime(day.year, day.month, day.day, tzinfo=UTC).timestamp()) * 1_000


def period_of(page: Page, now: int) -> Period:
    """The period that the address asks for, or the last 90 days. Raises Problem: BadRequest."""
    today = datetime.fromtimestamp(now / 1_000, UTC).date()
    try:
        last = date.fromisoformat(page.query.get("to") or today.isoformat())
        first = date.fromisoformat(page.query.get("from") or (last - timedelta(days=DEFAULT_DAYS)).isoformat())
    except (ValueError, OverflowError):
        raise Problem(BadRequest("a date is written as 2026-12-31")) from None
    if not date(1970, 1, 1) <= first <= last < date(2200, 1, 1):
        raise Problem(BadRequest("a period begins before it ends"))
    return Period(first, last)


@get("/portfolio/{holder:str}/statement", sync_to_thread=True)
def statement_page(page: Paper, services: House, viewer: Asking, holder: FromPath[str]) -> Response[str]:
    """The statement, made to be printed. Raises Problem."""
    period = period_of(page, services.clock())
    with services.views.read() as views:
        found, entries = _read(views, viewer, holder, period)
        scale = {one.asset: decimals(views, one.asset) for one in found.balances}
        scale |= {one.pays: decimals(views, one.pays) for one in found.income}
    return page.render("statement.html", found=found, entries=entries, period=period, scale=scale)


@get("/portfolio/{holder:str}/statement/{form:str}", sync_to_thread=True)
def statement_file(
    page: Paper, services: House, viewer: Asking, holder: FromPath[str], form: FromPath[str]
) -> Response[bytes]:
    """The statement as a file. Raises Problem."""
    if form not in MEDIA:
        raise Problem(NotFound(f"form of statement {form[:20]}"))
    period = period_of(page, services.clock())
    with services.views.read() as views:
        found, entries = _read(views, viewer, holder, period)
    raw = _csv(entries) if form == "csv" else msgspec.json.encode({"statement": found, "entries": entries})
    name = f"statement-{found.account[:12]}-{period.first}-{period.last}.{form}"
    headers = {**SECURITY_HEADERS, "Content-Disposition": f'attachment; filename="{name}"'}
    return Response(raw, media_type=MEDIA[form], headers=headers)


def _read(views: Connection, viewer: Viewer, holder: str, period: Period) -> tuple[Statement, list[Entry]]:
    account = account_of(holder)
    need(viewer.may_see_account(views, account), viewer, WHAT)
    found = statement(views, account, period.start, period.end, limit=1)
    if found is None:
        raise Problem(NotFound(f"account {holder[:80]}"))
    entries: list[Entry] = []
    after = ""
    while True:
        listed = entries_of(views, account, period.start, period.end, after, limit=500)
        entries += listed.items
        after = listed.next
        if len(entries) > MAX_ENTRIES:
            raise Problem(BadRequest(f"the period has more than {MAX_ENTRIES} movements; choose a shorter one"))
        if not after:
            return found, entries


def _csv(entries: list[Entry]) -> bytes:
    out = io.StringIO()
    table = csv.writer(out)
    table.writerow(COLUMNS)
    for one in entries:
        table.writerow([iso(one.time), *(getattr(one, name) for name in COLUMNS[1:])])
    return out.getvalue().encode("utf-8-sig")  # with the mark that spreadsheets need to read Korean
