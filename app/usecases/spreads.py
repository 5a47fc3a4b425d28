"""How honest the spread of past forecasts was: what the next ones are widened by."""

from __future__ import annotations

from app.domain.ground import Ground
from app.domain.instants import day_number
from app.domain.scores import stage_of, widened
from app.store import forecasts
from app.store.journal import Knowing
from app.store.transactions import Access

# Periods from whose surprises the spread is learned.
PERIODS = 6


def spreads(
    access: Access, base: Ground, elapsed: float, known: Knowing | None = None
) -> dict[tuple[str, bool], float]:
    """How much wider forecasts of a plan have to be at this stage, after its earlier periods."""
    stage, until = stage_of(elapsed), day_number(base.plan.span.first)
    upto = known.seq if known else None
    earlier = forecasts.judged(access, base.workspace.key, base.plan.alias, until, PERIODS, upto)
    sums: dict[tuple[str, bool], tuple[float, int]] = {}
    for logged in earlier:
        for metric, whole, at, squares, number in logged.body["surprises"]:
            if at == stage:
                before = sums.get((metric, whole), (0.0, 0))
                sums[metric, whole] = (before[0] + squares, before[1] + number)
    return {key: widened(*told) for key, told in sums.items()}
