"""Routes for the chain itself: blocks, what is in them, certificates, receipts; and one box to search everything."""

from typing import Annotated, Any, Final

import msgspec
from litestar import Request, get
from litestar.params import Parameter

from stoa.api.openapi import errors
from stoa.api.problems import NotFound, Problem
from stoa.api.reading import PAGE, After, Limit, ask, found
from stoa.api.receipts import Place, ReceiptView, receipt_at
from stoa.api.transactions import language
from stoa.api.viewer import House
from stoa.kernel import limits
from stoa.readmodel.queries import explorer, search
from stoa.readmodel.queries.explorer import BlockLine, TransactionLine
from stoa.readmodel.queries.paging import Page
from stoa.readmodel.queries.search import LONGEST_QUESTION, Hit
from stoa.wire.forms import to_form

TAGS: Final = ["chain"]
Height = Annotated[int, Parameter(ge=0, le=limits.MAX_SEQUENCE)]
Index = Annotated[int, Parameter(ge=0, le=limits.MAX_SEQUENCE)]


class BlockView(msgspec.Struct, frozen=True):
    """A block, its header's fields by name, and the certificate (None: a later block's covers it)."""

    block: BlockLine
    header: dict[str, Any]
    certificate: dict[str, Any] | None


@get("/blocks", operation_id="listBlocks", tags=TAGS, responses=errors(), sync_to_thread=True)
def list_blocks(services: House, after: After = "", limit: Limit = PAGE) -> Page[BlockLine]:
    """Blocks, the newest first."""
    return ask(services, explorer.blocks, after, limit)


@get("/blocks/{height:int}", operation_id="getBlock", tags=TAGS, responses=errors(404), sync_to_thread=True)
def get_block(services: House, height: Height) -> BlockView:
    """One block with its header and certificate; genesis is at height 0."""
    line = found(ask(services, explorer.block, height), f"block {height}")
    journal = services.node.journal
    certificate = journal.certificate(height) if height else None
    return BlockView(line, to_form(journal.header(height)), None if certificate is None else to_form(certificate))


@get(
    "/blocks/{height:int}/transactions",
    operation_id="blockTransactions",
    tags=TAGS,
    responses=errors(404),
    sync_to_thread=True,
)
def block_transactions(
    services: House, height: Height, after: After = "", limit: Limit = PAGE
) -> Page[TransactionLine]:
    """What is in a block, in its order: transactions, then work that fell due."""
    found(ask(services, explorer.block, height), f"block {height}")
    return ask(services, explorer.transactions, height, b"", after, limit)


@get("/transactions", operation_id="listTransactions", tags=["transactions"], responses=errors(), sync_to_thread=True)
def list_transactions(services: House, after: After = "", limit: Limit = PAGE) -> Page[TransactionLine]:
    """Final transactions and due work, the newest first."""
    return ask(services, explorer.transactions, None, b"", after, limit)


@get(
    "/receipts/{height:int}/{index:int}",
    operation_id="getReceipt",
    tags=TAGS,
    responses=errors(404),
    sync_to_thread=True,
)
def get_receipt(request: Request[Any, Any, Any], services: House, height: Height, index: Index) -> ReceiptView:
    """The receipt at a place of the chain."""
    try:
        return receipt_at(services.node.journal, Place(height, index), language(request))
    except LookupError:
        raise Problem(NotFound(f"receipt {height}.{index}")) from None


@get("/search", operation_id="search", tags=TAGS, responses=errors(), sync_to_thread=True)
def search_everything(
    services: House,
    q: Annotated[str, Parameter(max_length=LONGEST_QUESTION, description="A height, hash, address or code.")],
) -> tuple[Hit, ...]:
    """What the ledger knows by this number, hash, address or code."""
    return ask(services, search.search, q)


HANDLERS: Final = (
    list_blocks, get_block, block_transactions, list_transactions, get_receipt, search_everything,
)  # fmt: skip
