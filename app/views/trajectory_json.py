"""A goal day by day as JSON: cumulative, from the first day of the plan's period to its last."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TypedDict

from app.domain.quantities import written
from app.domain.trajectory import Point
from app.views.progress_json import optional


class PointDocument(TypedDict):
    """The end of a day."""

    date: str
    working: bool
    expected: str
    actual: str | None
    median: str | None
    low: str | None
    high: str | None


def points_document(points: Iterable[Point]) -> list[PointDocument]:
    """The points, in the order of their days."""
    return [_point(point) for point in points]


def _point(point: Point) -> PointDocument:
    ahead = point.ahead
    return {
        "date": point.day.isoformat(),
        "working": point.working,
        "expected": written(point.expected),
        "actual": optional(point.actual),
        "median": None if ahead is None else written(ahead.median),
        "low": None if ahead is None else written(ahead.low),
        "high": None if ahead is None else written(ahead.high),
    }
