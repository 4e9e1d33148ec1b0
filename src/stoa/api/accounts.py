"""Routes for accounts and parties: what somebody has and what became of it, for whom it concerns.

``next-sequence`` is for everyone: who signs at home has no login, and a number gives nothing away.
"""

from typing import Annotated, Final

import msgspec
from litestar import get
from litestar.params import Parameter

from stoa.api.building import AddressParameter, account_of
from stoa.api.openapi import errors
from stoa.api.reading import PAGE, After, Limit, ask, found
from stoa.api.services import Services
from stoa.api.viewer import Asking, House, Viewer, need
from stoa.kernel import limits
from stoa.readmodel.queries import portfolio, primary, register, statement
from stoa.readmodel.queries.paging import Page
from stoa.readmodel.queries.portfolio import LotLine, Portfolio
from stoa.readmodel.queries.primary import DistributionLine, IncomeLine, SubscriptionLine
from stoa.readmodel.queries.register import AccountLine, InstitutionLine, PartyDetail
from stoa.readmodel.queries.statement import Entry, Statement

TAGS: Final = ["accounts"]
CONCERNED: Final = errors(401, 403, 404)
LaneNumber = Annotated[int, Parameter(ge=0, le=limits.MAX_LANE)]
PartyNumber = Annotated[int, Parameter(ge=1, le=2**63 - 1)]
Moment = Annotated[int, Parameter(ge=0, le=limits.MAX_TIME, description="Milliseconds since 1970.")]


class NextSequence(msgspec.Struct, frozen=True):
    """The sequence number that a lane of an account takes next, as far as is final."""

    account: str
    lane: int
    sequence: int


def _own(services: Services, viewer: Viewer, address: str) -> bytes:
    """The account, if the viewer may look at it. A stranger is not told whether it exists. Raises Problem."""
    account = account_of(address)
    need(viewer.known, viewer, "see this account")
    with services.views.read() as views:
        need(viewer.may_see_account(views, account), viewer, "see this account")
    return account


def _person(services: Services, viewer: Viewer, party: int) -> int:
    need(viewer.known, viewer, "see this party")
    with services.views.read() as views:
        need(viewer.may_see_party(views, party), viewer, "see this party")
    return party


@get("/accounts/{address:str}", operation_id="getAccount", tags=TAGS, responses=CONCERNED, sync_to_thread=True)
def get_account(services: House, viewer: Asking, address: AddressParameter) -> AccountLine:
    """Keys, custodian, party, freeze."""
    return found(ask(services, register.account, _own(services, viewer, address)), f"account {address}")


@get(
    "/accounts/{address:str}/next-sequence",
    operation_id="nextSequence",
    tags=TAGS,
    responses=errors(),
    sync_to_thread=True,
)
def next_sequence(services: House, address: AddressParameter, lane: LaneNumber = 0) -> NextSequence:
    """What to number the next transaction with; 1 for a lane, or an account, that nobody has used."""
    return NextSequence(address, lane, services.node.next_sequence(account_of(address), lane))


@get(
    "/accounts/{address:str}/holdings",
    operation_id="accountHoldings",
    tags=TAGS,
    responses=CONCERNED,
    sync_to_thread=True,
)
def account_holdings(services: House, viewer: Asking, address: AddressParameter) -> Portfolio:
    """Lines with lots, cost and value, liens, income and gains of one account."""
    return found(ask(services, portfolio.of_account, _own(services, viewer, address)), f"account {address}")


@get("/accounts/{address:str}/lots", operation_id="accountLots", tags=TAGS, responses=CONCERNED, sync_to_thread=True)
def account_lots(services: House, viewer: Asking, address: AddressParameter) -> dict[str, tuple[LotLine, ...]]:
    """Open acquisitions by asset, oldest first."""
    held = found(ask(services, portfolio.of_account, _own(services, viewer, address)), f"account {address}")
    return {line.asset: line.lots for line in held.lines}


@get(
    "/accounts/{address:str}/statement",
    operation_id="accountStatement",
    tags=TAGS,
    responses=CONCERNED,
    sync_to_thread=True,
)
def account_statement(
    services: House, viewer: Asking, address: AddressParameter, start: Moment = 0, end: Moment = limits.MAX_TIME
) -> Statement:
    """Opening balances, movements, income, sales and closing balances of a period."""
    account = _own(services, viewer, address)
    return found(ask(services, statement.statement, account, start, end), f"account {address}")


@get(
    "/accounts/{address:str}/entries",
    operation_id="accountEntries",
    tags=TAGS,
    responses=CONCERNED,
    sync_to_thread=True,
)
def account_entries(
    services: House, viewer: Asking, address: AddressParameter,
    start: Moment = 0, end: Moment = limits.MAX_TIME, after: After = "", limit: Limit = PAGE,
) -> Page[Entry]:  # fmt: skip
    """Movements of a period, the oldest first."""
    account = _own(services, viewer, address)
    return ask(services, statement.entries_of, account, start, end, after, limit)


@get(
    "/accounts/{address:str}/income", operation_id="accountIncome", tags=TAGS, responses=CONCERNED, sync_to_thread=True
)
def account_income(
    services: House, viewer: Asking, address: AddressParameter, after: After = "", limit: Limit = PAGE
) -> Page[IncomeLine]:
    """Income of one account, the newest first."""
    account = _own(services, viewer, address)
    return ask(services, primary.income, account=account, after=after, limit=limit)


@get("/parties/{party:int}", operation_id="getParty", tags=TAGS, responses=CONCERNED, sync_to_thread=True)
def get_party(services: House, viewer: Asking, party: PartyNumber) -> PartyDetail:
    """A person by number: accounts and claims. No name: that is with the keeper."""
    wanted = _person(services, viewer, party)
    return found(ask(services, register.party, wanted, services.clock()), f"party {party}")


@get("/parties/{party:int}/holdings", operation_id="partyHoldings", tags=TAGS, responses=CONCERNED, sync_to_thread=True)
def party_holdings(services: House, viewer: Asking, party: PartyNumber) -> Portfolio:
    """What a person has over all his accounts."""
    return ask(services, portfolio.of_party, _person(services, viewer, party))


@get("/parties/{party:int}/calendar", operation_id="partyCalendar", tags=TAGS, responses=CONCERNED, sync_to_thread=True)
def party_calendar(services: House, viewer: Asking, party: PartyNumber) -> tuple[DistributionLine, ...]:
    """Income to come on what a person holds now, the soonest first."""
    return ask(services, primary.calendar, _person(services, viewer, party), services.clock())


@get(
    "/parties/{party:int}/subscriptions",
    operation_id="partySubscriptions",
    tags=TAGS,
    responses=CONCERNED,
    sync_to_thread=True,
)
def party_subscriptions(
    services: House, viewer: Asking, party: PartyNumber, after: After = "", limit: Limit = PAGE
) -> Page[SubscriptionLine]:
    """What a person has subscribed for."""
    wanted = _person(services, viewer, party)
    return ask(services, primary.subscriptions, "", wanted, after, limit)


@get("/institutions", operation_id="listInstitutions", tags=TAGS, responses=errors(), sync_to_thread=True)
def list_institutions(services: House, after: After = "", limit: Limit = PAGE) -> Page[InstitutionLine]:
    """The members with their roles and operating accounts."""
    return ask(services, register.institutions, after, limit)


HANDLERS: Final = (
    get_account, next_sequence, account_holdings, account_lots, account_statement, account_entries, account_income,
    get_party, party_holdings, party_calendar, party_subscriptions, list_institutions,
)  # fmt: skip
