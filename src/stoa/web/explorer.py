"""The ledger itself: blocks, transactions with receipts and refusals, accounts, and one box that finds them all."""

from typing import Any, Final

from litestar import Response, get
from litestar.params import FromPath
from litestar.response import Redirect

from stoa.api.problems import NotFound, Problem
from stoa.api.viewer import Asking, House
from stoa.kernel.identifiers import BadAddress, parse_address
from stoa.ledger.catalog import EVENT_BY_TAG, INSTRUCTION_BY_TAG
from stoa.readmodel.queries import explorer, register
from stoa.readmodel.queries.search import Hit, search
from stoa.web.page import Paper

BLOCKS_SHOWN: Final = 15
BLOCKS_DRAWN: Final = 60  # bars of the activity chart
ID_CHARACTERS: Final = 64
PLACES: Final = {
    "block": "/explorer/blocks/{}",
    "transaction": "/explorer/transactions/{}",
    "account": "/explorer/accounts/{}",
    "security": "/securities/{}",
}


@get("/explorer", sync_to_thread=True)
def explorer_page(page: Paper, services: House) -> Response[str]:
    """The latest blocks and transactions."""
    with services.views.read() as views:
        drawn = explorer.blocks(views, limit=BLOCKS_DRAWN).items
        listed = explorer.blocks(views, page.query.get("after", ""), BLOCKS_SHOWN)
        latest = explorer.transactions(views, limit=BLOCKS_SHOWN)
    ascending = [(one.height, one.receipts) for one in reversed(drawn)]
    members = services.node.members()
    return page.render(
        "explorer.html",
        listed=listed, latest=latest.items, health=services.node.health(), members=members, head=drawn[0],
        activity=[[height for height, _ in ascending], [count for _, count in ascending]],
    )  # fmt: skip


@get("/explorer/blocks/{height:int}", sync_to_thread=True)
def block_page(page: Paper, services: House, height: FromPath[int]) -> Response[str]:
    """A block with its transactions. Raises Problem: NotFound."""
    with services.views.read() as views:
        block = explorer.block(views, height) if 0 <= height < 2**62 else None
        if block is None:
            raise Problem(NotFound(f"block {height}"))
        rows = explorer.transactions(views, height=height, after=page.query.get("after", ""))
        last = explorer.blocks(views, limit=1).items[0].height
    certificate = services.node.journal.certificate(height) if height else None
    return page.render("block.html", block=block, rows=rows, last=last, certificate=certificate)


@get("/explorer/transactions/{transaction:str}", sync_to_thread=True)
def transaction_page(page: Paper, services: House, transaction: FromPath[str]) -> Response[str]:
    """A transaction: what was asked, what became of it, and why not. Raises Problem: NotFound."""
    try:
        wanted = bytes.fromhex(transaction)
    except ValueError:
        wanted = b""
    with services.views.read() as views:
        found = explorer.transaction(views, wanted) if len(wanted) * 2 == ID_CHARACTERS else None
    if found is None:
        raise Problem(NotFound(f"transaction {transaction[:ID_CHARACTERS]}"))
    return page.render("transaction.html", found=found, heading=heading)


@get("/explorer/accounts/{address:str}", sync_to_thread=True)
def account_page(page: Paper, services: House, viewer: Asking, address: FromPath[str]) -> Response[str]:
    """An account: whose it is by number, who keeps it, what it did. Raises Problem: NotFound."""
    now = services.clock()
    with services.views.read() as views:
        account = _parsed(address)
        found = register.account(views, account)
        if found is None:
            raise Problem(NotFound(f"account {address[:80]}"))
        rows = explorer.transactions(views, author=account, after=page.query.get("after", ""), limit=BLOCKS_SHOWN)
        seen = viewer.may_see_account(views, account)
        claims = register.claims(views, found.party, now).items if viewer.may_see_party(views, found.party) else ()
    return page.render("account.html", found=found, rows=rows, seen=seen, claims=claims)


@get("/explorer/search", sync_to_thread=True)
def search_page(page: Paper, services: House) -> Response[Any]:
    """What the box finds: the thing itself when it is one, else a list."""
    asked = page.query.get("q", "")
    with services.views.read() as views:
        hits = search(views, asked)
    places = [(hit, place_of(hit)) for hit in hits]
    if len(places) == 1 and places[0][1]:
        return Redirect(places[0][1])
    return page.render("search.html", asked=asked, places=places)


def place_of(hit: Hit) -> str:
    """The page about what was found; empty where there is none."""
    return PLACES[hit.kind].format(hit.key) if hit.kind in PLACES else ""


def heading(tag: str) -> str:
    """The name of an instruction's or event's kind, for a tag without a word of its own."""
    kind = INSTRUCTION_BY_TAG.get(tag) or EVENT_BY_TAG.get(tag)
    return kind.__name__ if kind else tag


def _parsed(address: str) -> bytes:
    try:
        return parse_address(address)
    except BadAddress:
        raise Problem(NotFound(f"account {address[:80]}")) from None
