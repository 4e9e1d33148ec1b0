"""Whether a block's events explain every difference that it made to the register: nothing moved without a word.

The events are replayed on sums of their own, which know neither rules nor verbs, and compared with the rows written:
units, holds, freezes, supply, lots, and the standing of accounts.
"""

from collections.abc import Iterable
from typing import Any, Final, TypeAlias

from stoa.kernel.base import Event
from stoa.ledger.assets.events import LotsJoined
from stoa.ledger.assets.model import HOLDINGS, LOTS, SUPPLY
from stoa.ledger.holds.events import HoldPlaced, HoldReduced, UnitsFreezeSet
from stoa.ledger.holds.model import HOLDS
from stoa.ledger.identity.events import AccountFreezeSet, AccountOpened
from stoa.ledger.identity.model import ACCOUNTS
from stoa.ledger.invariants import Failure
from stoa.ledger.settlement.events import AccountRecovered, UnitsMoved
from stoa.ledger.state import Table, Writes

NAME: Final = "every_difference_is_explained"
Figure: TypeAlias = tuple[Any, ...]  # what is counted: ("units", asset, account), ("lot", asset, account, number), …
Figures: TypeAlias = dict[Figure, Any]


def unexplained(writes: Writes, events: Iterable[Event]) -> list[Failure]:
    """Differences between what the block wrote and what its events say, in either direction."""
    before, after = _written(writes)
    told = dict(before)
    for event in events:
        _tell(told, event)
    return [
        Failure(NAME, f"{' '.join(map(_text, figure))}: {after.get(figure)} written, {told.get(figure)} told")
        for figure in dict.fromkeys([*after, *told])
        if (after.get(figure) or 0) != (told.get(figure) or 0)
    ]


def _text(part: object) -> str:
    return part.hex() if isinstance(part, bytes) else str(part)


def _written(writes: Writes) -> tuple[Figures, Figures]:
    """The figures of all rows that the block wrote, before and after it."""
    before: Figures = {}
    after: Figures = {}
    rows = dict(writes.rows)
    for table in _FIGURES:
        for key, old in writes.before(table).items():
            now = rows.get(table.pack(key))
            before.update(_figures(table, key, old))
            after.update(_figures(table, key, None if now is None else table.decode(now)))
    return before, after


def _figures(table: Table[Any, Any], key: Any, row: Any) -> Figures:
    key = key if isinstance(key, tuple) else (key,)
    if row is None or isinstance(row, int):
        return {(what, *key): row or 0 for what, _ in _FIGURES[table]}
    return {(what, *key): getattr(row, field) for what, field in _FIGURES[table]}


_FIGURES: Final[dict[Table[Any, Any], tuple[tuple[str, str], ...]]] = {
    HOLDINGS: (("units", "units"), ("held", "held"), ("frozen", "frozen")),
    SUPPLY: (("supply", ""),),
    HOLDS: (("hold", "units"),),
    LOTS: (("lot", "units"),),
    ACCOUNTS: (("account frozen", "frozen"), ("successor", "successor")),
}


def _tell(told: Figures, event: Event) -> None:
    """Replay one event."""

    def add(units: int, *figure: object) -> None:
        told[figure] = (told.get(figure) or 0) + units

    match event:
        case UnitsMoved():
            _move(event, add)
        case HoldPlaced():
            add(event.units, "hold", event.asset, event.account, event.hold)
            add(event.units, "held", event.asset, event.account)
        case HoldReduced():
            add(-event.units, "hold", event.asset, event.account, event.hold)
            add(-event.units, "held", event.asset, event.account)
        case UnitsFreezeSet():
            told["frozen", event.asset, event.account] = event.frozen
        case LotsJoined():
            _join(event, add)
        case AccountFreezeSet():
            told["account frozen", event.account] = event.frozen
        case AccountOpened():
            told["successor", event.account] = b""
        case AccountRecovered():
            told["successor", event.account] = event.successor


def _join(event: LotsJoined, add: Any) -> None:
    for number, units in event.gone:
        add(-units, "lot", event.asset, event.account, number)
    for number, lot in enumerate(event.lots, event.first):
        add(lot.units, "lot", event.asset, event.account, number)


def _move(event: UnitsMoved, add: Any) -> None:
    for account, units in ((event.source, -event.units), (event.to, event.units)):
        add(units, "units", event.asset, account) if account else add(-units, "supply", event.asset)
    for number, units in event.gave:
        add(-units, "lot", event.asset, event.source, number)
    for number, lot in enumerate(event.got, event.first):
        add(lot.units, "lot", event.asset, event.to, number)
