"""What a person has: lines with lots, cost, value and liens over all accounts or one, and what came of it."""

from collections.abc import Sequence
from typing import Any, Final

import msgspec
from sqlalchemy import ColumnElement, Connection, Table, func, select

from stoa.kernel.identifiers import address
from stoa.readmodel.queries.paging import fill, halves, joined
from stoa.readmodel.schema import ACCOUNTS, ASSETS, GAINS, HOLDINGS, HOLDS, INCOME, LOTS, SECURITIES

MOST_LINES: Final = 1_024  # lines of one portfolio; an account has no more, a person with several accounts might
MOST_LOTS: Final = 1_024  # lots of one line
MOST_HOLDS: Final = 2_048


class LotLine(msgspec.Struct, frozen=True):
    """An acquisition. ``source`` is empty if issued; ``locked`` 0 or the first millisecond at which it may move."""

    number: int
    units: int
    acquired: int
    source: str
    cost: int
    locked: int


class HoldLine(msgspec.Struct, frozen=True):
    """A lien. ``owner`` is the account that may release or execute it; empty if ``business`` owns it."""

    account: str
    asset: str
    hold: int
    units: int
    owner: str
    business: str
    reason: str
    expires: int
    placed: int


class Line(msgspec.Struct, frozen=True):
    """A line of the register. ``cost`` is that of all open lots and ``value`` units at the last price, both in the
    security's ``currency``; ``price`` 0: never priced. For cash ``value`` is its units. Lots are oldest first."""

    account: str
    asset: str
    kind: str
    security: str
    name: str
    decimals: int
    currency: str
    currency_decimals: int
    units: int
    held: int
    frozen: int
    free: int
    cost: int
    price: int
    value: int
    lots: tuple[LotLine, ...]


class IncomeTotal(msgspec.Struct, frozen=True):
    """Income received in one asset: gross == net + tax. What still waits to be claimed is not in it."""

    pays: str
    gross: int
    tax: int
    net: int


class GainTotal(msgspec.Struct, frozen=True):
    """What sales of an asset brought, and what the lots sold had cost, in the security's currency.

    ``gain`` is the difference: below zero for a loss.
    """

    asset: str
    units: int
    proceeds: int
    basis: int
    gain: int


class Portfolio(msgspec.Struct, frozen=True):
    """``party`` is the person; ``accounts`` those that were looked at."""

    party: int
    accounts: tuple[str, ...]
    lines: tuple[Line, ...]
    holds: tuple[HoldLine, ...]
    income: tuple[IncomeTotal, ...]
    gains: tuple[GainTotal, ...]


def of_account(db: Connection, account: bytes) -> Portfolio | None:
    """What lies on one account; None if it does not exist."""
    party = db.scalar(select(ACCOUNTS.c.party).where(ACCOUNTS.c.account == account))
    return None if party is None else _portfolio(db, party, [account])


def of_party(db: Connection, party: int) -> Portfolio:
    """What a person has over all his accounts; nothing for a number that nobody has."""
    wanted = select(ACCOUNTS.c.account).where(ACCOUNTS.c.party == party).order_by(ACCOUNTS.c.account).limit(MOST_LINES)
    return _portfolio(db, party, list(db.scalars(wanted)))


def _portfolio(db: Connection, party: int, accounts: Sequence[bytes]) -> Portfolio:
    held = select(HOLDS).where(HOLDS.c.account.in_(accounts)).order_by(HOLDS.c.hold).limit(MOST_HOLDS)
    return Portfolio(
        party,
        tuple(address(account) for account in accounts),
        _lines(db, accounts),
        tuple(fill(HoldLine, row) for row in db.execute(held)),
        income_totals(db, accounts, INCOME.c.paid > 0),
        gain_totals(db, accounts),
    )


def income_totals(db: Connection, accounts: Sequence[bytes], *where: ColumnElement[bool]) -> tuple[IncomeTotal, ...]:
    """Income of these accounts by what it was paid in."""
    return tuple(IncomeTotal(*row) for row in _sums(db, INCOME, "pays", ("gross", "tax", "net"), accounts, where))


def gain_totals(db: Connection, accounts: Sequence[bytes], *where: ColumnElement[bool]) -> tuple[GainTotal, ...]:
    """Sales from these accounts by asset."""
    found = _sums(db, GAINS, "asset", ("units", "proceeds", "basis"), accounts, where)
    return tuple(GainTotal(asset, units, got, basis, got - basis) for asset, units, got, basis in found)


def _sums(
    db: Connection,
    table: Table,
    by: str,
    columns: Sequence[str],
    accounts: Sequence[bytes],
    where: Sequence[ColumnElement[bool]],
) -> list[tuple[Any, ...]]:
    sums = [half for column in columns for half in halves(table.c[column])]
    wanted = select(table.c[by], *sums).where(table.c.account.in_(accounts), *where)
    found = db.execute(wanted.group_by(table.c[by]).order_by(table.c[by]).limit(MOST_LINES))
    return [
        (row[0], *(joined(high, low) for high, low in zip(row[1::2], row[2::2], strict=True)))
        for row in map(tuple, found)
    ]


def _lines(db: Connection, accounts: Sequence[bytes]) -> tuple[Line, ...]:
    cash = ASSETS.alias("cash")
    currency = func.coalesce(SECURITIES.c.currency, ASSETS.c.code)
    wanted = (
        select(
            HOLDINGS,
            *(ASSETS.c[name] for name in ("kind", "security", "name", "decimals")),
            ASSETS.c.last_price.label("price"),
            currency.label("currency"),
            cash.c.decimals.label("currency_decimals"),
        )
        .join(ASSETS, ASSETS.c.code == HOLDINGS.c.asset)
        .join(SECURITIES, SECURITIES.c.code == ASSETS.c.security, isouter=True)
        .join(cash, cash.c.code == currency)
        .where(HOLDINGS.c.account.in_(accounts), (HOLDINGS.c.units > 0) | (HOLDINGS.c.frozen > 0))
        .order_by(HOLDINGS.c.asset, HOLDINGS.c.account)
        .limit(MOST_LINES)
    )
    return tuple(_line(db, row) for row in db.execute(wanted).all())


def _line(db: Connection, row: Any) -> Line:
    lots = lots_of(db, row.account, row.asset) if row.kind == "security" else ()
    value = row.units * row.price if row.kind == "security" else row.units
    return fill(Line, row, cost=sum(lot.cost for lot in lots), value=value, lots=lots)


def lots_of(db: Connection, account: bytes, asset: str) -> tuple[LotLine, ...]:
    """The open lots of a line, oldest first: all of them, as a line has no more than this answer's bound."""
    wanted = select(LOTS).where(LOTS.c.account == account, LOTS.c.asset == asset).order_by(LOTS.c.number)
    return tuple(fill(LotLine, row) for row in db.execute(wanted.limit(MOST_LOTS)))
