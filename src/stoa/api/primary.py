"""Routes for offerings and distributions: the terms and progress are public, who subscribed or was paid is not."""

from typing import Annotated, Final

from litestar import get
from litestar.params import Parameter

from stoa.api.openapi import errors
from stoa.api.reading import PAGE, After, Limit, ask, found
from stoa.api.viewer import Asking, House, need
from stoa.kernel.identifiers import CODE_PATTERN
from stoa.readmodel.queries import primary
from stoa.readmodel.queries.paging import Page
from stoa.readmodel.queries.primary import DistributionLine, IncomeLine, OfferingLine, SubscriptionLine

TAGS: Final = ["primary market and income"]
Code = Annotated[str, Parameter(pattern=CODE_PATTERN)]


@get("/offerings", operation_id="listOfferings", tags=TAGS, responses=errors(), sync_to_thread=True)
def list_offerings(services: House, after: After = "", limit: Limit = PAGE) -> Page[OfferingLine]:
    """Every offering, the newest first."""
    return ask(services, primary.offerings, (), after, limit)


@get("/offerings/{code:str}", operation_id="getOffering", tags=TAGS, responses=errors(404), sync_to_thread=True)
def get_offering(services: House, code: Code) -> OfferingLine:
    """One offering: terms, stage, how much is subscribed."""
    return found(ask(services, primary.offering, code), f"offering {code}")


@get(
    "/offerings/{code:str}/subscriptions", operation_id="offeringSubscriptions", tags=TAGS,
    responses=errors(401, 403, 404), sync_to_thread=True,
)  # fmt: skip
def offering_subscriptions(
    services: House, viewer: Asking, code: Code, after: After = "", limit: Limit = PAGE
) -> Page[SubscriptionLine]:
    """The book: for the asset's controllers, the registrar and the supervisor."""
    need(viewer.known, viewer, "see this book")
    asset = found(ask(services, primary.offering, code), f"offering {code}").asset
    with services.views.read() as views:
        need(viewer.may_see_holders(views, asset), viewer, "see this book")
    return ask(services, primary.subscriptions, code, 0, after, limit)


@get("/distributions", operation_id="listDistributions", tags=TAGS, responses=errors(), sync_to_thread=True)
def list_distributions(services: House, after: After = "", limit: Limit = PAGE) -> Page[DistributionLine]:
    """Every distribution, the latest payment first."""
    return ask(services, primary.distributions, (), after, limit)


@get("/distributions/{code:str}", operation_id="getDistribution", tags=TAGS, responses=errors(404), sync_to_thread=True)
def get_distribution(services: House, code: Code) -> DistributionLine:
    """One distribution: pool, dates, status, and what was paid in all."""
    return found(ask(services, primary.distribution, code), f"distribution {code}")


@get(
    "/distributions/{code:str}/payments", operation_id="distributionPayments", tags=TAGS,
    responses=errors(401, 403, 404), sync_to_thread=True,
)  # fmt: skip
def distribution_payments(
    services: House, viewer: Asking, code: Code, after: After = "", limit: Limit = PAGE
) -> Page[IncomeLine]:
    """What each line got: for the asset's controllers, the registrar and the supervisor."""
    need(viewer.known, viewer, "see who was paid")
    asset = found(ask(services, primary.distribution, code), f"distribution {code}").asset
    with services.views.read() as views:
        need(viewer.may_see_holders(views, asset), viewer, "see who was paid")
    return ask(services, primary.income, distribution=code, after=after, limit=limit)


HANDLERS: Final = (
    list_offerings, get_offering, offering_subscriptions, list_distributions, get_distribution, distribution_payments,
)  # fmt: skip
