"""The final goal day by day as a picture in SVG that loads nothing and needs no style to be read.

Lines differ by their dashes and are named at their ends, because colour is lost in print.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from fractions import Fraction
from html import escape

from app.domain.trajectory import Point
from app.views.report_blocks import Chart

WIDTH, HEIGHT = 720, 250
_LEFT, _RIGHT, _TOP, _BOTTOM = 12, 150, 26, 24
_LEAST_GAP = 15  # between labels, so that none covers another
Place = tuple[float, float]


def chart_svg(chart: Chart) -> str:
    """The picture."""
    if not chart.points:
        return ""
    scale = _scale(chart)
    title, text = escape(chart.title), escape(_told(chart))
    parts = [
        (
            f'<svg class="chart" role="img" viewBox="0 0 {WIDTH} {HEIGHT}" '
            f'xmlns="http://www.w3.org/2000/svg"><title>{title}</title><desc>{text}</desc>'
        ),
        *_frame(chart, scale),
        *_lines(chart, scale),
        "</svg>",
    ]
    return "".join(parts)


def _told(chart: Chart) -> str:
    """What the picture shows, for who does not see it."""
    return f"{', '.join(chart.labels.values())}; {chart.days[0]} - {chart.days[-1]}; {chart.top}"


def _scale(chart: Chart) -> Callable[[int, Fraction], Place]:
    values = [value for point in chart.points for value in _values(point)]
    highest = max([chart.target, *values, Fraction(1, 10**6)])
    lowest = min([Fraction(0), *values])
    across, down = WIDTH - _LEFT - _RIGHT, HEIGHT - _TOP - _BOTTOM
    steps = max(len(chart.points), 1)

    def place(number: int, value: Fraction) -> Place:
        """`number` days are over."""
        part = float((value - lowest) / (highest - lowest))
        return _LEFT + across * number / steps, HEIGHT - _BOTTOM - down * part

    return place


def _values(point: Point) -> Iterator[Fraction]:
    yield point.expected
    if point.actual is not None:
        yield point.actual
    if point.ahead is not None:
        yield from point.ahead


def _frame(chart: Chart, scale: Callable[[int, Fraction], Place]) -> Iterator[str]:
    last = len(chart.points)
    left, zero = scale(0, Fraction(0))
    right, top = scale(last, chart.target)
    yield _line("axis", [(left, zero), (right, zero)])
    yield _line("target", [(left, top), (right, top)])
    yield _text(left, top - 6, f"{chart.labels['target']} {chart.top}")
    yield _text(left, HEIGHT - 6, chart.days[0])
    yield _text(right, HEIGHT - 6, chart.days[-1], anchor="end")


def _lines(chart: Chart, scale: Callable[[int, Fraction], Place]) -> Iterator[str]:
    numbered = list(enumerate(chart.points, 1))
    actual = [(n, point.actual) for n, point in numbered if point.actual is not None]
    ahead = [(n, point.ahead) for n, point in numbered if point.ahead is not None]
    ends: list[tuple[float, str]] = []
    start = scale(*actual[-1]) if actual else scale(0, Fraction(0))
    if ahead:
        upper = [start, *(scale(n, band.high) for n, band in ahead)]
        lower = [start, *(scale(n, band.low) for n, band in ahead)]
        points = " ".join(map(_pair, [*upper, *reversed(lower)]))
        yield f'<polygon class="band" points="{points}"/>'
        middle = [start, *(scale(n, band.median) for n, band in ahead)]
        yield _line("ahead", middle)
        ends.append((middle[-1][1], chart.labels["ahead"]))
    expected = [scale(0, Fraction(0)), *(scale(n, point.expected) for n, point in numbered)]
    yield _line("expected", expected)
    ends.append((expected[-1][1], chart.labels["expected"]))
    if actual:
        reached = [scale(0, Fraction(0)), *(scale(n, value) for n, value in actual)]
        yield _line("actual", reached)
        yield f'<circle class="dot" cx="{start[0]:.1f}" cy="{start[1]:.1f}" r="3.5"/>'
        if ahead:
            yield _text(start[0], min(start[1] + 16, HEIGHT - _BOTTOM - 3), chart.labels["actual"])
        else:
            ends.append((start[1], chart.labels["actual"]))
    yield from _named(ends)


def _named(ends: Sequence[tuple[float, str]]) -> Iterator[str]:
    """The names of the lines at their ends, one below the other."""
    lowest = float(_TOP) - _LEAST_GAP
    for at, name in sorted(ends):
        lowest = max(at + 4, lowest + _LEAST_GAP)
        yield _text(WIDTH - _RIGHT + 6, lowest, name)


def _line(name: str, places: Sequence[Place]) -> str:
    return f'<polyline class="{name}" points="{" ".join(map(_pair, places))}"/>'


def _pair(place: Place) -> str:
    return f"{place[0]:.1f},{place[1]:.1f}"


def _text(x: float, y: float, text: str, anchor: str = "start") -> str:
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}">{escape(text)}</text>'
