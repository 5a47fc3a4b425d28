"""A metric over time: what was counted in buckets, as a whole or whose it was.

Whose an activity is follows from the day on which it lies, not from the bucket: a bucket in which
somebody changed teams is shared between both.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from fractions import Fraction
from typing import NamedTuple
from zoneinfo import ZoneInfo

from app.domain.buckets import Bucket, Granularity, Part
from app.domain.directory import Directory
from app.domain.metrics import Aggregation, Metric, Unit
from app.domain.quantities import Quantity


class By(StrEnum):
    """What a series is broken down by. A team is the one in which the member stands itself."""

    NOTHING = "nothing"
    MEMBER = "member"
    TEAM = "team"
    ACTOR = "actor"


class Group(NamedTuple):
    """Whose a number is: a member or team, an actor of a source, or (both empty) nobody's.

    Sorts by name, nobody last.
    """

    nobody: bool
    source: str = ""
    name: str = ""


ALL = Group(nobody=False)
NOBODY = Group(nobody=True)


class Measure(NamedTuple):
    """What was counted, as it is tallied: how many, their sum, and what a multiset says."""

    number: int
    total: int
    among: str | int = 0


class Sum(NamedTuple):
    """What one actor has in a part of a bucket; actor 0 is everybody."""

    part: int
    actor: int
    number: int
    total: int


class Value(NamedTuple):
    """A value of one actor in a part of a bucket, as the domain's `values` writes it."""

    part: int
    actor: int
    value: str


class Place(NamedTuple):
    """Where a measure stands: in which bucket, by its place among them, and whose it is."""

    bucket: int
    group: Group


@dataclass(frozen=True, slots=True)
class Header:
    """What the numbers of a series are, and how time was cut. known_at: None means now.

    counted: False while all history is still to be counted by a new metric; there are no numbers
    """

    metric: str
    unit: Unit
    granularity: Granularity
    zone: ZoneInfo
    by: By
    known_at: datetime | None = None
    counted: bool = True


@dataclass(frozen=True, slots=True)
class Item:
    """One number of a series; value is None for the average or extreme of nothing."""

    bucket: Bucket
    group: Group
    value: Fraction | None
    count: Quantity

    @property
    def place(self) -> tuple[int, Group]:
        """By which items are ordered."""
        return self.bucket.start, self.group


def group_of(people: Directory, source: str, identity: str, by: By, day: date) -> Group:
    """Whose an actor's activities of a day are."""
    if by is By.ACTOR:
        return Group(nobody=False, source=source, name=identity)
    name = people.who(source, identity, day) if identity else None
    if name is not None and by is By.TEAM:
        name = people.team(name, day)
    return NOBODY if name is None else Group(nobody=False, name=name)


def measured(
    metric: Metric,
    cut: Sequence[Part],
    sums: Iterable[Sum],
    values: Iterable[Value],
    whose: Callable[[int, int], Group],
) -> dict[Place, Measure]:
    """What was counted in each bucket of each group.

    cut: the parts that sums and values name; whose: the group of an actor at an instant
    """

    def place(part: int, actor: int) -> Place:
        bucket, start, _ = cut[part]
        return Place(bucket, whose(actor, start))

    among: dict[Place, set[str]] = {}
    for part, actor, value in values:
        among.setdefault(place(part, actor), set()).add(value)
    found: dict[Place, Measure] = {}
    for part, actor, number, total in sums:
        at = place(part, actor)
        found[at] = _plus(found.get(at), Measure(number, total))
    chosen = {at: _chosen(metric.aggregation, texts) for at, texts in among.items()}
    return {at: measure._replace(among=chosen.get(at, 0)) for at, measure in found.items()}


def _chosen(aggregation: Aggregation, texts: set[str]) -> str | int:
    match aggregation:
        case Aggregation.UNIQUE:
            return len(texts)
        case Aggregation.MIN:
            return min(texts)
        case _:
            return max(texts)


def levels(
    cut: Sequence[Part],
    opening: Mapping[int, Measure],
    moves: Iterable[Sum],
    whose: Callable[[int, int], Group],
) -> dict[Place, Measure]:
    """What stands of a stock at the end of each bucket.

    opening: per actor, what stood when the first bucket began; moves: what came and went since
    whose: the group of an actor at an instant, the same throughout a part

    What is still open follows the person: it belongs to whom its actor means at that moment.
    """
    moved: dict[int, list[Sum]] = {}
    for move in moves:
        moved.setdefault(move.part, []).append(move)
    held = dict(opening)
    found: dict[Place, Measure] = {}
    for place, (bucket, _, end) in enumerate(cut):
        for _, actor, number, total in moved.get(place, []):
            held[actor] = _plus(held.get(actor), Measure(number, total))
        if place + 1 < len(cut) and cut[place + 1].bucket == bucket:
            continue  # not the bucket's end yet
        for actor, amount in held.items():
            at = Place(bucket, whose(actor, end - 1))
            found[at] = _plus(found.get(at), amount)
    return found


def _plus(one: Measure | None, other: Measure) -> Measure:
    return Measure(one.number + other.number, one.total + other.total) if one else other


def items(
    metric: Metric,
    currency: str,
    cut: Sequence[Bucket],
    measured: Mapping[Place, Measure],
    filled: Iterable[Group],
) -> Iterator[Item]:
    """The numbers of a series by bucket and group.

    Where nothing is, there is no number, unless the group is one of those to be `filled`.
    """
    standing: dict[int, dict[Group, Measure]] = {}
    for (place, group), measure in measured.items():
        if measure[:2] != (0, 0):
            standing.setdefault(place, {})[group] = measure
    empty = dict.fromkeys(filled, Measure(0, 0))
    for place, bucket in enumerate(cut):
        for group, measure in sorted((empty | standing.get(place, {})).items()):
            value = metric.reading(measure.number, measure.total, currency, measure.among)
            yield Item(bucket, group, value, metric.counted(measure.number))
