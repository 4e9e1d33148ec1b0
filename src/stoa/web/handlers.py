"""The pages put together: routes, static files, and what an exception becomes. ``api.app.create_app`` takes them."""

from typing import Final

from litestar import Router
from litestar.di import Provide
from litestar.exceptions import HTTPException
from litestar.static_files import create_static_files_router
from litestar.types import ControllerRouterHandler

from stoa.api.problems import Problem
from stoa.readmodel.queries.paging import BadCursor
from stoa.web import refusing
from stoa.web.eligibility import eligibility_page
from stoa.web.explorer import account_page, block_page, explorer_page, search_page, transaction_page
from stoa.web.live import live
from stoa.web.market import market
from stoa.web.network import network_page
from stoa.web.packs import pack_page
from stoa.web.page import STATIC, provide_page
from stoa.web.portfolio import account_portfolio_page, portfolio_page
from stoa.web.proofs import check_page, holding_file, proofs_page, receipt_file
from stoa.web.securities import security_page
from stoa.web.signing_in import sign_in, sign_in_form, sign_out
from stoa.web.statements import statement_file, statement_page

PAGES: Final[tuple[ControllerRouterHandler, ...]] = (
    market, security_page, pack_page, portfolio_page, account_portfolio_page, statement_page, statement_file,
    holding_file, eligibility_page, explorer_page, block_page, transaction_page, receipt_file, account_page,
    search_page, network_page, proofs_page, check_page, sign_in_form, sign_in, sign_out, live,
)  # fmt: skip
KEEP_SECONDS: Final = 365 * 24 * 3_600  # static files: their address changes with their content


def handlers() -> list[ControllerRouterHandler]:
    """Every route of the console. The application provides ``services``, ``viewer`` and ``state.bell``."""
    pages = Router(
        path="/",
        route_handlers=PAGES,
        dependencies={"page": Provide(provide_page)},
        exception_handlers={
            Problem: refusing.refuse,
            HTTPException: refusing.refuse_http,
            BadCursor: refusing.refuse_cursor,
            Exception: refusing.refuse_fault,
        },
        include_in_schema=False,
    )
    static = create_static_files_router(path="/static", directories=[STATIC], include_in_schema=False)
    return [pages, static]
