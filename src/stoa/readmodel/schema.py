"""The tables of the views: one schema for SQLite and PostgreSQL, every row derivable from the journal.

Owns names, types and indexes, and the version that says whether tables on disk still mean what the code means. There
are no migrations: a table that the journal can fill again is dropped and filled again, so a changed schema or a raised
``PROJECTION`` makes ``Views.open`` start from nothing. Units and money are integers in the smallest unit; times are
milliseconds; accounts are 20 bytes and hashes 32; lists are JSON text.
"""

from hashlib import sha256
from typing import Any, Final

from sqlalchemy import BigInteger, Boolean, Column, Index, Integer, LargeBinary, MetaData, Table, Text
from sqlalchemy.schema import CreateIndex, CreateTable

PROJECTION: Final = 1  # raise it when the same events are to give other rows in the same tables
LARGEST: Final = 2**63 - 1  # of a column; figures that parties merely state, such as costs, could add up to more

METADATA: Final = MetaData()
ACCOUNT: Final = LargeBinary(20)
DIGEST: Final = LargeBinary(32)


def _number(name: str, key: bool = False) -> Column[int]:
    return Column(name, BigInteger, primary_key=key, nullable=False, autoincrement=False)


def _text(name: str, key: bool = False) -> Column[str]:
    return Column(name, Text, primary_key=key, nullable=False)


def _flag(name: str) -> Column[bool]:
    return Column(name, Boolean, nullable=False)


def _account(name: str, key: bool = False) -> Column[bytes]:
    return Column(name, ACCOUNT, primary_key=key, nullable=False)


def _digest(name: str) -> Column[bytes]:
    return Column(name, DIGEST, nullable=False)


def _raw(name: str, nullable: bool = False) -> Column[bytes]:
    return Column(name, LargeBinary, nullable=nullable)


def _table(name: str, *parts: Any) -> Table:
    return Table(name, METADATA, *parts)


def _clustered(name: str, *parts: Any) -> Table:
    """A table of short rows that SQLite keeps inside the primary key's own tree."""
    return Table(name, METADATA, *parts, sqlite_with_rowid=False)


# how far the views have come: one row, written in the same transaction as everything else
CURSOR: Final = _table(
    "view_cursor",
    Column("one", Integer, primary_key=True, autoincrement=False),
    _text("version"), _text("chain"), _number("height"), _digest("hash"), _number("time"), _number("certified"),
    _number("moves"),
)  # fmt: skip

# ---- the chain

BLOCKS: Final = _table(
    "blocks",
    _number("height", key=True), _digest("hash"), _digest("previous"), _number("time"), _text("producer"),
    _number("number"), _number("count"), _number("receipts"), _digest("envelopes_root"), _digest("receipts_root"),
    _digest("writes_hash"), _number("votes"),
    Index("blocks_hash", "hash"),
)  # fmt: skip
TRANSACTIONS: Final = _table(
    "transactions",
    _number("height", key=True), _number("index", key=True), _digest("id"), _number("time"), _flag("due"),
    Column("author", ACCOUNT), _number("lane"), _number("sequence"), _text("tags"), _number("code"),
    _text("name"), _number("failed"), _number("size"),
    Index("transactions_id", "id"), Index("transactions_author", "author", "height"),
)  # fmt: skip
RECEIPTS: Final = _clustered(
    "receipts",
    _number("height", key=True), _number("index", key=True), _raw("receipt"), _raw("envelope", nullable=True),
)  # fmt: skip
EVENTS: Final = _clustered(
    "events", _number("height", key=True), _number("index", key=True), _number("n", key=True), _text("tag"),
    _text("body"),
)  # fmt: skip

# ---- identity and compliance

INSTITUTIONS: Final = _table(
    "institutions", _text("code", key=True), _text("name"), _text("country"), _text("roles"), _account("account"),
    _flag("active"),
)  # fmt: skip
PARTIES: Final = _table("parties", _number("party", key=True), _flag("entity"), _text("keeper"), _number("registered"))
ACCOUNTS: Final = _table(
    "accounts",
    _account("account", key=True), _number("party"), _text("custodian"), _number("threshold"), _text("keys"),
    _flag("frozen"), _text("frozen_reason"), _raw("successor"), _number("opened"),
    Index("accounts_party", "party"), Index("accounts_custodian", "custodian"),
)  # fmt: skip
CLAIMS: Final = _table(
    "claims",
    _number("party", key=True), _text("topic", key=True), _text("issuer", key=True), _text("value"),
    _number("issued"), _number("expires"), _flag("revoked"), _text("reason"),
)  # fmt: skip
PROFILES: Final = _table(
    "profiles",
    _text("scope", key=True), _number("version", key=True), _text("owners"), _text("trusted"), _text("countries"),
    _number("ruled"), _text("packs"), _number("adopted"),
)  # fmt: skip


def _rule() -> tuple[Column[Any], ...]:
    """A rule at its place among others."""
    return (
        _number("place", key=True), _text("id"), _text("jurisdiction"), _text("force"), _number("effective"),
        _number("until"), _text("source"), _text("phases"), _text("when"), _text("require"), _text("en"), _text("ko"),
    )  # fmt: skip


RULES: Final = _table("rules", _text("scope", key=True), _number("version", key=True), *_rule())
PACKS: Final = _table("packs", _text("code", key=True), _number("version"), _number("retired"))
PACK_VERSIONS: Final = _table(
    "pack_versions",
    _text("code", key=True), _number("version", key=True), _text("title_en"), _text("title_ko"), _number("adopted"),
)  # fmt: skip
PACK_RULES: Final = _table("pack_rules", _text("code", key=True), _number("version", key=True), *_rule())
PACK_SCOPES: Final = _table("pack_scopes", _text("code", key=True), _text("scope", key=True), _number("version"))
EXEMPTIONS: Final = _table(
    "exemptions",
    _text("scope", key=True), _text("rule", key=True), _number("party", key=True), _number("until"), _text("reason"),
    _digest("evidence"),
)  # fmt: skip
POSITIONS: Final = _clustered(  # persons, not accounts; a row goes when its units are zero
    "positions",
    _text("scope", key=True), _number("party", key=True), _number("units"), _text("country"), _text("category"),
    Index("positions_party", "party"),
)  # fmt: skip

# ---- governance

PROPOSALS: Final = _table(  # ``decided``: the height at which it was enacted or lapsed, 0 while it is open
    "proposals",
    _number("number", key=True), _text("proposer"), _text("kind"), _text("subject"), _text("change"),
    _number("height"), _number("expires"), _text("reason"), _number("proposed"), _number("made"), _text("stage"),
    _number("decided"), _number("yes"), _number("no"), _number("counted"), _number("quorum"), _number("validators"),
    _text("reasons"),
)  # fmt: skip
PROPOSAL_VOTES: Final = _table(
    "proposal_votes",
    _number("proposal", key=True), _text("institution", key=True), _flag("yes"), _number("height"), _number("time"),
)  # fmt: skip

# ---- assets and the register

SECURITIES: Final = _table(
    "securities",
    _text("code", key=True), _text("name"), _text("form"), _text("issuer_name"), _text("issuer_country"),
    _text("issuer_lei"), _text("agent"), _text("registrar"), _text("currency"), _number("price"), _text("isin"),
    _text("documents"), _text("classes"), _number("created"),
)  # fmt: skip
ASSETS: Final = _table(
    "assets",
    _text("code", key=True), _text("kind"), _text("security"), _text("name"), _number("decimals"),
    _text("controllers"), _number("authorised"), _flag("paused"), _number("supply"), _number("last_price"),
    _number("last_time"),
    Index("assets_security", "security"),
)  # fmt: skip
HOLDINGS: Final = _clustered(
    "holdings",
    _text("asset", key=True), _account("account", key=True), _number("party"), _number("units"), _number("held"),
    _number("frozen"), _number("free"),
    Index("holdings_account", "account"), Index("holdings_party", "party"),
)  # fmt: skip
LOTS: Final = _clustered(
    "lots",
    _account("account", key=True), _text("asset", key=True), _number("number", key=True), _number("units"),
    _number("acquired"), _raw("source"), _number("cost"), _number("locked"),
)  # fmt: skip
HOLDS: Final = _clustered(
    "holds",
    _account("account", key=True), _text("asset", key=True), _number("hold", key=True), _number("units"),
    _raw("owner"), _text("business"), _text("reason"), _number("expires"), _number("placed"),
)  # fmt: skip
MOVES: Final = _table(  # ``number`` counts movements from 1 over the whole chain
    "moves",
    _number("number", key=True), _number("height"), _number("index"), _number("n"), _number("time"), _text("asset"),
    _text("phase"), _raw("source"), _raw("target"), _number("units"), _number("cost"),
    Index("moves_asset", "asset", "time"), Index("moves_time", "time"), Index("moves_transaction", "height", "index"),
)  # fmt: skip
ENTRIES: Final = _clustered(  # a movement seen from one account: what came or went, and the balance after it
    "entries",
    _account("account", key=True), _number("number", key=True), _text("asset"), _number("delta"), _number("balance"),
    Index("entries_asset", "account", "asset", "number"),
)  # fmt: skip
GAINS: Final = _clustered(  # what a sale brought against what the lots that left had cost
    "gains",
    _account("account", key=True), _number("number", key=True), _number("party"), _text("asset"), _number("units"),
    _number("proceeds"), _number("basis"), _number("time"),
)  # fmt: skip
PRICES: Final = _clustered(
    "prices",
    _text("asset", key=True), _number("day", key=True), _number("open"), _number("high"), _number("low"),
    _number("last"), _number("units"), _number("turnover"), _number("trades"),
)  # fmt: skip

# ---- offerings and corporate actions

OFFERINGS: Final = _table(
    "offerings",
    _text("code", key=True), _text("asset"), _text("currency"), _number("units"), _number("soft_cap"),
    _number("hard_cap"), _number("minimum"), _number("limit"), _text("tiers"), _number("opens"), _number("closes"),
    _number("locked"), _text("allotment"), _flag("revocable"), _flag("closable"), _account("proceeds"),
    _text("stage"), _number("subscriptions"), _number("subscribed"), _number("held"), _text("rule"), _number("sold"),
    _number("paid"), _number("opened"),
    Index("offerings_asset", "asset"),
)  # fmt: skip
SUBSCRIPTIONS: Final = _table(
    "subscriptions",
    _text("offering", key=True), _number("number", key=True), _account("account"), _number("party"), _number("units"),
    _number("price"), _number("cost"), _number("made"), _text("state"), _number("allotted"), _number("paid"),
    _text("reasons"), _number("ended"),
    Index("subscriptions_party", "party"), Index("subscriptions_account", "account"),
)  # fmt: skip
DISTRIBUTIONS: Final = _table(
    "distributions",
    _text("code", key=True), _text("asset"), _text("pays"), _account("payer"), _number("pool"),
    _number("per_unit_over"), _number("per_unit_under"), _number("record"), _number("payment"), _text("default_rate"),
    _text("rates"), _account("tax_account"), _digest("document"), _number("announced"),
    _text("status"), _number("units"), _number("holders"), _number("net"), _number("tax"), _number("unclaimed"),
    _number("residue"), _text("reason"),
    Index("distributions_asset", "asset", "payment"),
)  # fmt: skip
INCOME: Final = _clustered(  # one row for every line at the record; ``paid`` is 0 while the net waits for its owner
    "income",
    _text("distribution", key=True), _account("account", key=True), _number("party"), _account("target"),
    _text("asset"), _text("pays"), _number("units"), _number("gross"), _number("tax"), _number("net"),
    _number("rate_over"), _number("rate_under"), _text("country"), _number("time"), _number("paid"), _text("reasons"),
    Index("income_account", "account", "time"), Index("income_party", "party", "time"),
)  # fmt: skip


def schema_version() -> str:
    """Names the tables, as their portable DDL reads, and what is projected into them."""
    ddl = [str(CreateTable(table)) for table in METADATA.sorted_tables]
    ddl += [str(CreateIndex(index)) for table in METADATA.sorted_tables for index in sorted(table.indexes, key=_name)]
    return f"{PROJECTION}-{sha256(''.join(ddl).encode()).hexdigest()[:16]}"


def _name(index: Index) -> str:
    return str(index.name)
