"""Rules in plain words with what makes them checkable, and packs of them: versions, and who names them."""

import json
from typing import Any, Final

import msgspec
from sqlalchemy import Connection, Table, func, select

from stoa.readmodel.queries.paging import PAGE, Page, bounded_limit, fill, page
from stoa.readmodel.schema import PACK_RULES, PACK_SCOPES, PACK_VERSIONS, PACKS, RULES

MOST_VERSIONS: Final = 100  # the newest, in one answer
MOST_SCOPES: Final = 500  # likewise, in the order of their codes


class RuleLine(msgspec.Struct, frozen=True):
    """A rule in plain words. ``when`` and ``require`` are its conditions as nested lists of the rules' language.

    ``scope``: whose rule it is, a security, class, cash token or pack. ``force``: law, future_law, policy, proposal,
    venue or issuer. ``until`` 0: open end. ``in_force`` now.
    """

    scope: str
    id: str
    jurisdiction: str
    force: str
    effective: int
    until: int
    source: str
    phases: tuple[str, ...]
    when: list[Any]
    require: list[Any]
    en: str
    ko: str
    in_force: bool


class PackRules(msgspec.Struct, frozen=True):
    """A version of a rule pack."""

    code: str
    version: int
    title_en: str
    title_ko: str
    adopted: int
    rules: tuple[RuleLine, ...]


class PackLine(msgspec.Struct, frozen=True):
    """A rule pack: its newest version, and how many scopes name it. ``retired`` 0: in force."""

    code: str
    version: int
    title_en: str
    title_ko: str
    adopted: int
    retired: int
    rules: int
    scopes: int


class PackVersion(msgspec.Struct, frozen=True):
    """A version that there was, and when it came into force."""

    version: int
    title_en: str
    title_ko: str
    adopted: int


class PackDetail(msgspec.Struct, frozen=True):
    """A rule pack in full. ``shown`` is the version asked for; versions are listed newest first."""

    line: PackLine
    shown: PackRules
    versions: tuple[PackVersion, ...]
    scopes: tuple[str, ...]


def packs(db: Connection, after: str = "", limit: int = PAGE) -> Page[PackLine]:
    """Every rule pack by code, retired ones too."""
    limit = bounded_limit(limit)
    found = db.execute(_lines().where(PACKS.c.code > after).order_by(PACKS.c.code).limit(limit + 1)).all()
    return page(found, limit, lambda row: fill(PackLine, row), lambda row: str(row.code))


def pack(db: Connection, code: str, now: int, version: int = 0) -> PackDetail | None:
    """A rule pack with the rules of a version, the newest if 0; None if there is no such pack or version."""
    row = db.execute(_lines().where(PACKS.c.code == code)).first()
    if row is None:
        return None
    shown = _version(db, code, version or row.version, now)
    if shown is None:
        return None
    by_age = select(PACK_VERSIONS).where(PACK_VERSIONS.c.code == code).order_by(PACK_VERSIONS.c.version.desc())
    versions = tuple(fill(PackVersion, one) for one in db.execute(by_age.limit(MOST_VERSIONS)))
    named = select(PACK_SCOPES.c.scope).where(PACK_SCOPES.c.code == code).order_by(PACK_SCOPES.c.scope)
    return PackDetail(fill(PackLine, row), shown, versions, tuple(db.scalars(named.limit(MOST_SCOPES))))


def pack_in_force(db: Connection, code: str, now: int) -> PackRules:
    """The newest version of a pack that there is."""
    newest = db.scalar(select(PACKS.c.version).where(PACKS.c.code == code)) or 0
    found = _version(db, code, newest, now)
    assert found is not None, code  # what is named is in force
    return found


def _lines() -> Any:
    """Packs with their newest version and what is counted about them."""
    of_version = (PACK_RULES.c.code == PACKS.c.code) & (PACK_RULES.c.version == PACKS.c.version)
    rules = select(func.count()).select_from(PACK_RULES).where(of_version).scalar_subquery()
    scopes = select(func.count()).select_from(PACK_SCOPES).where(PACK_SCOPES.c.code == PACKS.c.code).scalar_subquery()
    newest = (PACK_VERSIONS.c.code == PACKS.c.code) & (PACK_VERSIONS.c.version == PACKS.c.version)
    about = (PACK_VERSIONS.c.title_en, PACK_VERSIONS.c.title_ko, PACK_VERSIONS.c.adopted)
    return select(PACKS, *about, rules.label("rules"), scopes.label("scopes")).join(PACK_VERSIONS, newest)


def _version(db: Connection, code: str, version: int, now: int) -> PackRules | None:
    wanted = select(PACK_VERSIONS).where(PACK_VERSIONS.c.code == code, PACK_VERSIONS.c.version == version)
    row = db.execute(wanted).first()
    return None if row is None else fill(PackRules, row, rules=rules(db, PACK_RULES, code, version, now))


def rules(db: Connection, table: Table, owner: str, version: int, now: int) -> tuple[RuleLine, ...]:
    """The rules of one version of a scope's (``RULES``) or a pack's (``PACK_RULES``), in their order."""
    column = table.c.scope if table is RULES else table.c.code
    wanted = select(table).where(column == owner, table.c.version == version).order_by(table.c.place)
    return tuple(_rule(owner, row, now) for row in db.execute(wanted))


def _rule(owner: str, row: Any, now: int) -> RuleLine:
    return fill(
        RuleLine,
        row,
        scope=owner,
        phases=tuple(json.loads(row.phases)),
        when=json.loads(row.when),
        require=json.loads(row.require),
        in_force=row.effective <= now and (not row.until or now < row.until),
    )
