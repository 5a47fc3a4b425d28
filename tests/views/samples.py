"""Progress made up for the faces: every unit, verdict and kind of nothing at least once."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from fractions import Fraction
from typing import Any

from app.domain.foreseen import Forecast
from app.domain.metrics import Unit, UnitKind
from app.domain.progress import (
    UNTESTED,
    Excluded,
    Freshness,
    FreshnessState,
    GoalProgress,
    PlanReference,
    Progress,
    Rate,
    Reason,
    Scope,
    ScopedProgress,
    Verdict,
    WorkingDays,
)

JST = timezone(timedelta(hours=9))
NOW = datetime(2026, 12, 14, 18, 0, tzinfo=JST)
END = datetime(2027, 1, 1, tzinfo=JST)
YEN = Unit(UnitKind.MONEY, "JPY")
COUNT = Unit(UnitKind.COUNT)
DURATION = Unit(UnitKind.DURATION)
FRESH = Freshness(FreshnessState.FRESH, datetime(2026, 12, 14, 17, 40, tzinfo=JST))
STALE = Freshness(FreshnessState.STALE, datetime(2026, 12, 11, 9, 5, 7, 250_000, tzinfo=UTC))
SILENT = Freshness(FreshnessState.NONE, None)


def outlook(low: int, median: int, high: int, per_cent: int) -> Forecast:
    middle = Fraction(median)
    return Forecast(Fraction(low), middle, Fraction(high), middle, Fraction(per_cent, 100))


FORECAST = outlook(468, 505, 546, 57)


def goal(key: str, **changes: Any) -> GoalProgress:
    """A goal that is fine; `changes` make it interesting."""
    fields: dict[str, Any] = {
        "key": key,
        "name": key,
        "metric": key,
        "unit": COUNT,
        "target": Fraction(500),
        "target_display": Fraction(500),
        "deadline": END,
        "actual": Fraction(262),
        "next_period": Fraction(0),
        "expected": Fraction(500 * 30, 58),
        "attainment": Fraction(262, 500),
        "pace": Fraction(262 * 58, 500 * 30),
        "gap": Fraction(262) - Fraction(500 * 30, 58),
        "gap_beyond_noise": False,
        "required_per_day": Fraction(238, 10),
        "forecast": FORECAST,
        "rate": None,
        "unassigned": Fraction(0),
        "outside_plan": Fraction(0),
        "excluded": (),
        "freshness": FRESH,
        "verdict": Verdict.ON_TRACK,
        "reasons": (),
        "children": (),
    }
    return GoalProgress(**(fields | changes))


def calls(**changes: Any) -> GoalProgress:
    return goal("calls", **({"name": "架電"} | changes))


def appointments(**changes: Any) -> GoalProgress:
    fields: dict[str, Any] = {
        "name": "アポ",
        "target": Fraction(100),
        "target_display": Fraction(100),
        "actual": Fraction(54),
        "expected": Fraction(3000, 58),
        "attainment": Fraction(54, 100),
        "pace": Fraction(54 * 58, 3000),
        "gap": 54 - Fraction(3000, 58),
        "required_per_day": Fraction(46, 10),
        "forecast": outlook(91, 104, 118, 65),
        "rate": Rate(Fraction(1, 5), Fraction(54, 262), 262),
        "children": (calls(),),
    }
    return goal("appointments", **(fields | changes))


def deals(**changes: Any) -> GoalProgress:
    fields: dict[str, Any] = {
        "name": "受注",
        "target": Fraction(5),
        "target_display": Fraction(5),
        "actual": Fraction(2),
        "expected": Fraction(150, 58),
        "attainment": Fraction(2, 5),
        "pace": Fraction(116, 150),
        "gap": 2 - Fraction(150, 58),
        "required_per_day": Fraction(3, 10),
        "forecast": outlook(1, 3, 5, 17),
        "rate": Rate(Fraction(1, 20), Fraction(2, 54), 54),
        "verdict": Verdict.AT_RISK,
        "children": (appointments(),),
    }
    return goal("deals_won", **(fields | changes))


def revenue(**changes: Any) -> GoalProgress:
    """The worked December: 380,000 yen of 2,000,000 at half time."""
    fields: dict[str, Any] = {
        "name": "売上",
        "unit": YEN,
        "target": Fraction(2_000_000),
        "target_display": Fraction(2_000_000),
        "actual": Fraction(380_000),
        "expected": Fraction(60_000_000, 58),
        "attainment": Fraction(19, 100),
        "pace": Fraction(380_000 * 58, 60_000_000),
        "gap": 380_000 - Fraction(60_000_000, 58),
        "required_per_day": Fraction(162_000),
        "forecast": outlook(380_000, 1_180_000, 1_980_000, 8),
        "rate": Rate(Fraction(400_000), Fraction(380_000), 1, drift=UNTESTED),
        "verdict": Verdict.OFF_TRACK,
        "reasons": (Reason("pace_below", {"threshold": "0.8"}),),
        "children": (deals(),),
    }
    return goal("revenue", **(fields | changes))


def everything() -> GoalProgress:
    """One tree with every unit, verdict, freshness and None."""
    nothing = goal(
        "meetings_held",
        name="商談実施",
        target=Fraction(0),
        target_display=Fraction(0),
        actual=Fraction(0),
        expected=Fraction(0),
        attainment=None,
        pace=None,
        gap=Fraction(0),
        required_per_day=None,
        rate=Rate(Fraction(3, 2), None, 0),
        freshness=SILENT,
        verdict=Verdict.NOT_STARTED,
        reasons=(
            Reason("target_is_zero"),
            Reason("nothing_expected_yet"),
            Reason("no_days_left"),
            Reason("no_sample"),
            Reason("no_source"),
        ),
    )
    talk = goal(
        "talk_time",
        name="通話時間",
        unit=DURATION,
        target=Fraction(36_000),
        target_display=Fraction(36_000),
        actual=Fraction(40_000),
        attainment=Fraction(10, 9),
        verdict=Verdict.REACHED,
        required_per_day=Fraction(0),
        freshness=STALE,
    )
    cash = goal(
        "cash_in",
        name="入金",
        unit=Unit(UnitKind.MONEY, "USD"),
        target=Fraction(100_001, 100),
        target_display=Fraction(100_001, 100),
        actual=Fraction(-1, 3),
        unassigned=Fraction(5, 2),
        outside_plan=Fraction(7),
        next_period=Fraction(1, 7),
        excluded=(Excluded("EUR", 2, Fraction(1999, 100)),),
        verdict=Verdict.MISSED,
    )
    leads = goal(
        "leads",
        name="リード",
        forecast=None,
        freshness=STALE,
        verdict=Verdict.UNKNOWN,
        reasons=(Reason("nothing_to_forecast_from"), Reason("source_silent")),
    )
    return revenue(children=(deals(), leads, nothing, talk, cash))


def scoped(root: GoalProgress, name: str = "", **scope: str) -> ScopedProgress:
    return ScopedProgress(
        Scope(**scope), name, WorkingDays(Fraction(20), Fraction(21, 2), Fraction(19, 2)), root
    )


def progress(root: GoalProgress, *parts: ScopedProgress, **changes: Any) -> Progress:
    fields: dict[str, Any] = {
        "workspace": "example",
        "plan": PlanReference("2026-12-new", "new-business", "新規開拓 12月", 3),
        "as_of": NOW,
        "known_at": NOW,
        "generated_at": NOW + timedelta(microseconds=1),
        "time_zone": "Asia/Tokyo",
        "next_change_at": NOW + timedelta(minutes=1),
        "whole": scoped(root, "新規開拓 12月"),
        "breakdown": parts,
    }
    return Progress(**(fields | changes))


def said(code: str, params: object, language: str) -> str:
    return f"{language}:{code}:{params}"
