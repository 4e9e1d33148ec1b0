"""Plots as inline SVG: points, lines and bars, drawn in the page's own colours, light or dark.

Owns scales, ticks and marks. Does not own what is drawn; all words come from outside and are escaped here.
"""

import math
from collections.abc import Callable, Sequence
from html import escape
from typing import Final, Literal, NamedTuple

WIDTH, HEIGHT = 640, 270
LEFT, RIGHT, TOP, BOTTOM = 64, 14, 12, 44
BAR: Final = 30
LABEL: Final = 300  # at most
LETTER: Final = 7
TICKS: Final = 5


class Axis(NamedTuple):
    """What is along it; ``log`` for decades."""

    name: str
    log: bool = False


class Series(NamedTuple):
    """A line, or dots, in one of the page's colours, which are numbered from 1."""

    name: str
    points: Sequence[tuple[float, float]]
    colour: int = 1
    kind: Literal["line", "dots"] = "line"


class Limit(NamedTuple):
    """A level that is to be compared with."""

    value: float
    name: str


class _Scale(NamedTuple):
    place: Callable[[float], float]
    ticks: list[float]


def number(value: float) -> str:
    """As people read it: three figures, thousands apart."""
    if value == 0 or abs(value) >= 100:
        return f"{value:,.0f}"
    return f"{value:.3g}"


def plot(title: str, x: Axis, y: Axis, series: Sequence[Series], limit: Limit | None = None) -> str:
    """A figure with a legend where there is more than one series."""
    points = [point for one in series for point in one.points]
    if not points:
        return ""
    across = _scale([one for one, _ in points], x.log, LEFT, WIDTH - RIGHT)
    up = _scale([one for _, one in points] + ([limit.value] if limit else []), y.log, HEIGHT - BOTTOM, TOP)
    drawn = [_grid(across, up, x, y), *(_series(one, across, up) for one in series)]
    if limit:
        at = up.place(limit.value)
        beside = at + (15 if at < TOP + 15 else -5)
        drawn.append(f'<line class="limit" x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{at:.1f}" y2="{at:.1f}"/>')
        drawn.append(
            f'<text class="limit" x="{WIDTH - RIGHT - 4}" y="{beside:.1f}" text-anchor="end">'
            f"{escape(limit.name)}</text>"
        )
    return _figure(title, series, "".join(drawn), HEIGHT)


def bars(title: str, unit: str, rows: Sequence[tuple[str, float]]) -> str:
    """Lying bars, each with its label before and its value behind."""
    if not rows:
        return ""
    most = max((value for _, value in rows), default=0.0) or 1.0
    label = min(LABEL, 16 + LETTER * max(len(name) for name, _ in rows))
    room, drawn = WIDTH - label - 90, list[str]()
    for at, (name, value) in enumerate(rows):
        top, wide = TOP + at * BAR, max(1.0, room * max(0.0, value) / most)
        middle = top + BAR / 2 + 1
        drawn.append(
            f'<text x="{label - 8}" y="{middle:.1f}" text-anchor="end">{escape(name)}</text>'
            f'<rect class="c1 fill" x="{label}" y="{top}" width="{wide:.1f}" height="{BAR - 10}" rx="2"/>'
            f'<text x="{label + wide + 6:.1f}" y="{middle:.1f}">{escape(f"{number(value)} {unit}")}</text>'
        )
    return _figure(title, (), "".join(drawn), TOP * 2 + BAR * len(rows))


def _figure(title: str, series: Sequence[Series], drawn: str, height: int) -> str:
    legend = ""
    if len(series) > 1:
        keys = "".join(f'<li class="c{one.colour}">{escape(one.name)}</li>' for one in series)
        legend = f'<ul class="legend">{keys}</ul>'
    return (
        f"<figure><figcaption>{escape(title)}</figcaption>{legend}"
        f'<svg viewBox="0 0 {WIDTH} {height}" role="img" aria-label="{escape(title)}">{drawn}</svg></figure>'
    )


def _series(series: Series, across: _Scale, up: _Scale) -> str:
    places = [(across.place(x), up.place(y)) for x, y in series.points]
    dots = "".join(f'<circle cx="{x:.1f}" cy="{y:.1f}" r="{2 if series.kind == "dots" else 3}"/>' for x, y in places)
    if series.kind == "dots":
        return f'<g class="c{series.colour} dots">{dots}</g>'
    path = " ".join(f"{x:.1f},{y:.1f}" for x, y in places)
    few = dots if len(places) <= 30 else ""
    return f'<g class="c{series.colour} line"><polyline points="{path}"/>{few}</g>'


def _grid(across: _Scale, up: _Scale, x: Axis, y: Axis) -> str:
    bottom, middle = HEIGHT - BOTTOM, (TOP + HEIGHT - BOTTOM) / 2
    lines = [
        f'<line class="grid" x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{up.place(one):.1f}" y2="{up.place(one):.1f}"/>'
        f'<text x="{LEFT - 6}" y="{up.place(one) + 4:.1f}" text-anchor="end">{number(one)}</text>'
        for one in up.ticks
    ]
    lines += [
        f'<text x="{across.place(one):.1f}" y="{bottom + 16}" text-anchor="middle">{number(one)}</text>'
        for one in across.ticks
    ]
    lines.append(f'<text class="axis" x="{WIDTH / 2}" y="{HEIGHT - 6}" text-anchor="middle">{escape(x.name)}</text>')
    lines.append(
        f'<text class="axis" transform="translate(13 {middle}) rotate(-90)" text-anchor="middle">'
        f"{escape(y.name)}</text>"
    )
    return "".join(lines)


def _scale(values: Sequence[float], log: bool, start: float, end: float) -> _Scale:
    if log:
        known = [one for one in values if one > 0] or [1.0]
        low, high = math.floor(math.log10(min(known))), math.ceil(math.log10(max(known)))
        high = max(high, low + 1)
        span = (end - start) / (high - low)
        return _Scale(
            lambda one: start + (math.log10(max(one, 10.0**low)) - low) * span,
            [10.0**one for one in range(low, high + 1)],
        )
    step = _step(max(*values, 0.0) if len(values) > 1 else max(values[0], 1e-9))
    ticks = max(1, math.ceil(max(values) / step - 1e-9))
    most = step * ticks
    return _Scale(lambda one: start + (end - start) * one / most, [step * one for one in range(ticks + 1)])


def _step(most: float) -> float:
    """A round step, so many of which hold the most."""
    rough = (most or 1.0) / TICKS
    size: float = 10.0 ** math.floor(math.log10(rough))
    return next(one * size for one in (1.0, 2.0, 2.5, 5.0, 10.0) if one * size >= rough * 0.999_999)
