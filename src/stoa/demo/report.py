"""What happened in the story, as one value that becomes one JSON object: steps, balances, totals, proofs, roots."""

from collections.abc import Mapping
from typing import Any

import msgspec

from stoa.kernel.base import Rejection
from stoa.kernel.base import figures as plain_figures


class Reason(msgspec.Struct, frozen=True):
    """A reason of the ledger against an act, with its permanent number and its figures."""

    name: str
    code: int
    rule: str
    en: str
    ko: str
    figures: dict[str, Any]

    @property
    def label(self) -> str:
        """The name, and the rule's id where a rule failed, e.g. ``RuleFailed:US-144-HOLD``."""
        return f"{self.name}:{self.rule}" if self.rule else self.name


class ReceiptLine(msgspec.Struct, frozen=True):
    """Where a receipt is, and its code: 0 if the transaction was applied."""

    transaction: str
    height: int
    index: int
    code: int
    name: str


class Step(msgspec.Struct, frozen=True):
    """One step: what was expected, what happened, and whether they agree."""

    chapter: int
    time: str
    kind: str  # applied, refused, or fact
    en: str
    ko: str
    expected: str
    actual: str
    ok: bool
    receipts: list[ReceiptLine]
    reasons: list[Reason]


class Chapter(msgspec.Struct, frozen=True):
    """A chapter's title in both languages."""

    number: int
    en: str
    ko: str


class Aside(msgspec.Struct, frozen=True):
    """What happens beside the story, to the ground that it is played on."""

    en: str
    ko: str


class Report(msgspec.Struct):
    """The whole story. Figures are in the smallest unit; hashes are hexadecimal."""

    chain: str
    ok: bool = True
    chapters: list[Chapter] = []
    steps: list[Step] = []
    asides: list[Aside] = []
    network: dict[str, Any] = {}
    balances: dict[str, dict[str, int]] = {}
    supply: dict[str, int] = {}
    offerings: dict[str, Any] = {}
    distribution: dict[str, Any] = {}
    proofs: list[dict[str, Any]] = []
    verified: dict[str, Any] = {}
    height: int = 0
    block_hash: str = ""
    state_root: str = ""


def found_figures(figures: Mapping[str, Any]) -> str:
    """What a failed rule found beside what it asks for, e.g. ``lots.age_days 51, asked >= 365``; else nothing."""
    return "; ".join(
        f"{one['fact']} {one['found']}, asked {one['op']} {one['value']}" for one in figures.get("figures", ())
    )


def reason_of(rejection: Rejection) -> Reason:
    """The reason behind a rejection."""
    found = plain_figures(rejection)
    rule = str(getattr(rejection, "rule", "")) if rejection.name in ("RuleFailed", "PackRuleFailed") else ""
    return Reason(rejection.name, rejection.code, rule, rejection.sentence(), rejection.sentence("ko"), found)
