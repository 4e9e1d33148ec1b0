"""Facts as JSON: the rejections that an event keeps are readable there, and the exact event can be had back."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from stoa.api.facts import event_form, event_schema, receipt_form
from stoa.client.views import Fact
from stoa.kernel.base import Event, kept
from stoa.kernel.codec import encode
from stoa.kernel.identifiers import address
from stoa.ledger.catalog import Receipt, read_receipt
from stoa.ledger.governance.errors import QuorumMissed
from stoa.ledger.governance.events import ProposalLapsed
from stoa.ledger.identity.errors import AccountFrozen
from stoa.ledger.offerings.events import SubscriptionRefunded
from tests.ledger.hall import account

KIM = account("kim")
REFUNDED = SubscriptionRefunded("OFF", 3, KIM, 10, 1_000, kept([AccountFrozen(KIM)]))
LAPSED = ProposalLapsed(4, 1, 2, 3, kept([QuorumMissed(4, 1, 2, 3)]))


def as_sent(form: object) -> dict[str, Any]:
    """The form behind its JSON."""
    return msgspec.json.decode(msgspec.json.encode(form), type=dict[str, Any])


def test_a_kept_rejection_is_read_with_its_figures_in_both_languages() -> None:
    [raw] = REFUNDED.reasons
    assert event_form(REFUNDED)["reasons"] == [
        {
            "bytes": raw.hex(),
            "code": 1108,
            "name": "AccountFrozen",
            "en": f"The account {address(KIM)} is frozen.",
            "ko": f"계좌 {address(KIM)}이(가) 동결되어 있습니다.",
            "figures": {"account": address(KIM)},
        }
    ]


@pytest.mark.parametrize("event", [REFUNDED, LAPSED])
def test_the_form_fits_its_schema_and_gives_the_exact_event_back(event: Event) -> None:
    form = as_sent(event_form(event))
    described = event_schema(type(event))["properties"]
    assert list(form) == list(described)
    [reason] = form["reasons"]
    assert set(reason) == set(described["reasons"]["items"]["required"])
    assert Fact(1, 0, 0, "", "", 0, "", [form]).typed() == [event]


def test_a_receipt_shows_its_events_so() -> None:
    receipt = read_receipt(encode(Receipt(bytes(32), 7, 1, None, -1, (REFUNDED, LAPSED))))
    form = receipt_form(receipt)
    assert form["events"] == [event_form(REFUNDED), event_form(LAPSED)]
    assert {name: form[name] for name in form if name != "events"} == {
        "transaction": "00" * 32, "height": 7, "index": 1, "rejection": None, "failed": -1,
    }  # fmt: skip
