"""Liens and freezes as rows, and what they leave free of a line."""

from typing import Any, Final

from stoa.readmodel.draft import At, Draft, Handler, Tagged
from stoa.readmodel.holdings import change_line
from stoa.readmodel.schema import HOLDINGS, HOLDS

PLACED: Final = "holds.placed.v1"
REDUCED: Final = "holds.reduced.v1"


def prefetch(draft: Draft, tagged: Tagged) -> None:
    """Read the lines and liens that will change."""
    ended = tagged.get(REDUCED, ())
    draft.rows(HOLDS).load((one.account, one.asset, one.hold) for one in ended)
    draft.rows(HOLDINGS).load((one.asset, one.account) for one in [*tagged.get(PLACED, ()), *ended])


def _placed(draft: Draft, at: At, event: Any) -> None:
    row = {name: getattr(event, name) for name in ("account", "asset", "hold", "units")}
    terms = {name: getattr(event, name) for name in ("owner", "business", "reason", "expires", "placed")}
    draft.rows(HOLDS).put({**row, **terms})
    change_line(draft, event.asset, event.account, held=event.units)


def _reduced(draft: Draft, at: At, event: Any) -> None:
    rows, key = draft.rows(HOLDS), (event.account, event.asset, event.hold)
    if event.left:
        rows.put({**rows.need(*key), "units": event.left})
    else:
        rows.remove(*key)
    change_line(draft, event.asset, event.account, held=-event.units)


def _freeze_set(draft: Draft, at: At, event: Any) -> None:
    change_line(draft, event.asset, event.account, frozen=event.frozen)


HANDLERS: Final[dict[str, Handler]] = {
    PLACED: _placed,
    REDUCED: _reduced,
    "holds.freeze_set.v1": _freeze_set,
}
