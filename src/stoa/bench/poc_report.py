"""What ``stoa bench poc`` found, as one value, and the files that it is kept in.

``report.json`` has everything but the time of each transfer, which is in ``transfers.csv``; ``table.md`` is the short
table for a document; ``report.html`` is for people (``poc_page.py``).
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import msgspec

from stoa.bench.drills import Recovery
from stoa.bench.growth import Growth, Sample
from stoa.bench.published import Published

TRANSFERS: Final = "transfers.csv"
JSON: Final = "report.json"
TABLE: Final = "table.md"
PAGE: Final = "report.html"
BUDGET_MS: Final = 1_000.0  # the reference's: a block within a second


class Step(msgspec.Struct, frozen=True):
    """One rate. ``figures`` are those of ``stoa bench network``; ``points`` some of its transfers, the slowest among
    them: seconds from the start until it was due, milliseconds until final. ``curve``: percentile, milliseconds."""

    rate: int
    seconds: int
    figures: dict[str, Any]
    slowest_ms: float
    within: float  # share of the offered transfers that were final within the budget
    points: list[tuple[float, float]]
    curve: list[tuple[float, float]]


class Lasting(msgspec.Struct, frozen=True):
    """The load that lasts."""

    step: Step
    samples: list[Sample]
    growth: Growth


class Report(msgspec.Struct, frozen=True):
    """The whole run. ``started``: UTC."""

    started: str
    machine: dict[str, Any]
    options: dict[str, Any]
    steps: list[Step]
    lasting: Lasting | None
    recoveries: list[Recovery]
    reference: Published
    others: list[Published]


def rows(report: Report) -> Iterator[tuple[str, str]]:
    """The short table: what, and how much."""
    for step in report.steps:
        figures = step.figures
        latency, interval = figures["submit_to_final_ms"], figures["block_interval_ms"]
        yield (
            f"{step.rate:,} transfers/s offered for {step.seconds} s",
            f"{figures['final_per_second']:,.1f}/s final; submit to final p50 {latency['p50']:,.0f} ms,"
            f" p99 {latency['p99']:,.0f} ms, slowest {step.slowest_ms:,.0f} ms; block interval p95"
            f" {interval['p95']:,.0f} ms; lost {figures['lost']}, forks {figures['forks']}; a transfer cost the machine"
            f" {figures['bare_verifications_per_transfer']} bare verifications of {figures['bare_verify_us']} µs",
        )
    if report.lasting is not None:
        step, grown = report.lasting.step, report.lasting.growth
        yield (
            f"{step.rate:,} transfers/s for {step.seconds} s",
            f"{step.figures['final_per_second']:,.1f}/s final, p99 {step.figures['submit_to_final_ms']['p99']:,.0f} ms;"
            f" {grown.disk_bytes_per_transfer:,.0f} bytes of disk a transfer and member;"
            f" processor limit {grown.processor_limit:,}/s",
        )
    for one in report.recoveries:
        level = f"level after {one.level_ms / 1_000:,.1f} s" if one.level_ms >= 0 else "**not level**"
        yield (
            one.en,
            f"longest without a block {one.standstill_ms / 1_000:,.1f} s, {level}, lost {one.lost},"
            f" forks {one.forks}{'' if one.ok else ' **not met**'}{''.join(f'; {why}' for why in one.wrong)}",
        )


def table(report: Report) -> str:
    """The short table as Markdown."""
    body = "".join(f"| {what} | {much} |\n" for what, much in rows(report))
    machine = report.machine
    return (
        f"Measured on {report.started[:10]}, {machine['cores']} cores, one bare verification"
        f" {machine['bare_verify_us']} µs ({machine['verifications_per_second']:,} a second by all cores together with"
        f" nothing else to do), fsync p50 {machine['fsync_us_p50']} µs.\n\n"
        f"| what | measured |\n| --- | --- |\n{body}"
    )


def keep(report: Report, page: str, folder: Path) -> None:
    """Write the files into the folder, which is there."""
    (folder / JSON).write_bytes(msgspec.json.format(msgspec.json.encode(report), indent=1))
    (folder / TABLE).write_text(table(report), encoding="utf-8")
    (folder / PAGE).write_text(page, encoding="utf-8")
