"""Routes for securities and assets: terms, documents, rules, prices, income, and, for whom it concerns, holders."""

from typing import Annotated, Final

from litestar import get
from litestar.params import Parameter

from stoa.api.building import Asset
from stoa.api.openapi import errors
from stoa.api.reading import PAGE, After, Limit, ask, found
from stoa.api.viewer import Asking, House, need
from stoa.kernel.limits import MAX_TIME
from stoa.readmodel.queries import assets, market, primary, securities
from stoa.readmodel.queries.assets import AssetLine
from stoa.readmodel.queries.market import HolderLine, PriceDay, SecurityLine
from stoa.readmodel.queries.paging import Page
from stoa.readmodel.queries.primary import DistributionLine
from stoa.readmodel.queries.securities import Document, ProfileLine, SecurityDetail

TAGS: Final = ["securities"]
SinceTime = Annotated[int, Parameter(ge=0, le=MAX_TIME, description="Milliseconds since 1970.")]


@get("/securities", operation_id="listSecurities", tags=TAGS, responses=errors(), sync_to_thread=True)
def list_securities(services: House, after: After = "", limit: Limit = PAGE) -> Page[SecurityLine]:
    """Every security with its price, supply, holders and status."""
    return ask(services, market.overview, services.clock(), after, limit)


def _security(services: House, code: str) -> SecurityDetail:
    return found(ask(services, securities.security, code, services.clock()), f"security {code}")


@get("/securities/{code:str}", operation_id="getSecurity", tags=TAGS, responses=errors(404), sync_to_thread=True)
def get_security(services: House, code: Asset) -> SecurityDetail:
    """Terms, documents, rules, counts of holders, distributions and offerings of one security."""
    return _security(services, code)


@get(
    "/securities/{code:str}/rules", operation_id="securityRules", tags=TAGS, responses=errors(404), sync_to_thread=True
)
def security_rules(services: House, code: Asset) -> tuple[ProfileLine, ...]:
    """Who may hold it: rules, rule packs, trusted attesters and open countries, of the security and of each class."""
    return _security(services, code).profiles


@get(
    "/securities/{code:str}/documents",
    operation_id="securityDocuments",
    tags=TAGS,
    responses=errors(404),
    sync_to_thread=True,
)
def security_documents(services: House, code: Asset) -> tuple[Document, ...]:
    """Documents bound to it, by SHA-256."""
    return _security(services, code).documents


@get(
    "/securities/{code:str}/income",
    operation_id="securityIncome",
    tags=TAGS,
    responses=errors(404),
    sync_to_thread=True,
)
def security_income(services: House, code: Asset, after: After = "", limit: Limit = PAGE) -> Page[DistributionLine]:
    """Distributions on it, the latest payment first."""
    classes = [one.code for one in _security(services, code).line.classes]
    return ask(services, primary.distributions, classes, after, limit)


@get(
    "/securities/{code:str}/prices",
    operation_id="securityPrices",
    tags=TAGS,
    responses=errors(404),
    sync_to_thread=True,
)
def security_prices(services: House, code: Asset, since: SinceTime = 0) -> tuple[PriceDay, ...]:
    """Daily prices of a class, oldest first."""
    found(ask(services, assets.asset, code), f"asset {code}")
    return ask(services, market.prices, code, since)


@get(
    "/securities/{code:str}/holders", operation_id="securityHolders", tags=TAGS, responses=errors(401, 403, 404),
    sync_to_thread=True,
)  # fmt: skip
def security_holders(
    services: House, viewer: Asking, code: Asset, after: After = "", limit: Limit = PAGE
) -> Page[HolderLine]:
    """The register of a class, largest line first: for its controllers, the registrar and the supervisor."""
    need(viewer.known, viewer, "see who holds this")
    found(ask(services, assets.asset, code), f"asset {code}")
    with services.views.read() as views:
        need(viewer.may_see_holders(views, code), viewer, "see who holds this")
    return ask(services, market.holders, code, after, limit)


@get("/assets", operation_id="listAssets", tags=TAGS, responses=errors(), sync_to_thread=True)
def list_assets(services: House, after: After = "", limit: Limit = PAGE) -> Page[AssetLine]:
    """Classes of securities and cash tokens, by code."""
    return ask(services, assets.assets, after, limit)


@get("/assets/{code:str}", operation_id="getAsset", tags=TAGS, responses=errors(404), sync_to_thread=True)
def get_asset(services: House, code: Asset) -> AssetLine:
    """One class or cash token."""
    return found(ask(services, assets.asset, code), f"asset {code}")


HANDLERS: Final = (
    list_securities, get_security, security_rules, security_documents, security_income, security_prices,
    security_holders, list_assets, get_asset,
)  # fmt: skip
