"""Which public holidays a plan was made with, and how today's differ.

Holidays are a matter of law: days are added and moved, and those that follow the equinoxes are
fixed only a year ahead, so until then a calendar's are predictions. Every number goes by the
holidays that are known today; a plan keeps those it was made with to say what has changed since.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import Any

from app.domain.calendar import WorkCalendar
from app.domain.progress import Reason
from app.domain.spans import Span
from app.domain.workspace import Workspace


@dataclass(frozen=True, slots=True)
class Almanac:
    """The public holidays of a span. made_by: whose calendar it is, and which version of it."""

    country: str
    made_by: str
    days: Mapping[date, str]

    def document(self) -> dict[str, Any]:
        """As it is kept."""
        days = {day.isoformat(): name for day, name in self.days.items()}
        return {"holidays": self.country, "made_by": self.made_by, "days": days}


def almanac(workspace: Workspace, span: Span, made_by: str) -> Almanac | None:
    """The holidays of a span as they are known; None where a workspace keeps no country's."""
    if workspace.holidays is None:
        return None
    known = workspace.calendar.holidays
    length = (span.until - span.first).days
    days = (span.first + timedelta(days=number) for number in range(length))
    return Almanac(workspace.holidays, made_by, {day: known[day] for day in days if day in known})


def almanac_of(document: Mapping[str, Any]) -> Almanac:
    """What was kept."""
    days = {date.fromisoformat(day): name for day, name in document["days"].items()}
    return Almanac(document["holidays"], document["made_by"], days)


def moved(kept: Almanac, calendar: WorkCalendar, span: Span) -> Iterator[Reason]:
    """The days that work, or rest, other than when a plan was made, by its holidays.

    holidays_added, holidays_gone. A holiday on a day that rests anyway, or works whatever it is,
    changes nothing and is not told.
    """
    then = replace(calendar, holidays=kept.days).days(span)
    pairs = [
        (is_.date, is_.working)
        for was, is_ in zip(then, calendar.days(span), strict=True)
        if was.working != is_.working
    ]
    for code, working in (("holidays_added", False), ("holidays_gone", True)):
        if days := [day.isoformat() for day, works in pairs if works is working]:
            yield Reason(code, {"days": ", ".join(days), "made_by": kept.made_by})
