"""What was forecast, day by day, and how good it has been."""

from __future__ import annotations

from dataclasses import dataclass
from zoneinfo import ZoneInfo

from app.domain.errors import NotFound
from app.domain.foreseen import ForecastLaw
from app.domain.ground import Ground
from app.domain.instants import day_of_number
from app.domain.progress import Scope
from app.domain.scopes import Breakdown, check
from app.domain.scores import Judgement, Said, Scores, Stage, Standing, Totals, summary
from app.store import forecasts
from app.usecases.context import Context
from app.usecases.forecast_bodies import PLAN, Whose, read, totals, totals_by_law
from app.usecases.plan_names import plan_named

# Periods of one alias that are told of: two years of months.
PERIODS = 24


@dataclass(frozen=True, slots=True)
class SaidOf:
    """A page of what was forecast of a goal."""

    base: Ground
    goal: str
    items: tuple[Said, ...]

    @property
    def zone(self) -> ZoneInfo:
        """The workspace's."""
        return self.base.workspace.zone


def said(
    context: Context,
    workspace: str,
    name: str,
    goal: str | None,
    scope: Scope,
    after: int,
    limit: int,
) -> SaidOf:
    """Up to so many days behind a day.

    Raises NotFound: unknown_plan, unknown_goal, and as progress does for teams and members.
    """
    with context.read() as reading:
        found = context.organisations.at(reading, workspace)
        base = found.ground(reading, plan_named(reading, found, name, context.clock()))
        check(base, scope, Breakdown.NONE)
        key = goal or base.plan.root.key
        if key not in base.plan.targets:
            raise NotFound("unknown_goal", goal=key)
        wanted = Whose(key, scope.team or "", scope.member or "")
        logged = forecasts.issued(reading, workspace, base.plan.key, after, limit)
    items = (
        Said(day_of_number(one.day), one.at, *told)
        for one in logged
        for whose, told in read(one)
        if whose == wanted
    )
    return SaidOf(base, key, tuple(items))


def judgement(context: Context, workspace: str, name: str) -> Judgement:
    """How good the forecasts of an alias's periods have been. Raises NotFound."""
    with context.read() as reading:
        found = context.organisations.at(reading, workspace)
        base = found.ground(reading, plan_named(reading, found, name, context.clock()))
        logged = forecasts.of_alias(reading, workspace, base.plan.alias, PERIODS)
    sums: dict[tuple[str, str, Stage], tuple[Totals, Totals]] = {}
    laws: dict[tuple[str, str, Stage], dict[ForecastLaw, Totals]] = {}
    for one in logged:
        for goal, level, stage, ours, theirs in totals(one):
            before = sums.get((goal, level, stage), (Totals(), Totals()))
            sums[goal, level, stage] = (before[0].plus(ours), before[1].plus(theirs))
        for goal, stage, by in totals_by_law(one):
            of = laws.setdefault((goal, PLAN, stage), {})
            of.update({law: total.plus(of.get(law, Totals())) for law, total in by.items()})
    order = list(base.plan.targets)
    items = sorted(
        sums,
        key=lambda key: (
            order.index(key[0]) if key[0] in order else len(order),
            key[0],
            ("plan", "team", "member").index(key[1]),
            list(Stage).index(key[2]),
        ),
    )
    standings = (
        Standing(
            *key,
            *_both(sums[key]),
            {law: summary(total) for law, total in laws.get(key, {}).items()},
        )
        for key in items
    )
    return Judgement(base.plan.alias, tuple(one.plan for one in logged), tuple(standings))


def _both(sums: tuple[Totals, Totals]) -> tuple[Scores, Scores]:
    ours, theirs = sums
    return summary(ours), summary(theirs)
