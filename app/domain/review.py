"""What to know of a plan before trusting it: goals that nobody measures, and oddities."""

from __future__ import annotations

from collections.abc import Container, Iterable, Iterator

from app.domain.errors import Fault, Invalid
from app.domain.freshness import Source
from app.domain.goals import Goal
from app.domain.ground import Ground
from app.domain.progress import Reason


def unmeasured(root: Goal, sources: Iterable[Source]) -> tuple[Goal, ...]:
    """The goals whose metric's kind no source counts: they would stand at nothing for ever."""
    known = tuple(sources)
    return tuple(g for g in root.walk() if not any(s.feeds(g.metric.kind) for s in known))


def refused_as_unmeasured(goals: Iterable[Goal]) -> Invalid:
    """The refusal of a plan with such goals."""
    unseen = tuple(goals)
    faults = [
        Fault(goal.pointer, "unmeasured", {"goals": goal.key, "kind": goal.metric.kind})
        for goal in unseen
    ]
    kinds = ", ".join(dict.fromkeys(goal.metric.kind for goal in unseen))
    names = ", ".join(goal.key for goal in unseen)
    return Invalid("unmeasured", *faults, goals=names, kind=kinds)


def never_spoke(root: Goal, sources: Iterable[Source], heard: Container[str]) -> Iterator[Reason]:
    """source_never_spoke: goals all of whose sources are connected and have not delivered yet.

    Who has never spoken is not silent, so such a goal is never unknown: it stands at zero as if
    nobody worked. One warning for the goals of the same sources; heard: who ever spoke
    """
    known, waiting = tuple(sources), dict[tuple[str, ...], list[str]]()
    for goal in root.walk():
        feeding = tuple(source.key for source in known if source.feeds(goal.metric.kind))
        if feeding and not any(key in heard for key in feeding):
            waiting.setdefault(feeding, []).append(goal.key)
    for feeding, goals in waiting.items():
        yield Reason(
            "source_never_spoke", {"goals": ", ".join(goals), "sources": ", ".join(feeding)}
        )


def warnings(base: Ground, others: Iterable[Ground]) -> Iterator[Reason]:
    """What is allowed and yet rarely meant.

    nobody_works: people carry the plan, and none of them has a working day in it. overlapping_plan:
    another plan asks the same people for the same KGI at the same time, so that one deal moves
    both. A plan of the whole workspace beside one of a team is no such thing: sums are expected
    to hold their parts.
    """
    if base.plan.assignments and not any(base.shares.values()):
        yield Reason("nobody_works")
    for other in others:
        if _same_kgi(base, other) and _same_people(base, other):
            yield Reason("overlapping_plan", {"plan": other.plan.key})


def _same_kgi(base: Ground, other: Ground) -> bool:
    same = base.plan.root.metric.key == other.plan.root.metric.key
    return same and base.plan.span.overlaps(other.plan.span)


def _same_people(base: Ground, other: Ground) -> bool:
    if bool(base.plan.assignments) != bool(other.plan.assignments):
        return False
    return not base.plan.assignments or bool(base.persons.keys() & other.persons.keys())
