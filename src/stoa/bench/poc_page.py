"""The report of ``stoa bench poc`` as one page that asks nothing of any network: style and plots are in it.

English, with Korean titles; light or dark as the reader's device is.
"""

from collections.abc import Iterable, Iterator, Sequence
from html import escape
from typing import Final

from stoa.bench.drills import Recovery
from stoa.bench.plots import Axis, Limit, Series, bars, number, plot
from stoa.bench.poc_report import BUDGET_MS, Lasting, Report, Step
from stoa.bench.published import Published

MEGABYTE: Final = 1_000_000
LOADED: Final = 10  # transfers within the budget's time, from which on a block must come within it
WITHIN: Final = Limit(BUDGET_MS, "1 s, the reference's block")
STYLE: Final = """
:root { color-scheme: light dark;
  --ground: light-dark(#f6f6f3, #101416); --surface: light-dark(#fff, #171c1f); --line: light-dark(#e0e0d9, #2a3237);
  --ink: light-dark(#16211f, #e8ecea); --soft: light-dark(#55605c, #a5b0ac); --bad: light-dark(#a5282b, #f2928f);
  --c1: light-dark(#0d5c57, #6cc8bd); --c2: light-dark(#b4531a, #f0a06b); --c3: light-dark(#4a4fa3, #a5abf5); }
* { box-sizing: border-box; }
body { margin: 0; background: var(--ground); color: var(--ink); word-break: keep-all; overflow-wrap: anywhere;
  font: 400 0.9375rem/1.55 "Pretendard Variable", Pretendard, system-ui, "Apple SD Gothic Neo", "Noto Sans KR",
  sans-serif;
  font-variant-numeric: tabular-nums; }
main { max-width: 76rem; margin: 0 auto; padding: 2rem 1.25rem 4rem; }
h1, h2 { line-height: 1.2; letter-spacing: -0.015em; text-wrap: balance; }
h1 { font-size: 1.75rem; margin: 0 0 0.5rem; }
h2 { font-size: 1.25rem; margin: 2.75rem 0 0.5rem; }
h1 small, h2 small { color: var(--soft); font-weight: 400; font-size: 0.8em; margin-left: 0.4em; }
p { max-width: 46rem; } p, td small { color: var(--soft); }
.wide { overflow-x: auto; } .wide:focus-visible { outline: 2px solid var(--c1); }
table { border-collapse: collapse; background: var(--surface); width: 100%; }
caption { text-align: left; color: var(--soft); padding: 0 0 0.35rem; }
th, td { padding: 0.45rem 0.7rem; border-bottom: 1px solid var(--line); text-align: right; vertical-align: top; }
th, td { overflow-wrap: normal; }
th { font-weight: 600; font-size: 0.8125rem; color: var(--soft); }
th:first-child, td:first-child, .words th, .words td { text-align: left; }
.bad { color: var(--bad); font-weight: 600; }
.plots { display: grid; grid-template-columns: repeat(auto-fill, minmax(min(100%, 30rem), 1fr)); gap: 1rem;
  margin: 1rem 0; }
figure { margin: 0; background: var(--surface); border: 1px solid var(--line); border-radius: 10px;
  padding: 0.8rem 1rem; }
figcaption { font-weight: 600; font-size: 0.875rem; }
.legend { list-style: none; display: flex; flex-wrap: wrap; gap: 0 1rem; margin: 0.2rem 0; padding: 0;
  font-size: 0.8125rem; }
.legend li::before { content: ""; display: inline-block; width: 0.7em; height: 0.7em; margin-right: 0.4em;
  background: var(--c); }
.c1 { --c: var(--c1); } .c2 { --c: var(--c2); } .c3 { --c: var(--c3); }
svg { display: block; width: 100%; height: auto; font-size: 12px; }
svg text { fill: var(--soft); } svg .grid { stroke: var(--line); } svg .fill, svg circle { fill: var(--c); }
svg .dots { opacity: 0.65; } svg polyline { fill: none; stroke: var(--c); stroke-width: 1.8; }
svg line.limit { stroke: var(--bad); stroke-dasharray: 5 4; } svg text.limit { fill: var(--bad); }
a { color: var(--c1); }
"""


def page(report: Report) -> str:
    """The whole page."""
    parts = [_head(report), *_steps(report.steps)]
    if report.lasting is not None:
        parts += _lasting(report.lasting)
    parts += [*_recoveries(report.recoveries), *_beside(report)]
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>Stoa: the proof of concept, repeated</title><style>{STYLE}</style></head>"
        f"<body><main>{''.join(parts)}</main></body></html>\n"
    )


def _heading(en: str, ko: str, level: int = 2) -> str:
    return f'<h{level}>{escape(en)}<small lang="ko">{escape(ko)}</small></h{level}>'


def _table(caption: str, head: Sequence[str], body: Iterable[Sequence[str]], words: bool = False) -> str:
    """Cells are HTML already."""
    kind = ' class="words"' if words else ""
    titles = "".join(f'<th scope="col">{one}</th>' for one in head)
    lines = "".join("<tr>" + "".join(f"<td>{cell}</td>" for cell in row) + "</tr>" for row in body)
    return (
        f'<div class="wide" tabindex="0" role="region" aria-label="{caption}"><table{kind}><caption>{caption}</caption>'
        f"<thead><tr>{titles}</tr></thead><tbody>{lines}</tbody></table></div>"
    )


def _marked(value: float, bad: bool) -> str:
    return f'<span class="bad">{number(value)}</span>' if bad else number(value)


def _head(report: Report) -> str:
    machine = report.machine
    said = (
        f"Five validators, five ordering servers and the load on one machine of {machine['cores']} cores, begun"
        f" {report.started}. Every transfer is signed, checked against the security's rules by all five, and final by"
        f" the votes of a majority. One bare verification of a signature took {machine['bare_verify_us']} µs here (all"
        f" cores together, with nothing else to do, {number(machine['verifications_per_second'])} a second), one"
        f" small write and fsync {machine['fsync_us_p50']} µs. Times count from the moment at which a transfer was due,"
        " until its own institution's validator told that it is final."
    )
    return _heading("The proof of concept, repeated", "개념검증 재현 보고서", 1) + f"<p>{escape(said)}</p>"


def _steps(steps: Sequence[Step]) -> Iterator[str]:
    if not steps:
        return
    yield _heading("Performance: one rate after another", "성능: 초당 거래 수별 처리 시간")
    head = ("offered a second", "final a second", "p50 ms", "p95 ms", "p99 ms", "slowest ms", "within 1 s",
            "block interval p95 ms", "refused by a rule", "lost", "forks", "busy")  # fmt: skip
    yield _table("Each rate with its times; lost means accepted and not final", head, map(_step_row, steps))
    rates = [(float(one.rate), one) for one in steps]
    yield '<div class="plots">'
    yield plot(
        "Offered and final, transfers a second / 제출 대비 확정",
        Axis("offered a second", True), Axis("final a second", True),
        [Series("offered", [(rate, rate) for rate, _ in rates], 2),
         Series("final", [(rate, one.figures["final_per_second"]) for rate, one in rates])],
    )  # fmt: skip
    yield plot(
        "Submit to final by rate / 제출부터 확정까지", Axis("offered a second", True), Axis("ms", True),
        [Series(part, [(rate, one.figures["submit_to_final_ms"][part]) for rate, one in rates], colour)
         for colour, part in enumerate(("p50", "p95", "p99"), start=1)], WITHIN,
    )  # fmt: skip
    yield "</div>"
    yield _heading("The time of each transfer", "거래별 처리 시간")
    yield (
        "<p>A dot is a transfer: when it was due, and how long it took. Where there were many, some are drawn, the"
        ' slowest always; all are in <code>transfers.csv</code>.</p><div class="plots">'
    )
    for step in steps:
        yield _dots(step)
    yield "</div>"
    yield from _stages(steps[-1])


def _step_row(step: Step) -> tuple[str, ...]:
    found = step.figures
    latency, interval = found["submit_to_final_ms"], found["block_interval_ms"]["p95"]
    late = interval > BUDGET_MS and step.rate * BUDGET_MS / 1_000 >= LOADED  # else there was nothing to make a block of
    return (
        number(step.rate), number(found["final_per_second"]), number(latency["p50"]), number(latency["p95"]),
        _marked(latency["p99"], latency["p99"] > BUDGET_MS), number(step.slowest_ms), f"{step.within:.2%}",
        _marked(interval, late),
        number(found["refused"]), _marked(found["lost"], bool(found["lost"])),
        _marked(found["forks"], bool(found["forks"])), number(found["busy"]),
    )  # fmt: skip


def _dots(step: Step) -> str:
    title = f"{step.rate:,} a second / 초당 {step.rate:,}건"
    return plot(title, Axis("seconds"), Axis("ms"), [Series("transfers", step.points, 1, "dots")])


def _stages(step: Step) -> Iterator[str]:
    yield _heading("Where each microsecond goes", "단계별 소요 시간")
    yield (
        f"<p>At {step.rate:,} a second, for one transfer on one validator. Admit to final by the clock on the wall of"
        " the thread that makes blocks (vote is mostly waiting for the others); gate, bus, peers, log and batches by"
        " the processor time of their own threads.</p>"
    )
    rows = sorted(step.figures["stage_us"].items(), key=lambda one: -one[1])
    yield f'<div class="plots">{bars("Microseconds a transfer and node", "µs", rows)}</div>'


def _lasting(lasting: Lasting) -> Iterator[str]:
    step, grown, samples = lasting.step, lasting.growth, lasting.samples
    yield _heading(f"Capacity: {step.rate:,} a second for {step.seconds} s", "용량: 지속 부하와 디스크·메모리 증가")
    yield _table("The load that lasted", ("what", "measured"), _growth_rows(lasting), words=True)
    yield '<div class="plots">'
    yield plot(
        "Disk of the mean member / 구성원당 디스크", Axis("seconds"), Axis("MB"),
        [Series(name, [(one.second, one.disk[name] / MEGABYTE) for one in samples], colour)
         for colour, name in enumerate(grown.disk_bytes_per_second, start=1)],
    )  # fmt: skip
    yield plot(
        "Memory of the mean member / 구성원당 메모리", Axis("seconds"), Axis("MB"),
        [Series("validator", [(one.second, one.validator_rss / MEGABYTE) for one in samples]),
         Series("ordering server", [(one.second, one.server_rss / MEGABYTE) for one in samples], 2)],
    )  # fmt: skip
    yield _dots(step)
    curve = [(part, value) for part, value in step.curve]
    yield plot("Submit to final by percentile / 백분위", Axis("percentile"), Axis("ms"), [Series("", curve)], WITHIN)
    yield "</div>"


def _growth_rows(lasting: Lasting) -> Iterator[tuple[str, str]]:
    found, grown = lasting.step.figures, lasting.growth
    yield "final a second", number(found["final_per_second"])
    yield "submit to final, p50 and p99", " and ".join(f"{found['submit_to_final_ms'][p]} ms" for p in ("p50", "p99"))
    yield "lost, forks", f"{found['lost']}, {found['forks']}"
    per = ", ".join(f"{name} {number(one)}" for name, one in grown.disk_bytes_per_second.items())
    yield "disk of one member, bytes a second", per
    yield "disk of one member, bytes a transfer", number(grown.disk_bytes_per_transfer)
    yield "memory of one validator, bytes a second", number(grown.validator_rss_per_second)
    yield "memory of one ordering server, bytes a second", number(grown.server_rss_per_second)
    yield (
        f"until the free {number(grown.disk_free_bytes / 1e9)} GB are full at this rate, all five here",
        _some(grown.disk_full_days, "days"),
    )
    yield "the same for one member with as much disk to itself", _some(grown.disk_full_days_alone, "days")
    yield (
        f"until {number(grown.memory_bytes / 1e9)} GB of memory are full if it went on growing so",
        _some(grown.memory_full_hours, "hours"),
    )
    yield (
        "transfers a second that this machine's processors would bear at the least cost of any part",
        number(grown.processor_limit),
    )


def _some(value: float | None, unit: str) -> str:
    return "does not grow" if value is None else f"{number(value)} {unit}"


def _recoveries(recoveries: Sequence[Recovery]) -> Iterator[str]:
    if not recoveries:
        return
    yield _heading("Availability: faults under load", "가용성: 장애와 복구 시간")
    yield (
        "<p>The longest time without a final block counts from the fault; where too few were left to agree, from their"
        " return, and nothing may be final meanwhile. Level means that the last of those who were away is where the"
        " others are; starting the process is part of it. Leader is whose server led the ordering log: where it fails,"
        " the other servers choose another first. A validator alone fails with its server up.</p>"
    )
    head = ("fault", "failed", "longest without a block, s", "level after, s", "blocks meanwhile", "p99 ms", "lost",
            "forks", "as it must be")  # fmt: skip
    yield _table("Faults under a light load", head, map(_recovery_row, recoveries))
    level = [(one.en, one.level_ms / 1_000) for one in recoveries if one.level_ms >= 0]
    still = [(one.en, one.standstill_ms / 1_000) for one in recoveries if one.standstill_ms >= 0]
    yield f'<div class="plots">{bars("Longest without a block / 최장 중단", "s", still)}'
    yield f"{bars('Until level with the others / 동기화까지', 's', level)}</div>"


def _recovery_row(one: Recovery) -> tuple[str, ...]:
    failed = ", ".join(f"{code} (leader)" if code == one.leader else code for code in one.failed)
    return (
        f'{escape(one.en)}<br><small lang="ko">{escape(one.ko)}</small>', escape(failed),
        number(one.standstill_ms / 1_000) if one.standstill_ms >= 0 else "none came",
        number(one.level_ms / 1_000) if one.level_ms >= 0 else '<span class="bad">not level</span>',
        number(one.final_meanwhile), number(one.latency_ms["p99"]), _marked(one.lost, bool(one.lost)),
        _marked(one.forks, bool(one.forks)), "yes" if one.ok else '<span class="bad">no</span>',
    )  # fmt: skip


def _beside(report: Report) -> Iterator[str]:
    yield _heading("Beside others", "다른 시스템과 나란히")
    yield (
        "<p>As their authors published them: other hardware, other work, and another meaning of done in each. Nothing"
        " but the first row was measured here; what was not published is left empty.</p>"
    )
    best = max(
        (one for one in report.steps if one.figures["submit_to_final_ms"]["p99"] <= BUDGET_MS),
        key=lambda one: float(one.figures["final_per_second"]), default=None,
    )  # fmt: skip
    here = Published(
        "Stoa, this run", "signed, rule-checked transfers, final by a majority's votes",
        "서명·규칙 검사 이체, 과반 투표 확정",
        number(best.figures["final_per_second"]) if best else "",
        f"p99 {number(best.figures['submit_to_final_ms']['p99'])} ms" if best else "",
        f"5 validators and servers on {report.machine['cores']} cores", "the fastest rate here with p99 within 1 s",
    )  # fmt: skip
    head = ("system", "what", "a second", "latency", "nodes", "source")
    rows = [_published_row(one) for one in (here, report.reference, *report.others)]
    yield _table("Published figures", head, rows, words=True)


def _published_row(one: Published) -> tuple[str, ...]:
    source = f'<a href="{escape(one.address)}">{escape(one.source)}</a>' if one.address else escape(one.source)
    return (
        escape(one.system), f'{escape(one.en)}<br><small lang="ko">{escape(one.ko)}</small>', escape(one.per_second),
        escape(one.latency), escape(one.nodes), source,
    )  # fmt: skip
