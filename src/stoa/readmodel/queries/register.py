"""Who is there: institutions, accounts, parties by number, and what has been attested about them."""

import json
from typing import Any

import msgspec
from sqlalchemy import Connection, select

from stoa.readmodel.queries.paging import PAGE, Page, behind, bounded_limit, fill, page
from stoa.readmodel.schema import ACCOUNTS, CLAIMS, INSTITUTIONS, PARTIES


class InstitutionLine(msgspec.Struct, frozen=True):
    """A member with its roles; ``account`` is its operating account."""

    code: str
    name: str
    country: str
    roles: tuple[str, ...]
    account: str
    active: bool


class AccountLine(msgspec.Struct, frozen=True):
    """An account: ``threshold`` of ``keys`` (hexadecimal) sign for it. ``successor``: where a recovery moved it."""

    account: str
    party: int
    custodian: str
    threshold: int
    keys: tuple[str, ...]
    frozen: bool
    frozen_reason: str
    successor: str
    opened: int


class ClaimLine(msgspec.Struct, frozen=True):
    """An attestation. ``status`` at the time asked for: valid, expired or revoked."""

    topic: str
    issuer: str
    value: str
    issued: int
    expires: int
    status: str
    reason: str


class PartyDetail(msgspec.Struct, frozen=True):
    """A person, or a firm (``entity``), known here by number alone; ``keeper`` knows the name."""

    party: int
    entity: bool
    keeper: str
    registered: int
    accounts: tuple[AccountLine, ...]
    claims: tuple[ClaimLine, ...]


def institutions(db: Connection, after: str = "", limit: int = PAGE) -> Page[InstitutionLine]:
    """Members by code."""
    limit = bounded_limit(limit)
    wanted = select(INSTITUTIONS).where(INSTITUTIONS.c.code > after).order_by(INSTITUTIONS.c.code).limit(limit + 1)
    return page(db.execute(wanted).all(), limit, _institution, lambda row: str(row.code))


def _institution(row: Any) -> InstitutionLine:
    return fill(InstitutionLine, row, roles=tuple(json.loads(row.roles)))


def account(db: Connection, account: bytes) -> AccountLine | None:
    """The account, or None."""
    row = db.execute(select(ACCOUNTS).where(ACCOUNTS.c.account == account)).first()
    return _account(row) if row else None


def _account(row: Any) -> AccountLine:
    return fill(AccountLine, row, keys=tuple(json.loads(row._mapping["keys"])))


def party(db: Connection, party: int, now: int) -> PartyDetail | None:
    """The party with its accounts and claims (at most a page of each), or None."""
    row = db.execute(select(PARTIES).where(PARTIES.c.party == party)).first()
    if row is None:
        return None
    wanted = select(ACCOUNTS).where(ACCOUNTS.c.party == party).order_by(ACCOUNTS.c.account).limit(PAGE)
    accounts = tuple(_account(one) for one in db.execute(wanted))
    return fill(PartyDetail, row, accounts=accounts, claims=claims(db, party, now).items)


def claims(db: Connection, party: int, now: int, after: str = "", limit: int = PAGE) -> Page[ClaimLine]:
    """What has been attested about a party, by topic and issuer, with what it is worth at the time ``now``."""
    limit, table = bounded_limit(limit), CLAIMS.c
    wanted = select(CLAIMS).where(table.party == party)
    if after:
        topic, _, issuer = after.partition(":")
        wanted = wanted.where(behind((table.topic, table.issuer), (topic, issuer)))
    found = db.execute(wanted.order_by(table.topic, table.issuer).limit(limit + 1)).all()
    return page(found, limit, lambda row: _claim(row, now), lambda row: f"{row.topic}:{row.issuer}")


def _claim(row: Any, now: int) -> ClaimLine:
    status = "revoked" if row.revoked else "valid" if now < row.expires else "expired"
    return fill(ClaimLine, row, status=status)
