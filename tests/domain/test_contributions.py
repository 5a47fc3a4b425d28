"""Whose an actual is, against the recount day by day."""

from __future__ import annotations

from datetime import date
from fractions import Fraction

from hypothesis import given, settings

from app.domain.attribution import counted, segments
from app.domain.belonging import contributions
from app.domain.instants import instant
from app.domain.plans import Unassigned
from app.domain.progress import Scope
from tests.domain.test_evaluation import (
    TEAMS,
    WORKSPACE,
    Recount,
    World,
    answered,
    moments,
    totals,
    worlds,
)


@settings(max_examples=50, deadline=None)
@given(worlds(), moments)
def test_every_part_is_what_that_member_did_in_the_scope(
    world: World, now: tuple[date, Fraction]
) -> None:
    day, share = now
    base, recount = world.base, Recount(world, day, share)
    at = instant(f"{day.isoformat()}T{'13:30:00' if share else '00:00:00'}+09:00")
    cuts = segments(base.plan, base.people, WORKSPACE.calendar, at)
    rows = [(segment, totals(world, recount, segment)) for segment in cuts]
    amounts = counted(base.plan, base.people, base.persons, world.actors, rows)
    inside = base.plan.unassigned is Unassigned.INSIDE
    for team in (None, *TEAMS):
        found = contributions(base, Scope(team), amounts)
        for goal in base.plan.root.walk():
            for member in base.persons:
                seen = recount.counts(goal.metric.key, Scope(team, member))
                assert found.get((member, goal.key), 0) == seen["in"]
            whole = recount.counts(goal.metric.key, Scope())["unassigned"]
            assert found.get((None, goal.key), 0) == (whole if inside and team is None else 0)
    progress, _ = answered(world, day, share)
    everything = contributions(base, Scope(), amounts)
    for tree in progress.whole.root.walk():
        parts = (part for (_, key), part in everything.items() if key == tree.key)
        assert sum(parts, Fraction(0)) == tree.actual
