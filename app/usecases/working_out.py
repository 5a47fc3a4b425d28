"""What a plan comes to: targets, whose they are, how sure they are, and what speaks against it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from fractions import Fraction
from functools import partial

from app.domain.almanac import Almanac
from app.domain.attainability import Attainable, attainable, doubts, seen, suggested
from app.domain.errors import Invalid
from app.domain.ground import Blueprint, Ground, blueprint
from app.domain.lines import Sliced, sliced
from app.domain.needed import Needed, needed
from app.domain.progress import Rate, Reason
from app.domain.review import never_spoke, unmeasured, warnings
from app.domain.rhythm import suggested_weekdays
from app.store import sources
from app.store.transactions import Access
from app.usecases import almanacs
from app.usecases.families import family_warnings
from app.usecases.history import lessons
from app.usecases.organisation import Organisation
from app.usecases.plan_names import naming_in, standing_plans


@dataclass(frozen=True, slots=True)
class Worked:
    """What a plan comes to. unmeasured: keys of goals that no source counts.

    needed: with how much of a goal the count that it feeds is reached in 80 of 100 cases
    slices: of each goal's target, where the plan has any
    attainable, rates: by goal, what was done and what rates were seen in the half year before
    weekdays: what days of the week weigh as it was seen, Monday = 0; None: nothing worth telling
    almanac: the public holidays that it was made with
    """

    ground: Ground
    blueprint: Blueprint
    unmeasured: tuple[str, ...]
    warnings: tuple[Reason, ...]
    needed: Mapping[str, Needed]
    slices: Mapping[str, tuple[Sliced, ...]]
    attainable: Mapping[str, Attainable]
    rates: Mapping[str, Rate]
    weekdays: Mapping[int, Fraction] | None
    almanac: Almanac | None


def worked(
    access: Access, found: Organisation, base: Ground, now: int, *, draft: bool = False
) -> Worked:
    """What a plan comes to with the people, sources, past and other plans as they are now.

    draft: whether it is of a plan that is not kept
    """
    unseen = unmeasured(base.plan.root, found.sources)
    history, known = lessons(access, found, base, now, draft=draft)
    shown = attainable(base, history, known)
    heard = sources.last_received(access, found.workspace.key)
    days = almanacs.today(base) if draft else almanacs.kept(access, base)
    told = (
        *never_spoke(base.plan.root, found.sources, heard),
        *warnings(base, _others(access, found, base)),
        *family_warnings(access, found, base),
        *doubts(base, shown),
        *almanacs.changes(days, base),
    )
    return Worked(
        base,
        blueprint(base),
        tuple(goal.key for goal in unseen),
        told,
        needed(base.plan.root, base.plan.targets, partial(seen, history)),
        sliced(base),
        shown,
        suggested(base, history),
        suggested_weekdays(base, history),
        days,
    )


def _others(access: Access, found: Organisation, base: Ground) -> Iterator[Ground]:
    for document in standing_plans(access, found):
        naming = naming_in(found, document)
        if naming.key != base.plan.key and naming.span.overlaps(base.plan.span):
            try:
                yield found.ground(access, document)
            except Invalid:
                # It no longer fits the people or settings, so nobody is asked for anything by it.
                continue
