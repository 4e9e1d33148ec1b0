"""The owners of a scope's rules say which packs its movements obey besides them."""

from collections.abc import Iterable
from typing import Annotated

from msgspec import Meta

from stoa.kernel import limits
from stoa.kernel.base import Context, Instruction, Rejections
from stoa.ledger.compliance.adopt_rules import renew
from stoa.ledger.compliance.errors import PackNamedTwice, PackUnknown
from stoa.ledger.compliance.events import PacksNamed
from stoa.ledger.compliance.model import NAMED_PACKS, NAMING, NamedPacks, PackCode, Scope
from stoa.ledger.compliance.owners import owned
from stoa.ledger.compliance.packs import pack_in_force
from stoa.ledger.identity.errors import NothingToChange
from stoa.ledger.state import State


class NamePacks(Instruction, tag="compliance.name_packs.v1"):
    """Signed by every owner of the scope's profile. All packs that are to be obeyed; no others are any more.

    They are of no version: what the members make of a pack holds for who names it.
    """

    scope: Scope
    packs: Annotated[tuple[PackCode, ...], Meta(max_length=limits.MAX_PACKS_OF_SCOPE)]


def rejections(view: State, ctx: Context, ins: NamePacks) -> Rejections:
    """ProfileUnknown, NotAuthorised, PackUnknown, PackNamedTwice, NothingToChange."""
    profile = yield from owned(view, ctx, ins.scope)
    if profile is None:
        return
    once = dict.fromkeys(ins.packs)
    for pack in once:
        if pack_in_force(view, pack) is None:
            yield PackUnknown(pack)
    for pack in once:
        if ins.packs.count(pack) > 1:
            yield PackNamedTwice(ins.scope, pack)
    if ins.packs == _named(view, ins.scope):
        yield NothingToChange(f"{ins.scope} names these packs")


def apply(view: State, ctx: Context, ins: NamePacks) -> None:
    """Put them in force from the next movement on, as a version of the scope's rules."""
    _count(view, _named(view, ins.scope), -1)
    _count(view, ins.packs, +1)
    view.put(NAMED_PACKS, ins.scope, NamedPacks(ins.packs) if ins.packs else None)
    ctx.emit(PacksNamed(ins.scope, renew(view, ctx, ins.scope), ins.packs))


def _named(view: State, scope: str) -> tuple[str, ...]:
    named = view.get(NAMED_PACKS, scope)
    return named.codes if named is not None else ()


def _count(view: State, packs: Iterable[str], step: int) -> None:
    for pack in packs:
        view.put(NAMING, pack, ((view.get(NAMING, pack) or 0) + step) or None)
