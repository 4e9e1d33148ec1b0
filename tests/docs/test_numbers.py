"""Numbers that the documents say in prose are the ones of the code."""

import re

import pytest

from stoa.api.health import MAX_LAG
from stoa.api.limits import MAX_SUBSCRIBERS
from stoa.bus.settings import HOME_S, MAX_PAYLOAD_BYTES
from stoa.custody.sessions import IDLE_LIFE, WHOLE_LIFE
from stoa.intake.gate import MAX_WAITING, MAX_WAITING_BYTES
from stoa.kernel import limits
from stoa.kernel.time import DAY, SECOND
from stoa.ledger.assets.joining import KEPT
from stoa.ledger.catalog import REJECTIONS, tag_of
from stoa.ledger.corporate_actions.pay import ACT_LINES
from stoa.node.config import DEFAULT_PORT
from stoa.node.health import HEARD_SECONDS
from stoa.node.inbox import MAX_BATCHES
from stoa.ordering.condition import Kind
from tests.docs.pages import ROOT, WRITTEN, text_of

MIB = 1024 * 1024
SAID = (
    ("docs/concepts/ledger.md", f"1 to {limits.MAX_INSTRUCTIONS} *instructions*"),
    ("docs/concepts/securities.md", f"1 to {limits.MAX_CLASSES} *classes*"),
    ("docs/concepts/securities.md", f"at most {limits.MAX_LOTS:,} lots"),
    ("docs/decisions/0005-lots.md", f"at most {limits.MAX_LOTS:,}"),
    ("docs/decisions/0005-lots.md", f"until {KEPT} are left"),
    ("docs/decisions/0005-lots.md", f"the {limits.MAX_LOTS - KEPT} arrivals"),
    ("docs/decisions/0010-time-and-due-work.md", f"{limits.MAX_DUE_STEPS:,} steps"),
    ("docs/decisions/0010-time-and-due-work.md", f"in acts of {ACT_LINES} lines"),
    ("docs/decisions/0011-lanes.md", f"{limits.MAX_LANE + 1:,} lanes"),
    (
        "docs/concepts/custody.md",
        f"{IDLE_LIFE // (60 * SECOND)} minutes without use or {WHOLE_LIFE // (3_600 * SECOND)} h",
    ),
    ("docs/concepts/log.md", f"every {HOME_S:.0f} seconds"),
    ("docs/concepts/log.md", f"max_payload: {MAX_PAYLOAD_BYTES // MIB}MB"),
    *(("docs/concepts/log.md", f"| `{kind}` |") for kind in Kind),
    ("docs/operations/health.md", f"more than {MAX_LAG} blocks behind"),
    ("docs/operations/health.md", f"at {MAX_SUBSCRIBERS} |"),
    ("docs/operations/health.md", f"were heard within {HEARD_SECONDS:.0f} seconds"),
    ("docs/operations/health.md", f"wait here | at {MAX_BATCHES} for"),
    ("docs/operations/runbook.md", f"{MAX_WAITING:,} transactions, or {MAX_WAITING_BYTES // MIB} MiB"),
    ("README.md", f"http://127.0.0.1:{DEFAULT_PORT}"),
    ("ARCHITECTURE.md", f"at most {limits.MAX_DUE_STEPS:,} steps a block"),
)


@pytest.mark.parametrize(("page", "said"), SAID)
def test_what_is_said_is_so(page: str, said: str) -> None:
    assert said in " ".join(text_of(ROOT / page).split())


def test_a_transaction_is_valid_for_a_day_at_most() -> None:
    assert limits.MAX_VALIDITY_MS == DAY
    assert "`valid_until` at most a day ahead" in " ".join(text_of(ROOT / "docs/decisions/0011-lanes.md").split())


def test_a_rejection_that_is_named_with_its_number_has_it() -> None:
    numbers = {kind.__name__: tag_of(kind) for kind in REJECTIONS}
    found = [
        (name, int(number))
        for page in WRITTEN
        for name, number in re.findall(r"`([A-Z]\w+)`[ (,]+(\d{4})\b", text_of(page))
    ]
    assert found
    assert all(numbers[name] == number for name, number in found)
