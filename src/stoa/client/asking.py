"""The questions that a client asks, as plans. Both clients offer the same ones under the same names."""

from collections.abc import Sequence
from typing import Any

from stoa.client.plans import Ask, Plan, ask, ask_once, decode, read
from stoa.client.submitting import OCTETS
from stoa.client.views import Asset, Block, Explanation, Intent, Keys, Portfolio, SnapshotState, Transaction
from stoa.kernel.base import Instruction
from stoa.kernel.identifiers import address
from stoa.wire.forms import to_form


def keys() -> Plan[Keys]:
    """The validators' public keys, as this server has them."""
    return read(Keys, Ask("GET", "/v1/keys"))


def transaction(digest: bytes) -> Plan[Transaction]:
    """How a transaction stands."""
    return read(Transaction, Ask("GET", f"/v1/transactions/{digest.hex()}"))


def explain(instructions: Sequence[Instruction], author: bytes, signers: Sequence[bytes]) -> Plan[Explanation]:
    """Every reason against it if these accounts signed."""
    forms = [to_form(one) for one in instructions]
    data = {"author": address(author), "signers": [address(one) for one in signers], "instructions": forms}
    return read(Explanation, Ask("POST", "/v1/explain", json=data))


def eligibility(security: str, account: bytes, units: int) -> Plan[Explanation]:
    """May the account acquire these units, and if not, why not?"""
    params = {"security": security, "account": address(account), "units": units}
    return read(Explanation, Ask("GET", "/v1/eligibility", params))


def intend(instructions: Sequence[Instruction], account: bytes, wait: float, submit: bool) -> Plan[Intent]:
    """Have the institution sign and submit. Not repeated by itself: each asking would be another intent."""
    data: dict[str, Any] = {"account": address(account), "instructions": [to_form(one) for one in instructions]}
    body = yield from ask_once(Ask("POST", "/v1/intents", {"wait": wait}, json=data | {"submit": submit}))
    return decode(Intent, body)


def decide(digest: bytes, consent: bool, wait: float) -> Plan[Intent]:
    """Approve or decline an intent that waits."""
    word = "approve" if consent else "decline"
    body = yield from ask_once(Ask("POST", f"/v1/intents/{digest.hex()}/{word}", {"wait": wait} if consent else {}))
    return decode(Intent, body)


def asset(code: str) -> Plan[Asset]:
    """One class of a security, or a cash token."""
    return read(Asset, Ask("GET", f"/v1/assets/{code}"))


def holdings(account: bytes) -> Plan[Portfolio]:
    """What lies on an account: for whom it concerns."""
    return read(Portfolio, Ask("GET", f"/v1/accounts/{address(account)}/holdings"))


def block(height: int) -> Plan[Block]:
    """A block in short."""
    found = yield from read(dict[str, Any], Ask("GET", f"/v1/blocks/{height}"))
    line = found["block"]
    return Block(**{name: line[name] for name in Block.__struct_fields__})


def take_snapshot() -> Plan[SnapshotState]:
    """Have the node begin a snapshot of its state, unless one is under way: for who runs it."""
    return read(SnapshotState, Ask("POST", "/v1/snapshots"))


def snapshot_state() -> Plan[SnapshotState]:
    """How the last snapshot stands that was asked for: for who runs the node."""
    return read(SnapshotState, Ask("GET", "/v1/snapshots"))


def prove_receipt(digest: bytes) -> Plan[bytes]:
    """The proof file of a final transaction's receipt."""
    return ask(Ask("GET", f"/v1/proofs/receipts/{digest.hex()}", accept=OCTETS))


def prove_holding(code: str, account: bytes) -> Plan[bytes]:
    """The proof file of a line of the register: for whom it concerns."""
    return ask(Ask("GET", f"/v1/proofs/holdings/{code}/{address(account)}", accept=OCTETS))
