"""Half-open ranges of calendar days: from the first day until the day that is no longer in it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from itertools import pairwise
from typing import TypeVar

from app.domain.documents import Node

T = TypeVar("T")


@dataclass(frozen=True, slots=True, order=True)
class Span:
    """[first, until); an open end is the calendar's own."""

    first: date = date.min
    until: date = date.max

    def __contains__(self, day: date) -> bool:
        return self.first <= day < self.until

    def overlaps(self, other: Span) -> bool:
        """Whether they share a day."""
        return self.first < other.until and other.first < self.until

    def edges_within(self, outer: Span) -> Iterable[date]:
        """The days inside another span on which this one begins or has ended."""
        return (day for day in (self.first, self.until) if outer.first < day < outer.until)


ALWAYS = Span()


def span_of(node: Node) -> Span:
    """The span of {from, to}; null is open. Raises Invalid `empty_span` unless from < to."""
    first, until = node.at("from"), node.at("to")
    span = Span(first.day() if first.given else date.min, until.day() if until.given else date.max)
    if span.first >= span.until:
        raise until.refused("empty_span")
    return span


def bounded_span_of(node: Node) -> Span:
    """As `span_of`, with both ends given."""
    node.at("from").day()
    node.at("to").day()
    return span_of(node)


def overlapping(dated: Sequence[T], span: Callable[[T], Span]) -> tuple[T, T] | None:
    """Two of them that share a day, if any do; the later one second."""
    ordered = sorted(dated, key=span)
    return next(
        (pair for pair in pairwise(ordered) if span(pair[1]).first < span(pair[0]).until), None
    )
