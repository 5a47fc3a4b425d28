"""What history says of a rate: its level, how sure that is, and how much days and weeks differ.

All of it is empirical Bayes from at most half a year: the level of the latest months, the
variation between months (how far the next one may lie from it), between weeks, and between days
beyond chance. Where there is little history each of these is drawn to a cautious default.

Exposure is time that counts: people at work on a day, times what such a day of the week brings.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from fractions import Fraction
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from app.domain.calendar import WorkCalendar
from app.domain.history import AMOUNTS, RECENT
from app.domain.predictive import Floats, Level
from app.domain.spans import Span

# Without history: so strong is the plan's own rate, and so much do weeks differ.
STRENGTH, WEEKS = 8.0, 0.01
_STRENGTHS = (1.5, 200.0)
_MOST_DISPERSED = 25.0
_MOST_WEEKS = 0.5
_PSEUDO_WEEKS = 4
# What a day of a kind never seen brings, a working one and another; worth so many days seen.
USUAL_WORKING, USUAL_RESTING, _PSEUDO_DAYS = Fraction("1.2"), Fraction("0.5"), 2
_KINDS = 7
Kinds = NDArray[np.intp]
Number = TypeVar("Number", float, Fraction)


@dataclass(frozen=True, slots=True)
class Profile:
    """What a day of each kind brings; kind: the day of the week, of a holiday that of rest."""

    kinds: tuple[float, ...]

    def of(self, kinds: Kinds) -> Floats:
        """The weights of days of these kinds."""
        weights: Floats = np.array(self.kinds)[kinds]
        return weights


def kinds_of(calendar: WorkCalendar, span: Span) -> Kinds:
    """The kind of each day of a span: its weekday, but a day that is unlike it is as one it is."""
    rest = max(set(range(_KINDS)) - calendar.weekdays, default=_KINDS - 1)
    work = max(calendar.weekdays, default=0)
    found = []
    for day in calendar.days(span):
        usual = day.date.weekday()
        if day.working == (usual in calendar.weekdays):
            found.append(usual)
        else:
            found.append(work if day.working else rest)
    return np.array(found, np.intp)


@dataclass(frozen=True, slots=True)
class Learned:
    """A level per unit of exposure, and the profile by which exposure is measured."""

    level: Level
    profile: Profile


def learned(
    calendar: WorkCalendar,
    months: Sequence[Span],
    counts: Mapping[date, float],
    presence: Mapping[Span, Floats],
) -> Learned | None:
    """The level of a count before a period; None where nothing was ever counted.

    months: the latest first; presence: of each of them, how many people were at work on each day
    """
    told = {month: _counts(month, counts) for month in months}
    if not any(month.sum() for month in told.values()):
        return None
    profile = _profile(calendar, {m: told[m] for m in months[:AMOUNTS]})
    weights = {month: presence[month] * profile.of(kinds_of(calendar, month)) for month in months}
    seen = [month for month in months if weights[month].sum() > 0]
    if not seen:
        return None
    recent = [month for month in seen[:RECENT] if told[month].sum()] and seen[:RECENT]
    chosen = recent or seen
    rate = sum(told[m].sum() for m in chosen) / sum(weights[m].sum() for m in chosen)
    within = [(told[m], weights[m], _weeks(m)) for m in seen]
    dispersion = _dispersion(within)
    between = _strength([(n.sum(), w.sum()) for n, w, _ in within], dispersion)
    return Learned(Level(rate, between, dispersion, _between_weeks(within, dispersion)), profile)


def _counts(span: Span, counts: Mapping[date, float]) -> Floats:
    length = (span.until - span.first).days
    return np.array([counts.get(span.first + timedelta(n), 0.0) for n in range(length)])


def _profile(calendar: WorkCalendar, told: Mapping[Span, Floats]) -> Profile:
    """How much more or less than others a day of each kind brings, drawn to what is usual."""
    kinds = np.concatenate([kinds_of(calendar, month) for month in told])
    counts = np.concatenate(list(told.values()))
    level = counts.mean() or 1.0
    weights = []
    for kind in range(_KINDS):
        usual = USUAL_WORKING if kind in calendar.weekdays else USUAL_RESTING
        of_kind = kinds == kind
        seen = float(counts[of_kind].sum() / level)
        weights.append(drawn(seen, int(of_kind.sum()), float(usual)))
    return Profile(tuple(weights))


def drawn(seen: Number, days: int, usual: Number) -> Number:
    """What a day of a kind brings over the mean of all days, drawn to what is usual of its kind.

    seen: what so many of these days brought together, in units of that mean
    """
    return (seen + _PSEUDO_DAYS * usual) / (days + _PSEUDO_DAYS)


def _weeks(span: Span) -> Kinds:
    """The number of the week, from Monday, of each day of a span."""
    first = span.first.toordinal() - 1
    return np.arange(first, first + (span.until - span.first).days) // 7


Month = tuple[Floats, Floats, Kinds]  # counts, weights, weeks; by day


def _dispersion(months: Sequence[Month]) -> float:
    """By how much days vary more than chance: squares of surprises against what was expected.

    Added up before they are divided: one call on a Sunday is no disaster.
    """
    squares, expected = 0.0, 0.0
    for counts, weights, _ in months:
        usual = _expected(counts, weights)
        squares += float(((counts - usual) ** 2).sum())
        expected += float(usual.sum())
    return min(max(1.0, squares / expected), _MOST_DISPERSED) if expected else 1.0


def _expected(counts: Floats, weights: Floats) -> Floats:
    whole = float(weights.sum())
    expected: Floats = weights * (float(counts.sum()) / whole if whole else 0.0)
    return expected


def _strength(months: Sequence[tuple[float, float]], dispersion: float) -> float:
    """How strong the level is, from how much months differ beyond their days' chance."""
    rates = np.array([count / weight for count, weight in months])
    mean = float(rates.mean())
    more = len(rates) - 1
    varied = 0.0
    if more and mean:
        weight = np.array([weight for _, weight in months])
        varied = float(rates.var(ddof=1)) / mean**2 - float((dispersion / (mean * weight)).mean())
    squared = (more * varied + 2 / STRENGTH) / (more + 2)
    low, high = _STRENGTHS
    return min(max(1 / squared, low), high) if squared > 0 else high


def _between_weeks(months: Sequence[Month], dispersion: float) -> float:
    """The squared variation of the rate between the weeks of a month, beyond that of days."""
    squares, scale, number = 0.0, 0.0, 0
    for counts, weights, weeks in months:
        usual = _expected(counts, weights)
        for week in np.unique(weeks):
            own = weeks == week
            expected, surprise = float(usual[own].sum()), float((counts - usual)[own].sum())
            squares += surprise**2 - dispersion * expected
            scale += expected**2
            number += 1
    found = min(max(squares / scale, 0.0), _MOST_WEEKS) if scale else 0.0
    return (number * found + _PSEUDO_WEEKS * WEEKS) / (number + _PSEUDO_WEEKS)
