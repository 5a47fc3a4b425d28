from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from fractions import Fraction
from zoneinfo import ZoneInfo

import jpholiday
import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.almanac import almanac, almanac_of, moved
from app.domain.calendar import Closure, Day, DayKind, WorkCalendar
from app.domain.errors import Invalid
from app.domain.instants import MINUTE, instant
from app.domain.spans import Span
from app.domain.workspace import holiday_country, workspace_of
from tests.domain.worlds import JAPAN, codes, workspace, workspace_document

TOKYO = ZoneInfo("Asia/Tokyo")
NEW_YORK = ZoneInfo("America/New_York")
WEEKDAYS = frozenset(range(5))
PLAIN = WorkCalendar(TOKYO, WEEKDAYS, 9 * 60, 18 * 60, JAPAN)
MONTHS = {
    2025: [21, 18, 20, 21, 20, 21, 22, 20, 20, 22, 18, 23],
    2026: [20, 18, 21, 21, 18, 22, 22, 20, 19, 21, 19, 23],
    2027: [19, 18, 22, 21, 18, 22, 21, 21, 20, 20, 20, 23],
}


def month(year: int, number: int) -> Span:
    following = date(year + number // 12, number % 12 + 1, 1)
    return Span(date(year, number, 1), following)


@pytest.mark.parametrize("year", MONTHS)
def test_the_working_days_of_japanese_months_are_those_of_the_law(year: int) -> None:
    assert [PLAIN.workdays(month(year, n)).total for n in range(1, 13)] == MONTHS[year]


@pytest.mark.parametrize(
    ("year", "january", "december"), [(2025, 19, 20), (2026, 19, 20), (2027, 19, 20)]
)
def test_a_closed_year_end_takes_its_days_from_december_and_january(
    year: int, january: int, december: int
) -> None:
    closures = [
        {"from": f"{y}-12-29", "to": f"{y + 1}-01-04", "reason": "x"} for y in (year - 1, year)
    ]
    closed = workspace(calendar={"closures": closures}).calendar
    assert closed.workdays(month(year, 1)).total == january
    assert closed.workdays(month(year, 12)).total == december


@given(st.dates(date(2025, 1, 1), date(2027, 12, 31)))
def test_a_day_works_exactly_when_another_library_knows_no_reason_against_it(day: date) -> None:
    expected = day.weekday() < 5 and not jpholiday.is_holiday(day)
    assert PLAIN.day(day).working is expected


def test_a_day_says_why_it_does_not_work() -> None:
    calendar = workspace(calendar={"extra_working_days": ["2026-12-05"]}).calendar
    assert calendar.day(date(2026, 12, 1)) == Day(date(2026, 12, 1), DayKind.WORKDAY)
    assert calendar.day(date(2026, 12, 5)).kind is DayKind.EXTRA
    assert calendar.day(date(2026, 12, 6)).kind is DayKind.WEEKEND
    assert calendar.day(date(2026, 12, 29)) == Day(date(2026, 12, 29), DayKind.CLOSURE, "年末年始")
    assert calendar.day(date(2026, 11, 23)) == Day(
        date(2026, 11, 23), DayKind.HOLIDAY, "勤労感謝の日"
    )
    assert calendar.day(date(2026, 12, 5)).working
    assert [day.date.day for day in calendar.days(Span(date(2026, 12, 5), date(2026, 12, 8)))] == [
        5,
        6,
        7,
    ]


def test_an_extra_working_day_works_even_on_a_holiday_inside_a_closure() -> None:
    extra = workspace(calendar={"extra_working_days": ["2027-01-01"]}).calendar
    assert extra.day(date(2027, 1, 1)).working


@given(st.data())
def test_working_days_between_two_days_are_those_one_counts_by_hand(data: st.DataObject) -> None:
    span = Span(date(2026, 9, 1), date(2026, 12, 1))
    days = st.dates(date(2026, 8, 1), date(2027, 1, 1))
    first, until = data.draw(days), data.draw(days)
    inside = [d for d in PLAIN.days(span) if first <= d.date < until]
    workdays = PLAIN.workdays(span)
    assert workdays.between(first, until) == sum(day.working for day in inside)
    assert workdays.on(first) == (first in span and PLAIN.day(first).working)


def test_a_day_elapses_linearly_over_its_working_hours() -> None:
    day = date(2026, 12, 14)
    at = {
        "2026-12-14T00:00:00+09:00": Fraction(0),
        "2026-12-14T09:00:00+09:00": Fraction(0),
        "2026-12-14T13:30:00+09:00": Fraction(1, 2),
        "2026-12-14T17:59:00+09:00": Fraction(539, 540),
        "2026-12-14T18:00:00+09:00": Fraction(1),
        "2026-12-15T00:00:00+09:00": Fraction(1),
    }
    assert {text: PLAIN.elapsed(day, instant(text)) for text in at} == at


@pytest.mark.parametrize(
    ("day", "hours", "noon"),
    [
        (date(2026, 3, 8), 23, Fraction(11, 23)),
        (date(2026, 11, 1), 25, Fraction(13, 25)),
        (date(2026, 11, 2), 24, Fraction(12, 24)),
    ],
)
def test_a_day_on_which_the_clocks_change_is_shorter_or_longer(
    day: date, hours: int, noon: Fraction
) -> None:
    round_the_clock = WorkCalendar(NEW_YORK, frozenset(range(7)), 0, 24 * 60)
    opens, closes = round_the_clock.hours(day)
    assert closes - opens == hours * 60 * MINUTE
    offset = "-05:00" if hours == 25 or day.day == 2 else "-04:00"
    assert round_the_clock.elapsed(day, instant(f"{day}T12:00:00{offset}")) == noon


def test_working_hours_that_the_clocks_jump_over_are_over_at_once() -> None:
    skipped = WorkCalendar(NEW_YORK, frozenset(range(7)), 2 * 60 + 30, 3 * 60)
    day = date(2026, 3, 8)
    opens, closes = skipped.hours(day)
    assert closes <= opens
    assert skipped.elapsed(day, closes - 1) == 0
    assert skipped.elapsed(day, closes) == 1


@given(st.dates(date(2026, 1, 1), date(2027, 12, 31)), st.integers(0, 1439), st.integers(1, 1440))
def test_the_elapsed_share_never_falls_back(day: date, opens: int, length: int) -> None:
    calendar = WorkCalendar(NEW_YORK, WEEKDAYS, opens, min(opens + length, 1440))
    start = calendar.midnight(day)
    shares = [calendar.elapsed(day, start + n * 30 * MINUTE) for n in range(52)]
    assert shares == sorted(shares)
    assert shares[-1] == 1


def test_the_next_change_is_the_next_minute_of_working_time() -> None:
    changes = {
        "2026-12-14T10:00:00+09:00": "2026-12-14T10:01:00+09:00",
        "2026-12-14T10:00:30.5+09:00": "2026-12-14T10:01:00+09:00",
        "2026-12-14T17:59:30+09:00": "2026-12-14T18:00:00+09:00",
        "2026-12-14T18:00:00+09:00": "2026-12-15T09:01:00+09:00",
        "2026-12-28T20:00:00+09:00": "2027-01-04T09:01:00+09:00",
    }
    calendar = workspace().calendar
    assert {t: calendar.next_change(instant(t)) for t in changes} == {
        before: instant(after) for before, after in changes.items()
    }


def test_a_calendar_that_never_works_again_has_no_next_change() -> None:
    closed = workspace(calendar={"closures": [{"from": "2026-01-01", "to": "2099-01-01"}]}).calendar
    assert closed.next_change(instant("2026-12-14T10:00:00+09:00")) is None


def test_a_workspace_document_becomes_settings() -> None:
    made = workspace()
    assert (made.key, made.zone.key, made.currency, made.language) == (
        "example",
        "Asia/Tokyo",
        "JPY",
        "ja",
    )
    assert (made.holidays, made.fiscal_year_start_month) == ("JP", 4)
    assert (made.calendar.opens, made.calendar.closes) == (540, 1080)
    assert holiday_country(workspace_document(calendar={"holidays": None})) is None
    assert (
        workspace(calendar={"working_hours": {"from": "00:00", "to": "24:00"}}).calendar.closes
        == 1440
    )


def test_closures_may_overlap() -> None:
    closures = [
        {"from": "2026-12-01", "to": "2026-12-10"},
        {"from": "2026-12-05", "to": "2026-12-12"},
    ]
    days = workspace(calendar={"closures": closures}).calendar.workdays(month(2026, 12))
    assert days.between(date(2026, 12, 1), date(2026, 12, 12)) == 0


@pytest.mark.parametrize(
    ("changes", "pointer", "code"),
    [
        ({"time_zone": "Asia/Nowhere"}, "/time_zone", "unknown_zone"),
        ({"time_zone": "../etc/passwd"}, "/time_zone", "unknown_zone"),
        ({"time_zone": "America"}, "/time_zone", "unknown_zone"),
        ({"time_zone": None}, "/time_zone", "not_a_text"),
        ({"currency": "yen"}, "/currency", "not_a_currency"),
        ({"locale": "日本"}, "/locale", "not_a_locale"),
        ({"fiscal_year_start_month": 13}, "/fiscal_year_start_month", "not_a_month"),
        ({"fiscal_year_start_month": True}, "/fiscal_year_start_month", "not_an_integer"),
        ({"name": ""}, "/name", "not_a_text"),
        ({"calendar": {"weekdays": ["mon", "funday"]}}, "/calendar/weekdays/1", "unknown_weekday"),
        ({"calendar": {"weekdays": []}}, "/calendar/weekdays", "no_weekdays"),
        ({"calendar": {"weekdays": "mon"}}, "/calendar/weekdays", "not_a_list"),
        (
            {"calendar": {"working_hours": {"from": "18:00", "to": "09:00"}}},
            "/calendar/working_hours/to",
            "empty_working_hours",
        ),
        (
            {"calendar": {"working_hours": {"from": "9", "to": "18:00"}}},
            "/calendar/working_hours/from",
            "not_a_clock_time",
        ),
        (
            {"calendar": {"closures": [{"from": "2026-12-02", "to": "2026-12-02"}]}},
            "/calendar/closures/0/to",
            "empty_span",
        ),
        (
            {"calendar": {"closures": [{"from": None, "to": "2026-12-02"}]}},
            "/calendar/closures/0/from",
            "not_a_date",
        ),
        (
            {"calendar": {"extra_working_days": ["2026-02-30"]}},
            "/calendar/extra_working_days/0",
            "not_a_date",
        ),
    ],
)
def test_settings_without_meaning_are_refused_where_they_stand(
    changes: dict[str, object], pointer: str, code: str
) -> None:
    with pytest.raises(Invalid) as refused:
        workspace(**changes)
    assert codes(refused.value) == [(pointer, code)]
    assert refused.value.code == code


def test_every_fault_of_a_list_is_named_at_once() -> None:
    with pytest.raises(Invalid) as refused:
        workspace(calendar={"weekdays": ["mon", "x", "y"]})
    assert refused.value.code == "several_faults"
    assert [pointer for pointer, _ in codes(refused.value)] == [
        "/calendar/weekdays/1",
        "/calendar/weekdays/2",
    ]


def test_a_document_of_another_shape_is_refused_not_crashed_on() -> None:
    with pytest.raises(Invalid) as refused:
        workspace_of("x", workspace_document() | {"calendar": "JP"}, {})
    assert codes(refused.value) == [("/calendar", "not_an_object")]


def test_a_week_of_seven_days_has_no_weekend() -> None:
    always = WorkCalendar(TOKYO, frozenset(range(7)), 0, 1440)
    span = Span(date(2026, 1, 1), date(2027, 1, 1))
    assert always.workdays(span).total == (span.until - span.first) // timedelta(days=1)


def test_only_holidays_that_move_a_working_day_are_told() -> None:
    span, saturday, extra, closed = month(2027, 11), 6, date(2027, 11, 9), date(2027, 11, 12)
    calendar = replace(
        PLAIN, extra=frozenset({extra}), closures=(Closure(Span(closed, date(2027, 11, 13)), "x"),)
    )
    known = almanac(replace(workspace(), holidays="JP", calendar=calendar), span, "a 1")
    assert known is not None
    assert set(known.days) == {day for day, _ in jpholiday.month_holidays(2027, 11)}
    assert almanac_of(known.document()) == known
    assert list(moved(known, calendar, span)) == []
    for day in (date(2027, 11, saturday), extra, closed):
        then = replace(known, days={**known.days, day: "once"})
        assert list(moved(then, calendar, span)) == []
    then = replace(known, days={date(2027, 11, 8): "once"})
    assert [(reason.code, reason.params["days"]) for reason in moved(then, calendar, span)] == [
        ("holidays_added", "2027-11-03, 2027-11-23"),
        ("holidays_gone", "2027-11-08"),
    ]
