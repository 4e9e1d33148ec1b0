"""The story on a terminal: chapters, steps with what was expected, reasons in the reader's language, and the end.

Owns how a report looks. Does not own what is in it (``story``).
"""

from typing import Any, Final

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from stoa.demo.money import shown
from stoa.demo.report import Aside, Chapter, Report, Step, found_figures

LONGEST: Final = 96  # characters of a figure that are shown; the whole is in the JSON
ROOT_DIGITS: Final = 16  # of a root in a table; the whole is in the JSON
WORDS: Final = {
    "en": {
        "applied": "applied", "refused": "explained before signing, then refused as expected", "fact": "holds",
        "block": "block",
        "expected": "expected", "actual": "found", "holder": "holder", "balances": "Who has what in the end",
        "good": "Everything came out as expected", "bad": "NOT everything came out as expected",
        "steps": "steps", "root": "state root", "blocks": "blocks",
        "network": "The validators", "institution": "institution", "height": "height", "made": "blocks made",
        "submitted": "submitted here", "certified": "blocks are certified by",
        "of": "of", "missed": "blocks were made without", "caught_up": "caught up in",
    },
    "ko": {
        "applied": "반영됨", "refused": "서명 전 사유 설명, 예상대로 거절됨", "fact": "확인됨", "block": "블록",
        "expected": "예상", "actual": "실제", "holder": "보유자", "balances": "최종 잔고",
        "good": "모두 예상대로 되었습니다", "bad": "예상과 다른 결과가 있습니다",
        "steps": "단계", "root": "상태 루트", "blocks": "블록",
        "network": "검증인", "institution": "기관", "height": "높이", "made": "생성 블록",
        "submitted": "접수 거래", "certified": "개 블록의 인증서 투표 수:",
        "of": "/", "missed": "개 블록 동안 없던 기관:", "caught_up": "따라잡은 시간",
    },
}  # fmt: skip


class Telling:
    """Tells the story on a console, in ``en`` or ``ko``."""

    def __init__(self, console: Console, language: str) -> None:
        self._console, self._korean, self._words = console, language == "ko", WORDS[language]

    def chapter(self, chapter: Chapter) -> None:
        """A heading."""
        title = chapter.ko if self._korean else chapter.en
        self._console.print()
        self._console.rule(f"[bold]{chapter.number}. {escape(title)}", align="left")

    def step(self, step: Step) -> None:
        """A sentence, what became of it, and why."""
        mark = "[green]✓[/]" if step.ok else "[red bold]✗[/]"
        sentence = escape(step.ko if self._korean else step.en)
        self._console.print(f"{mark} [dim]{step.time[:10]}[/] {sentence}", highlight=False, soft_wrap=True)
        self._console.print(f"  [dim]{escape(self._became(step))}[/]", highlight=False, soft_wrap=True)
        for reason in step.reasons:
            why = escape(reason.ko if self._korean else reason.en)
            found = found_figures(reason.figures)
            figures = f" [dim]{escape(found)}[/]" if found else ""
            self._console.print(
                f"    [yellow]{escape(reason.label)}[/] {why}{figures}", highlight=False, soft_wrap=True
            )

    def aside(self, aside: Aside) -> None:
        """A sentence between two steps."""
        sentence = escape(aside.ko if self._korean else aside.en)
        self._console.print(f"[magenta]◆ {sentence}[/]", highlight=False, soft_wrap=True)

    def _became(self, step: Step) -> str:
        if not step.ok:
            return f"{self._words['expected']}: {_short(step.expected)}; {self._words['actual']}: {step.actual}"
        if step.kind == "fact":
            return f"{self._words['fact']}: {_short(step.actual)}"
        last = step.receipts[-1]
        place = f"{self._words['block']} {last.height}, {last.transaction[:12]}…"
        count = f" ×{len(step.receipts)}" if len(step.receipts) > 1 else ""
        return f"{self._words[step.kind]}{count} ({place})"

    def end(self, report: Report, decimals: dict[str, int]) -> None:
        """Balances, and the verdict."""
        assets = list(report.supply)
        table = Table(title=self._words["balances"], title_justify="left")
        table.add_column(self._words["holder"])
        for asset in assets:
            table.add_column(asset, justify="right")
        for name, lines in report.balances.items():
            cells = [shown(lines[asset], decimals.get(asset, 0)) if asset in lines else "" for asset in assets]
            table.add_row(name, *cells)
        self._console.print()
        self._console.print(table)
        if report.network:
            self._console.print(self._network(report.network))
            self._figures(report.network)
        verdict = f"[green bold]{self._words['good']}" if report.ok else f"[red bold]{self._words['bad']}"
        self._console.print(f"{verdict}[/]: {len(report.steps)} {self._words['steps']}, ", end="", highlight=False)
        self._console.print(f"{report.height} {self._words['blocks']}, {self._words['root']} {report.state_root}")

    def _network(self, network: dict[str, Any]) -> Table:
        """Where each validator stands in the end, and what it did."""
        table = Table(title=self._words["network"], title_justify="left")
        table.add_column(self._words["institution"])
        for word in ("height", "made", "submitted"):
            table.add_column(self._words[word], justify="right")
        table.add_column(self._words["root"])
        for one in network["members"]:
            figures = (str(one[name]) for name in ("height", "blocks", "submitted"))
            table.add_row(one["institution"], *figures, one["state_root"][:ROOT_DIGITS] + "…")
        return table

    def _figures(self, network: dict[str, Any]) -> None:
        """What certificates hold, and what the failure did."""
        words, held, out = self._words, network["certificates"], network["outage"]
        votes = f"{held['fewest']}–{held['most']} {words['of']} {network['keys']}"
        self._console.print(f"{held['valid']} {words['certified']} {votes}", highlight=False)
        missed = f"{out['blocks_without_it']} {words['missed']} {out['validator']}"
        self._console.print(f"{missed}; {words['caught_up']} {out['caught_up_s']} s", highlight=False)


class Silence:
    """Tells nothing: for ``--json``."""

    def chapter(self, chapter: Chapter) -> None:
        """Nothing."""

    def step(self, step: Step) -> None:
        """Nothing."""

    def aside(self, aside: Aside) -> None:
        """Nothing."""


def _short(text: str) -> str:
    return text if len(text) <= LONGEST else text[:LONGEST] + "…"
