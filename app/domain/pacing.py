"""Pace: what should have happened by a moment, and what each remaining day asks for.

Expected follows each person's own working time up to the goal's deadline, today's share linearly
over the working hours; a team's is the sum of its persons'. It never runs past the target.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from fractions import Fraction
from typing import NamedTuple

from app.domain.allocation import WHOLE_DAY, Person, Stint, effort
from app.domain.calendar import WorkCalendar, Workdays
from app.domain.progress import WorkingDays
from app.domain.spans import Span


@dataclass(frozen=True, slots=True)
class Moment:
    """An instant as people live it: the local day, and the share of its hours that is over."""

    day: date
    share: Fraction


def moment(calendar: WorkCalendar, at: int) -> Moment:
    """The working moment of an instant."""
    day = calendar.local_day(at)
    return Moment(day, calendar.elapsed(day, at))


class Portion(NamedTuple):
    """What of a person's part in a plan is looked at: all stints, or those in one team.

    share: the person's whole share of the plan.
    """

    person: Person
    share: Fraction
    stints: tuple[Stint, ...]


class Parts(NamedTuple):
    """Parts of a whole goal, 0 to 1: of its target, and of what is expected by now."""

    target: Fraction
    expected: Fraction


def everybody(span: Span) -> Portion:
    """The workspace as if it were one person who is never away: it works by the calendar alone."""
    stints = (Stint(span, (), 1, WHOLE_DAY),)
    return Portion(Person("", "", Fraction(1), stints), Fraction(1), stints)


def parts(portions: Iterable[Portion], workdays: Workdays, deadline: date, now: Moment) -> Parts:
    """The portions' part of a goal's target, and of it what is expected, deadline and moment given.

    A person who moved carries the target in each team by the effort before the deadline spent
    there; who has no effort before the deadline carries it by the whole period's, at once.
    """
    targets: dict[int, Fraction] = {}
    expected: dict[int, Fraction] = {}
    for whole, stints, share in _by_time(portions):
        until = deadline
        own = effort(whole, workdays, until)
        if not own:
            until = workdays.span.until
            own = effort(whole, workdays, until) or 1  # then the share is zero as well
        part = share * (own if stints is whole else effort(stints, workdays, until))
        _add(targets, own, part)
        if now.day >= deadline:
            _add(expected, own, part)
        elif until == deadline and now.day >= workdays.span.first:
            _add(expected, own, share * elapsed(stints, workdays, now))
    return Parts(_quotients(targets), _quotients(expected))


def _by_time(
    portions: Iterable[Portion],
) -> Iterator[tuple[tuple[Stint, ...], tuple[Stint, ...], Fraction]]:
    """The shares of those who work alike, added up: their own stints, and those looked at.

    Alike are those who share one tuple (`allocation.people_of`): hashing their days, for each of
    a thousand people, took longer than all that is done with them.
    """
    shares: dict[tuple[int, int], Fraction] = {}
    times: dict[tuple[int, int], tuple[tuple[Stint, ...], tuple[Stint, ...]]] = {}
    for person, share, stints in portions:
        time = (id(person.stints), id(stints))
        times[time] = (person.stints, stints)
        shares[time] = shares[time] + share if time in shares else share
    return ((*times[time], share) for time, share in shares.items())


def _add(sums: dict[int, Fraction], divisor: int, part: Fraction) -> None:
    """Fractions of unlike denominators add up slowly, so what is divided alike is added first."""
    sums[divisor] = sums.get(divisor, Fraction(0)) + part


def _quotients(sums: Mapping[int, Fraction]) -> Fraction:
    return sum((part / divisor for divisor, part in sums.items()), Fraction(0))


def elapsed(stints: Iterable[Stint], workdays: Workdays, now: Moment) -> Fraction:
    """The effort that is over at a moment; half a day away accrues at half rate all day."""
    days = list(stints)
    today = sum(stint.effort for stint in days if now.day in stint.span) * workdays.on(now.day)
    return effort(days, workdays, now.day) + today * now.share


def working_days(
    stints: Sequence[Stint], workdays: Workdays, now: Moment, until: date
) -> WorkingDays:
    """Days at work before a day, those over, and those still open; weights do not lengthen them."""
    plain = [Stint(stint.span, stint.line, 1, stint.halves) for stint in stints]
    total = Fraction(effort(plain, workdays, until), WHOLE_DAY)
    done = total if now.day >= until else elapsed(plain, workdays, now) / WHOLE_DAY
    return WorkingDays(total, done, total - done)


def required_per_day(target: Fraction, actual: Fraction, remaining: Fraction) -> Fraction | None:
    """What each remaining working day asks for; 0 when reached, None when no day is left."""
    if actual >= target:
        return Fraction(0)
    return (target - actual) / remaining if remaining else None
