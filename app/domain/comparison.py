"""What another plan would ask of everybody instead of this one."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction

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
