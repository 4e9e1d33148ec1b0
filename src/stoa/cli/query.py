"""``stoa query``: what the views show, as tables or JSON. Needs neither a running node nor a passphrase."""

from typing import Annotated, Any

from cyclopts import App, Parameter

from stoa.cli.houses import reading
from stoa.cli.shell import PLAIN, Common, Usage, app, plain

query = App(name="query", help="Ask the views: securities, holders, accounts, blocks, receipts, offerings, income.")
app.command(query)
Limit = Annotated[int, Parameter(help="At most so many rows.")]
Address = Annotated[str, Parameter(help="An account's address, stoa1…")]


def _rows(common: Common, name: str, page: Any, columns: str = "") -> None:
    """Answer with a page of rows, of which people see some columns."""
    common.rows(name, plain(page.items), columns, next=page.next)


def _one(common: Common, what: str, found: Any) -> None:
    """Answer with one thing. Raises Usage when there is none."""
    if found is None:
        raise Usage(common.words(f"There is no {what}.", f"{what}이(가) 없습니다."))
    common.fields(plain(found), what)


def account_of(text: str) -> bytes:
    """The account behind an address. Raises Usage."""
    from stoa.kernel.identifiers import BadAddress, parse_address

    try:
        return parse_address(text)
    except BadAddress as error:
        raise Usage(f"{text}: {error}") from None


def digest_of(text: str) -> bytes:
    """The transaction's id behind its digits. Raises Usage."""
    try:
        digest = bytes.fromhex(text)
    except ValueError:
        digest = b""
    if len(digest) != 32:
        raise Usage(f"{text}: a transaction's id is 64 hexadecimal digits")
    return digest


@query.command
def securities(*, limit: Limit = 100, common: Common = PLAIN) -> None:
    """List the securities."""
    from stoa.readmodel.queries.market import overview

    with reading(common) as (db, now):
        _rows(common, "securities", overview(db, now, limit=limit), "code name currency price supply holders status")


@query.command
def security(code: str, *, common: Common = PLAIN) -> None:
    """Show a security: terms, documents, classes, rules, offerings and income."""
    from stoa.readmodel.queries.securities import security as ask

    with reading(common) as (db, now):
        _one(common, f"security {code}", ask(db, code, now))


@query.command
def packs(*, limit: Limit = 100, common: Common = PLAIN) -> None:
    """List the rule packs that the members have adopted, and how many securities name each."""
    from stoa.readmodel.queries.packs import packs as ask

    with reading(common) as (db, _):
        _rows(common, "packs", ask(db, limit=limit))


@query.command
def pack(
    code: str,
    *,
    version: Annotated[int, Parameter(help="Of the pack; 0 for the newest.")] = 0,
    common: Common = PLAIN,
) -> None:
    """Show a rule pack: its rules in a version, the versions there were, and who names it."""
    from stoa.readmodel.queries.packs import pack as ask

    with reading(common) as (db, now):
        _one(common, f"pack {code}" + (f", version {version}" if version else ""), ask(db, code, now, version))


@query.command
def proposals(*, limit: Limit = 100, common: Common = PLAIN) -> None:
    """List what members have proposed, newest first: who voted how, and whether it is open, enacted or lapsed."""
    from stoa.readmodel.queries.proposals import proposals as ask

    with reading(common) as (db, _):
        _rows(common, "proposals", ask(db, limit=limit), "number proposer kind subject height yes no stage decided")


@query.command
def proposal(number: int, *, common: Common = PLAIN) -> None:
    """Show a proposal: its whole change, the votes, and why it lapsed if it did."""
    from stoa.readmodel.queries.proposals import proposal as ask

    with reading(common) as (db, _):
        _one(common, f"proposal {number}", ask(db, number))


@query.command
def holders(asset: str, *, limit: Limit = 100, common: Common = PLAIN) -> None:
    """List who holds an asset, the largest first."""
    from stoa.readmodel.queries.market import holders as ask

    with reading(common) as (db, _):
        _rows(common, "holders", ask(db, asset, limit=limit))


@query.command
def portfolio(account: Address, *, common: Common = PLAIN) -> None:
    """Show what lies on an account, with lots and gains."""
    from stoa.readmodel.queries.portfolio import of_account

    with reading(common) as (db, _):
        _one(common, f"account {account}", of_account(db, account_of(account)))


@query.command
def account(account: Address, *, common: Common = PLAIN) -> None:
    """Show an account: its party, custodian, keys and standing."""
    from stoa.readmodel.queries.register import account as ask

    with reading(common) as (db, _):
        _one(common, f"account {account}", ask(db, account_of(account)))


@query.command
def institutions(*, limit: Limit = 100, common: Common = PLAIN) -> None:
    """List the institutions of the network with their roles."""
    from stoa.readmodel.queries.register import institutions as ask

    with reading(common) as (db, _):
        _rows(common, "institutions", ask(db, limit=limit))


@query.command
def claims(party: int, *, limit: Limit = 100, common: Common = PLAIN) -> None:
    """List what has been attested about a party."""
    from stoa.readmodel.queries.register import claims as ask

    with reading(common) as (db, now):
        _rows(common, "claims", ask(db, party, now, limit=limit))


@query.command
def blocks(*, limit: Limit = 20, common: Common = PLAIN) -> None:
    """List blocks, the newest first."""
    from stoa.readmodel.queries.explorer import blocks as ask

    with reading(common) as (db, _):
        _rows(common, "blocks", ask(db, limit=limit), "height time producer count receipts votes final")


@query.command
def block(height: int, *, common: Common = PLAIN) -> None:
    """Show a block."""
    from stoa.readmodel.queries.explorer import block as ask

    with reading(common) as (db, _):
        _one(common, f"block {height}", ask(db, height))


@query.command
def transaction(id: str, *, common: Common = PLAIN) -> None:
    """Show a final transaction: what was asked, and what became of it."""
    from stoa.readmodel.queries.explorer import transaction as ask

    with reading(common) as (db, _):
        _one(common, f"final transaction {id}", ask(db, digest_of(id)))


@query.command
def receipt(id: str, *, common: Common = PLAIN) -> None:
    """Show the receipt of a transaction, read from its canonical bytes."""
    from stoa.api.facts import receipt_form
    from stoa.ledger.catalog import read_receipt
    from stoa.readmodel.queries.explorer import receipt as ask

    with reading(common) as (db, _):
        found = ask(db, digest_of(id))
    _one(common, f"final transaction {id}", None if found is None else receipt_form(read_receipt(found.receipt)))


@query.command
def offering(code: str, *, limit: Limit = 100, common: Common = PLAIN) -> None:
    """Show an offering and its subscriptions."""
    from stoa.readmodel.queries.primary import offering as ask
    from stoa.readmodel.queries.primary import subscriptions

    with reading(common) as (db, _):
        found = ask(db, code)
        book = plain(subscriptions(db, code, limit=limit).items) if found else []
        _one(common, f"offering {code}", None if found is None else plain(found) | {"subscriptions": book})


@query.command
def distribution(code: str, *, limit: Limit = 100, common: Common = PLAIN) -> None:
    """Show a distribution and who got what of it."""
    from stoa.readmodel.queries.primary import distribution as ask
    from stoa.readmodel.queries.primary import income

    with reading(common) as (db, _):
        found = ask(db, code)
        paid = plain(income(db, distribution=code, limit=limit).items) if found else []
        _one(common, f"distribution {code}", None if found is None else plain(found) | {"income": paid})
