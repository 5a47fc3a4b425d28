"""What is kept of forecasts, as it is written and read: a day's that were said, a period's scores.

What was kept before there were two laws has neither the rows nor the entry of the second one; and
who knows of one law reads past both.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict
from typing import Any, NamedTuple

from app.domain.foreseen import ForecastLaw
from app.domain.scores import Made, Score, Stage, Totals, added
from app.store.forecasts import Logged

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


class Told(NamedTuple):
    """A forecast as people were told it, and what the other law said where there was one."""

    made: Made
    law: ForecastLaw = ForecastLaw.GAMMA_POISSON
    other: Made | None = None

    def by(self, law: ForecastLaw) -> Made | None:
        """What was said by a law."""
        return self.made if law is self.law else self.other


def said_row(whose: Whose, made: Made) -> list[Any]:
    """A forecast that people were told."""
    return [*whose, *asdict(made).values()]


def row_beside(goal: str, law: ForecastLaw, made: Made) -> list[Any]:
    """What the law that was not in force said of a whole goal: a row of no goal's own."""
    return ["", goal, law.value, *asdict(made).values()]


def read(logged: Logged) -> Iterator[tuple[Whose, Told]]:
    """The forecasts of a day, as they were kept."""
    beside = {
        goal: (ForecastLaw(law), Made(*values))
        for own, goal, law, *values in logged.body
        if not own
    }
    for goal, team, member, *values in logged.body:
        if goal:
            whose, told = Whose(goal, team, member), Told(Made(*values))
            if goal in beside:
                law, other = beside[goal]
                told = Told(told.made, law.other, other if whose.level == PLAN else None)
            yield whose, told


# By goal and stage: of the same forecasts, the scores of each law.
BothLaws = Mapping[tuple[str, Stage], Mapping[ForecastLaw, Iterable[Score]]]
# By what a spread is of: the sum of the squares of surprises, and how many.
Squares = Mapping[tuple[str, bool, Stage, ForecastLaw], tuple[float, int]]
# By goal, level and stage: of the forecasts, and of a run-rate.
Judged = Mapping[tuple[str, str, Stage], tuple[Iterable[Score], Iterable[Score]]]


def judged_body(judged: Judged, squares: Squares, both: BothLaws) -> dict[str, Any]:
    """The scores of a period, and the surprises from which later spreads are learned."""
    scores = [[*place, added(ours), added(theirs)] for place, (ours, theirs) in judged.items()]
    gone = {law: [[*key, *told] for (*key, by), told in squares.items() if by is law]
            for law in ForecastLaw}  # fmt: skip
    body = {"scores": scores, "surprises": gone[ForecastLaw.GAMMA_POISSON]}
    if not both:
        return body
    laws = [[*place, *(added(by[law]) for law in ForecastLaw)] for place, by in both.items()]
    return body | {"laws": {"scores": laws, "surprises": gone[ForecastLaw.PIPELINE]}}


def totals(logged: Logged) -> Iterator[tuple[str, str, Stage, Totals, Totals]]:
    """The scores of a period: goal, level, stage, of the forecasts, and of a run-rate."""
    for goal, level, stage, ours, theirs in logged.body["scores"]:
        yield goal, level, Stage(stage), Totals(*ours), Totals(*theirs)


def totals_by_law(logged: Logged) -> Iterator[tuple[str, Stage, dict[ForecastLaw, Totals]]]:
    """The scores of whole goals by each law, of forecasts that were made by both."""
    for goal, stage, *both in logged.body.get("laws", {}).get("scores", ()):
        told = zip(ForecastLaw, both, strict=True)
        yield goal, Stage(stage), {law: Totals(*total) for law, total in told}


def squares_of(logged: Logged) -> Iterator[tuple[str, bool, Stage, ForecastLaw, float, int]]:
    """The surprises of a period: of which metric, whether of the whole, the stage and the law."""
    for law, rows in (
        (ForecastLaw.GAMMA_POISSON, logged.body["surprises"]),
        (ForecastLaw.PIPELINE, logged.body.get("laws", {}).get("surprises", ())),
    ):
        for metric, whole, stage, squares, number in rows:
            yield metric, whole, Stage(stage), law, squares, number
