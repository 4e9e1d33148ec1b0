"""Lines of the register, their open lots, every movement, and what each sale gained.

Follows the ledger's arithmetic to the unit: the lots named by a movement leave with their part of the cost, rounded
down; what stays keeps the rest. Lots that a line joined are joined after the movement that made them too many.
"""

from typing import Any, Final

from stoa.readmodel import assets, compliance
from stoa.readmodel.draft import At, Draft, Handler, Row, Tagged, bounded
from stoa.readmodel.schema import ACCOUNTS, ASSETS, ENTRIES, GAINS, HOLDINGS, LOTS, MOVES, POSITIONS

MOVED: Final = "settlement.moved.v1"
NOBODY: Final = 0


def prefetch(draft: Draft, tagged: Tagged) -> None:
    """Read, in a few statements, the rows that movements will touch one by one."""
    moved = tagged.get(MOVED, ())
    ends = [(one.asset, account) for one in moved for account in (one.source, one.to) if account]
    draft.rows(HOLDINGS).load(ends)
    draft.rows(ACCOUNTS).load((account,) for _, account in ends)
    draft.rows(ASSETS).load((one.asset,) for one in moved)
    draft.rows(LOTS).load((one.source, one.asset, number) for one in moved for number, _ in one.gave)
    positions = []
    for one in moved:
        asset = draft.rows(ASSETS).get(one.asset)
        if asset is not None:
            parties = (_party(draft, one.source), _party(draft, one.to))
            positions += [(scope, party) for scope in assets.scopes(asset) for party in parties if party]
    draft.rows(POSITIONS).load(positions)


def _party(draft: Draft, account: bytes) -> int:
    row = draft.rows(ACCOUNTS).get(account) if account else None
    return row["party"] if row else NOBODY


def change_line(
    draft: Draft, asset: str, account: bytes, units: int = 0, held: int = 0, frozen: int | None = None
) -> int:
    """Add to a line's units and held units, or set what is frozen. Returns its units afterwards."""
    row = dict(draft.rows(HOLDINGS).get(asset, account) or _empty_line(draft, asset, account))
    row["units"] += units
    row["held"] += held
    row["frozen"] = row["frozen"] if frozen is None else frozen
    row["free"] = max(0, row["units"] - row["held"] - row["frozen"])
    draft.rows(HOLDINGS).put(row)
    return int(row["units"])


def _empty_line(draft: Draft, asset: str, account: bytes) -> Row:
    party = draft.rows(ACCOUNTS).need(account)["party"]
    return {"asset": asset, "account": account, "party": party, "units": 0, "held": 0, "frozen": 0, "free": 0}


def _moved(draft: Draft, at: At, event: Any) -> None:
    draft.moves += 1
    _enter_move(draft, at, event)
    for account, delta in ((event.source, -event.units), (event.to, event.units)):
        if account:
            balance = change_line(draft, event.asset, account, units=delta)
            draft.add(
                ENTRIES,
                {
                    "account": account,
                    "number": draft.moves,
                    "asset": event.asset,
                    "delta": delta,
                    "balance": balance,
                },
            )
    asset = draft.rows(ASSETS).need(event.asset)
    assets.trade(draft, at, asset, event)
    sender, receiver = _party(draft, event.source), _party(draft, event.to)
    compliance.count(draft, at, assets.scopes(asset), sender, receiver, event.units)
    basis = _give_lots(draft, event)
    _take_lots(draft, event)
    if event.source and event.cost and sender != receiver and asset["kind"] == assets.SECURITY:
        _enter_gain(draft, at, event, sender, basis)


def _enter_move(draft: Draft, at: At, event: Any) -> None:
    row = {name: getattr(event, name) for name in ("asset", "phase", "source", "units", "cost")}
    place = {"number": draft.moves, "height": at.height, "index": at.receipt, "n": at.n, "time": at.time}
    draft.add(MOVES, {**place, **row, "target": event.to})


def _give_lots(draft: Draft, event: Any) -> int:
    """Take the movement's lots off the source. Returns what they had cost."""
    rows, basis = draft.rows(LOTS), 0
    for number, units in event.gave:
        lot = rows.need(event.source, event.asset, number)
        part = lot["cost"] * units // lot["units"]
        basis += part
        if lot["units"] == units:
            rows.remove(event.source, event.asset, number)
        else:
            rows.put({**lot, "units": lot["units"] - units, "cost": lot["cost"] - part})
    return bounded(basis)


def _take_lots(draft: Draft, event: Any) -> None:
    _put_lots(draft, event.asset, event.to, event.first, event.got)
    for joined in draft.joined:
        _join(draft, joined)
    draft.joined.clear()


def _put_lots(draft: Draft, asset: str, account: bytes, first: int, lots: Any) -> None:
    for number, lot in enumerate(lots, start=first):
        row = {name: getattr(lot, name) for name in ("units", "acquired", "source", "locked")}
        place = {"account": account, "asset": asset, "number": number}
        draft.rows(LOTS).put({**place, **row, "cost": bounded(lot.cost)})


def _lots_joined(draft: Draft, at: At, event: Any) -> None:
    """The ledger reports this just before the movement whose new lots were too many: they must be there first."""
    draft.joined.append(event)


def _join(draft: Draft, event: Any) -> None:
    rows = draft.rows(LOTS)
    rows.load([(event.account, event.asset, number) for number, _ in event.gone])
    for number, _ in event.gone:
        rows.remove(event.account, event.asset, number)
    _put_lots(draft, event.asset, event.account, event.first, event.lots)


def _enter_gain(draft: Draft, at: At, event: Any, party: int, basis: int) -> None:
    row = {"account": event.source, "number": draft.moves, "party": party, "asset": event.asset, "units": event.units}
    draft.add(GAINS, {**row, "proceeds": event.cost, "basis": basis, "time": at.time})


HANDLERS: Final[dict[str, Handler]] = {MOVED: _moved, "assets.lots_joined.v1": _lots_joined}
