"""How honest past forecasts were: what the next ones are widened by, and by which law they go."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from typing import NamedTuple

from app.domain.foreseen import ForecastLaw
from app.domain.ground import Ground
from app.domain.instants import day_number
from app.domain.scores import earns, stage_of, widened
from app.store import forecasts
from app.store.forecasts import Logged
from app.store.journal import Knowing
from app.store.transactions import Access
from app.usecases.forecast_bodies import squares_of, totals_by_law

# Periods from whose surprises and scores is learned.
PERIODS = 6


class Record(NamedTuple):
    """What the forecasts of earlier periods teach.

    spreads, spreads_by_items, earned: as `Experience` has them
    """

    spreads: dict[tuple[str, bool], float]
    spreads_by_items: dict[str, float]
    earned: frozenset[str]


def record(access: Access, base: Ground, elapsed: float, known: Knowing | None = None) -> Record:
    """That of the periods of a plan's alias that ended before it, at the stage where it stands."""
    stage, until = stage_of(elapsed), day_number(base.plan.span.first)
    upto = known.seq if known else None
    earlier = forecasts.judged(access, base.workspace.key, base.plan.alias, until, PERIODS, upto)
    sums: dict[ForecastLaw, dict[tuple[str, bool], tuple[float, int]]] = defaultdict(dict)
    for logged in earlier:
        for metric, whole, at, law, squares, number in squares_of(logged):
            if at == stage:
                before = sums[law].get((metric, whole), (0.0, 0))
                sums[law][metric, whole] = (before[0] + squares, before[1] + number)
    usual, by_items = (
        {key: widened(*told) for key, told in sums[law].items()}
        for law in (ForecastLaw.GAMMA_POISSON, ForecastLaw.PIPELINE)
    )
    return Record(usual, {metric: by_items[metric, w] for metric, w in by_items}, _earned(earlier))


def _earned(earlier: Iterable[Logged]) -> frozenset[str]:
    """The goals of which forecasts by items were better: by each period's scores, of all stages."""
    periods: dict[str, list[tuple[float, float]]] = {}
    for logged in earlier:
        sums: dict[str, tuple[float, float]] = {}
        for goal, _, by in totals_by_law(logged):
            items, usual = sums.get(goal, (0.0, 0.0))
            items += by[ForecastLaw.PIPELINE].crps
            sums[goal] = (items, usual + by[ForecastLaw.GAMMA_POISSON].crps)
        for goal, told in sums.items():
            periods.setdefault(goal, []).append(told)
    return frozenset(goal for goal, told in periods.items() if earns(told))
