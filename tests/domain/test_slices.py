"""Periods that are cut: more in one week than in another, worked by hand and by its laws."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.domain.errors import Invalid
from app.domain.ground import Ground, ground
from app.domain.instants import instant
from app.domain.lines import sliced
from app.domain.progress import Reason
from app.domain.review import reconciled
from app.domain.slices import Slice
from app.domain.spans import Span
from tests.domain.test_evaluation import DAYS, UNTIL, World, worlds
from tests.domain.test_lines import expected, lines, made, moments, revised
from tests.domain.worlds import codes, december, plan

# December 2026 begins on a Tuesday: five weeks with 4, 5, 5, 5 and 1 working days.
WEEKS = ["2026-12-01", "2026-12-07", "2026-12-14", "2026-12-21", "2026-12-28"]
PROFILE = {"by": "week", "shares": ["0.1", "0.2", "0.2", "0.4", "0.1"]}


@pytest.mark.parametrize(
    ("at", "number"),
    [
        ("2026-12-03", 10),  # half of the first week's 20
        ("2026-12-07", 20),
        ("2026-12-09", 36),
        ("2026-12-14T13:30", 64),  # a tenth of the third week's 40
        ("2026-12-21", 100),
        ("2026-12-23", 132),
        ("2026-12-28", 180),
        ("2026-12-28T13:30", 190),
        ("2026-12-29", 200),
    ],
)
def test_a_profile_by_weeks_is_followed_by_working_time_within_each(at: str, number: int) -> None:
    firsts = [
        {"from": first, "share": share}
        for first, share in zip(WEEKS, PROFILE["shares"], strict=True)
    ]
    for base in (made(profile=PROFILE), made(slices=firsts)):
        assert expected(base, at) == number


def test_slices_add_up_exactly_and_as_they_are_shown() -> None:
    base = made("7.5", profile={"by": "week", "shares": ["0.2"] * 5})
    pieces = sliced(base)["calls"]
    assert [piece.span.first.isoformat() for piece in pieces] == WEEKS
    assert [piece.target for piece in pieces] == [Fraction(3, 2)] * 5
    # Eight are shown of 7.5; of equal remainders the earlier ones are taken.
    assert [piece.display for piece in pieces] == [2, 2, 2, 1, 1]
    assert sliced(made()) == {}


def test_a_goal_with_a_lag_is_asked_for_earlier_than_the_shares_say() -> None:
    funnel = [{"metric": "appointments", "target": "30"},
              {"metric": "calls", "rate": "0.5", "lag_days": 11}]  # fmt: skip
    base = made(
        funnel=funnel, profile={"by": "week", "shares": ["0.1", "0.1", "0.1", "0.6", "0.1"]}
    )
    # Calls are due on the 21st, when three tenths of the way are over: all of it by then.
    pieces = sliced(base)
    assert [piece.target for piece in pieces["calls"]] == [20, 20, 20, 0, 0]
    assert [piece.target for piece in pieces["appointments"]] == [3, 3, 3, 18, 3]


def test_what_a_slice_without_working_days_asks_for_is_due_at_its_end() -> None:
    weekend = [{"from": "2026-12-01", "share": "0"}, {"from": "2026-12-05", "share": "0.5"},
               {"from": "2026-12-07", "share": "0.5"}]  # fmt: skip
    base = made("100", slices=weekend)
    assert [expected(base, f"2026-12-0{day}") for day in (5, 6, 7)] == [0, 0, 50]


def test_a_revision_goes_on_by_the_slices_of_its_own() -> None:
    base = revised(made(), made("300", profile=PROFILE, effective_from="2026-12-15"))
    # 100 are over; a fifth of the week's 0.2 as well, so 0.16, 0.4 and 0.1 are to come.
    assert expected(base, "2026-12-15") == 100
    assert expected(base, "2026-12-21") == 100 + 200 * Fraction(16, 66)
    assert expected(base, "2026-12-28") == 100 + 200 * Fraction(56, 66)
    assert expected(base, "2026-12-29") == 300


@pytest.mark.parametrize(
    ("change", "pointer", "code"),
    [
        ({"profile": PROFILE | {"shares": ["0.5", "0.5"]}}, "/profile/shares",
         "profile_does_not_fit"),
        ({"profile": {"by": "month", "shares": ["0.9"]}}, "/profile/shares", "shares_not_one"),
        ({"profile": {"by": "week", "shares": ["-0.1", "0.5", "0.2", "0.2", "0.2"]}},
         "/profile/shares/0", "negative_share"),
        ({"profile": {"by": "day", "shares": ["1"]}}, "/profile/by", "unknown_kind"),
        ({"slices": [{"from": "2026-12-02", "share": "1"}]}, "/slices", "slices_not_in_order"),
        ({"slices": []}, "/slices", "slices_not_in_order"),
        ({"slices": [{"from": "2026-12-01", "share": "1"}, {"from": "2027-01-01", "share": "0"}]},
         "/slices", "slices_not_in_order"),
        ({"slices": [{"from": "2026-12-01", "share": "1"}], "profile": PROFILE}, "/profile",
         "slices_or_profile"),
    ],
)  # fmt: skip
def test_slices_that_are_none_are_refused(change: dict[str, Any], pointer: str, code: str) -> None:
    with pytest.raises(Invalid) as refused:
        plan(**change)
    assert codes(refused.value) == [(pointer, code)]


def test_a_profile_is_cut_where_the_calendar_cuts() -> None:
    year = plan(period={"year": "2026"}, profile={"by": "quarter", "shares": ["0.25"] * 4})
    assert [piece.span.first.month for piece in year.slices] == [1, 4, 7, 10]
    days = {"start": "2026-11-30", "end": "2027-01-02"}
    odd = plan(period=days, profile={"by": "month", "shares": ["0", "1", "0"]})
    assert [piece.span.first for piece in odd.slices] == [
        date(2026, 11, 30), date(2026, 12, 1), date(2027, 1, 1),
    ]  # fmt: skip


def cut(world: World, share: Fraction, at: date) -> Ground:
    base = world.base
    first = base.plan.span.first
    pieces = (Slice(Span(first, at), share), Slice(Span(at, base.plan.span.until), 1 - share))
    return ground(base.workspace, replace(base.plan, slices=pieces), 1, base.people)


@settings(max_examples=60, deadline=None)
@given(
    world=worlds(),
    at=st.sampled_from(DAYS[1:]),
    now=moments,
    share=st.fractions(0, 1, max_denominator=9),
)
def test_a_line_with_slices_never_falls_ends_at_the_target_and_adds_up_over_people(
    world: World, at: date, now: int, share: Fraction
) -> None:
    base = cut(world, share, at)
    there, end = lines(base, now), lines(base, instant(f"{UNTIL}T00:00:00+09:00"))
    earlier = lines(base, now - 3 * 3600 * 10**6)
    worked = any(base.shares.values())
    for key, target in base.plan.targets.items():
        members = [line[key] for member, line in there.items() if member is not None]
        assert sum(members, Fraction(0)) == there[None][key]
        assert all(earlier[member][key] <= line[key] for member, line in there.items())
        assert end[None][key] == (target if worked else 0)
        assert sum((piece.target for piece in sliced(base)[key]), Fraction(0)) == target


def quarter(**changes: Any) -> Ground:
    return december(period={"quarter": "2026-Q4"}, funnel=[{"metric": "deals_won", "target": "30"}],
                    assignments=None, **changes)  # fmt: skip


def month(name: str, target: str) -> Ground:
    deals = {"metric": "deals_won", "key": "ours", "target": target}
    return december(period={"month": name}, funnel=[deals], assignments=None)


def said(reasons: list[Reason]) -> list[tuple[Any, ...]]:
    return [(r.code, *(r.params[n] for n in ("first", "until", "target", "sum", "residual")))
            for r in reasons]  # fmt: skip


def test_the_months_of_a_quarter_add_up_or_it_is_said_by_how_much() -> None:
    october, november = month("2026-10", "10"), month("2026-11", "11")
    children = [october, november, month("2026-12", "9")]
    assert list(reconciled(quarter(), children)) == []
    # As long as a month has no plan nothing can be said.
    assert list(reconciled(quarter(), children[:2])) == []
    more = [october, november, month("2026-12", "8"), month("2026-12", "3")]
    assert said(list(reconciled(quarter(), more))) == [
        ("children_do_not_add_up", "2026-10-01", "2027-01-01", "30", "32", "-2")
    ]
    # With a profile each month is held against its own share, where the year is not over yet.
    parts = quarter(profile={"by": "month", "shares": ["0.3", "0.3", "0.4"]})
    assert said(list(reconciled(parts, children[:2]))) == [
        ("children_do_not_add_up", "2026-10-01", "2026-11-01", "9", "10", "-1"),
        ("children_do_not_add_up", "2026-11-01", "2026-12-01", "9", "11", "-2"),
    ]
