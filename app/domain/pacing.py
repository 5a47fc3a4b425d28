"""Pace: what should have happened by a moment, what each remaining day asks for, and the verdict.

Expected follows each person's own working time up to the goal's deadline, today's share linearly
over the working hours; a team's is the sum of its persons'. It never runs past the target.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from fractions import Fraction
from typing import NamedTuple

from app.domain.allocation import WHOLE_DAY, Person, Stint, effort
from app.domain.calendar import WorkCalendar, Workdays
from app.domain.plans import Plan
from app.domain.progress import Verdict, WorkingDays
from app.domain.spans import Span

ON_TRACK = Fraction(1)
AT_RISK = Fraction(4, 5)


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
    stints = (Stint(span, (), WHOLE_DAY, WHOLE_DAY),)
    return Portion(Person("", "", WHOLE_DAY, stints), WHOLE_DAY, stints)


def parts(portions: Iterable[Portion], workdays: Workdays, deadline: date, now: Moment) -> Parts:
    """The portions' part of a goal's target, and of it what is expected, deadline and moment given.

    A person who moved carries the target in each team by the effort before the deadline spent
    there; who has no effort before the deadline carries it by the whole period's, at once.
    """
    target = expected = Fraction(0)
    for person, share, stints in portions:
        until = deadline
        own = effort(person.stints, workdays, until)
        if not own:
            until = workdays.span.until
            own = effort(person.stints, workdays, until)
        if not own:
            continue
        here = own if stints is person.stints else effort(stints, workdays, until)
        part = share * here / own
        target += part
        if now.day >= deadline:
            expected += part
        elif until == deadline:
            expected += share * elapsed(stints, workdays, now) / own
    return Parts(target, expected)


def elapsed(stints: Iterable[Stint], workdays: Workdays, now: Moment) -> Fraction:
    """The effort that is over at a moment; half a day away accrues at half rate all day."""
    days = list(stints)
    done = effort(days, workdays, now.day)
    if not workdays.works(now.day):
        return done
    today = sum((stint.effort for stint in days if now.day in stint.span), Fraction(0))
    return done + today * now.share


def working_days(
    stints: Sequence[Stint], workdays: Workdays, now: Moment, until: date
) -> WorkingDays:
    """Days at work before a day, those over, and those still open; weights do not lengthen them."""
    plain = [Stint(stint.span, stint.line, WHOLE_DAY, stint.presence) for stint in stints]
    total = effort(plain, workdays, until)
    done = total if now.day >= until else elapsed(plain, workdays, now)
    return WorkingDays(total, done, total - done)


def required_per_day(target: Fraction, actual: Fraction, remaining: Fraction) -> Fraction | None:
    """What each remaining working day asks for; 0 when reached, None when no day is left."""
    if actual >= target:
        return Fraction(0)
    return (target - actual) / remaining if remaining else None


def verdict(
    target: Fraction, actual: Fraction, expected: Fraction, plan: Plan, now: Moment
) -> Verdict:
    """The first word that fits. More than nothing where nothing is expected yet is on track."""
    if actual >= target:
        return Verdict.REACHED
    if now.day >= plan.span.until:
        return Verdict.MISSED
    if expected == 0 and actual == 0:
        return Verdict.NOT_STARTED
    if actual >= expected * ON_TRACK:
        return Verdict.ON_TRACK
    return Verdict.AT_RISK if actual >= expected * AT_RISK else Verdict.OFF_TRACK
