"""What the API answers, as far as a client reads it: typed, and open to fields that a later version adds."""

from typing import Any, Literal

import msgspec

from stoa.client.errors import Reason
from stoa.kernel.base import Event
from stoa.ledger.catalog import EVENT_BY_TAG, Receipt, read_receipt
from stoa.wire.forms import from_form, pick_form
from stoa.wire.vote import Certificate


class Keys(msgspec.Struct, frozen=True):
    """The validators' public keys by institution (hexadecimal), and how many must have signed."""

    chain: str
    quorum: int
    validators: dict[str, str]

    def public(self) -> dict[str, bytes]:
        """The keys as bytes, for checking proofs."""
        return {name: bytes.fromhex(key) for name, key in self.validators.items()}


class _Receipt(msgspec.Struct, frozen=True):
    bytes: str
    certificate: dict[str, Any] | None = None


class Transaction(msgspec.Struct, frozen=True):
    """How a transaction stands. Only ``final`` will not change."""

    transaction: str
    status: Literal["accepted", "final"]
    receipt: _Receipt | None = None

    @property
    def decoded(self) -> Receipt | None:
        """The receipt behind its canonical bytes, once it is final."""
        return read_receipt(bytes.fromhex(self.receipt.bytes)) if self.receipt else None

    @property
    def certificate(self) -> Certificate | None:
        """The votes that made its block final; None where a later block's certificate covers it. They are what the
        door says: ``stoa.client.check_proof`` checks them, and that the receipt is in the block."""
        form = self.receipt.certificate if self.receipt else None
        return None if form is None else from_form(Certificate, form)


class Explanation(msgspec.Struct, frozen=True):
    """Every reason against a transaction, and what it would do as far as nothing is against it."""

    allowed: bool
    reasons: list[Reason]
    events: list[dict[str, Any]]


class Fact(msgspec.Struct, frozen=True):
    """A final transaction, or a piece of due work, from the feed. ``code`` 0: applied."""

    height: int
    index: int
    time: int
    transaction: str
    author: str
    code: int
    name: str
    events: list[dict[str, Any]]

    @property
    def cursor(self) -> str:
        """Where to go on from."""
        return f"{self.height}.{self.index}"

    def typed(self) -> list[Event]:
        """Its events as the ledger's own values."""
        return [pick_form(EVENT_BY_TAG, _exact(form)) for form in self.events]


def _exact(form: dict[str, Any]) -> dict[str, Any]:
    """An event as it was written: the rejections that it keeps are shown decoded, and are bytes."""
    return form | {"reasons": [one["bytes"] for one in form["reasons"]]} if "reasons" in form else form


class Intent(msgspec.Struct, frozen=True):
    """How an intent for a custodied account stands. ``signed``: ``envelope`` (hexadecimal) awaits more signatures."""

    transaction: str
    status: Literal["pending", "signed", "accepted", "final", "declined"]
    approvals: list[str] = []
    needed: int = 0
    expires: int = 0
    envelope: str = ""
    receipt: _Receipt | None = None


class Asset(msgspec.Struct, frozen=True):
    """A class of a security, or a cash token."""

    code: str
    kind: Literal["security", "cash"]
    name: str
    decimals: int
    supply: int
    paused: bool


class Line(msgspec.Struct, frozen=True):
    """What an account has of one asset: ``free`` is what neither a lien nor a freeze covers."""

    asset: str
    units: int
    held: int
    frozen: int
    free: int
    cost: int
    value: int


class Portfolio(msgspec.Struct, frozen=True):
    """What lies on an account."""

    party: int
    lines: list[Line]


class SnapshotState(msgspec.Struct, frozen=True):
    """A snapshot that was asked for: ``state`` is none, running, taken (in ``file``) or failed (``why``)."""

    state: str
    file: str
    bytes: int
    why: str


class Block(msgspec.Struct, frozen=True):
    """A block in short."""

    height: int
    hash: str
    time: int
    producer: str
    count: int
    final: bool
