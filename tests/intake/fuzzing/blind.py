"""A run by chance alone: the same inputs for the same seed, on any Python.

What comes to something that nothing came to before is changed further.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from functools import partial
from typing import NamedTuple

from app.domain.activities import KIND
from app.domain.deliveries import Delivery
from tests.intake.fuzzing.findings import Finding, Findings
from tests.intake.fuzzing.inputs import packed, seeds_of
from tests.intake.fuzzing.mutations import mutated, scattered

_MOST_KEPT = 2_000


class Run(NamedTuple):
    """What a run did. deliveries: one of each kind of outcome that there was, and its input."""

    provider: str
    executions: int
    findings: tuple[Finding, ...]
    deliveries: tuple[tuple[bytes, Delivery], ...]

    @property
    def kept(self) -> tuple[bytes, ...]:
        """The inputs of those."""
        return tuple(data for data, _ in self.deliveries)


def run(name: str, seed: int, more: Callable[[int], bool]) -> Run:
    """Change a provider's samples for as long as `more` says, given how many were tried."""
    dice = random.Random(f"{name} {seed}")
    findings = Findings(name)
    inputs = [packed(place, one.request) for place, one in enumerate(seeds_of(name))]
    known: dict[tuple[object, ...], tuple[bytes, Delivery]] = {}
    executions = 0
    for data in inputs:
        executions += 1
        _learned(data, findings.tried(data), known)
    while more(executions):
        data = mutated(dice.choice(inputs), dice, partial(scattered, dice=dice))
        executions += 1
        if _learned(data, findings.tried(data), known) and len(inputs) < _MOST_KEPT:
            inputs.append(data)
    return Run(name, executions, tuple(findings.found.values()), tuple(known.values()))


def _learned(
    data: bytes,
    delivery: Delivery | None,
    known: dict[tuple[object, ...], tuple[bytes, Delivery]],
) -> bool:
    if delivery is None:
        return False
    shape = _shape(delivery)
    if shape in known:
        return False
    known[shape] = data, delivery
    return True


def _shape(delivery: Delivery) -> tuple[object, ...]:
    """What a delivery comes to, without its values."""
    reports = {
        (str(item.report.fields[KIND]), item.report.full, tuple(sorted(item.report.fields)))
        for item in delivery.items
    }
    codes = {(f.pointer, f.code) for one in delivery.refused for f in one.error.faults}
    return (
        tuple(sorted(reports)),
        tuple(sorted(codes)),
        frozenset(one.object for one in delivery.references),
    )
