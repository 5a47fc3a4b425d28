"""Forecasts of the past, as they would have been made, against what then came.

Every month of a workspace's history that has history of its own is planned anew, forecast at the
end of its 5th, 10th and 15th working day with nothing but what lay before, and scored; the
spread learns from the months before it, as it does in service.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date
from fractions import Fraction
from typing import NamedTuple

from app.domain.calendar import ONE_DAY
from app.domain.evaluation import Heard, Question, evaluate
from app.domain.ground import Ground
from app.domain.history import RECENT
from app.domain.metrics import Aggregation, Metric
from app.domain.progress import GoalProgress, Progress
from app.domain.quantities import written
from app.domain.scopes import Breakdown
from app.domain.scores import Score, made_of, run_rate, score, widened
from app.store.transactions import Access
from app.usecases.context import Context
from app.usecases.counted import counted
from app.usecases.history import experience_of, history_of
from app.usecases.organisation import Organisation

CHECKPOINTS = (5, 10, 15)
FACTORS = (Fraction(9, 10), Fraction(1), Fraction(11, 10))


class Group(NamedTuple):
    """What is scored together. level: plan, team or member; day: the working day."""

    metric: str
    level: str
    day: int


@dataclass(frozen=True, slots=True)
class Compared:
    """A forecast and a run-rate of the same moment, both scored."""

    group: Group
    month: date
    forecast: Score
    run_rate: Score


def backtest(
    context: Context, workspace: str, metrics: Sequence[str], first: date, until: date
) -> Iterator[Compared]:
    """Score the forecasts of the months that begin in [first, until), of some metrics.

    Months without history of at least three months before them are left out. Raises NotFound
    `unknown_metric`, `unknown_workspace`; Conflict `metric_building`.
    """
    with context.read() as reading:
        found = context.organisations.at(reading, workspace)
        for key in metrics:
            yield from _Replay(reading, found, found.metric(key)).months(first, until)


class _Replay:
    """One metric, month after month."""

    def __init__(self, access: Access, found: Organisation, metric: Metric) -> None:
        self._access, self._found, self._metric = access, found, metric
        self._surprises: dict[Group, list[float]] = {}

    def months(self, first: date, until: date) -> Iterator[Compared]:
        month = first.replace(day=1)
        while month < until:
            yield from self._month(month)
            month = (month.replace(day=28) + 4 * ONE_DAY).replace(day=1)

    def _month(self, month: date) -> Iterator[Compared]:
        base = self._base(month, Fraction(1))
        usual = self._usual(base)
        if usual is None:
            return
        surprises: list[tuple[Group, float]] = []
        end = self._at(base, base.plan.span.until)
        came = dict(self._goals(end))
        for day in CHECKPOINTS:
            for factor in FACTORS:
                planned = self._base(month, usual * factor)
                at = self._working_day(planned, day)
                if at is None:
                    continue
                for scope, goal in self._goals(self._at(planned, at, day)):
                    group = Group(self._metric.key, scope[0], day)
                    made = made_of(goal, counts=self._metric.aggregation is Aggregation.COUNT)
                    if made is None:
                        continue
                    actual = float(came[scope].actual)
                    told = score(made, actual)
                    if factor == 1:
                        surprises.append((group, told.surprise))
                    yield Compared(group, month, told, score(run_rate(made), actual))
        for group, surprise in surprises:
            self._surprises.setdefault(group, []).append(surprise)

    def _usual(self, base: Ground) -> Fraction | None:
        """What three months before bring in the time of this one; None with less history."""
        history = history_of(self._access, self._found, base, base.plan.span.first)
        if len(history.months) < RECENT:
            return None
        daily = history.daily.get(self._metric.key, {})
        calendar, currency = base.workspace.calendar, base.plan.root.unit.currency or ""
        total, days = Fraction(0), 0
        for month in history.months[:RECENT]:
            days += calendar.workdays(month).total
            for day, amount in daily.items():
                if day in month:
                    total += self._metric.reading(*amount, currency) or 0
        return total / days * base.workdays.total if total > 0 and days else None

    def _base(self, month: date, target: Fraction) -> Ground:
        teams = [key for key, team in self._found.people.teams.items() if not team.parents]
        members = list(self._found.people.members)
        named = [{"team": key} for key in teams] or [{"member": key} for key in members]
        body = {
            "name": "backtest",
            "period": {"month": f"{month:%Y-%m}"},
            "root": {"metric": self._metric.key, "target": written(round(target, 6))},
            "assignments": named,
        }
        return self._found.draft("backtest", body, 0)

    def _working_day(self, base: Ground, number: int) -> date | None:
        """The day after the working day of a number; None for a month that has not so many."""
        days = [day.date for day in base.workspace.calendar.days(base.plan.span) if day.working]
        return days[number - 1] + ONE_DAY if number <= len(days) else None

    def _at(self, base: Ground, day: date, checkpoint: int = 0) -> Progress:
        """The progress at the beginning of a day, of what lies before it."""
        at = base.workspace.calendar.midnight(day)
        known = experience_of(self._access, self._found, base, at)
        levels = (("plan", True), ("member", False))
        spreads = {
            (self._metric.key, whole): self._widened(Group(self._metric.key, level, checkpoint))
            for level, whole in levels
        }
        by_member = Breakdown.MEMBER if base.plan.assignments else Breakdown.NONE
        question = Question(at, at, at, breakdown=by_member)
        amounts = counted(self._access, self._found, base, at)
        return evaluate(base, question, amounts, Heard(), None, replace(known, spreads=spreads))

    def _widened(self, group: Group) -> float:
        found = self._surprises.get(group, [])
        return widened(sum(one**2 for one in found), len(found))

    def _goals(self, progress: Progress) -> Iterator[tuple[tuple[str, str], GoalProgress]]:
        yield ("plan", ""), progress.whole.root
        for part in progress.breakdown:
            yield ("member", part.scope.member or ""), part.root
