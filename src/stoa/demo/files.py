"""The input files of a security: from a folder that people can read and copy to a checked dossier.

Each file's own form, and what files must say to agree with one another. A complaint (``BadFile``) names file, line,
field, rule and figures. What the ledger itself judges (who may sign, whether rules fit) is left to the ledger.
"""

from collections.abc import Sequence
from hashlib import sha256
from itertools import pairwise
from pathlib import Path
from typing import Final

from stoa.demo.conditions import ALWAYS, parse_condition
from stoa.demo.dossier import (
    Cost,
    Document,
    Dossier,
    Form,
    Income,
    Institution,
    Investor,
    Lease,
    OfferingPlan,
    Retained,
    Subscription,
    TermSheet,
)
from stoa.demo.reading import Table, read_csv, read_text, read_toml
from stoa.kernel import limits

ROLES: Final = (
    "registrar", "broker", "issuer_agent", "settlement_bank", "venue_operator", "identity_provider", "supervisor",
)  # fmt: skip
CATEGORIES: Final = ("retail", "professional", "accredited", "institutional")
NETWORK: Final = 5  # validators of `stoa demo --network`
FORCES: Final = ("law", "future_law", "policy", "proposal", "venue", "issuer")
PHASES: Final = ("issue", "offering", "transfer", "settlement", "forced", "recovery", "redemption", "income")
DOCUMENTS: Final = {"offering_document": "Offering document", "compliance_statement": "Compliance statement"}
INVESTOR_COLUMNS: Final = (
    "id", "name", "local_name", "kind", "country", "category", "broker", "born", "identified_until", "deposit",
)  # fmt: skip
SUBSCRIPTION_COLUMNS: Final = ("offering", "date", "investor", "units", "expect")
RENT_COLUMNS: Final = ("unit", "tenant", "area_m2", "monthly_rent", "months", "received")


def load(folder: Path) -> Dossier:
    """Everything that the folder says. Raises BadFile at the first thing that is wrong."""
    terms = _term_sheet(folder)
    investors = _investors(folder, terms)
    offerings, retained = _offerings(folder, terms)
    return Dossier(
        terms=terms,
        rules=_rules(folder),
        investors=investors,
        offerings=offerings,
        retained=retained,
        subscriptions=_subscriptions(folder, offerings, investors),
        income=_income(folder, terms),
    )


def _term_sheet(folder: Path) -> TermSheet:
    sheet = read_toml(folder / "term-sheet.toml")
    institutions = tuple(read_institution(table) for table in sheet.tables("institution"))
    cash, security, issuer = sheet.table("cash"), sheet.table("security"), sheet.table("issuer")
    ledger, place, roles = sheet.table("ledger"), sheet.table("property"), sheet.table("roles")
    decimals = cash.whole("decimals", 0, limits.MAX_DECIMALS)
    asset = cash.code("asset")
    terms = TermSheet(
        code=security.code("code"),
        name=security.text("name"),
        form=security.text("form"),
        currency=security.choice("currency", (asset,)),
        price=security.money("price", decimals),
        units=security.whole("units", 1),
        value=security.money("value", decimals),
        isin=security.text("isin", limits.MAX_CODE, 0),
        issuer={"name": issuer.text("name"), "country": _country(issuer), "lei": issuer.text("lei", 20, 0)},
        issuer_broker=_member(issuer, "broker", institutions, "broker"),
        property_address=place.text("address"),
        documents=_documents(folder, sheet.table("documents")),
        chain=ledger.text("chain", limits.MAX_CODE),
        starts=ledger.day("starts"),
        validator=ledger.choice("validator", [one.code for one in institutions]),
        validators=_validators(ledger, institutions),
        cash_name=cash.text("name"),
        cash_currency=cash.text("currency", 3, 3),
        decimals=decimals,
        bank=_member(cash, "bank", institutions, "settlement_bank"),
        registrar=_member(roles, "registrar", institutions, "registrar"),
        agent=_member(roles, "agent", institutions, "issuer_agent"),
        identity=_member(roles, "identity", institutions, "identity_provider"),
        supervisor=_member(roles, "supervisor", institutions, "supervisor"),
        venue=_member(roles, "venue", institutions, "venue_operator"),
        tax_office=roles.text("tax_office"),
        institutions=institutions,
    )
    if terms.price * terms.units != terms.value:
        found = f"{terms.price} x {terms.units} = {terms.price * terms.units}, value {terms.value}, in smallest units"
        raise security.bad("value", "price times units must be the value", found)
    place.whole("built", 1, 9_999)
    place.whole("lettable_m2", 1)
    for table in (sheet, security, issuer, cash, ledger, place, roles):
        table.finish()
    return terms


def _validators(ledger: Table, institutions: Sequence[Institution]) -> tuple[str, ...]:
    """Who run validators on a network, the one that acts first; unless the file names them, the first of all."""
    codes = [one.code for one in institutions]
    own = ledger.choice("validator", codes)
    named = ledger.words("validators", codes) if ledger.has("validators") else (own, *codes)
    found = tuple(dict.fromkeys((own, *named)))
    if ledger.has("validators") and (own not in named or len(found) != len(named) or len(found) != NETWORK):
        rule = f"names {NETWORK} institutions, each once, that of validator among them"
        raise ledger.bad("validators", rule, ", ".join(named))
    return found[:NETWORK]


def institutions(path: Path) -> tuple[Institution, ...]:
    """The institutions that a TOML file lists to found a ledger, whatever else is in it. Raises BadFile."""
    tables = read_toml(path).tables("institution")
    made = tuple(map(read_institution, tables))
    require_each_once(tables, made)
    require_registrar(tables, made)
    return made


def require_each_once(tables: Sequence[Table], made: Sequence[Institution]) -> None:
    """Raise BadFile if two of the institutions that these tables tell of have one code."""
    codes: dict[str, None] = {}
    for table, one in zip(tables, made, strict=True):
        if one.code in codes:
            raise table.bad("code", "a code is used once", repr(one.code))
        codes[one.code] = None


def require_registrar(tables: Sequence[Table], made: Sequence[Institution]) -> None:
    """Raise BadFile if none of those who found a ledger could ever admit another institution."""
    roles = dict.fromkeys(role for one in made for role in one.roles)
    if "registrar" not in roles:
        rule = "at least one institution has the role registrar, which admits others"
        raise tables[0].bad("roles", rule, f"there are {', '.join(roles)}")


def read_institution(table: Table) -> Institution:
    """The institution that a table tells of, and nothing else than that. Raises BadFile."""
    made = Institution(table.code("code"), table.text("name"), _country(table), table.words("roles", ROLES))
    table.finish()
    return made


def _country(table: Table, field: str = "country") -> str:
    value = table.raw(field, "a country's two capital letters")
    if not (isinstance(value, str) and len(value) == 2 and value.isascii() and value.isalpha() and value.isupper()):
        raise table.bad(field, "a country is two capital letters (ISO 3166-1)", repr(value))
    return value


def _member(table: Table, field: str, institutions: Sequence[Institution], role: str) -> str:
    """The code of an institution that has the role."""
    return table.choice(field, [one.code for one in institutions if role in one.roles])


def _documents(folder: Path, table: Table) -> tuple[Document, ...]:
    made = []
    for kind, title in DOCUMENTS.items():
        text = read_text(folder / table.text(kind))
        made.append(Document(kind, title, sha256(text.encode()).digest()))
    table.finish()
    return tuple(made)


def _rules(folder: Path) -> Form:
    """The terms of qualification, in the ledger's form."""
    file = read_toml(folder / "qualification-rules.toml")
    trusted = file.table("trusted")
    form: Form = {
        "trusted": [{"topic": topic, "issuers": list(trusted.words(topic))} for topic in ("identity", "category")],
        "countries": list(file.words("countries")),
        "rules": [_rule(table) for table in file.tables("rule")],
    }
    trusted.finish()
    file.finish()
    return form


def read_pack(path: Path) -> Form:
    """The rule pack that a TOML file describes, in the ledger's form. Raises BadFile."""
    file = read_toml(path)
    form: Form = {
        "code": file.code("code"),
        "title_en": file.text("title_en", 400),
        "title_ko": file.text("title_ko", 400),
        "rules": [_rule(table) for table in file.tables("rule")],
    }
    file.finish()
    return form


def _rule(table: Table) -> Form:
    form: Form = {
        "id": table.text("id", 48),
        "jurisdiction": table.text("jurisdiction", 8, 0),
        "force": table.choice("force", FORCES),
        "effective": table.day("effective"),
        "until": table.day("until") if table.has("until") else 0,
        "source": table.text("source", 400),
        "phases": list(table.words("phases", PHASES)),
        "when": table.parsed("when", parse_condition) if table.has("when") else ALWAYS,
        "require": table.parsed("require", parse_condition),
        "en": table.text("en", 400),
        "ko": table.text("ko", 400),
    }
    table.finish()
    return form


def _investors(folder: Path, terms: TermSheet) -> tuple[Investor, ...]:
    found: dict[str, Investor] = {}
    for row in read_csv(folder / "investors.csv", INVESTOR_COLUMNS):
        investor = Investor(
            id=row.text("id", 32),
            name=row.text("name"),
            local_name=row.text("local_name", least=0),
            kind="legal" if row.choice("kind", ("natural", "legal")) == "legal" else "natural",
            country=_country(row),
            category=row.choice("category", CATEGORIES),
            broker=_member(row, "broker", terms.institutions, "broker"),
            born=row.text("born", 10),
            identified_until=row.day("identified_until"),
            deposit=row.money("deposit", terms.decimals),
        )
        if investor.id in found:
            raise row.bad("id", "an id is used once", repr(investor.id))
        if investor.identified_until <= terms.starts:
            raise row.bad("identified_until", "must lie after the story's start")
        found[investor.id] = investor
    return tuple(found.values())


def _offerings(folder: Path, terms: TermSheet) -> tuple[tuple[OfferingPlan, ...], Retained]:
    file = read_toml(folder / "offerings.toml")
    plans = tuple(_offering(table, terms) for table in file.tables("offering"))
    table = file.table("retained")
    retained = Retained(table.whole("units", 1, terms.units), table.day("on"), table.day("locked_until"))
    table.finish()
    file.finish()
    return plans, retained


def _offering(table: Table, terms: TermSheet) -> OfferingPlan:
    code, units = table.code("code"), table.whole("units", 1)
    soft, hard = table.whole("soft_cap"), table.whole("hard_cap", 1)
    if units > terms.units:
        raise table.bad("units", "no more than the authorised units are on offer", f"{units} > {terms.units}")
    if not soft <= units <= hard:
        raise table.bad("units", "soft_cap <= units <= hard_cap", f"{soft}, {units}, {hard}")
    least, most = table.whole("minimum", 1), table.whole("limit", 1)
    if least > most:
        raise table.bad("minimum", "is not above the limit", f"{least} > {most}")
    opens, closes = table.day("opens"), table.day("closes")
    tiers = [(one.day("until"), one.money("price", terms.decimals), one) for one in table.tables("tier")]
    untils = [opens, *(until for until, _, _ in tiers)]
    if any(before >= after for before, after in pairwise(untils)) or untils[-1] != closes:
        raise tiers[-1][2].bad("until", "tiers follow each other, and the last one ends as the offering closes")
    for *_, one in tiers:
        one.finish()
    form: Form = {
        "units": units, "soft_cap": soft, "hard_cap": hard, "minimum": least, "limit": most,
        "tiers": [{"until": until, "price": price} for until, price, _ in tiers],
        "opens": opens, "closes": closes, "locked": 0,
        "allotment": table.choice("allotment", ("pro_rata", "time")),
        "revocable": table.flag("revocable"), "closable": table.flag("closable"),
    }  # fmt: skip
    table.finish()
    return OfferingPlan(code, form)


def _subscriptions(
    folder: Path, offerings: Sequence[OfferingPlan], investors: Sequence[Investor]
) -> tuple[Subscription, ...]:
    found: list[Subscription] = []
    for row in read_csv(folder / "subscriptions.csv", SUBSCRIPTION_COLUMNS):
        code = row.choice("offering", [plan.code for plan in offerings])
        terms = next(plan.terms for plan in offerings if plan.code == code)
        day, expect = row.day("date"), row.text("expect", limits.MAX_TEXT).split()
        if not terms["opens"] <= day < terms["closes"]:
            raise row.bad("date", f"must lie in the window of {code}", row.raw("date", "a date"))
        if found and code == found[-1].offering and day < found[-1].day:
            raise row.bad("date", "rows are in the order of time")
        who = row.choice("investor", [one.id for one in investors])
        reasons = () if expect == ["accepted"] else tuple(expect)
        found.append(Subscription(code, day, who, row.whole("units", 1), reasons))
    return tuple(found)


def _income(folder: Path, terms: TermSheet) -> Income:
    file, tax = read_toml(folder / "income.toml"), read_toml(folder / "withholding.toml")
    rent = tuple(_lease(row, terms.decimals) for row in read_csv(folder / "rent-roll.csv", RENT_COLUMNS))
    received = sum(lease.received for lease in rent)
    table = file.table("distribution")
    income = Income(
        code=table.code("code"),
        period=table.text("period"),
        announced=table.day("announced"),
        record=table.day("record"),
        payment=table.day("payment"),
        resolution=table.text("resolution", limits.MAX_TEXT),
        rent=rent,
        costs=tuple(_cost(one, received, terms.decimals) for one in file.tables("cost")),
        default_rate=tax.rate("default"),
        rates=tuple(_tax_rate(one) for one in tax.tables("rate")),
    )
    if not income.announced < income.record <= income.payment:
        raise table.bad("record", "announced < record <= payment")
    if income.net_rent <= 0:
        raise table.bad("code", "costs must leave something to distribute", f"net rent {income.net_rent}")
    for one in (table, file, tax):
        one.finish()
    return income


def _lease(row: Table, decimals: int) -> Lease:
    unit, tenant = row.text("unit"), row.text("tenant")
    row.whole("area_m2", 1)
    rent, months = row.money("monthly_rent", decimals), row.whole("months", 0, 3)
    received = row.money("received", decimals)
    if received > rent * months:
        raise row.bad("received", "is not above monthly_rent times months", f"{received} > {rent} x {months}")
    return Lease(unit, tenant, rent, months, received)


def _cost(table: Table, received: int, decimals: int) -> Cost:
    name = table.text("name")
    share = table.rate("of_rent").floor_of(received) if table.has("of_rent") else table.money("amount", decimals)
    table.finish()
    return Cost(name, share)


def _tax_rate(table: Table) -> Form:
    category = table.choice("category", CATEGORIES) if table.has("category") else ""
    rate = table.rate("rate")
    form = {"country": _country(table), "category": category, "rate": {"over": rate.over, "under": rate.under}}
    table.finish()
    return form
