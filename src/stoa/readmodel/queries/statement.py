"""An investor's statement for a period: opening balances, movements, income and tax, sales, closing balances.

A period runs from its first millisecond to before its last; for every asset opening + movements == closing.
"""

from typing import Any

import msgspec
from sqlalchemy import Connection, Row, func, select

from stoa.readmodel.queries.paging import PAGE, Page, bounded_limit, fill, numbers, page, readable
from stoa.readmodel.queries.portfolio import MOST_LINES, GainTotal, IncomeTotal, gain_totals, income_totals
from stoa.readmodel.schema import ACCOUNTS, ENTRIES, GAINS, HOLDINGS, INCOME, MOVES, TRANSACTIONS


class Balance(msgspec.Struct, frozen=True):
    """Units of an asset before the period's first movement, and after its last."""

    asset: str
    opening: int
    closing: int


class Entry(msgspec.Struct, frozen=True):
    """A movement seen from the account: ``delta`` came (or went, below zero), ``balance`` was there afterwards.

    ``counterparty`` is empty for an issue or a redemption; ``cost`` is the stated consideration.
    """

    number: int
    time: int
    asset: str
    phase: str
    delta: int
    balance: int
    counterparty: str
    cost: int
    height: int
    index: int
    transaction: str


class Statement(msgspec.Struct, frozen=True):
    """``entries`` is the first page of movements; ``entries_of`` gives the pages after it."""

    account: str
    party: int
    custodian: str
    start: int
    end: int
    balances: tuple[Balance, ...]
    entries: Page[Entry]
    income: tuple[IncomeTotal, ...]
    gains: tuple[GainTotal, ...]


def statement(db: Connection, account: bytes, start: int, end: int, limit: int = PAGE) -> Statement | None:
    """The statement of an account from ``start`` until before ``end``; None if it does not exist."""
    row = db.execute(select(ACCOUNTS).where(ACCOUNTS.c.account == account)).first()
    if row is None:
        return None
    paid = (INCOME.c.paid >= max(start, 1), INCOME.c.paid < end)
    sold = (GAINS.c.time >= start, GAINS.c.time < end)
    return fill(
        Statement,
        row,
        start=start,
        end=end,
        balances=balances(db, account, start, end),
        entries=entries_of(db, account, start, end, limit=limit),
        income=income_totals(db, [account], *paid),
        gains=gain_totals(db, [account], *sold),
    )


def balances(db: Connection, account: bytes, start: int, end: int) -> tuple[Balance, ...]:
    """Balances of every asset the account has ever had, as far as there is one before or after the period."""
    first, last = _last_move(db, start), _last_move(db, end)
    wanted = select(
        HOLDINGS.c.asset,
        _balance_after(account, first).label("opening"),
        _balance_after(account, last).label("closing"),
    )
    found = db.execute(wanted.where(HOLDINGS.c.account == account).order_by(HOLDINGS.c.asset).limit(MOST_LINES))
    return tuple(Balance(asset, before or 0, after or 0) for asset, before, after in found if before or after)


def _last_move(db: Connection, before: int) -> int:
    """The number of the last movement before a time: numbers rise with the time of their blocks."""
    return db.scalar(select(func.max(MOVES.c.number)).where(MOVES.c.time < before)) or 0


def _balance_after(account: bytes, number: int) -> Any:
    at = ENTRIES.c
    wanted = select(at.balance).where(at.account == account, at.asset == HOLDINGS.c.asset, at.number <= number)
    return wanted.order_by(at.number.desc()).limit(1).correlate(HOLDINGS).scalar_subquery()


def entries_of(db: Connection, account: bytes, start: int, end: int, after: str = "", limit: int = PAGE) -> Page[Entry]:
    """Movements of an account in a period, the oldest first. Raises BadCursor."""
    limit = bounded_limit(limit)
    first = numbers(after, 1)[0] if after else _last_move(db, start)
    wanted = (
        select(ENTRIES, MOVES, TRANSACTIONS.c.id)
        .join(MOVES, MOVES.c.number == ENTRIES.c.number)
        .join(
            TRANSACTIONS,
            (TRANSACTIONS.c.height == MOVES.c.height) & (TRANSACTIONS.c["index"] == MOVES.c["index"]),
        )
        .where(ENTRIES.c.account == account, ENTRIES.c.number > first, ENTRIES.c.number <= _last_move(db, end))
        .order_by(ENTRIES.c.number)
        .limit(limit + 1)
    )
    return page(db.execute(wanted).all(), limit, _entry, lambda row: str(row._mapping[ENTRIES.c.number]))


def _entry(row: Row[Any]) -> Entry:
    values = row._mapping
    other = values[MOVES.c.source] if values[ENTRIES.c.delta] > 0 else values[MOVES.c.target]
    return Entry(
        values[ENTRIES.c.number],
        values[MOVES.c.time],
        values[ENTRIES.c.asset],
        values[MOVES.c.phase],
        values[ENTRIES.c.delta],
        values[ENTRIES.c.balance],
        readable(other),
        values[MOVES.c.cost],
        values[MOVES.c.height],
        values[MOVES.c["index"]],
        readable(values[TRANSACTIONS.c.id]),
    )
