"""Lines and lots: how a line gives and takes units. Called by ``settlement`` alone; checks nothing that rules check.

Lots: a line takes new lots at its tail and gives from its head, skipping locked ones unless forced; too many
are joined (``joining``). Cash has no lots.
"""

from collections.abc import Iterator
from itertools import pairwise

import msgspec
from msgspec.structs import replace

from stoa.kernel import limits
from stoa.kernel.base import Context, Rejections
from stoa.ledger.assets.errors import TooManyLines
from stoa.ledger.assets.events import RecordTaken
from stoa.ledger.assets.joining import join_lots
from stoa.ledger.assets.model import (
    AS_OF,
    ASSETS,
    EMPTY_LINE,
    HOLDINGS,
    LOTS,
    PORTFOLIO,
    SUPPLY,
    Asset,
    Holding,
    Lot,
    LotPick,
)
from stoa.ledger.state import State


class Taken(msgspec.Struct, frozen=True, gc=False):
    """Units to leave a lot, and the lot as it is."""

    number: int
    units: int
    lot: Lot


def line(view: State, asset: str, account: bytes) -> Holding:
    """The line, or an empty one."""
    return view.rows[HOLDINGS][asset, account] or EMPTY_LINE


def assets_of(view: State, account: bytes) -> tuple[str, ...]:
    """Codes of the assets that the account has a line in, in order."""
    return view.rows[PORTFOLIO][account] or ()


def new_line_rejections(view: State, asset: str, account: bytes) -> Rejections:
    """TooManyLines: whether the account may have a line in one more asset. Asked where a line is about to be opened."""
    lines = len(assets_of(view, account))
    if lines >= limits.MAX_ASSETS_OF_ACCOUNT:
        yield TooManyLines(account, asset, lines, limits.MAX_ASSETS_OF_ACCOUNT)


def lots_of(view: State, asset: str, account: bytes) -> Iterator[tuple[int, Lot]]:
    """The line's lots, oldest first, with their numbers."""
    held = line(view, asset, account)
    for number in range(held.head, held.tail):
        lot = view.rows[LOTS][asset, account, number]
        if lot is not None:
            yield number, lot


def pick_oldest(
    view: State, asset: str, account: bytes, held: Holding, units: int, time: int, forced: bool
) -> tuple[list[Taken], int, int]:
    """Lots for these units, first in first out, locked ones only if forced.

    Returns what was taken, how many units are still wanting, and when the first locked lot opens (0: none is locked).
    """
    taken: list[Taken] = []
    lots, opens = view.rows[LOTS], 0
    for number in range(held.head, held.tail):
        lot = lots[asset, account, number]
        if lot is None:
            continue
        if lot.locked > time and not forced:
            opens = min(opens, lot.locked) if opens else lot.locked
            continue
        if lot.units >= units:
            taken.append(Taken(number, units, lot))
            return taken, 0, opens
        taken.append(Taken(number, lot.units, lot))
        units -= lot.units
    return taken, units, opens


def pick_chosen(
    view: State, asset: str, account: bytes, units: int, picks: tuple[LotPick, ...], time: int
) -> tuple[list[Taken], str]:
    """The lots that the holder named, and why they do not fit (empty if they do)."""
    if sum(pick.units for pick in picks) != units:
        return [], f"they hold {sum(pick.units for pick in picks)} units, {units} are to move"
    if any(before.lot >= after.lot for before, after in pairwise(picks)):
        return [], "lots must be named once each, in their order"
    taken: list[Taken] = []
    for pick in picks:
        lot = view.rows[LOTS][asset, account, pick.lot]
        if lot is None:
            return [], f"there is no lot {pick.lot}"
        if lot.units < pick.units:
            return [], f"lot {pick.lot} has {lot.units} units, {pick.units} are chosen"
        if lot.locked > time:
            return [], f"lot {pick.lot} is locked until {lot.locked}"
        taken.append(Taken(pick.lot, pick.units, lot))
    return taken, ""


def write_line(view: State, key: tuple[str, bytes], snapshot: int, before: Holding, after: Holding) -> None:
    """Write a line, keeping its units for the record date first if this is its first change since."""
    if before.written < snapshot:
        view.put(AS_OF, (*key, snapshot), before.units)
        after = replace(after, written=snapshot)
    if before is EMPTY_LINE:
        asset, account = key
        others = view.rows[PORTFOLIO][account]
        view.put(PORTFOLIO, account, tuple(sorted((*others, asset))) if others else (asset,))
    view.change(HOLDINGS, key, None if before is EMPTY_LINE else before, after)


def give(view: State, asset: str, terms: Asset, account: bytes, before: Holding, units: int, lots: list[Taken]) -> None:
    """Take units, and the lots they lie in, off a line, which is as ``before``."""
    key = (asset, account)
    head = before.head
    for one in lots:
        number, lot = one.number, one.lot
        left = lot.units - one.units
        if left:
            kept = lot.cost - moved_cost(one)
            view.change(LOTS, (asset, account, number), lot, Lot(left, lot.acquired, lot.source, kept, lot.locked))
        else:
            view.change(LOTS, (asset, account, number), lot, None)
            if number == head:
                head += 1
    if head != before.head:
        while head < before.tail and view.rows[LOTS][asset, account, head] is None:
            head += 1
    after = Holding(
        before.units - units,
        before.held,
        before.frozen,
        before.frozen_since,
        head,
        before.tail,
        before.written,
    )
    write_line(view, key, terms.snapshot, before, after)


def take(
    view: State, ctx: Context, asset: str, terms: Asset, account: bytes, before: Holding, units: int, lots: list[Lot]
) -> None:
    """Put units on a line, which is as ``before``, as these new lots (none for cash)."""
    key = (asset, account)
    tail = before.tail
    for lot in lots:
        view.change(LOTS, (asset, account, tail), None, lot)
        tail += 1
    after = Holding(
        before.units + units,
        before.held,
        before.frozen,
        before.frozen_since,
        before.head,
        tail,
        before.written,
    )
    if tail - before.head > limits.MAX_LOTS:
        head, tail = join_lots(view, ctx, asset, account, before.head, tail)
        after = replace(after, head=head, tail=tail)
    write_line(view, key, terms.snapshot, before, after)


def moved_cost(taken: Taken) -> int:
    """The part of a lot's cost that leaves with the taken units, in the smallest unit of the currency, rounded down."""
    return taken.lot.cost * taken.units // taken.lot.units


def take_record(view: State, ctx: Context, asset: str) -> int:
    """Record the register of the asset as it stands now, and return the snapshot's number."""
    terms = view.need(ASSETS, asset)
    snapshot = terms.snapshot + 1
    view.put(ASSETS, asset, replace(terms, snapshot=snapshot))
    ctx.emit(RecordTaken(asset, snapshot, view.get(SUPPLY, asset) or 0))
    return snapshot


def _as_of(view: State, key: tuple[str, bytes], held: Holding, snapshot: int) -> int:
    """The first copy at or after the snapshot, or the line itself if it has not changed since.

    Nearly every question is about the last snapshot and ends without reading rows in order.
    """
    if held.written < snapshot:
        return held.units
    copy = view.get(AS_OF, (*key, snapshot))
    if copy is not None:
        return copy
    copies = view.scan(AS_OF, key, 1, after=(*key, snapshot))
    return copies[0][1] if copies else held.units


def lines_as_of(view: State, asset: str, snapshot: int, limit: int, after: bytes | None) -> list[tuple[bytes, int]]:
    """Up to ``limit`` lines of the asset in account order, behind ``after``, with their units at the snapshot."""
    behind = None if after is None else (asset, after)
    rows = view.scan(HOLDINGS, (asset,), limit, after=behind)
    return [(key[1], _as_of(view, key, held, snapshot)) for key, held in rows]
