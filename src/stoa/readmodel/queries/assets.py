"""What lines of the register are in: classes of securities and cash tokens, by code."""

import json
from typing import Any

import msgspec
from sqlalchemy import Connection, select

from stoa.readmodel.queries.paging import PAGE, Page, bounded_limit, fill, page
from stoa.readmodel.schema import ASSETS


class AssetLine(msgspec.Struct, frozen=True):
    """An asset. ``kind``: security or cash; ``controllers`` must all sign an issue. Cash has no ``security``."""

    code: str
    kind: str
    security: str
    name: str
    decimals: int
    controllers: tuple[str, ...]
    authorised: int
    paused: bool
    supply: int
    last_price: int
    last_time: int


def assets(db: Connection, after: str = "", limit: int = PAGE) -> Page[AssetLine]:
    """Assets by code. The cursor is the last code."""
    limit = bounded_limit(limit)
    wanted = select(ASSETS).where(ASSETS.c.code > after).order_by(ASSETS.c.code).limit(limit + 1)
    return page(db.execute(wanted).all(), limit, _asset, lambda row: str(row.code))


def asset(db: Connection, code: str) -> AssetLine | None:
    """The asset, or None."""
    row = db.execute(select(ASSETS).where(ASSETS.c.code == code)).first()
    return _asset(row) if row else None


def _asset(row: Any) -> AssetLine:
    return fill(AssetLine, row, controllers=tuple(json.loads(row.controllers)))
