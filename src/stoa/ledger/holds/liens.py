"""How liens are placed, reduced and carried along. Verbs and businesses use these; they check nothing."""

from typing import Final

from msgspec.structs import replace

from stoa.kernel import limits
from stoa.kernel.base import Context
from stoa.ledger.assets.model import ASSETS, Holding
from stoa.ledger.assets.register import line, write_line
from stoa.ledger.due import next_number, schedule
from stoa.ledger.holds.events import HoldPlaced, HoldReduced, UnitsFreezeSet
from stoa.ledger.holds.model import EXPIRY, HOLDS, Hold
from stoa.ledger.state import State

NO_EVIDENCE: Final = bytes(32)


def _rewrite(view: State, asset: str, account: bytes, before: Holding, after: Holding) -> None:
    write_line(view, (asset, account), view.need(ASSETS, asset).snapshot, before, after)


def place(view: State, ctx: Context, asset: str, account: bytes, hold: Hold) -> int:
    """Put free units of a line under a lien. Returns the hold's number."""
    number = next_number(view, "hold")
    before = line(view, asset, account)
    _rewrite(view, asset, account, before, replace(before, held=before.held + hold.units))
    view.put(HOLDS, (asset, account, number), hold)
    if hold.expires:
        schedule(view, hold.expires, EXPIRY, f"{asset} {account.hex()} {number}")
    ctx.emit(
        HoldPlaced(
            asset, account, number, hold.units, hold.owner, hold.business, hold.reason, hold.expires, hold.placed
        )
    )
    return number


def reduce(view: State, ctx: Context, asset: str, account: bytes, number: int, units: int, why: str) -> None:
    """Free units from a lien; it ends when none are left."""
    key = (asset, account, number)
    hold = view.need(HOLDS, key)
    left = hold.units - units
    view.put(HOLDS, key, replace(hold, units=left) if left else None)
    before = line(view, asset, account)
    _rewrite(view, asset, account, before, replace(before, held=before.held - units))
    ctx.emit(HoldReduced(asset, account, number, units, left, why))


def set_freeze(
    view: State,
    ctx: Context,
    asset: str,
    account: bytes,
    frozen: int,
    reason: str,
    evidence: bytes,
    since: int = 0,
) -> None:
    """Set the frozen part of a line. The freeze keeps its place among the liens while it lasts, or takes ``since``."""
    before = line(view, asset, account)
    since = (before.frozen_since or since or ctx.time) if frozen else 0
    _rewrite(view, asset, account, before, replace(before, frozen=frozen, frozen_since=since))
    ctx.emit(UnitsFreezeSet(asset, account, frozen, reason, evidence))


def holds_of(view: State, asset: str, account: bytes) -> list[tuple[int, Hold]]:
    """The holds on a line with their numbers, oldest first."""
    return [(key[2], hold) for key, hold in view.scan(HOLDS, (asset, account), limits.MAX_HOLDS)]


def break_for(view: State, ctx: Context, asset: str, account: bytes, units: int, why: str) -> int:
    """Free enough units of a line for a forced act: free ones first, then from the oldest encumbrance.

    Returns by how much the freeze was lowered.
    """
    wanting = units - line(view, asset, account).free
    lowered = 0
    for number in _encumbrances(view, asset, account):
        if wanting <= 0:
            break
        held = line(view, asset, account)
        if number:
            part = min(wanting, view.need(HOLDS, (asset, account, number)).units)
            reduce(view, ctx, asset, account, number, part, why)
        else:
            # a freeze above the balance gives only what it covers now, or a hold would outlive its units
            part = lowered = min(wanting, held.frozen, held.units - held.held)
            set_freeze(view, ctx, asset, account, held.frozen - part, why, NO_EVIDENCE)
        wanting -= part
    return lowered


def _encumbrances(view: State, asset: str, account: bytes) -> list[int]:
    """Numbers of the holds on a line, 0 for its freeze, oldest first."""
    found = [(hold.placed, number) for number, hold in holds_of(view, asset, account)]
    held = line(view, asset, account)
    if held.frozen:
        found.append((held.frozen_since, 0))
    return [number for _, number in sorted(found)]


def expire(view: State, ctx: Context, ref: str, budget: int) -> tuple[int, bool]:
    """Due work: end a hold whose time has come, if it is still there."""
    asset, account, number = ref.split(" ")
    hold = view.get(HOLDS, (asset, bytes.fromhex(account), int(number)))
    if hold is not None:
        reduce(view, ctx, asset, bytes.fromhex(account), int(number), hold.units, "expired")
    return min(1, budget), True
