"""A plan: a solved goal tree with a period, deadlines, and the people who carry it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum
from fractions import Fraction

from app.domain.backcalc import targets
from app.domain.calendar import WorkCalendar
from app.domain.directory import Directory
from app.domain.documents import Node, gathered, raise_any
from app.domain.errors import Invalid
from app.domain.goals import Goal, tree_of
from app.domain.keys import KEY
from app.domain.metrics import Metric
from app.domain.periods import period_of, recurs
from app.domain.slices import Slice, slices_of, weekdays_of
from app.domain.spans import Span
from app.domain.weekdays import EVEN, Weights
from app.domain.workspace import Workspace

EFFECTIVE_FROM, PARENT = "effective_from", "parent"


class Unassigned(StrEnum):
    """Where work of nobody known stands: beside the plan's actual, or inside."""

    BESIDE = "beside"
    INSIDE = "inside"


class Follow(StrEnum):
    """Whose what was assigned to a team is, when a member of it moves to another one."""

    STAY = "stay"
    MOVE = "move"


@dataclass(frozen=True, slots=True)
class Assignment:
    """A team with all below it, or a member, carries the plan; exactly one of the two is given.

    follow: of a team: STAY leaves what a mover would still have carried to those who stay; MOVE
    takes it along
    """

    team: str | None
    member: str | None
    weight: Fraction = Fraction(1)
    follow: Follow = Follow.STAY


@dataclass(frozen=True, slots=True)
class Thresholds:
    """From which probability of reaching its target a goal is on track, and at risk."""

    on_track: Fraction
    at_risk: Fraction


THRESHOLDS = Thresholds(Fraction(2, 5), Fraction(1, 10))


@dataclass(frozen=True, slots=True)
class Plan:
    """A plan whose tree is solved.

    targets: the exact requirement of each goal, by its key
    deadlines: the day at whose local midnight each goal must be reached, by its key
    assignments: none means the whole workspace
    effective_from: from which day on it holds; until then the version before it does
    recurs: whether the same begins anew with the next period
    slices: how much of every target is meant to come when; none means evenly by working time
    parent: the plan of a longer period that this one is a part of
    weights: how much of each part's target is meant to come on which day of the week
    """

    key: str
    alias: str
    name: str
    span: Span
    root: Goal
    targets: Mapping[str, Fraction]
    deadlines: Mapping[str, date]
    assignments: tuple[Assignment, ...] = ()
    unassigned: Unassigned = Unassigned.BESIDE
    effective_from: date | None = None
    recurs: bool = False
    slices: tuple[Slice, ...] = ()
    parent: str | None = None
    thresholds: Thresholds = THRESHOLDS
    weights: Weights = EVEN


def plan_of(
    key: str, document: Mapping[str, object], workspace: Workspace, metrics: Mapping[str, Metric]
) -> Plan:
    """The plan that a document means.

    Raises Invalid: what `tree_of`, `targets`, `period_of`, `recurs`, `slices_of` and `weekdays_of`
    raise,
    not_a_key, lag_exceeds_period, revision_outside_period, team_or_member, weight_not_positive,
    duplicate_assignment, thresholds_out_of_order.
    """
    node = Node(document)
    span = period_of(node.at("period"), workspace.fiscal_year_start_month)
    root = tree_of(node, workspace, metrics)
    assignments = gathered(node.at("assignments").items(), _assignment)
    _check_distinct(node.at("assignments"), assignments)
    return Plan(
        key,
        alias_of(node.at("alias"), key),
        node.at("name").text(),
        span,
        root,
        targets(root),
        _deadlines(root, span),
        assignments,
        Unassigned.INSIDE if node.at("include_unassigned").flag() else Unassigned.BESIDE,
        effective_from_of(node.at(EFFECTIVE_FROM), span),
        recurs(node),
        slices_of(node, span),
        node.at(PARENT).text() if node.at(PARENT).given else None,
        _thresholds(node.at("thresholds")),
        weekdays_of(node),
    )


def effective_from_of(node: Node, span: Span) -> date | None:
    """The day from which a revision holds: one of the period, after its first."""
    if not node.given:
        return None
    day = node.day()
    if not span.first < day < span.until:
        raise node.refused("revision_outside_period")
    return day


def _thresholds(node: Node) -> Thresholds:
    if not node.given:
        return THRESHOLDS
    given = [
        node.at(name).decimal() if node.at(name).given else usual
        for name, usual in (("on_track", THRESHOLDS.on_track), ("at_risk", THRESHOLDS.at_risk))
    ]
    if not 0 < given[1] <= given[0] <= 1:
        raise node.refused("thresholds_out_of_order")
    return Thresholds(*given)


def alias_of(node: Node, key: str) -> str:
    """The name that stays from period to period; the plan's own key where none is given."""
    if not node.given:
        return key
    if not is_key(node.text()):
        raise node.refused("not_a_key")
    return node.text()


def is_key(text: str) -> bool:
    """Whether a plan may be called so."""
    return KEY.fullmatch(text) is not None


def _deadlines(root: Goal, span: Span) -> dict[str, date]:
    """Lags add up on the way down: what feeds a goal must be there before the goal's own work.

    Parts and influences are due when their parent is.
    """
    found = {root.key: span.until}
    for goal in root.walk():
        found |= dict.fromkeys((child.key for child in goal.children), found[goal.key])
        if goal.conversion:
            child, lag = goal.conversion.child, timedelta(days=goal.conversion.lag_days)
            if (found[goal.key] - span.first) <= lag:
                raise Node(None, child.pointer).refused("lag_exceeds_period", goals=child.key)
            found[child.key] = found[goal.key] - lag
    return found


def _assignment(node: Node) -> Assignment:
    team, member, weight = node.at("team"), node.at("member"), node.at("weight")
    if team.given == member.given:
        raise node.refused("team_or_member")
    heavy = weight.decimal() if weight.given else Fraction(1)
    if heavy <= 0:
        raise weight.refused("weight_not_positive")
    return Assignment(
        team.text() if team.given else None,
        member.text() if member.given else None,
        heavy,
        _follow(node.at("targets_follow"), team),
    )


def _follow(node: Node, team: Node) -> Follow:
    """A member who is assigned by name carries the plan in any team, so there is no choice."""
    if not node.given:
        return Follow.STAY
    if not team.given:
        raise node.refused("follows_anyway")
    if node.text() not in set(Follow):
        raise node.refused("unknown_kind", allowed=", ".join(Follow))
    return Follow(node.text())


def _check_distinct(node: Node, assignments: tuple[Assignment, ...]) -> None:
    named = [(assignment.team, assignment.member) for assignment in assignments]
    for place, name in enumerate(named):
        if name in named[:place]:
            raise node.items()[place].refused("duplicate_assignment")


def check_weekdays(plan: Plan, calendar: WorkCalendar) -> None:
    """Refuse a plan that asks nothing of any day of the week that works: weekdays_all_zero.

    Only when it is written. A calendar that is changed later must not make a plan unreadable; then
    all is due at the end.
    """
    if not any(plan.weights[weekday] for weekday in calendar.weekdays):
        raise Node(None, "/profile/weekdays").refused("weekdays_all_zero")


def check_assignments(plan: Plan, people: Directory) -> None:
    """Refuse a plan for people who are not there: unknown_team, unknown_member."""
    raise_any(list(_strangers(plan, people)))


def _strangers(plan: Plan, people: Directory) -> Iterator[Invalid]:
    for place, assignment in enumerate(plan.assignments):
        node = Node(None, f"/assignments/{place}")
        if assignment.team is not None and assignment.team not in people.teams:
            yield node.refused("unknown_team", team=assignment.team)
        if assignment.member is not None and assignment.member not in people.members:
            yield node.refused("unknown_member", member=assignment.member)
