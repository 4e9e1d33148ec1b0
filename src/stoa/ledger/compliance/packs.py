"""Rule packs: the rules of a jurisdiction or market, kept in versions. Members change them by vote; scopes name them.

What speaks against a change, and how it is made; who asks for it, and when it takes effect, is governance's.
"""

from msgspec.structs import replace

from stoa.kernel import limits
from stoa.kernel.base import Context, Rejections
from stoa.ledger.compliance.compile import rules_rejections
from stoa.ledger.compliance.errors import PackInUse, PackUnknown, TooManyPacks
from stoa.ledger.compliance.events import PackAdopted, PackRetired
from stoa.ledger.compliance.model import NAMING, PACKS, Pack, Rule
from stoa.ledger.identity.errors import NothingToChange
from stoa.ledger.state import State


def pack_in_force(view: State, code: str) -> Pack | None:
    """The pack's version in force, or None for one that there never was or that is retired."""
    pack = view.get(PACKS, code)
    return None if pack is None or pack.retired else pack


def adoption_rejections(view: State, code: str, title_en: str, title_ko: str, rules: tuple[Rule, ...]) -> Rejections:
    """RulesInvalid, NothingToChange, TooManyPacks."""
    yield from rules_rejections(code, rules)
    present = pack_in_force(view, code)
    if present is not None and (present.title_en, present.title_ko, present.rules) == (title_en, title_ko, rules):
        yield NothingToChange(f"the rule pack {code} has these rules")
    if view.get(PACKS, code) is None:
        packs = len(view.scan(PACKS, (), limits.MAX_PACKS))
        if packs >= limits.MAX_PACKS:
            yield TooManyPacks(packs, limits.MAX_PACKS)


def adopt_pack(view: State, ctx: Context, code: str, title_en: str, title_ko: str, rules: tuple[Rule, ...]) -> None:
    """Put the next version in force, for everyone who names the pack: movements are judged by it, holdings never."""
    before = view.get(PACKS, code)
    version = before.version + 1 if before is not None else 1
    view.put(PACKS, code, Pack(version, ctx.time, 0, title_en, title_ko, rules))
    ctx.emit(PackAdopted(code, version, title_en, title_ko, rules))


def retirement_rejections(view: State, code: str) -> Rejections:
    """PackUnknown, PackInUse."""
    if pack_in_force(view, code) is None:
        yield PackUnknown(code)
    scopes = view.get(NAMING, code)
    if scopes:
        yield PackInUse(code, scopes)


def retire_pack(view: State, ctx: Context, code: str) -> None:
    """End the pack; its last version stays on record."""
    pack = view.need(PACKS, code)
    view.put(PACKS, code, replace(pack, retired=ctx.time))
    ctx.emit(PackRetired(code, pack.version))
