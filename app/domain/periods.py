"""Periods by name: which days they are, how they are called, and which one follows."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import date, timedelta

from app.domain.documents import Node
from app.domain.spans import Span

LONGEST_PERIOD = 3_660
# Activities begin in 1980; the year 3000 keeps every sum of days inside the calendar.
COUNTABLE = Span(date(1980, 1, 1), date(3000, 1, 1))
_YEAR = r"(19[89]\d|2\d{3})"
_MONTH = re.compile(_YEAR + "-(0[1-9]|1[0-2])", re.ASCII)
_QUARTER = re.compile(_YEAR + "-Q([1-4])", re.ASCII)
_WEEK = re.compile(_YEAR + r"-W(0[1-9]|[1-4]\d|5[0-3])", re.ASCII)
_YEARS = re.compile(_YEAR, re.ASCII)
# A month that says so means the same as one that does not, and stands in plans of long ago.
_WITH_FISCAL = ("quarter", "month", "start")
_NAMED = ("month", "quarter", "week", "year", "fiscal_year")


def period_of(node: Node, fiscal_year_start_month: int) -> Span:
    """The days of {month}, {quarter, fiscal}, {week}, {year}, {fiscal_year} or {start, end}.

    A fiscal year, and a quarter of one, counts from the fiscal year's first month: where that is
    April, 2026-Q4 of fiscal 2026 is January to March 2027. Without `fiscal`, quarters are the
    calendar's. Weeks are those of ISO 8601: they begin on Monday, and week 1 has the year's first
    Thursday. Raises Invalid: one_period, not_a_month, not_a_quarter, not_a_week, not_a_year,
    fiscal_quarters_only, empty_period, period_out_of_range, period_too_long.
    """
    given = [name for name in (*_NAMED, "start") if node.at(name).given]
    if len(given) != 1 or (node.at("end").given and given != ["start"]):
        raise node.refused("one_period", allowed=", ".join((*_NAMED, "start and end")))
    [name] = given
    if node.at("fiscal").flag() and name not in _WITH_FISCAL:
        raise node.at("fiscal").refused("fiscal_quarters_only")
    if name == "start":
        return _range(node.at("start"), node.at("end"))
    first_month = fiscal_year_start_month if _is_fiscal(node) else 1
    span = _READ[name](node.at(name), first_month)
    return _countable(node.at(name), span)


def period_name(period: Node) -> str:
    """How keys name a period: 2026-12, 2026-q4, 2026-w51, 2026, fy2026, or the first day."""
    name = next(name for name in (*_NAMED, "start") if period.at(name).given)
    text = period.at(name).text().lower()
    return f"fy{text}" if name == "fiscal_year" else text


def recurs(node: Node) -> bool:
    """Whether a plan is to begin anew with every period.

    Raises Invalid `no_next_period` for days from start to end: nobody knows which come next.
    """
    wanted = node.at("recurs").flag()
    if wanted and node.at("period").at("start").given:
        raise node.at("recurs").refused("no_next_period")
    return wanted


def following_period(period: Node, fiscal_year_start_month: int) -> dict[str, object]:
    """The period after a named one, written in the same way."""
    until = period_of(period, fiscal_year_start_month).until
    name = next(name for name in _NAMED if period.at(name).given)
    first_month = fiscal_year_start_month if _is_fiscal(period) else 1
    found: dict[str, object] = {name: _WRITTEN[name](until, first_month)}
    return found | ({"fiscal": True} if period.at("fiscal").flag() else {})


def months_from(day: date, length: int) -> date:
    """The first day of the next piece of so many months, counted from January."""
    return _first_of(day.year, (day.month - 1) // length * length + 1 + length)


def _is_fiscal(period: Node) -> bool:
    return period.at("fiscal_year").given or period.at("fiscal").flag()


def _countable(node: Node, span: Span) -> Span:
    if span.first < COUNTABLE.first or span.until > COUNTABLE.until:
        raise node.refused("period_out_of_range")
    return span


def _match(pattern: re.Pattern[str], node: Node, code: str) -> tuple[int, ...]:
    found = pattern.fullmatch(node.text())
    if found is None:
        raise node.refused(code)
    return tuple(map(int, found.groups()))


def _month(node: Node, _first_month: int) -> Span:
    year, month = _match(_MONTH, node, "not_a_month")
    return _months(year, month, 1)


def _quarter(node: Node, first_month: int) -> Span:
    year, quarter = _match(_QUARTER, node, "not_a_quarter")
    return _months(year, first_month + 3 * (quarter - 1), 3)


def _week(node: Node, _first_month: int) -> Span:
    year, week = _match(_WEEK, node, "not_a_week")
    try:
        monday = date.fromisocalendar(year, week, 1)
    except ValueError:  # most years have no week 53
        raise node.refused("not_a_week") from None
    return Span(monday, monday + timedelta(weeks=1))


def _year(node: Node, first_month: int) -> Span:
    (year,) = _match(_YEARS, node, "not_a_year")
    return _months(year, first_month, 12)


def _months(year: int, month: int, length: int) -> Span:
    return Span(_first_of(year, month), _first_of(year, month + length))


def _first_of(year: int, month: int) -> date:
    years, months = divmod(month - 1, 12)
    return date(year + years, months + 1, 1)


_READ: dict[str, Callable[[Node, int], Span]] = {
    "month": _month,
    "quarter": _quarter,
    "week": _week,
    "year": _year,
    "fiscal_year": _year,
}


def _months_into(day: date, first_month: int) -> tuple[int, int]:
    """The year that counts from a month, and how many months of it are over on a day."""
    return divmod(day.year * 12 + day.month - first_month, 12)


def _quarter_name(first: date, first_month: int) -> str:
    year, months = _months_into(first, first_month)
    return f"{year}-Q{months // 3 + 1}"


def _week_name(first: date, _first_month: int) -> str:
    return "{}-W{:02}".format(*first.isocalendar())


def _year_name(first: date, first_month: int) -> str:
    return str(_months_into(first, first_month)[0])


_WRITTEN: dict[str, Callable[[date, int], str]] = {
    "month": lambda first, _first_month: f"{first:%Y-%m}",
    "quarter": _quarter_name,
    "week": _week_name,
    "year": _year_name,
    "fiscal_year": _year_name,
}


def _range(start: Node, end: Node) -> Span:
    span = Span(start.day(), end.day())
    if span.first >= span.until:
        raise end.refused("empty_period")
    _countable(start, span)
    if (span.until - span.first).days > LONGEST_PERIOD:
        raise end.refused("period_too_long", days=LONGEST_PERIOD)
    return span
