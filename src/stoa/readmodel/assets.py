"""Securities with what is bound to them, and the assets that lines of the register are in, with supply and last price.

A price is what a movement says was paid, for one unit in the currency's smallest unit, rounded half up: a figure for
charts and valuations. The exact consideration stays with the movement.
"""

from typing import Any, Final

from stoa.kernel.time import DAY
from stoa.readmodel.chain import as_json
from stoa.readmodel.draft import At, Draft, Handler, Row, bounded
from stoa.readmodel.schema import ASSETS, PRICES, SECURITIES

PRICED: Final = ("issue", "offering", "transfer", "settlement")  # phases whose consideration is a price
SECURITY: Final = "security"


def _security_created(draft: Draft, at: At, event: Any) -> None:
    terms = event.terms
    documents = [{"kind": one.kind, "title": one.title, "sha256": one.sha256.hex()} for one in terms.documents]
    row = {name: getattr(terms, name) for name in ("name", "form", "agent", "registrar", "currency", "price", "isin")}
    issuer = {f"issuer_{name}": getattr(terms.issuer, name) for name in ("name", "country", "lei")}
    lists = {"documents": as_json(documents), "classes": as_json(terms.classes)}
    draft.rows(SECURITIES).put({"code": event.security, "created": at.time, **row, **issuer, **lists})


def _asset_registered(draft: Draft, at: At, event: Any) -> None:
    row = {name: getattr(event, name) for name in ("kind", "security", "name", "decimals", "authorised")}
    lists = {"controllers": as_json(event.controllers)}
    opening = {"paused": False, "supply": 0, "last_price": 0, "last_time": 0}
    draft.rows(ASSETS).put({"code": event.asset, **row, **lists, **opening})


def _pause_set(draft: Draft, at: At, event: Any) -> None:
    rows = draft.rows(ASSETS)
    rows.put({**rows.need(event.asset), "paused": event.paused})


def scopes(asset: Row) -> tuple[str, ...]:
    """Where rules for the asset are kept: the class, and its security where that differs."""
    return tuple(dict.fromkeys(code for code in (asset["code"], asset["security"]) if code))


def trade(draft: Draft, at: At, asset: Row, event: Any) -> None:
    """Bring supply and prices up to a movement of the asset."""
    changed = dict(asset)
    if not event.source:
        changed["supply"] += event.units
    elif not event.to:
        changed["supply"] -= event.units
    if event.cost and event.phase in PRICED and asset["kind"] == SECURITY:
        price = (2 * event.cost + event.units) // (2 * event.units)
        changed.update(last_price=price, last_time=at.time)
        _quote(draft, at, event, price)
    if changed != asset:
        draft.rows(ASSETS).put(changed)


def _quote(draft: Draft, at: At, event: Any, price: int) -> None:
    rows, day = draft.rows(PRICES), at.time // DAY * DAY
    before = rows.get(event.asset, day)
    if before is None:
        figures = {
            "open": price,
            "high": price,
            "low": price,
            "units": event.units,
            "turnover": event.cost,
            "trades": 1,
        }
    else:
        figures = {
            "open": before["open"],
            "high": max(before["high"], price),
            "low": min(before["low"], price),
            "units": bounded(before["units"] + event.units),
            "turnover": bounded(before["turnover"] + event.cost),
            "trades": before["trades"] + 1,
        }
    rows.put({"asset": event.asset, "day": day, "last": price, **figures})


HANDLERS: Final[dict[str, Handler]] = {
    "assets.security_created.v1": _security_created,
    "assets.asset_registered.v1": _asset_registered,
    "assets.pause_set.v1": _pause_set,
}
