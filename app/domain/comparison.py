"""What another plan would ask of everybody instead of this one, and what is written differently."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from fractions import Fraction

from app.domain.documents import step
from app.domain.ground import Blueprint, Share


@dataclass(frozen=True, slots=True)
class Change:
    """An exact target before and after; None where there is no such goal."""

    before: Fraction | None
    after: Fraction | None

    @property
    def by(self) -> Fraction | None:
        """After less before; None unless there are both."""
        if self.before is None or self.after is None:
            return None
        return self.after - self.before


@dataclass(frozen=True, slots=True)
class Difference:
    """goals: by goal key; split: by member, then by goal key. What stays the same is there, too."""

    goals: Mapping[str, Change]
    split: Mapping[str, Mapping[str, Change]]


@dataclass(frozen=True, slots=True)
class Edit:
    """A value that stands otherwise in another document; None where nothing stands."""

    pointer: str
    before: object
    after: object


def edits(before: object, after: object, pointer: str = "") -> Iterator[Edit]:
    """What is written differently, by RFC 6901 pointer; items of lists are compared by place."""
    old, new = _members(before), _members(after)
    if old is None or new is None:
        if before != after:
            yield Edit(pointer, before, after)
        return
    for name in {**old, **new}:
        yield from edits(old.get(name), new.get(name), pointer + step(name))


def _members(value: object) -> dict[str, object] | None:
    match value:
        case dict():
            return value
        case list():
            return {str(place): item for place, item in enumerate(value)}
        case _:
            return None


def difference(before: Blueprint, after: Blueprint) -> Difference:
    """From one blueprint to another: the new order first, then what is gone."""
    return Difference(
        _changes(before.goals, after.goals),
        {
            member: _changes(before.split.get(member, {}), after.split.get(member, {}))
            for member in {**after.split, **before.split}
        },
    )


def _changes(before: Mapping[str, Share], after: Mapping[str, Share]) -> dict[str, Change]:
    return {key: Change(_target(before, key), _target(after, key)) for key in {**after, **before}}


def _target(shares: Mapping[str, Share], key: str) -> Fraction | None:
    return shares[key].target if key in shares else None
