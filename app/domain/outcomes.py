"""What a law of a goal says to people: where it ends, how surely, and whether its gap is luck."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from fractions import Fraction
from math import ceil
from typing import NamedTuple

import numpy as np

from app.domain.compound import at_most_sum, less_than_sum, sum_quantiles, summed
from app.domain.foreseen import Forecast, ForecastLaw
from app.domain.goals import Goal
from app.domain.pacing import Portion
from app.domain.predictive import Floats, Law, at_most, quantile
from app.domain.quantities import Quantity

SHARES = (0.1, 0.5, 0.9)
# A gap that chance alone would make this rarely is more than chance.
NOISE = Fraction(1, 10)
STEPS = 100  # of a probability: more would be pretence


class Part(NamedTuple):
    """A goal in one scope, up to its deadline. number: of activities; reached: in its unit."""

    portions: tuple[Portion, ...]
    number: Quantity
    reached: Fraction
    target: Fraction
    expected: Fraction


class Ahead(NamedTuple):
    """forecast: None where nothing tells what to expect; chance: of such a gap or a greater one."""

    forecast: Forecast | None
    chance: Fraction | None = None

    @property
    def beyond_noise(self) -> bool:
        """Whether the gap is more than luck."""
        return self.chance is not None and self.chance < NOISE

    def by(self, law: ForecastLaw) -> Ahead:
        """The same, as what a law says of the whole plan."""
        if self.forecast is None or self.forecast.law is law:
            return self
        return self._replace(forecast=replace(self.forecast, law=law))


def counts_ahead(parts: Sequence[Part], law: Law, planned: Law) -> list[Ahead]:
    """Of counts. law: of what is to come in each part; planned: of what was to come by now."""
    low, median, high = quantile(law, np.array(SHARES)[:, None])
    needed = np.array([float(ceil(part.target - part.reached)) for part in parts])
    reach = 1 - at_most(law, needed - 1)
    done = np.array([float(part.reached) for part in parts])
    few, many = at_most(planned, done), 1 - at_most(planned, np.ceil(done) - 1)
    return [
        Ahead(
            Forecast(
                part.reached + int(low[n]),
                part.reached + int(median[n]),
                part.reached + int(high[n]),
                part.reached + Fraction(float(law.mean[n])),
                _probability(part, float(reach[n])),
                float(np.sqrt(law.variance[n])),
            ),
            _chance(part, float(few[n]), float(many[n])),
        )
        for n, part in enumerate(parts)
    ]


def sum_ahead(part: Part, law: Law, planned: Law, amounts: Floats, goal: Goal, cells: int) -> Ahead:
    """Of a sum of amounts; the laws are of their number."""
    ahead, usual = summed(law, amounts, cells), summed(planned, amounts, cells)
    unit = 10**goal.unit.decimals
    left, done = float(part.target - part.reached), float(part.reached)
    low, median, high = (
        part.reached + Fraction(round(end * unit), unit) for end in sum_quantiles(ahead, SHARES)
    )
    reach = 1 - less_than_sum(ahead, left)
    few, many = at_most_sum(usual, done), 1 - less_than_sum(usual, done)
    if amounts.min() == amounts.max():
        # Nothing tells how much amounts differ, so that their number has to tell it all.
        number = float(part.number)
        few, many = float(at_most(planned, number)), float(1 - at_most(planned, ceil(number) - 1))
    return Ahead(
        Forecast(
            low,
            median,
            high,
            part.reached + Fraction(float(law.mean) * float(amounts.mean())),
            _probability(part, reach),
            float(np.sqrt(law.mean * amounts.var() + law.variance * amounts.mean() ** 2)),
        ),
        _chance(part, few, many),
    )


def _probability(part: Part, chance: float) -> Fraction:
    """In steps; certain only where it has happened."""
    return Fraction(1) if part.reached >= part.target else stepped(chance)


def stepped(chance: float) -> Fraction:
    """A probability as it is told."""
    return Fraction(round(chance * STEPS), STEPS)


def _chance(part: Part, few: float, many: float) -> Fraction | None:
    """Of such a gap or a greater one, while the plan holds; None where there is none."""
    if part.reached == part.expected:
        return None
    return stepped(few if part.reached < part.expected else many)
