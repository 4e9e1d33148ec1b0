"""Joining: a line that has come to span too many lots is drawn up anew, with fewer of them.

Neighbours are joined where it matters least, measured in units times the milliseconds by which they come to look
younger or stay locked longer. So the dust that a stranger sends is joined with dust, and a real acquisition keeps its
date. A joined lot takes the later date and the later lock: no holding period ever gets shorter.

What is left gets new numbers: an old number never comes to mean another lot, so a choice of lots that was signed
earlier is refused, not misread. A quarter of the bound is made free at once, so this is done once in many arrivals.
"""

from heapq import heappop, heappush
from itertools import count
from typing import Final

from stoa.kernel import limits
from stoa.kernel.base import Context
from stoa.ledger.assets.events import LotsJoined
from stoa.ledger.assets.model import LOTS, Lot
from stoa.ledger.state import State

KEPT: Final = limits.MAX_LOTS * 3 // 4  # lots of a line that was drawn up anew, at most


def join_lots(view: State, ctx: Context, asset: str, account: bytes, head: int, tail: int) -> tuple[int, int]:
    """Draw the line's lots up anew, from number ``tail`` on. Returns the new head and tail."""
    gone: list[tuple[int, int]] = []
    lots: list[Lot] = []
    for number in range(head, tail):
        lot = view.rows[LOTS][asset, account, number]
        if lot is not None:
            gone.append((number, lot.units))
            lots.append(lot)
            view.put(LOTS, (asset, account, number), None)
    lots = fewer(lots, KEPT, ctx.time)
    for number, lot in enumerate(lots, start=tail):
        view.change(LOTS, (asset, account, number), None, lot)
    ctx.emit(LotsJoined(asset, account, tuple(gone), tail, tuple(lots)))
    return tail, tail + len(lots)


def fewer(lots: list[Lot], most: int, time: int) -> list[Lot]:
    """The lots, joined to ``most`` at most, in their order: again and again the two neighbours with the least
    distortion, the earlier ones where it is the same."""
    row: list[Lot | None] = list(lots)  # None: went into the one behind it
    before, behind = list(range(-1, len(lots) - 1)), list(range(1, len(lots) + 1))
    joins: list[tuple[int, int, int, int, Lot, Lot]] = []
    serial = count()  # so that lots themselves are never compared

    def propose(one: int, other: int) -> None:
        if one >= 0 and other < len(row):
            first, second = row[one], row[other]
            assert first is not None
            assert second is not None
            heappush(joins, (_distortion(first, second, time), one, other, next(serial), first, second))

    for at in range(len(lots) - 1):
        propose(at, at + 1)
    for _ in range(len(lots) - most):
        _, one, other, _, first, second = heappop(joins)
        while row[one] is not first or row[other] is not second:  # proposed before one of them was joined
            _, one, other, _, first, second = heappop(joins)
        row[one], row[other] = None, _both(first, second)
        before[other] = before[one]
        if before[one] >= 0:
            behind[before[one]] = other
        propose(before[other], other)
        propose(other, behind[other])
    return [lot for lot in row if lot is not None]


def _distortion(one: Lot, other: Lot, time: int) -> int:
    """Units times milliseconds of holding period and of lock-up that joining the two would add."""
    acquired = max(one.acquired, other.acquired)
    locked = max(one.locked, other.locked, time)
    return sum(
        lot.units * (acquired - lot.acquired + locked - max(lot.locked, time))
        for lot in (one, other)
    )  # fmt: skip


def _both(old: Lot, new: Lot) -> Lot:
    """The two as one, which is as young and as locked as either."""
    return Lot(
        old.units + new.units,
        max(old.acquired, new.acquired),
        old.source if old.source == new.source else b"",
        min(old.cost + new.cost, limits.MAX_UNITS),
        max(old.locked, new.locked),
    )
