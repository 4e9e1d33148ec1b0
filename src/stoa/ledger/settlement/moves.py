"""The movement: the one path that value takes.

``move_rejections`` names every reason against a movement, gravest first; ``apply_move`` then has nothing left to
refuse. Businesses build a Move and come here; there is no other door to a line of the register.
"""

from typing import Final

import msgspec

from stoa.kernel import limits
from stoa.kernel.base import Context, Rejection, Rejections
from stoa.ledger.assets.errors import AssetPaused, AssetUnknown, LotsInvalid, UnitsLocked
from stoa.ledger.assets.model import ASSETS, EMPTY_LINE, HOLDINGS, SUPPLY, Asset, Holding, Lot, LotPick
from stoa.ledger.assets.register import Taken, give, moved_cost, new_line_rejections, pick_chosen, pick_oldest, take
from stoa.ledger.compliance.case import NOBODY, Movement
from stoa.ledger.compliance.counters import count_movement
from stoa.ledger.compliance.evaluate import movement_rejections
from stoa.ledger.holds.errors import InsufficientUnits
from stoa.ledger.holds.free import free_rejections
from stoa.ledger.identity.errors import AccountFrozen, AccountMoved, AccountUnknown
from stoa.ledger.identity.model import ACCOUNTS, Account
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


class Plan(msgspec.Struct, frozen=True, gc=False):
    """A movement with everything it touches, looked up once: who, which lines, which lots, what compliance is asked."""

    move: Move
    terms: Asset
    sender: Account | None
    receiver: Account | None
    held: Holding
    taken: list[Taken]
    wrong: Rejection | None  # why the lots do not fit
    target: Holding
    movement: Movement
    turn: int  # with the mark: which state this is a plan of
    mark: int


def _planned(view: State, ctx: Context, terms: Asset, move: Move) -> Plan:
    """The movement's plan. What a check has planned serves once more, for the apply that follows on that state."""
    plan, mark = ctx.planned, view.mark()
    if isinstance(plan, Plan) and plan.mark == mark and plan.turn == view.turn and plan.move == move:
        ctx.planned = None
        return plan
    held, wrong = EMPTY_LINE, None
    taken: list[Taken] = []
    lines, accounts = view.rows[HOLDINGS], view.rows[ACCOUNTS]
    if move.source:
        held = lines[move.asset, move.source] or EMPTY_LINE
        if terms.kind == "security" and held.units >= move.units:
            taken, wrong = _lots(view, ctx.time, held, move)
    youngest = -1
    for one in taken:
        if one.lot.acquired > youngest:
            youngest = one.lot.acquired
    target = (move.to and lines[move.asset, move.to]) or EMPTY_LINE
    sender = accounts[move.source] if move.source else None
    receiver = accounts[move.to] if move.to else None
    from_party = NOBODY if sender is None else sender.party
    to_party = NOBODY if receiver is None else receiver.party
    movement = Movement(terms.scopes, move.phase, from_party, to_party, move.units, youngest)
    ctx.planned = plan = Plan(move, terms, sender, receiver, held, taken, wrong, target, movement, view.turn, mark)
    return plan


def _lots(view: State, time: int, held: Holding, move: Move) -> tuple[list[Taken], Rejection | None]:
    """The lots that leave the source, and why they do not fit."""
    asset, source, units = move.asset, move.source, move.units
    if move.lots:
        taken, why = pick_chosen(view, asset, source, units, move.lots, time)
        return taken, LotsInvalid(asset, source, why) if why else None
    taken, wanting, opens = pick_oldest(view, asset, source, held, units, time, move.phase in BY_FORCE)
    return taken, UnitsLocked(asset, source, units - wanting, units, opens) if wanting else None


def move_rejections(view: State, ctx: Context, move: Move) -> Rejections:
    """Every reason against the movement, in the order of the package's docstring."""
    terms = view.rows[ASSETS][move.asset]
    if terms is None:
        yield AssetUnknown(move.asset)
        return
    plan = _planned(view, ctx, terms, move)
    unknown = False
    for rejection in _account_rejections(plan):
        unknown = unknown or isinstance(rejection, AccountUnknown)
        yield rejection
    if unknown:
        return
    if terms.paused and move.phase not in BY_FORCE:
        yield AssetPaused(move.asset)
    yield from _source_rejections(view, plan)
    if plan.target.units + move.units > limits.MAX_UNITS:
        yield LineFull(move.asset, move.to, plan.target.units, move.units)
    if plan.target is EMPTY_LINE and move.to:
        yield from new_line_rejections(view, move.asset, move.to)
    yield from movement_rejections(view, ctx.time, plan.movement)


def _account_rejections(plan: Plan) -> Rejections:
    move = plan.move
    for account_id, account in ((move.source, plan.sender), (move.to, plan.receiver)):
        if account_id:
            if account is None:
                yield AccountUnknown(account_id)
            elif account.successor:
                yield AccountMoved(account_id, account.successor)
            elif account.frozen and move.phase not in BY_FORCE:
                yield AccountFrozen(account_id)
    if move.source == move.to:
        yield SameAccount(move.source)


def _source_rejections(view: State, plan: Plan) -> Rejections:
    move, held = plan.move, plan.held
    if not move.source:
        supply = view.rows[SUPPLY][move.asset] or 0
        if supply + move.units > plan.terms.authorised:
            yield AuthorisedExceeded(move.asset, supply, plan.terms.authorised, move.units)
    elif move.phase not in BY_FORCE:
        if held.units - held.held - held.frozen + move.released < move.units:
            yield from free_rejections(move.asset, move.source, held, move.units, move.released)
    elif held.units < move.units:
        yield InsufficientUnits(move.asset, move.source, held.units, move.units)
    if plan.wrong is not None:
        yield plan.wrong


def apply_move(view: State, ctx: Context, move: Move) -> None:
    """Debit, credit, count. The rules have let the movement pass; liens in its way are lowered already."""
    terms = view.need(ASSETS, move.asset)
    plan = _planned(view, ctx, terms, move)
    movement, taken = plan.movement, plan.taken
    secured = terms.kind == "security"
    got: list[Lot] = []
    first = 0
    if move.source:
        give(view, move.asset, terms, move.source, plan.held, move.units, taken)
    if move.to:
        if secured:
            got = _arriving(ctx.time, move, taken, carried=movement.sender == movement.receiver)
            first = plan.target.tail
        take(view, ctx, move.asset, terms, move.to, plan.target, move.units, got)
    if not (move.source and move.to):
        supply = view.rows[SUPPLY][move.asset] or 0
        view.put(SUPPLY, move.asset, supply + (move.units if move.to else -move.units))
    count_movement(view, ctx.time, movement)
    gave = tuple([(one.number, one.units) for one in taken])
    ctx.emit(UnitsMoved(move.asset, move.phase, move.source, move.to, move.units, move.cost, gave, first, tuple(got)))


def _arriving(time: int, move: Move, taken: list[Taken], carried: bool) -> list[Lot]:
    """The receiver's new lots: one acquisition now, or, within one person, the same acquisitions as before."""
    if carried:
        return [Lot(one.units, one.lot.acquired, one.lot.source, moved_cost(one), one.lot.locked) for one in taken]
    locked = move.locked
    for one in taken:
        if one.lot.locked > time:  # force moves a locked lot, and its lock with it
            locked = max(locked, one.lot.locked)
    return [Lot(move.units, time, move.source, move.cost, locked)]


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
