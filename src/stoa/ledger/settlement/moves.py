"""The movement: the one path that value takes.

``move_rejections`` names every reason against a movement, gravest first; ``apply_move`` then has nothing left to
refuse. Businesses build a Move and come here; there is no other door to a line of the register.
"""

from typing import Final

import msgspec

from stoa.kernel import limits
from stoa.kernel.base import Context, Rejection, Rejections
from stoa.ledger.assets.errors import AssetPaused, AssetUnknown, LotsInvalid, UnitsLocked
from stoa.ledger.assets.model import ASSETS, SUPPLY, Asset, Lot, LotPick
from stoa.ledger.assets.register import NO_LOTS, Taken, give, line, moved_cost, pick_chosen, pick_oldest, take
from stoa.ledger.compliance.case import NOBODY, Movement
from stoa.ledger.compliance.counters import count_movement
from stoa.ledger.compliance.evaluate import movement_rejections
from stoa.ledger.holds.errors import InsufficientUnits
from stoa.ledger.holds.free import free_rejections
from stoa.ledger.identity.errors import AccountFrozen, AccountMoved, AccountUnknown
from stoa.ledger.identity.model import ACCOUNTS
from stoa.ledger.settlement.errors import AuthorisedExceeded, LineFull, SameAccount
from stoa.ledger.settlement.events import UnitsMoved
from stoa.ledger.state import State

NOWHERE: Final = b""
BY_FORCE: Final = ("forced", "recovery")  # phases that neither a freeze, nor a lock-up, nor a halt stops


class Move(msgspec.Struct, frozen=True, gc=False):
    """Units of an asset from one account (NOWHERE: issued) to another (NOWHERE: redeemed).

    ``cost`` is the consideration in the currency's smallest unit; ``lots`` the sender's own choice, oldest first if
    empty; ``locked`` a lock-up for what is issued; ``released`` units that come out of a hold in the same act.
    """

    asset: str
    phase: str
    source: bytes
    to: bytes
    units: int
    cost: int = 0
    lots: tuple[LotPick, ...] = ()
    locked: int = 0
    released: int = 0


def move_rejections(view: State, ctx: Context, move: Move) -> Rejections:
    """Every reason against the movement, in the order of the package's docstring."""
    terms = view.get(ASSETS, move.asset)
    if terms is None:
        yield AssetUnknown(move.asset)
        return
    unknown = False
    for rejection in _account_rejections(view, move):
        unknown = unknown or isinstance(rejection, AccountUnknown)
        yield rejection
    if unknown:
        return
    if terms.paused and move.phase not in BY_FORCE:
        yield AssetPaused(move.asset)
    taken: list[Taken] | tuple[Taken, ...] = NO_LOTS
    if move.source:
        held = line(view, move.asset, move.source)
        if move.phase in BY_FORCE:
            if held.units < move.units:
                yield InsufficientUnits(move.asset, move.source, held.units, move.units)
        else:
            yield from free_rejections(move.asset, move.source, held, move.units, move.released)
        if terms.kind == "security" and held.units >= move.units:
            taken, wrong = _lots(view, ctx.time, move)
            if wrong is not None:
                yield wrong
    yield from _size_rejections(view, terms, move)
    youngest = max([one.lot.acquired for one in taken], default=-1)
    yield from movement_rejections(view, ctx.time, _movement(view, terms, move, youngest))


def _account_rejections(view: State, move: Move) -> Rejections:
    for account_id in (move.source, move.to):
        if account_id:
            account = view.get(ACCOUNTS, account_id)
            if account is None:
                yield AccountUnknown(account_id)
            elif account.successor:
                yield AccountMoved(account_id, account.successor)
            elif account.frozen and move.phase not in BY_FORCE:
                yield AccountFrozen(account_id)
    if move.source == move.to:
        yield SameAccount(move.source)


def _lots(view: State, time: int, move: Move) -> tuple[list[Taken], Rejection | None]:
    """The lots that leave the source, and why they do not fit."""
    if move.lots:
        taken, why = pick_chosen(view, move.asset, move.source, move.units, move.lots, time)
        return taken, LotsInvalid(move.asset, move.source, why) if why else None
    taken, wanting, opens = pick_oldest(view, move.asset, move.source, move.units, time, move.phase in BY_FORCE)
    if wanting:
        return taken, UnitsLocked(move.asset, move.source, move.units - wanting, move.units, opens)
    return taken, None


def _size_rejections(view: State, terms: Asset, move: Move) -> Rejections:
    if not move.source:
        supply = view.get(SUPPLY, move.asset) or 0
        if supply + move.units > terms.authorised:
            yield AuthorisedExceeded(move.asset, supply, terms.authorised, move.units)
    if move.to:
        units = line(view, move.asset, move.to).units
        if units + move.units > limits.MAX_UNITS:
            yield LineFull(move.asset, move.to, units, move.units)


def _movement(view: State, terms: Asset, move: Move, youngest: int) -> Movement:
    sender = view.need(ACCOUNTS, move.source).party if move.source else NOBODY
    receiver = view.need(ACCOUNTS, move.to).party if move.to else NOBODY
    return Movement(terms.scopes, move.phase, sender, receiver, move.units, youngest)


def apply_move(view: State, ctx: Context, move: Move) -> None:
    """Debit, credit, count. The rules have let the movement pass; liens in its way are lowered already."""
    terms = view.need(ASSETS, move.asset)
    movement = _movement(view, terms, move, -1)
    secured = terms.kind == "security"
    taken = _lots(view, ctx.time, move)[0] if secured and move.source else []
    got: list[Lot] = []
    if secured and move.to:
        got = _arriving(ctx.time, move, taken, carried=movement.sender == movement.receiver)
    first = line(view, move.asset, move.to).tail if got else 0
    if move.source:
        give(view, move.asset, terms, move.source, move.units, taken)
    if move.to:
        take(view, ctx, move.asset, terms, move.to, move.units, got)
    if not (move.source and move.to):
        supply = view.get(SUPPLY, move.asset) or 0
        view.put(SUPPLY, move.asset, supply + (move.units if move.to else -move.units))
    count_movement(view, ctx.time, movement)
    gave = tuple((one.number, one.units) for one in taken)
    ctx.emit(UnitsMoved(move.asset, move.phase, move.source, move.to, move.units, move.cost, gave, first, tuple(got)))


def _arriving(time: int, move: Move, taken: list[Taken], carried: bool) -> list[Lot]:
    """The receiver's new lots: one acquisition now, or, within one person, the same acquisitions as before."""
    if carried:
        return [Lot(one.units, one.lot.acquired, one.lot.source, moved_cost(one), one.lot.locked) for one in taken]
    still = [one.lot.locked for one in taken if one.lot.locked > time]  # force moves a locked lot, and its lock with it
    return [Lot(move.units, time, move.source, move.cost, max(still, default=move.locked))]


def act_rejections(view: State, ctx: Context, moves: list[Move]) -> Rejections:
    """Every reason against several movements made in this order as one act. Leaves the state as it was.

    A later movement is judged after the earlier ones, as far as these pass.
    """
    mark = view.mark()
    aside = msgspec.structs.replace(ctx, events=[])
    try:
        for move in moves:
            refused = False
            for rejection in move_rejections(view, aside, move):
                refused = True
                yield rejection
            if not refused:
                apply_move(view, aside, move)
    finally:
        view.rollback(mark)
