"""What to know of a plan before trusting it: goals that nobody measures, and oddities."""

from __future__ import annotations

from collections.abc import Container, Iterable, Iterator
from fractions import Fraction

from app.domain.errors import Fault, Invalid
from app.domain.freshness import Source
from app.domain.goals import Goal
from app.domain.ground import Ground
from app.domain.lines import sliced
from app.domain.progress import Reason
from app.domain.quantities import written
from app.domain.spans import Span


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

    earlier_version_lost: the line until `effective_from` is unknown, since the version before can
    no longer be worked out; expected runs straight from the beginning.
    nobody_works: people carry the plan, and none of them has a working day in it. overlapping_plan:
    another plan asks the same people for the same KGI at the same time, so that one deal moves
    both. A plan of the whole workspace beside one of a team is no such thing: sums are expected
    to hold their parts.
    """
    if base.plan.assignments and not any(base.shares.values()):
        yield Reason("nobody_works")
    if base.plan.effective_from is not None and base.before is None:
        yield Reason("earlier_version_lost")
    for other in others:
        if _same_kgi(base, other) and _same_people(base, other):
            yield Reason("overlapping_plan", {"plan": other.plan.key})


def reconciled(parent: Ground, children: Iterable[Ground]) -> Iterator[Reason]:
    """Where the plans of shorter periods do not add up to the one they are parts of.

    children_do_not_add_up: they take up every day of it, or of one of its slices, and come to more
    or less of its KGI. Nothing is rescaled: which of the numbers is meant, only people know.
    """
    known = tuple(children)
    for span, target in _pieces(parent):
        inside = [
            c for c in known if span.first <= c.plan.span.first and c.plan.span.until <= span.until
        ]
        total = sum((_of_kgi(parent, child) for child in inside), Fraction(0))
        if _covered(span, [child.plan.span for child in inside]) and total != target:
            yield Reason(
                "children_do_not_add_up",
                {
                    "plan": parent.plan.key,
                    "first": span.first.isoformat(),
                    "until": span.until.isoformat(),
                    "target": written(target),
                    "sum": written(total),
                    "residual": written(target - total),
                },
            )


def _pieces(parent: Ground) -> list[tuple[Span, Fraction]]:
    key = parent.plan.root.key
    if not parent.plan.slices:
        return [(parent.plan.span, parent.plan.targets[key])]
    return [(piece.span, piece.target) for piece in sliced(parent)[key]]


def _of_kgi(parent: Ground, child: Ground) -> Fraction:
    """What a part is to bring of the whole's KGI; nothing where it does not count it at all."""
    metric = parent.plan.root.metric.key
    found = (g.key for g in child.plan.root.walk() if g.metric.key == metric)
    key = next(found, None)
    return child.plan.targets[key] if key else Fraction(0)


def _covered(span: Span, parts: Iterable[Span]) -> bool:
    day = span.first
    for part in sorted(parts):
        if part.first > day:
            return False
        day = max(day, part.until)
    return day >= span.until


def _same_kgi(base: Ground, other: Ground) -> bool:
    same = base.plan.root.metric.key == other.plan.root.metric.key
    return same and base.plan.span.overlaps(other.plan.span)


def _same_people(base: Ground, other: Ground) -> bool:
    if bool(base.plan.assignments) != bool(other.plan.assignments):
        return False
    return not base.plan.assignments or bool(base.persons.keys() & other.persons.keys())
