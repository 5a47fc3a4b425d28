"""What was forecast is kept, day by day, and judged when the period is over.

A forecast that is not written down cannot be held against anybody. At the end of each day of a
plan's period it is said and kept; a few days after the period what came is held against it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict
from datetime import date, timedelta
from typing import Any, NamedTuple

from app.domain.errors import Invalid, Unavailable
from app.domain.evaluation import Question
from app.domain.ground import Ground
from app.domain.instants import day_number, day_of_number
from app.domain.metrics import Aggregation
from app.domain.progress import GoalProgress, Progress
from app.domain.scopes import Breakdown
from app.domain.scores import (
    Made,
    Score,
    Stage,
    Totals,
    added,
    made_of,
    run_rate,
    score,
    stage_of,
)
from app.store import forecasts, heads
from app.store.documents import Document
from app.store.forecasts import Logged
from app.store.transactions import Access
from app.telemetry import logger
from app.usecases.background import Background
from app.usecases.context import Context
from app.usecases.organisation import Organisation
from app.usecases.plan_names import standing_plans
from app.usecases.progress import evaluated

INTERVAL_SECONDS = 300
# Of one plan and day; the whole and its teams come first.
MOST = 2_000
# What is reported late has come by then.
GRACE = timedelta(days=3)
PLAN, TEAM, MEMBER = "plan", "team", "member"


class Whose(NamedTuple):
    """Of which goal, and whose; team and member are "" where it is nobody's in particular."""

    goal: str
    team: str
    member: str

    @property
    def level(self) -> str:
        """Of the whole plan, of a team, or of a member."""
        return MEMBER if self.member else TEAM if self.team else PLAN


def issue(context: Context) -> int:
    """Say and keep what is forecast at the end of yesterday, for every plan; how many plans."""
    return sum(_issue(context, workspace) for workspace in _workspaces(context))


def judge(context: Context) -> int:
    """Hold what came against what was said, for every period that is over; how many."""
    return sum(_judge(context, workspace) for workspace in _workspaces(context))


def _workspaces(context: Context) -> list[str]:
    with context.read() as reading:
        return list(heads.workspaces(reading))


def _issue(context: Context, workspace: str) -> int:
    with context.read() as reading:
        found = context.organisations.at(reading, workspace)
        today = found.workspace.calendar.local_day(context.clock())
        yesterday = day_number(today) - 1
        last = forecasts.last_issued(reading, workspace)
        due = [
            (base, _said(reading, found, base, today, context.clock()))
            for base in _grounds(reading, found)
            if day_of_number(yesterday) in base.plan.span
            and last.get(base.plan.key, -1) < yesterday
        ]
    for base, said in due:
        with context.write(workspace) as writing:
            forecasts.issue(writing, base.plan.key, base.plan.alias, yesterday, said)
    return len(due)


def _grounds(access: Access, found: Organisation) -> Iterator[Ground]:
    """The plans that stand and can be evaluated."""
    documents: Iterable[Document] = standing_plans(access, found)
    for document in documents:
        try:
            yield found.ground(access, document)
        except Invalid:
            # It no longer fits the people or settings: nobody is shown a forecast of it.
            continue


def _said(
    access: Access, found: Organisation, base: Ground, day: date, now: int
) -> list[list[Any]]:
    """Every forecast at the beginning of a day: the whole's, teams', members', and no more."""
    return [
        [*whose, *asdict(made).values()] for whose, made in _made(access, found, base, day, now)
    ][:MOST]


def _made(
    access: Access, found: Organisation, base: Ground, day: date, now: int
) -> Iterator[tuple[Whose, Made]]:
    metrics = {goal.key: goal.metric for goal in base.plan.root.walk()}
    for whose, goal in _goals(access, found, base, day, now):
        counts = metrics[goal.key].aggregation is Aggregation.COUNT
        made = made_of(goal, counts=counts)
        if made is not None:
            yield whose, made


def _goals(
    access: Access, found: Organisation, base: Ground, day: date, now: int
) -> Iterator[tuple[Whose, GoalProgress]]:
    whole = _at(access, found, base, day, now, Breakdown.NONE).whole
    yield from ((Whose(goal.key, "", ""), goal) for goal in whole.root.walk())
    if base.plan.assignments:
        for breakdown in (Breakdown.TEAM, Breakdown.MEMBER):
            for part in _at(access, found, base, day, now, breakdown).breakdown:
                scope = part.scope
                for goal in part.root.walk():
                    yield Whose(goal.key, scope.team or "", scope.member or ""), goal


def _at(
    access: Access, found: Organisation, base: Ground, day: date, now: int, breakdown: Breakdown
) -> Progress:
    at = found.workspace.calendar.midnight(day)
    question = Question(at, now, now, breakdown=breakdown)
    return evaluated(access, found, base, question, at).progress


def _judge(context: Context, workspace: str) -> int:
    now = context.clock()
    with context.read() as reading:
        found = context.organisations.at(reading, workspace)
        today = found.workspace.calendar.local_day(now)
        done, last = (
            forecasts.judged_plans(reading, workspace),
            forecasts.last_issued(reading, workspace),
        )
        due = [
            (base, _judged(reading, found, base, now))
            for base in _grounds(reading, found)
            if base.plan.key in last
            and base.plan.span.until + GRACE <= today
            and (base.plan.key, day_number(base.plan.span.until)) not in done
        ]
    for base, verdict in due:
        until = day_number(base.plan.span.until)
        with context.write(workspace) as writing:
            forecasts.judge(writing, base.plan.key, base.plan.alias, until, verdict)
    return len(due)


def _judged(access: Access, found: Organisation, base: Ground, now: int) -> dict[str, Any]:
    """The scores of a period, and the surprises from which later spreads are learned."""
    came = {
        whose: float(goal.actual - goal.next_period)
        for whose, goal in _goals(access, found, base, base.plan.span.until, now)
    }
    metrics = {goal.key: goal.metric.key for goal in base.plan.root.walk()}
    ours: dict[tuple[str, str, Stage], list[Score]] = {}
    theirs: dict[tuple[str, str, Stage], list[Score]] = {}
    # Days of one stage are nearly one forecast: the last of each is what is learned from.
    surprises: dict[tuple[Whose, Stage], float] = {}
    for logged in forecasts.issued(access, found.workspace.key, base.plan.key):
        for whose, made in read(logged):
            if whose in came and whose.goal in metrics:
                stage, told = stage_of(made.elapsed), score(made, came[whose])
                group = (whose.goal, whose.level, stage)
                ours.setdefault(group, []).append(told)
                theirs.setdefault(group, []).append(score(run_rate(made), came[whose]))
                surprises[whose, stage] = told.surprise
    return {
        "scores": [[*group, added(ours[group]), added(theirs[group])] for group in ours],
        "surprises": _squares(metrics, surprises),
    }


def _squares(
    metrics: Mapping[str, str], surprises: Mapping[tuple[Whose, Stage], float]
) -> list[list[Any]]:
    sums: dict[tuple[str, bool, Stage], tuple[float, int]] = {}
    for (whose, stage), surprise in surprises.items():
        key = (metrics[whose.goal], whose.level == PLAN, stage)
        squares, number = sums.get(key, (0.0, 0))
        sums[key] = (squares + min(surprise**2, 1e6), number + 1)
    return [[*key, *told] for key, told in sums.items()]


def read(logged: Logged) -> Iterator[tuple[Whose, Made]]:
    """The forecasts of a day, as they were kept."""
    for goal, team, member, *values in logged.body:
        yield Whose(goal, team, member), Made(*values)


def totals(logged: Logged) -> Iterator[tuple[str, str, Stage, Totals, Totals]]:
    """The scores of a period: goal, level, stage, of the forecasts, and of a run-rate."""
    for goal, level, stage, ours, theirs in logged.body["scores"]:
        yield goal, level, Stage(stage), Totals(*ours), Totals(*theirs)


class Foreseeing(Background):
    """Looks every few minutes whether a day or a period has ended."""

    def __init__(self, context: Context) -> None:
        self._context = context
        super().__init__("foreseeing")

    def _run(self) -> None:
        # Not at once: who has just started is read from first, and a restart moves nothing.
        while not self._ended.wait(INTERVAL_SECONDS):
            try:
                issue(self._context)
                judge(self._context)
            except Unavailable as error:
                logger(__name__).warning("forecasts could not be kept", why=error.code)
            except Exception:  # noqa: BLE001 - the next round may succeed
                logger(__name__).exception("forecasts could not be kept")
