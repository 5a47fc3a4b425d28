"""Today as JSON: the very figures of the progress that they come from, as a list to be worked off.

From the bottom of the tree up, because the day begins with what is done and not with what becomes
of it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from fractions import Fraction
from typing import TypedDict

from app.domain.metrics import UnitKind
from app.domain.presets import PRESETS
from app.domain.progress import GoalProgress, Progress, ScopedProgress, Today
from app.domain.quantities import written
from app.views.progress_documents import (
    DayDocument,
    PlanDocument,
    ScopeDocument,
    UnitDocument,
    WhyDocument,
    WorkingDaysDocument,
)
from app.views.progress_json import (
    Sentence,
    Told,
    day_document,
    days_document,
    plan_reference,
    scope_document,
    time_document,
    unit_document,
    why_document,
)

# What is still asked for in whole things is worth saying; a twentieth of a deal is not.
SAID_FROM = Fraction(1)


class AskedDocument(DayDocument, WhyDocument):
    """What the day asks of one goal."""

    key: str
    name: str
    metric: str
    unit: UnitDocument
    deadline: str
    verdict: str
    priority: int


class SaidDocument(TypedDict):
    """What the day asks, in words."""

    code: str
    message: str


class PersonDocument(TypedDict):
    """What the day asks of one member."""

    member: str
    name: str
    working_days: WorkingDaysDocument
    sentence: SaidDocument
    goals: list[AskedDocument]


class TodayListDocument(TypedDict):
    """What a day asks of a scope, and of everybody in it."""

    workspace: str
    plan: PlanDocument
    scope: ScopeDocument
    name: str
    as_of: str
    known_at: str
    time_zone: str
    date: str
    working_days: WorkingDaysDocument
    next_change_at: str | None
    sentence: SaidDocument
    goals: list[AskedDocument]
    people: list[PersonDocument]


def today_list(progress: Progress, told: tuple[Sentence, str]) -> TodayListDocument:
    """The document of a progress that was asked for today; `told`: who writes, in what language."""
    whole = progress.whole
    return {
        "workspace": progress.workspace,
        "plan": plan_reference(progress.plan),
        "scope": scope_document(whole.scope),
        "name": whole.name,
        "as_of": progress.as_of.isoformat(),
        "known_at": progress.known_at.isoformat(),
        "time_zone": progress.time_zone,
        "date": _today(whole.root).day.isoformat(),
        "working_days": days_document(whole.working_days),
        "next_change_at": time_document(progress.next_change_at),
        "sentence": _sentence(whole, told),
        "goals": _goals(whole, told),
        "people": [_person(part, told) for part in progress.breakdown],
    }


def _today(goal: GoalProgress) -> Today:
    if goal.today is None:
        raise ValueError("this progress was not asked for today")
    return goal.today


def _upwards(part: ScopedProgress) -> list[GoalProgress]:
    return [*part.root.walk()][::-1]


def _person(part: ScopedProgress, told: tuple[Sentence, str]) -> PersonDocument:
    return {
        "member": part.scope.member or "",
        "name": part.name,
        "working_days": days_document(part.working_days),
        "sentence": _sentence(part, told),
        "goals": _goals(part, told),
    }


def _goals(part: ScopedProgress, told: tuple[Sentence, str]) -> list[AskedDocument]:
    return [_goal(goal, Told(*told)) for goal in _upwards(part)]


def _goal(goal: GoalProgress, said: Told) -> AskedDocument:
    return {
        "key": goal.key,
        "name": goal.name,
        "metric": goal.metric,
        "unit": unit_document(goal.unit),
        "deadline": goal.deadline.isoformat(),
        **day_document(_today(goal), said),
        "verdict": goal.verdict.value,
        "priority": goal.priority,
        **why_document(goal),
    }


def _sentence(part: ScopedProgress, told: tuple[Sentence, str]) -> SaidDocument:
    sentence, language = told
    goals = _said(_upwards(part))
    code = _code(part, goals)
    asked = _listed((_amount(goal, language) for goal in goals), language)
    message = sentence(code, {"asked": asked}, language)
    late = [goal for goal in _upwards(part) if "too_late_to_convert" in _reasons(goal)]
    if late:
        names = _listed((_label(goal, language) for goal in late), language)
        more = sentence("today_too_late", {"late": names}, language)
        message = f"{message} {more}" if language == "en" else message + more
    return {"code": code, "message": message}


def _code(part: ScopedProgress, said: list[GoalProgress]) -> str:
    if said:
        return "today_asks" if any(_today(goal).left for goal in said) else "today_done"
    reasons = {code for goal in part.root.walk() for code in _reasons(goal)}
    if "period_not_begun" in reasons:
        return "today_not_begun"
    if "day_off" in reasons:
        return "today_day_off"
    if "day_without_weight" in reasons:
        return "today_without_weight"
    return "today_no_days_left" if reasons else "today_reached"


def _reasons(goal: GoalProgress) -> set[str]:
    return {reason.code for reason in _today(goal).reasons}


def _said(goals: list[GoalProgress]) -> list[GoalProgress]:
    """What people do a whole one or more of; where there is none, what the chain begins with."""
    asked = [goal for goal in goals if _today(goal).required]
    whole = [
        goal
        for goal in asked
        if goal.unit.kind is not UnitKind.MONEY and (_today(goal).required or 0) >= SAID_FROM
    ]
    return whole or [goal for goal in asked if not goal.children] or asked[:1]


def _listed(words: Iterator[str], language: str) -> str:
    return ("、" if language == "ja" else ", ").join(words)


def _amount(goal: GoalProgress, language: str) -> str:
    number = _today(goal).required_display or Fraction(0)
    label, unit = _label(goal, language), goal.unit
    if language == "ja":
        return f"{label} {_number(number, unit.kind, unit.currency, '件')}"
    if number == 1 and label in _ENGLISH:
        label = re.sub(r"s\b", "", label)
    return f"{_number(number, unit.kind, unit.currency, '')} {label}"


def _number(number: Fraction, kind: UnitKind, currency: str | None, each: str) -> str:
    if currency is not None:
        return f"{written(number)} {currency}"
    if kind is UnitKind.DURATION:
        minutes, seconds = divmod(int(number), 60)
        return f"{minutes // 60}:{minutes % 60:02d}:{seconds:02d}"
    return written(number) + each


_ENGLISH = frozenset(metric.names["en"].lower() for metric in PRESETS.values())


def _label(goal: GoalProgress, language: str) -> str:
    """A goal's name; one that is its preset's in either language is told in the reader's."""
    preset = PRESETS.get(goal.metric)
    if preset is None or goal.name not in preset.names.values():
        return goal.name
    name = preset.names[language]
    return name.lower() if language == "en" else name
