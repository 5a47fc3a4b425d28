"""Goal trees: the KGI at the root, KPIs below it, and how each hangs on the one above.

Two edges are arithmetic. A conversion says parent = child x rate, with a lag of calendar days;
parts say parent = sum of children. An influence is believed to help its parent, by how much
nobody can say: it is tracked against a target of its own and calculated with nowhere. `tree_of`
reads both the full form and the funnel, and refuses what has no meaning. What a goal must reach
is solved in `backcalc`; here stand only the targets that somebody gave.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from fractions import Fraction

from app.domain.documents import Node, gathered
from app.domain.errors import Invalid
from app.domain.metrics import Metric, Unit, UnitKind
from app.domain.progress import Edge
from app.domain.workspace import Workspace

MAX_DEPTH = 32
MAX_GOALS = 100
MAX_LAG = 3_660


class Hold(StrEnum):
    """What a given target does: a free one decides its chain, a pinned one is checked by it."""

    FREE = "free"
    PINNED = "pinned"


@dataclass(frozen=True, slots=True)
class Given:
    """A number that somebody wrote. rounding: half its last digit, relative to it."""

    value: Fraction
    rounding: Fraction
    pointer: str


@dataclass(frozen=True, slots=True)
class Conversion:
    """parent = child x rate; the child has to come `lag_days` calendar days earlier."""

    rate: Given
    lag_days: int
    child: Goal


# In a plan's split, goal keys stand beside what is shown of them under this name.
RESERVED_KEY = "display"


@dataclass(frozen=True, slots=True)
class Influence:
    """A goal that is tracked beside its parent; weight: its rank among those of the parent."""

    weight: Fraction
    goal: Goal


@dataclass(frozen=True, slots=True)
class Branch:
    """A goal below another one, and how it hangs there. Only an influence has a weight."""

    edge: Edge
    goal: Goal
    weight: Fraction | None = None


@dataclass(frozen=True, slots=True)
class Goal:
    """A node: a metric to be brought to a target. `target` is None where it is to be solved.

    priority: which goal to mend first, 1 before 2, where somebody decided; why: in their words
    """

    key: str
    name: str
    metric: Metric
    unit: Unit
    pointer: str
    target: Given | None = None
    hold: Hold = Hold.FREE
    conversion: Conversion | None = None
    parts: tuple[Goal, ...] = ()
    influences: tuple[Influence, ...] = ()
    priority: int | None = None
    why: str | None = None

    @property
    def branches(self) -> tuple[Branch, ...]:
        """The goals below: the one it is converted from or its parts, then its influences."""
        edge = Edge.CONVERSION if self.conversion else Edge.PART
        solved = (self.conversion.child,) if self.conversion else self.parts
        return (
            *(Branch(edge, goal) for goal in solved),
            *(Branch(Edge.INFLUENCE, other.goal, other.weight) for other in self.influences),
        )

    @property
    def children(self) -> tuple[Goal, ...]:
        """The goals below, whatever the edge."""
        return tuple(branch.goal for branch in self.branches)

    def walk(self) -> Iterator[Goal]:
        """This goal and everything below it, parents first."""
        yield self
        for child in self.children:
            yield from child.walk()

    def chain(self) -> Iterator[Goal]:
        """This goal and those it is converted from, down to a leaf or to a sum of parts."""
        yield self
        if self.conversion:
            yield from self.conversion.child.chain()


def tree_of(document: Node, workspace: Workspace, metrics: Mapping[str, Metric]) -> Goal:
    """The goal tree of a plan document, from its `root` or its `funnel`.

    Raises Invalid, each fault naming its goals: funnel_or_root, empty_funnel,
    rate_on_first_stage, missing_rate, unknown_metric, not_additive, conversion_or_parts,
    empty_parts, missing_target (of an influence), weight_not_positive, negative_target,
    negative_rate, unreachable (rate 0), negative_lag, mixed_units, mixed_currency, cyclic,
    duplicate_goal, goals_too_deep, too_many_goals, out_of_range (of a priority).
    """
    root, funnel = document.at("root"), document.at("funnel")
    if root.given == funnel.given:
        raise document.refused("funnel_or_root")
    reader = _TreeReader(workspace, metrics)
    tree = reader.goal(root, ()) if root.given else reader.funnel(funnel)
    _check_keys(tree)
    return tree


@dataclass(frozen=True, slots=True)
class _TreeReader:
    workspace: Workspace
    metrics: Mapping[str, Metric]

    def goal(self, node: Node, above: tuple[str, ...]) -> Goal:
        conversion, parts = node.at("conversion"), node.at("parts")
        key = _key(node)
        if conversion.given and parts.given:
            raise node.refused("conversion_or_parts", goals=key)
        _check_place(node, key, above)
        line = (*above, key)
        return self._goal(
            node,
            line,
            conversion=self._conversion(conversion, line) if conversion.given else None,
            parts=self._parts(parts, line) if parts.given else (),
        )

    def funnel(self, funnel: Node) -> Goal:
        stages = funnel.items()
        if not stages:
            raise funnel.refused("empty_funnel")
        for name in ("rate", "lag_days"):
            if stages[0].at(name).given:
                raise stages[0].at(name).refused("rate_on_first_stage", goals=_key(stages[0]))
        keys = [_key(stage) for stage in stages]
        for place, stage in enumerate(stages):
            _check_place(stage, keys[place], tuple(keys[:place]))
        return self._stage(stages, ())

    def _stage(self, stages: list[Node], above: tuple[str, ...]) -> Goal:
        stage, below = stages[0], stages[1:]
        line = (*above, _key(stage))
        if not below:
            return self._goal(stage, line)
        edge = below[0]
        rate, lag = _rate(edge.at("rate"), _key(edge)), _lag(edge.at("lag_days"))
        return self._goal(stage, line, conversion=Conversion(rate, lag, self._stage(below, line)))

    def _conversion(self, node: Node, above: tuple[str, ...]) -> Conversion:
        rate = _rate(node.at("rate"), above[-1])
        return Conversion(rate, _lag(node.at("lag_days")), self.goal(node.at("from"), above))

    def _parts(self, node: Node, above: tuple[str, ...]) -> tuple[Goal, ...]:
        parts = gathered(node.items(), lambda part: self.goal(part, above))
        if not parts:
            raise node.refused("empty_parts", goals=above[-1])
        return parts

    def _influence(self, node: Node, above: tuple[str, ...]) -> Influence:
        """Nothing else in the tree could tell what an influence has to reach."""
        goal, weight = self.goal(node, above), node.at("weight")
        if goal.target is None:
            raise node.refused("missing_target", goals=goal.key)
        heavy = weight.decimal() if weight.given else Fraction(1)
        if heavy <= 0:
            raise weight.refused("weight_not_positive")
        return Influence(heavy, goal)

    def _goal(
        self,
        node: Node,
        line: tuple[str, ...],
        *,
        conversion: Conversion | None = None,
        parts: tuple[Goal, ...] = (),
    ) -> Goal:
        key, metric = _key(node), self._metric(node.at("metric"))
        unit = metric.unit_in(self.workspace.currency)
        self._check_currency(node.at("currency"), key)
        _check_units(node, key, unit, parts)
        target, pinned = node.at("target"), node.at("pinned").flag()
        return Goal(
            key,
            _name(node.at("name"), metric, self.workspace.language),
            metric,
            unit,
            node.pointer,
            _target(target, key) if target.given else None,
            Hold.PINNED if pinned else Hold.FREE,
            conversion,
            parts,
            gathered(node.at("influences").items(), lambda item: self._influence(item, line)),
            _priority(node.at("priority")),
            node.at("why").text() if node.at("why").given else None,
        )

    def _metric(self, node: Node) -> Metric:
        metric = self.metrics.get(node.text())
        if metric is None:
            raise node.refused("unknown_metric", metric=node.text())
        if not metric.additive:
            # Nobody can carry a part of an average or of a stock: those of people do not add up.
            raise node.refused("not_additive", metric=metric.key)
        return metric

    def _check_currency(self, node: Node, key: str) -> None:
        """Only the workspace's currency is counted towards a goal; no rate of exchange is kept."""
        if node.given and node.text() != self.workspace.currency:
            raise node.refused("mixed_currency", goals=key, currency=self.workspace.currency)


def _key(node: Node) -> str:
    key = node.at("key")
    return key.text() if key.given else node.at("metric").text()


def _name(node: Node, metric: Metric, language: str) -> str:
    if node.given:
        return node.text()
    return metric.names.get(language) or metric.names.get("en") or metric.key


def given(node: Node) -> Given:
    """A decimal string with its relative rounding: "0.18" may stand for 0.175 to 0.185."""
    value = node.decimal()
    digits = len(node.text().partition(".")[2])
    half = Fraction(1, 2 * 10**digits)
    return Given(value, half / abs(value) if value else Fraction(0), node.pointer)


def _target(node: Node, key: str) -> Given:
    target = given(node)
    if target.value < 0:
        raise node.refused("negative_target", goals=key)
    return target


def _rate(node: Node, key: str) -> Given:
    if not node.given:
        raise node.refused("missing_rate", goals=key)
    rate = given(node)
    if rate.value < 0:
        raise node.refused("negative_rate", goals=key)
    if rate.value == 0:
        raise node.refused("unreachable", goals=key)
    return rate


def _lag(node: Node) -> int:
    lag = node.integer() if node.given else 0
    if not 0 <= lag <= MAX_LAG:
        raise node.refused("negative_lag" if lag < 0 else "lag_exceeds_period")
    return lag


def _priority(node: Node) -> int | None:
    if not node.given:
        return None
    priority = node.integer()
    if not 1 <= priority <= MAX_GOALS:
        raise node.refused("out_of_range", low=1, high=MAX_GOALS)
    return priority


def _check_place(node: Node, key: str, above: tuple[str, ...]) -> None:
    if key in above:
        raise node.refused("cyclic", goals=", ".join((*above[above.index(key) :], key)))
    if len(above) >= MAX_DEPTH:
        raise node.refused("goals_too_deep", limit=MAX_DEPTH)


def _check_units(node: Node, key: str, unit: Unit, parts: tuple[Goal, ...]) -> None:
    other = [part.key for part in parts if part.unit != unit]
    if other:
        money = any(part.unit.kind is UnitKind.MONEY for part in parts)
        code = "mixed_currency" if money or unit.kind is UnitKind.MONEY else "mixed_units"
        raise node.refused(code, goals=", ".join((key, *other)))


def _check_keys(root: Goal) -> None:
    goals = list(root.walk())
    if len(goals) > MAX_GOALS:
        raise Node(None, root.pointer).refused("too_many_goals", limit=MAX_GOALS)
    for goal in goals:
        if goal.key == RESERVED_KEY:
            raise Node(goal.key, goal.pointer).refused("reserved_key", goals=goal.key)
    times = Counter(goal.key for goal in goals)
    refused = [Node(goal.key, goal.pointer) for goal in goals if times[goal.key] > 1]
    if refused:
        names = ", ".join(sorted({str(node.value) for node in refused}))
        faults = [fault for node in refused for fault in _duplicate(node, names).faults]
        raise Invalid("duplicate_goal", *faults, goals=names)


def _duplicate(node: Node, names: str) -> Invalid:
    return node.refused("duplicate_goal", goals=names)
