"""The story as it is being told: acts on the stage, each compared with what was expected, kept in the report.

A step that does not come out as expected is told as such and the story goes on; in the end ``Report.ok`` says whether
all of them did. Does not own: what the chapters say, or how steps look (``Audience``).
"""

from collections.abc import Sequence
from typing import Protocol

from stoa.demo.dossier import Dossier, Form
from stoa.demo.report import Aside, Chapter, ReceiptLine, Report, Step, reason_of
from stoa.demo.stage import Outcome, Stage
from stoa.kernel.time import iso
from stoa.ledger.catalog import Receipt

Act = tuple[tuple[str, ...], tuple[Form, ...]]  # signers, the author first; instructions


class Audience(Protocol):
    """Who is told."""

    def chapter(self, chapter: Chapter) -> None:
        """A chapter begins."""

    def step(self, step: Step) -> None:
        """A step has happened."""

    def aside(self, aside: Aside) -> None:
        """Something else has happened."""


class Story:
    """The words that chapters are written in."""

    def __init__(self, stage: Stage, audience: Audience) -> None:
        self.stage, self._audience = stage, audience
        self.report = Report(stage.node.chain)

    @property
    def dossier(self) -> Dossier:
        """The input files."""
        return self.stage.dossier

    def chapter(self, number: int, en: str, ko: str) -> None:
        """Begin a chapter."""
        chapter = Chapter(number, en, ko)
        self.report.chapters.append(chapter)
        self._audience.chapter(chapter)
        for aside in self.stage.ground.enter(number):
            self.report.asides.append(aside)
            self._audience.aside(aside)

    def applied(self, en: str, ko: str, signers: tuple[str, ...], *acts: Form) -> Receipt:
        """A transaction that is expected to be applied."""
        return self.applied_each(en, ko, [(signers, acts)])[0]

    def applied_each(self, en: str, ko: str, transactions: Sequence[Act]) -> list[Receipt]:
        """Several transactions of one kind, all expected to be applied; one step."""
        outcomes = [self.stage.submit(signers, *acts) for signers, acts in transactions]
        done = sum(outcome.receipt.applied for outcome in outcomes)
        whole = len(outcomes)
        expected, actual = ("applied", "applied") if whole == done == 1 else (f"{whole} applied", f"{done} applied")
        if whole == 1 and not done:
            actual = ", ".join(reason_of(reason).label for reason in outcomes[0].reasons) or "refused"
        self._tell("applied", en, ko, expected, actual, outcomes)
        return [outcome.receipt for outcome in outcomes]

    def refused(self, en: str, ko: str, expect: Sequence[str], signers: tuple[str, ...], *acts: Form) -> None:
        """A transaction that is expected to be refused for exactly these reasons, gravest first.

        ``explain`` is asked first and must give them all; the receipt must carry the gravest one.
        """
        outcome = self.stage.submit(signers, *acts)
        found = [reason_of(reason) for reason in outcome.reasons]
        actual = ", ".join(reason.label for reason in found) or "applied"
        gravest = outcome.receipt.rejection
        if (reason_of(gravest).label if gravest is not None else "applied") != (found[0].label if found else "applied"):
            actual += " by explain, otherwise by the receipt"
        self._tell("refused", en, ko, ", ".join(expect), actual, [outcome])

    def fact(self, en: str, ko: str, expected: object, actual: object) -> None:
        """Something that must be so after what has happened."""
        self._tell("fact", en, ko, str(expected), str(actual), [])

    def _tell(self, kind: str, en: str, ko: str, expected: str, actual: str, outcomes: Sequence[Outcome]) -> None:
        reasons = [reason_of(reason) for outcome in outcomes for reason in outcome.reasons]
        receipts = [_line(outcome.receipt) for outcome in outcomes]
        ok = expected == actual
        number = self.report.chapters[-1].number
        step = Step(number, iso(self.stage.clock()), kind, en, ko, expected, actual, ok, receipts, reasons)
        self.report.ok = self.report.ok and ok
        self.report.steps.append(step)
        self._audience.step(step)


def _line(receipt: Receipt) -> ReceiptLine:
    code, name = (0, "applied") if receipt.rejection is None else (receipt.rejection.code, receipt.rejection.name)
    return ReceiptLine(receipt.transaction.hex(), receipt.height, receipt.index, code, name)
