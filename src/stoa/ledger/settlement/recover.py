"""A person who lost his keys gets everything back on a new account, and nothing becomes freer by it.

Lots with their dates, costs and lock-ups, holds, frozen units and the freeze of the account itself all come along.
"""

from msgspec.structs import replace

from stoa.kernel.base import Context, Instruction, Rejections
from stoa.kernel.identifiers import AccountId, Hash
from stoa.ledger.assets.register import assets_of, line
from stoa.ledger.holds.liens import holds_of, place, reduce, set_freeze
from stoa.ledger.identity.authority import acting, keeps
from stoa.ledger.identity.errors import AccountMoved, AccountUnknown, NotAuthorised
from stoa.ledger.identity.events import AccountFreezeSet
from stoa.ledger.identity.model import ACCOUNTS, Account, Reason
from stoa.ledger.settlement.errors import NotEmpty, NotSamePerson, SameAccount
from stoa.ledger.settlement.events import AccountRecovered
from stoa.ledger.settlement.moves import Move, act_rejections, apply_move
from stoa.ledger.state import State


class Recover(Instruction, tag="settlement.recover.v1"):
    """Signed by the lost account's custodian and a registrar. ``to`` is a fresh account of the same person."""

    account: AccountId
    to: AccountId
    reason: Reason
    evidence: Hash


def rejections(view: State, ctx: Context, ins: Recover) -> Rejections:
    """AccountUnknown, NotAuthorised, SameAccount, NotSamePerson, AccountMoved, NotEmpty, then every
    movement's own in the phase ``recovery``."""
    lost, new = view.get(ACCOUNTS, ins.account), view.get(ACCOUNTS, ins.to)
    if lost is None:
        yield AccountUnknown(ins.account)
    if new is None:
        yield AccountUnknown(ins.to)
    if lost is None or new is None:
        return
    if not (keeps(view, ctx, lost) and acting(view, ctx, "registrar")):
        yield NotAuthorised(f"{lost.custodian} and a registrar")
    if ins.account == ins.to:
        yield SameAccount(ins.account)
        return
    yield from _pair_rejections(ins, lost, new)
    assets = assets_of(view, ins.account)
    for asset in assets:
        source, target = line(view, asset, ins.account), line(view, asset, ins.to)
        if (source.units or source.frozen) and (target.units or target.frozen):
            yield NotEmpty(ins.to, asset)
    yield from act_rejections(view, ctx, _moves(view, ins, assets))


def _pair_rejections(ins: Recover, lost: Account, new: Account) -> Rejections:
    if lost.party != new.party:
        yield NotSamePerson(lost.party, new.party)
    for account, row in ((ins.account, lost), (ins.to, new)):
        if row.successor:
            yield AccountMoved(account, row.successor)


def _moves(view: State, ins: Recover, assets: tuple[str, ...]) -> list[Move]:
    units = [(asset, line(view, asset, ins.account).units) for asset in assets]
    return [Move(asset, "recovery", ins.account, ins.to, part) for asset, part in units if part]


def apply(view: State, ctx: Context, ins: Recover) -> None:
    """Move every line with what lies on it, then close the lost account behind it."""
    moves = {move.asset: move for move in _moves(view, ins, assets_of(view, ins.account))}
    for asset in assets_of(view, ins.account):
        before = line(view, asset, ins.account)
        holds = holds_of(view, asset, ins.account)
        for number, hold in holds:
            reduce(view, ctx, asset, ins.account, number, hold.units, "recovered")
        if before.frozen:
            set_freeze(view, ctx, asset, ins.account, 0, ins.reason, ins.evidence)
        if asset in moves:
            apply_move(view, ctx, moves[asset])
        for _, hold in holds:
            place(view, ctx, asset, ins.to, hold)
        if before.frozen:
            set_freeze(view, ctx, asset, ins.to, before.frozen, ins.reason, ins.evidence, before.frozen_since)
    lost, new = view.need(ACCOUNTS, ins.account), view.need(ACCOUNTS, ins.to)
    if lost.frozen and not new.frozen:
        view.put(ACCOUNTS, ins.to, replace(new, frozen=True))
        ctx.emit(AccountFreezeSet(ins.to, True, lost.custodian, ins.reason, ins.evidence))
    view.put(ACCOUNTS, ins.account, replace(lost, successor=ins.to))
    ctx.emit(AccountRecovered(ins.account, ins.to, ins.reason, ins.evidence))
