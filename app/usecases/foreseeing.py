"""What was forecast is kept, day by day, and judged when the period is over.

A forecast that is not written down cannot be held against anybody. At the end of each day of a
plan's period it is said and kept; a few days after the period what came is held against it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import date, timedelta
from typing import Any

from app.domain.errors import Invalid, Unavailable
from app.domain.evaluation import Question
from app.domain.foreseen import ForecastLaw
from app.domain.ground import Ground, goal_named
from app.domain.instants import day_number, day_of_number
from app.domain.metrics import Aggregation
from app.domain.progress import GoalProgress, Progress
from app.domain.scopes import Breakdown
from app.domain.scores import Made, Score, Stage, made_of, run_rate, score, stage_of
from app.store import forecasts, heads
from app.store.documents import Document
from app.store.transactions import Access
from app.telemetry import logger
from app.usecases.background import Background
from app.usecases.context import Context
from app.usecases.forecast_bodies import (
    PLAN,
    Squares,
    Whose,
    judged_body,
    read,
    row_beside,
    said_row,
)
from app.usecases.organisation import Organisation
from app.usecases.plan_names import standing_plans
from app.usecases.progress import evaluated

INTERVAL_SECONDS = 300
# Of one plan and day; the whole and its teams come first.
MOST = 2_000
# What is reported late has come by then.
GRACE = timedelta(days=3)


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
    told = list(_goals(access, found, base, day, now))
    whole = (goal for whose, goal in told if whose.level == PLAN)
    laws = {goal.key: goal.forecast.law for goal in whole if goal.forecast}
    others = [
        row_beside(goal.key, goal.forecast.law, made)
        for goal in _beside(access, found, base, day, now)
        if goal.forecast and goal.forecast.law is not laws.get(goal.key)
        for made in _made(base, goal)
    ]
    rows = [said_row(whose, made) for whose, goal in told for made in _made(base, goal)]
    return [*others, *rows][:MOST]


def _made(base: Ground, goal: GoalProgress) -> Iterator[Made]:
    """The forecast of a goal, if it has one."""
    counts = goal_named(base, goal.key).metric.aggregation is Aggregation.COUNT
    made = made_of(goal, counts=counts)
    if made is not None:
        yield made


def _beside(
    access: Access, found: Organisation, base: Ground, day: date, now: int
) -> Iterator[GoalProgress]:
    """The whole's goals, forecast by the law that is not in force wherever there are two."""
    if found.linked:
        yield from _at(access, found, base, day, now, beside=True).whole.root.walk()


def _goals(
    access: Access, found: Organisation, base: Ground, day: date, now: int
) -> Iterator[tuple[Whose, GoalProgress]]:
    whole = _at(access, found, base, day, now).whole
    yield from ((Whose(goal.key, "", ""), goal) for goal in whole.root.walk())
    if base.plan.assignments:
        for breakdown in (Breakdown.TEAM, Breakdown.MEMBER):
            for part in _at(access, found, base, day, now, breakdown).breakdown:
                scope = part.scope
                for goal in part.root.walk():
                    yield Whose(goal.key, scope.team or "", scope.member or ""), goal


def _at(
    access: Access,
    found: Organisation,
    base: Ground,
    day: date,
    now: int,
    breakdown: Breakdown = Breakdown.NONE,
    *,
    beside: bool = False,
) -> Progress:
    at = found.workspace.calendar.midnight(day)
    question = Question(at, now, now, breakdown=breakdown, beside=beside)
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
    ours: dict[tuple[str, str, Stage], tuple[list[Score], list[Score]]] = {}
    both: dict[tuple[str, Stage], dict[ForecastLaw, list[Score]]] = {}
    # Days of one stage are nearly one forecast: the last of each is what is learned from.
    surprises: dict[tuple[Whose, Stage, ForecastLaw], float] = {}
    for logged in forecasts.issued(access, found.workspace.key, base.plan.key):
        for whose, told in read(logged):
            if whose not in came or whose.goal not in metrics:
                continue
            stage, end = stage_of(told.made.elapsed), came[whose]
            by = {law: score(made, end) for law in ForecastLaw if (made := told.by(law))}
            scores = ours.setdefault((whose.goal, whose.level, stage), ([], []))
            scores[0].append(by[told.law])
            scores[1].append(score(run_rate(told.made), end))
            for law, one in by.items():
                if told.other:
                    laws = both.setdefault((whose.goal, stage), {each: [] for each in ForecastLaw})
                    laws[law].append(one)
                # A part is a share of the whole by whichever law: it has one spread.
                spread = law if whose.level == PLAN else ForecastLaw.GAMMA_POISSON
                surprises[whose, stage, spread] = one.surprise
    return judged_body(ours, _squares(metrics, surprises), both)


def _squares(
    metrics: Mapping[str, str], surprises: Mapping[tuple[Whose, Stage, ForecastLaw], float]
) -> Squares:
    sums: dict[tuple[str, bool, Stage, ForecastLaw], tuple[float, int]] = {}
    for (whose, stage, law), surprise in surprises.items():
        key = (metrics[whose.goal], whose.level == PLAN, stage, law)
        squares, number = sums.get(key, (0.0, 0))
        sums[key] = (squares + min(surprise**2, 1e6), number + 1)
    return sums


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
