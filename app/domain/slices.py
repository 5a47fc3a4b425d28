"""Cutting a plan's period: more in the last week than in the first, if somebody says so.

Without slices a period is one piece, along which the expected line runs straight by working time,
or by what its days of the week weigh.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from fractions import Fraction
from itertools import pairwise

from app.domain.documents import Node
from app.domain.periods import months_from
from app.domain.quantities import written
from app.domain.spans import Span
from app.domain.weekdays import EVEN, Weights, weights_of

ONE = Fraction(1)
WEEKDAYS_GIVEN = "weekdays"
# What a profile may be by, and how many months each takes; a week takes none.
_MONTHS = {"week": 0, "month": 1, "quarter": 3}


@dataclass(frozen=True, slots=True)
class Slice:
    """Some days of a period, and which share of every target is meant to come in them."""

    span: Span
    share: Fraction


def slices_of(document: Node, span: Span) -> tuple[Slice, ...]:
    """The slices of a plan's document, from its `slices` or its `profile`; none where it has none.

    Together they are the period, and their shares are 1. Raises Invalid: slices_or_profile,
    slices_not_in_order, profile_does_not_fit, negative_share, shares_not_one.
    """
    slices, profile = document.at("slices"), _cutting(document.at("profile"))
    if slices.given and profile.given:
        raise profile.refused("slices_or_profile")
    if slices.given:
        firsts = [item.at("from").day() for item in slices.items()]
        _check_order(slices, firsts, span)
        return _cut(slices, firsts, [item.at("share") for item in slices.items()], span)
    if profile.given:
        firsts, shares = _firsts(profile.at("by"), span), profile.at("shares").items()
        if len(firsts) != len(shares):
            raise profile.at("shares").refused("profile_does_not_fit", number=len(firsts))
        return _cut(profile.at("shares"), firsts, shares, span)
    return ()


def _cutting(profile: Node) -> Node:
    """A profile if it cuts the period; one that gives weights to weekdays alone does not."""
    if not profile.given or not profile.at(WEEKDAYS_GIVEN).given:
        return profile
    cuts = profile.at("by").given or profile.at("shares").given
    return profile if cuts else Node(None, profile.pointer)


def weekdays_of(document: Node) -> Weights:
    """What the days of the week weigh in a plan's document. Raises as `weights_of` does."""
    profile = document.at("profile")
    return weights_of(profile.at(WEEKDAYS_GIVEN)) if profile.given else EVEN


def _cut(node: Node, firsts: list[date], shares: list[Node], span: Span) -> tuple[Slice, ...]:
    edges = [*firsts, span.until]
    parts = [share.decimal() for share in shares]
    for share, part in zip(shares, parts, strict=True):
        if part < 0:
            raise share.refused("negative_share")
    whole = sum(parts, Fraction(0))
    if whole != ONE:
        raise node.refused("shares_not_one", sum=written(whole))
    spans = (Span(first, until) for first, until in pairwise(edges))
    return tuple(Slice(piece, part) for piece, part in zip(spans, parts, strict=True))


def _check_order(node: Node, firsts: list[date], span: Span) -> None:
    ordered = all(one < other for one, other in pairwise([*firsts, span.until]))
    if not firsts or firsts[0] != span.first or not ordered:
        raise node.refused("slices_not_in_order", first=span.first.isoformat())


def _firsts(by: Node, span: Span) -> list[date]:
    """The days on which the calendar's weeks, months or quarters begin inside a period."""
    if by.text() not in _MONTHS:
        raise by.refused("unknown_kind", allowed=", ".join(_MONTHS))
    months, day = _MONTHS[by.text()], span.first
    found = [day]
    while True:
        if months:
            day = months_from(day, months)
        else:
            day += timedelta(7 - day.weekday())
        if day >= span.until:
            return found
        found.append(day)
