"""The market at a glance: securities with holders, supply, price, volume and status; daily prices; holders."""

import json
from typing import Any, Final

import msgspec
from sqlalchemy import Connection, and_, func, or_, select

from stoa.kernel.time import DAY
from stoa.readmodel.queries.paging import PAGE, BadCursor, Page, bounded_limit, fill, halves, joined, page
from stoa.readmodel.schema import ASSETS, HOLDINGS, MOVES, OFFERINGS, POSITIONS, PRICES, SECURITIES

TRADED: Final = ("transfer", "settlement")  # phases that make volume
LONGEST_SERIES: Final = 3_660  # days of prices in one answer


class ClassLine(msgspec.Struct, frozen=True):
    """A class of a security. ``last_price`` and ``last_time`` are 0 before the first price; ``volume`` of 24 hours."""

    code: str
    name: str
    decimals: int
    authorised: int
    supply: int
    paused: bool
    last_price: int
    last_time: int
    volume: int
    turnover: int


class SecurityLine(msgspec.Struct, frozen=True):
    """A security in the overview: sums over its classes, the latest price of any of them, persons who hold it.

    ``status``: halted (a class is), offering (units are on offer), or trading. ``price`` is nominal.
    """

    code: str
    name: str
    form: str
    issuer_name: str
    issuer_country: str
    currency: str
    currency_decimals: int
    price: int
    supply: int
    holders: int
    last_price: int
    last_time: int
    volume: int
    turnover: int
    status: str
    classes: tuple[ClassLine, ...]


class PriceDay(msgspec.Struct, frozen=True):
    """A UTC day, by the millisecond it begins. Prices of one unit; ``units`` and ``turnover`` moved at a price."""

    day: int
    open: int
    high: int
    low: int
    last: int
    units: int
    turnover: int
    trades: int


class HolderLine(msgspec.Struct, frozen=True):
    """A line of the register."""

    account: str
    party: int
    units: int
    held: int
    frozen: int
    free: int


def overview(db: Connection, now: int, after: str = "", limit: int = PAGE) -> Page[SecurityLine]:
    """Securities by code. ``now`` ends the 24 hours of volume. The cursor is the last code."""
    limit = bounded_limit(limit)
    query = select(SECURITIES).where(SECURITIES.c.code > after).order_by(SECURITIES.c.code).limit(limit + 1)
    found = db.execute(query).all()
    return page(found, limit, lambda row: security_line(db, row, now), lambda row: str(row.code))


def security_line(db: Connection, row: Any, now: int) -> SecurityLine:
    """The overview's line of one row of ``securities``."""
    classes = class_lines(db, row.code, now)
    latest = max(classes, key=lambda one: one.last_time)
    return fill(
        SecurityLine,
        row,
        currency_decimals=decimals(db, row.currency),
        supply=sum(one.supply for one in classes),
        holders=holder_count(db, row.code),
        last_price=latest.last_price,
        last_time=latest.last_time,
        volume=sum(one.volume for one in classes),
        turnover=sum(one.turnover for one in classes),
        status=_status(db, row, classes),
        classes=classes,
    )


def class_lines(db: Connection, security: str, now: int) -> tuple[ClassLine, ...]:
    """The classes of a security, by code."""
    found = db.execute(select(ASSETS).where(ASSETS.c.security == security).order_by(ASSETS.c.code)).all()
    traded = {row.code: _traded(db, row.code, now) for row in found}
    return tuple(fill(ClassLine, row, volume=traded[row.code][0], turnover=traded[row.code][1]) for row in found)


def _traded(db: Connection, asset: str, now: int) -> tuple[int, int]:
    """Units and consideration that changed hands in the 24 hours before ``now``."""
    recent = and_(MOVES.c.asset == asset, MOVES.c.time > now - DAY, MOVES.c.time <= now, MOVES.c.phase.in_(TRADED))
    row = db.execute(select(*halves(MOVES.c.units), *halves(MOVES.c.cost)).where(recent)).one()
    return joined(row[0], row[1]), joined(row[2], row[3])


def _status(db: Connection, row: Any, classes: tuple[ClassLine, ...]) -> str:
    if any(one.paused for one in classes):
        return "halted"
    running = OFFERINGS.c.stage.in_(("open", "closing"))
    codes = json.loads(row.classes)
    on_offer = db.scalar(select(func.count()).select_from(OFFERINGS).where(running, OFFERINGS.c.asset.in_(codes)))
    return "offering" if on_offer else "trading"


def decimals(db: Connection, asset: str) -> int:
    """Of an asset; 0 if there is none of this code."""
    return db.scalar(select(ASSETS.c.decimals).where(ASSETS.c.code == asset)) or 0


def holder_count(db: Connection, scope: str) -> int:
    """Persons who hold units in the scope, as the ledger counts them."""
    return db.scalar(select(func.count()).select_from(POSITIONS).where(POSITIONS.c.scope == scope)) or 0


def prices(db: Connection, asset: str, since: int = 0, limit: int = LONGEST_SERIES) -> tuple[PriceDay, ...]:
    """Daily prices, oldest first: the last ``limit`` days with a price at or after ``since``."""
    wanted = select(PRICES).where(PRICES.c.asset == asset, PRICES.c.day >= since // DAY * DAY)
    found = db.execute(wanted.order_by(PRICES.c.day.desc()).limit(max(1, min(limit, LONGEST_SERIES)))).all()
    return tuple(fill(PriceDay, row) for row in reversed(found))


def holders(db: Connection, asset: str, after: str = "", limit: int = PAGE) -> Page[HolderLine]:
    """Lines with units, the largest first. For those whom the doors let see them. Raises BadCursor."""
    limit = bounded_limit(limit)
    query = select(HOLDINGS).where(HOLDINGS.c.asset == asset, HOLDINGS.c.units > 0)
    if after:
        units, account = _holder_cursor(after)
        same = and_(HOLDINGS.c.units == units, HOLDINGS.c.account > account)
        query = query.where(or_(HOLDINGS.c.units < units, same))
    found = db.execute(query.order_by(HOLDINGS.c.units.desc(), HOLDINGS.c.account).limit(limit + 1)).all()
    return page(found, limit, lambda row: fill(HolderLine, row), lambda row: f"{row.units}.{row.account.hex()}")


def _holder_cursor(cursor: str) -> tuple[int, bytes]:
    units, _, account = cursor.partition(".")
    try:
        return int(units), bytes.fromhex(account)
    except ValueError:
        raise BadCursor(f"{cursor!r} is not a cursor of this list") from None
