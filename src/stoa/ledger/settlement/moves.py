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
from stoa.ledger.compliance.evaluate import Cases, cases_of, movement_rejections
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
    cases: Cases
    turn: int  # with the mark: which state this is a plan of
    mark: int


def _planned(view: State, ctx: Context, move: Move) -> Plan | None:
    """The movement's plan, None for an unknown asset. What a check has planned serves once more, for the apply that
    follows on that state."""
    plan = ctx.planned
    if isinstance(plan, Plan) and plan.mark == view.mark() and plan.turn == view.turn and plan.move == move:
        ctx.planned = None
        return plan
    terms = view.rows[ASSETS][move.asset]
    if terms is None:
        return None
    ctx.planned = plan = _plan(view, ctx.time, terms, move)
    return plan


def _plan(view: State, time: int, terms: Asset, move: Move) -> Plan:
    lines, accounts = view.rows[HOLDINGS], view.rows[ACCOUNTS]
    sender = receiver = wrong = None
    held = target = EMPTY_LINE
    taken: list[Taken] = []
    youngest = -1
    if move.source:
        sender = accounts[move.source]
        held = lines[move.asset, move.source] or EMPTY_LINE
        if terms.kind == "security" and held.units >= move.units:
            taken, wrong = _lots(view, time, held, move)
            for one in taken:
                if one.lot.acquired > youngest:
                    youngest = one.lot.acquired
    if move.to:
        receiver = accounts[move.to]
        target = lines[move.asset, move.to] or EMPTY_LINE
    from_party = NOBODY if sender is None else sender.party
    to_party = NOBODY if receiver is None else receiver.party
    cases = cases_of(view, time, Movement(terms.scopes, move.phase, from_party, to_party, move.units, youngest))
    return Plan(move, terms, sender, receiver, held, taken, wrong, target, cases, view.turn, view.mark())


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
    plan = _planned(view, ctx, move)
    if plan is None:
        yield AssetUnknown(move.asset)
        return
    forced = move.phase in BY_FORCE
    if move.source:
        yield from _account_rejections(move.source, plan.sender, forced)
    if move.to:
        yield from _account_rejections(move.to, plan.receiver, forced)
    if move.source == move.to:
        yield SameAccount(move.source)
    if (move.source and plan.sender is None) or (move.to and plan.receiver is None):
        return
    if plan.terms.paused and not forced:
        yield AssetPaused(move.asset)
    yield from _source_rejections(view, plan, forced)
    if plan.target.units + move.units > limits.MAX_UNITS:
        yield LineFull(move.asset, move.to, plan.target.units, move.units)
    if plan.target is EMPTY_LINE and move.to:
        yield from new_line_rejections(view, move.asset, move.to)
    yield from movement_rejections(plan.cases)


def _account_rejections(account_id: bytes, account: Account | None, forced: bool) -> tuple[Rejection, ...]:
    if account is None:
        return (AccountUnknown(account_id),)
    if account.successor:
        return (AccountMoved(account_id, account.successor),)
    if account.frozen and not forced:
        return (AccountFrozen(account_id),)
    return ()


def _source_rejections(view: State, plan: Plan, forced: bool) -> list[Rejection]:
    move, held = plan.move, plan.held
    against: list[Rejection] = []
    if not move.source:
        supply = view.rows[SUPPLY][move.asset] or 0
        if supply + move.units > plan.terms.authorised:
            against.append(AuthorisedExceeded(move.asset, supply, plan.terms.authorised, move.units))
    elif not forced:
        if held.units - held.held - held.frozen + move.released < move.units:
            against += free_rejections(move.asset, move.source, held, move.units, move.released)
    elif held.units < move.units:
        against.append(InsufficientUnits(move.asset, move.source, held.units, move.units))
    if plan.wrong is not None:
        against.append(plan.wrong)
    return against


def apply_move(view: State, ctx: Context, move: Move) -> None:
    """Debit, credit, count. The rules have let the movement pass; liens in its way are lowered already."""
    plan = _planned(view, ctx, move)
    assert plan is not None, "the rules have seen the asset"
    terms, taken = plan.terms, plan.taken
    secured = terms.kind == "security"
    got: list[Lot] = []
    first = 0
    if move.source:
        give(view, move.asset, terms, move.source, plan.held, move.units, taken)
    if move.to:
        if secured:
            got = _arriving(ctx.time, plan)
            first = plan.target.tail
        take(view, ctx, move.asset, terms, move.to, plan.target, move.units, got)
    if not (move.source and move.to):
        supply = view.rows[SUPPLY][move.asset] or 0
        view.put(SUPPLY, move.asset, supply + (move.units if move.to else -move.units))
    count_movement(view, plan.cases)
    gave = tuple([(one.number, one.units) for one in taken])
    ctx.emit(UnitsMoved(move.asset, move.phase, move.source, move.to, move.units, move.cost, gave, first, tuple(got)))


def _arriving(time: int, plan: Plan) -> list[Lot]:
    """The receiver's new lots: one acquisition now, or, within one person, the same acquisitions as before."""
    move, taken = plan.move, plan.taken
    if plan.sender is not None and plan.receiver is not None and plan.sender.party == plan.receiver.party:
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
