"""Why a number is what it is: what each activity adds to it, and why the others add nothing.

A number is never explained by a second way of counting: what an item says it adds is what
`contributions` added to the tallies, and where an activity adds nothing, the first of the rules
that it fails is named.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from fractions import Fraction

from app.domain.activities import JsonValue, State
from app.domain.attribution import Place, Standing
from app.domain.belonging import lies_in
from app.domain.directory import Directory
from app.domain.errors import Invalid
from app.domain.metrics import (
    MULTISETS,
    Aggregation,
    Contribution,
    Metric,
    Uncounted,
    contributions,
)
from app.domain.plans import Plan
from app.domain.progress import Reason, Scope
from app.domain.quantities import Quantity, unscaled
from app.domain.values import number_of


class Part(StrEnum):
    """Which of a goal's numbers is to be explained, by its name in the progress."""

    ACTUAL = "actual"
    UNASSIGNED = "unassigned"
    OUTSIDE_PLAN = "outside_plan"
    EXCLUDED = "excluded"


@dataclass(frozen=True, slots=True)
class Whose:
    """Whose an activity is on its day; None where nobody is known, or stands in no team."""

    identity: str
    member: str | None
    team: str | None


@dataclass(frozen=True, slots=True)
class Item:
    """What one activity adds to a number.

    actor: the number by which the ledger knows who is credited, for the order of pages
    at: microseconds since 1970, by the metric's time
    standing: where whose it is stands towards the plan; None where no plan is asked about
    count, value: add up to the number; value is None where only distinct texts are counted
    text: the one that is counted there
    """

    source: str
    key: str
    actor: int
    kind: str
    at: int
    whose: Whose
    standing: Standing | None
    currency: str
    count: Quantity
    value: Fraction | None
    text: str | None = None


def lies_in_part(plan: Plan, scope: Scope, part: Part, place: Place) -> bool:
    """Whether what was counted at a place belongs to that number of a scope's progress.

    What nobody known did, and what people outside the plan did, is told of the workspace whatever
    the scope, as the progress tells it.
    """
    match part:
        case Part.UNASSIGNED:
            return place.standing is Standing.UNASSIGNED
        case Part.OUTSIDE_PLAN:
            return place.standing is Standing.OUTSIDE
        case _:
            return lies_in(plan, scope, place)


def whose(people: Directory, source: str, identity: str, day: date) -> Whose:
    """Whom an identity of a source means on a day, and in which team that member stands."""
    member = people.who(source, identity, day) if identity else None
    return Whose(identity, member, None if member is None else people.team(member, day))


def value_of(metric: Metric, added: Contribution) -> Fraction | None:
    """What an activity adds, in the metric's unit; None where only distinct texts are counted."""
    if metric.aggregation is Aggregation.COUNT:
        return Fraction(metric.counted(added.number))
    if metric.aggregation is Aggregation.UNIQUE:
        return None
    if metric.aggregation in MULTISETS:
        return unscaled(number_of(str(added.value)), metric.scale(added.currency))
    return metric.summed(added.total, added.currency)


def why_not(
    metric: Metric, state: State, currency: str, earlier: Sequence[State] = ()
) -> Reason | None:
    """Why a state adds nothing to a metric of its kind; None when it does add something.

    Reasons: retracted, filtered (`field`: of the first condition that fails), and those of
    `contributions`.
    """
    if state.retracted:
        return Reason("retracted")
    failed = _failed(metric, state.fields)
    if failed is not None:
        return Reason("filtered", {"field": failed})
    try:
        added = contributions(metric, state, currency, earlier)
    except Invalid as error:
        return Reason(error.code, dict(error.params))
    return Reason(added.code, {"field": added.field}) if isinstance(added, Uncounted) else None


def _failed(metric: Metric, fields: Mapping[str, JsonValue]) -> str | None:
    failing = [condition.field for condition in metric.where if not condition.holds(fields)]
    failing += [condition.field for condition in metric.unless if condition.holds(fields)]
    return failing[0] if failing else None
