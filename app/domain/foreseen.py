"""Where a goal will end, as it is told, and by which law."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from fractions import Fraction


class ForecastLaw(StrEnum):
    """What a plan's forecast of a goal goes by: the pace of all that comes, or items under way."""

    GAMMA_POISSON = "gamma_poisson"
    PIPELINE = "pipeline"

    @property
    def other(self) -> ForecastLaw:
        """The one of the two that this is not."""
        return next(law for law in ForecastLaw if law is not self)


@dataclass(frozen=True, slots=True)
class Forecast:
    """Where a goal will stand at its deadline, in its unit.

    low, high: between which it ends in 80 of 100 cases; mean: those of people add up to the plan's
    probability: of reaching the target, in hundredths
    deviation: the standard deviation, by which it will be judged; of the law, no quantity
    law: by which the whole plan's mean is found; a team's or a member's is a share of that
    """

    low: Fraction
    median: Fraction
    high: Fraction
    mean: Fraction
    probability: Fraction
    deviation: float = 0.0
    law: ForecastLaw = ForecastLaw.GAMMA_POISSON
