"""Figures, days and times as people of a language write them. Only the report speaks so."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from fractions import Fraction

from app.domain.diagnosis import Step
from app.domain.metrics import UnitKind
from app.domain.progress import GoalProgress
from app.domain.quantities import written
from app.views.progress_documents import UnitDocument
from app.views.progress_json import unit_document
from app.views.terminal_words import number, percent, shown

NOTHING = "—"
_MONTHS = "Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec".split()
_YEN: UnitDocument = {"kind": "money", "currency": "JPY"}


class Numbers:
    """How a language writes them."""

    def __init__(self, language: str) -> None:
        self.language = language

    def quantity(self, value: str | None, unit: UnitDocument) -> str:
        """A decimal text in its unit: 1,234,567円 or ¥1,234,567; 262件 or 262."""
        if value is None:
            return NOTHING
        if self.language == "ja" and unit.get("currency") == "JPY":
            return f"{shown(value, _YEN, sign=False)}円"
        counter = "件" if self.language == "ja" and unit["kind"] == "count" else ""
        return shown(value, unit) + counter

    def signed(self, value: str, unit: UnitDocument) -> str:
        """The same with its sign, also where it is above 0."""
        text = self.quantity(value, unit)
        return f"+{text}" if Fraction(value) > 0 else text

    def percent(self, ratio: str | None) -> str:
        """A ratio."""
        return NOTHING if ratio is None else percent(ratio)

    def day(self, day: date) -> str:
        """A day."""
        if self.language == "ja":
            return f"{day.year}年{day.month}月{day.day}日"
        return f"{day.day} {_MONTHS[day.month - 1]} {day.year}"

    def moment(self, at: datetime) -> str:
        """A day and the minute on it."""
        return f"{self.day(at.date())} {at:%H:%M}"

    def days(self, days: str) -> str:
        """A number of days."""
        return number(Decimal(days))

    def of_goal(self, goal: GoalProgress, quantity: Fraction) -> str:
        """An amount of a goal."""
        return self.quantity(written(quantity), unit_document(goal.unit))

    def of_step(self, root: GoalProgress, step: Step, quantity: Fraction | None) -> str:
        """A volume in its unit, a rate of counts in per cent, a yield in the unit above."""
        if quantity is None:
            return NOTHING
        goals = {goal.key: goal for goal in root.walk()}
        goal = goals[step.goal]
        per = None if step.per is None else goals[step.per]
        counts = {goal.unit.kind, per.unit.kind} == {UnitKind.COUNT} if per else False
        if counts and abs(quantity) <= 1:
            return self.percent(written(quantity))
        if counts:
            return number(Decimal(written(quantity)), 2)
        return self.of_goal(goal, quantity)
