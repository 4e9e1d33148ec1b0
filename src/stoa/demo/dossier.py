"""What a folder of input files says, read and checked: plain values, ready to become instructions.

Money is in the smallest unit of its currency, times are milliseconds, rates are exact. Does not own: the files' form
(``files``), nor keys and party numbers, which the cast gives out.
"""

from typing import Any, Literal

import msgspec

from stoa.kernel.money import Rate

Form = dict[str, Any]


class Institution(msgspec.Struct, frozen=True):
    """A member of the network, with its roles."""

    code: str
    name: str
    country: str
    roles: tuple[str, ...]


class Document(msgspec.Struct, frozen=True):
    """A document that is bound to the security by its hash."""

    kind: str
    title: str
    sha256: bytes


class TermSheet(msgspec.Struct, frozen=True):
    """What is issued, by whom, on which ledger, and who acts."""

    code: str
    name: str
    form: str
    currency: str
    price: int
    units: int
    value: int
    isin: str
    issuer: Form
    issuer_broker: str
    property_address: str
    documents: tuple[Document, ...]
    chain: str
    starts: int
    validator: str
    validators: tuple[str, ...]
    cash_name: str
    cash_currency: str
    decimals: int
    bank: str
    registrar: str
    agent: str
    identity: str
    supervisor: str
    venue: str
    tax_office: str
    institutions: tuple[Institution, ...]


class Investor(msgspec.Struct, frozen=True):
    """A person or firm: name and birth stay with the broker, the rest becomes claims and a deposit."""

    id: str
    name: str
    local_name: str
    kind: Literal["natural", "legal"]
    country: str
    category: str
    broker: str
    born: str
    identified_until: int
    deposit: int

    def __repr__(self) -> str:
        return f"Investor({self.id})"


class OfferingPlan(msgspec.Struct, frozen=True):
    """An offering; ``terms`` is the ledger's form of them but for the proceeds account."""

    code: str
    terms: Form

    def price_on(self, time: int) -> int:
        """The price of the tier that a subscription at this time falls into."""
        tiers = self.terms["tiers"]
        return int(next((tier["price"] for tier in tiers if time < tier["until"]), tiers[-1]["price"]))


class Retained(msgspec.Struct, frozen=True):
    """The units that go to the issuer, locked up."""

    units: int
    on: int
    locked_until: int


class Subscription(msgspec.Struct, frozen=True):
    """A line of the subscription list. ``expect``: the names of the reasons against it, none if accepted."""

    offering: str
    day: int
    investor: str
    units: int
    expect: tuple[str, ...]


class Lease(msgspec.Struct, frozen=True):
    """A line of the rent roll; ``received`` is the rent of the quarter that came in."""

    unit: str
    tenant: str
    monthly_rent: int
    months: int
    received: int


class Cost(msgspec.Struct, frozen=True):
    """A cost of the quarter, in money."""

    name: str
    amount: int


class Income(msgspec.Struct, frozen=True):
    """A quarter: rent received, what it cost, when the rest is distributed, and the tax on it."""

    code: str
    period: str
    announced: int
    record: int
    payment: int
    resolution: str
    rent: tuple[Lease, ...]
    costs: tuple[Cost, ...]
    default_rate: Rate
    rates: tuple[Form, ...]

    @property
    def rent_received(self) -> int:
        """The quarter's rent as it came in."""
        return sum(lease.received for lease in self.rent)

    @property
    def net_rent(self) -> int:
        """Rent received less every cost: the pool of the distribution."""
        return self.rent_received - sum(cost.amount for cost in self.costs)


class Dossier(msgspec.Struct, frozen=True):
    """A whole folder."""

    terms: TermSheet
    rules: Form
    investors: tuple[Investor, ...]
    offerings: tuple[OfferingPlan, ...]
    retained: Retained
    subscriptions: tuple[Subscription, ...]
    income: Income
