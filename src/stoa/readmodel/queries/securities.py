"""One security in full: terms, documents, classes, who may hold it and who does, what it paid and offers."""

import json
from collections.abc import Sequence
from typing import Any, Final

import msgspec
from sqlalchemy import Column, Connection, func, select

from stoa.readmodel.compliance import CURRENT
from stoa.readmodel.queries.market import SecurityLine, security_line
from stoa.readmodel.queries.packs import PackRules, RuleLine, pack_in_force, rules
from stoa.readmodel.queries.paging import fill
from stoa.readmodel.queries.primary import DistributionLine, OfferingLine, distributions, offerings
from stoa.readmodel.schema import POSITIONS, PROFILES, RULES, SECURITIES

MOST_COUNTS: Final = 300  # countries, or categories, in one answer


class Document(msgspec.Struct, frozen=True):
    """A bound document by the SHA-256 of its bytes."""

    kind: str
    title: str
    sha256: str


class ProfileLine(msgspec.Struct, frozen=True):
    """Who may hold: the version of the rules in force, trusted attesters by topic, open countries (``*``: any), and the
    packs whose rules hold besides, each as it is in force."""

    scope: str
    version: int
    owners: tuple[str, ...]
    trusted: dict[str, list[str]]
    countries: tuple[str, ...]
    adopted: int
    rules: tuple[RuleLine, ...]
    packs: tuple[PackRules, ...]


class Count(msgspec.Struct, frozen=True):
    """Persons counted under a country or a category; an empty name where none was attested."""

    name: str
    holders: int
    units: int


class SecurityDetail(msgspec.Struct, frozen=True):
    """Everything public about a security. ``profiles``: of the security, then of its classes where they differ."""

    line: SecurityLine
    issuer_lei: str
    agent: str
    registrar: str
    isin: str
    created: int
    documents: tuple[Document, ...]
    profiles: tuple[ProfileLine, ...]
    by_country: tuple[Count, ...]
    by_category: tuple[Count, ...]
    distributions: tuple[DistributionLine, ...]
    offerings: tuple[OfferingLine, ...]


def security(db: Connection, code: str, now: int) -> SecurityDetail | None:
    """The security, or None."""
    row = db.execute(select(SECURITIES).where(SECURITIES.c.code == code)).first()
    if row is None:
        return None
    classes: list[str] = json.loads(row.classes)
    scopes = dict.fromkeys([code, *classes])
    return fill(
        SecurityDetail,
        row,
        line=security_line(db, row, now),
        documents=tuple(Document(**one) for one in json.loads(row.documents)),
        profiles=tuple(found for scope in scopes if (found := profile(db, scope, now)) is not None),
        by_country=holders_by(db, code, POSITIONS.c.country),
        by_category=holders_by(db, code, POSITIONS.c.category),
        distributions=distributions(db, classes).items,
        offerings=offerings(db, classes).items,
    )


def profile(db: Connection, scope: str, now: int) -> ProfileLine | None:
    """The rules of a scope in force, or None for an unknown scope."""
    row = db.execute(select(PROFILES).where(PROFILES.c.scope == scope, PROFILES.c.version == CURRENT)).first()
    if row is None:
        return None
    version = db.scalar(select(func.max(PROFILES.c.version)).where(PROFILES.c.scope == scope)) or 0
    return ProfileLine(
        scope,
        version,
        tuple(json.loads(row.owners)),
        json.loads(row.trusted),
        tuple(json.loads(row.countries)),
        row.adopted,
        rules(db, RULES, scope, row.ruled, now),
        tuple(pack_in_force(db, code, now) for code in json.loads(row.packs)),
    )


def holders_by(db: Connection, scope: str, column: Column[str]) -> tuple[Count, ...]:
    """Persons and units by country or category, the most persons first."""
    persons, units = func.count(), func.sum(POSITIONS.c.units)
    wanted = select(column, persons, units).where(POSITIONS.c.scope == scope).group_by(column)
    found: Sequence[Any] = db.execute(wanted.order_by(persons.desc(), column).limit(MOST_COUNTS)).all()
    return tuple(Count(name, holders, int(total)) for name, holders, total in found)
