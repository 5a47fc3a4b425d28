"""What a benchmark found: the ratios of its rounds, against its budget."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median

ROUNDS = 7
_TOLERANCE = 0.15


@dataclass(frozen=True, slots=True)
class Finding:
    """One line of the table. `at_least` says on which side of the budget the good lies.

    budget: None for what is told beside those that have one
    """

    what: str
    ours: str
    against: str
    ratios: Sequence[float]
    budget: float | None
    at_least: bool
    unit: str = ""
    client: float | None = None

    @property
    def missed(self) -> bool:
        """Whether the median lies beyond the budget by more than a noisy machine explains."""
        if self.budget is None:
            return False
        middle = median(self.ratios)
        if self.at_least:
            return middle < self.budget * (1 - _TOLERANCE)
        return middle > self.budget * (1 + _TOLERANCE)

    def line(self) -> str:
        """The line."""
        figures = (median(self.ratios), min(self.ratios), max(self.ratios))
        sign = "≥" if self.at_least else "≤"
        client = "" if self.client is None else f"{self.client:.0%}"
        cells = [self.what, self.ours, self.against]
        cells += [f"{figure:.2f}{self.unit}" for figure in figures]
        cells += ["-" if self.budget is None else f"{sign} {self.budget:g}{self.unit}", client]
        return "| " + " | ".join(cells) + " |"


HEAD = (
    "| what | ours | against | median | minimum | maximum | budget | client's CPU |\n"
    "|---|---|---|---|---|---|---|---|"
)


def tell(line: str) -> None:
    """Say how far it is; the table alone goes to stdout."""
    sys.stderr.write(line + "\n")
