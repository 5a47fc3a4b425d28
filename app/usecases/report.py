"""The report of a plan: its progress, its diagnosis and what stands beside them, one snapshot."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import astuple, dataclass, replace

from app.domain.changes import Move, What
from app.domain.diagnosis import diagnose
from app.domain.errors import NotFound
from app.domain.evaluation import Question
from app.domain.instants import QUARTER, moment_of
from app.domain.report import WEEK, Moved, Report, Since, Unknown, quiet, supports, unknown
from app.domain.scopes import Breakdown
from app.store import heads, rules
from app.store.arrivals import START, Place
from app.store.journal import Knowing
from app.store.transactions import Access
from app.usecases.changes import Change, Listing, differences_in
from app.usecases.context import Context
from app.usecases.counted import actors_of, heard, knowing, rows_daily
from app.usecases.notes import notes_of
from app.usecases.plan_names import plan_named
from app.usecases.progress import Asked, Ready, evaluated, made_ready
from app.usecases.settling import settling
from app.usecases.trajectories import trajectory_of

# So many pages of late and corrected activities are counted one by one; sums are of all of them.
PAGES, PER_PAGE = 2, 500


@dataclass(frozen=True, slots=True)
class Reported:
    """The report, and all that decides its content: what an entity tag is made of."""

    report: Report
    basis: tuple[str | int, ...]


@settling
def plan_report(context: Context, workspace: str, plan: str, asked: Asked) -> Reported:
    """A plan's report, or a team's. Raises as `report_progress` does."""
    now = context.clock()
    with context.read() as reading:
        wished = replace(asked, today=True)
        ready = made_ready(context, reading, (workspace, plan), wished, now)
        if ready.base.plan.assignments:
            question = replace(ready.question, breakdown=Breakdown.MEMBER)
            ready = replace(ready, question=question)
        report = _report(reading, ready)
    return Reported(report, ready.basis)


def _report(access: Access, ready: Ready) -> Report:
    found, base, question = ready.found, ready.base, ready.question
    progress = ready.progress(access)
    diagnosis = diagnose(progress)
    today = found.workspace.calendar.local_day(ready.at.until - 1)
    return Report(
        base,
        progress,
        diagnosis,
        supports(base, progress, diagnosis, today),
        _since(access, ready),
        quiet(base, heard(access, found, ready.known), question.as_of),
        _unknown(access, ready),
        notes_of(access, found.workspace.key, base.plan.key, ready.known),
        today,
        trajectory_of(access, ready, base.plan.root),
    )


def _unknown(access: Access, ready: Ready) -> tuple[Unknown, ...]:
    found, base = ready.found, ready.base
    who = actors_of(access, found.workspace.key)
    rows = rows_daily(access, found, base, ready.at.until, ready.known)
    return unknown(
        base,
        (
            (day, *who[row.actor], row.metric, row.number)
            for day, totals in rows.items()
            for row in totals
        ),
    )


def _since(access: Access, ready: Ready) -> Since | None:
    """A week before; None where the plan's period, or the plan, had not begun."""
    found, base, zone = ready.found, ready.base, ready.found.workspace.zone
    question, calendar = ready.question, found.workspace.calendar
    at = (question.as_of - WEEK) // QUARTER * QUARTER
    if at <= calendar.midnight(base.plan.span.first):
        return None
    known_at = min(at, question.known_at)
    then = knowing(access, found, known_at)
    try:
        version = ready.asked.version
        known = then if version is None else None
        document = plan_named(access, found, base.plan.key, at - 1, version, known)
        earlier = found.ground(access, document)
        asked = Question(at, known_at, question.generated_at, question.scope)
        progress = evaluated(access, found, earlier, asked, at, then).progress
    except NotFound:
        return None
    moved, is_all = _moved(access, ready, then, at)
    told = [moment_of(one, zone) for one in (known_at, _known_to(access, ready), at)]
    return Since(progress, moved, is_all, *told)


def _known_to(access: Access, ready: Ready) -> int:
    head = heads.head(access, ready.found.workspace.key)
    if ready.asked.known_at is not None or head is None:
        return ready.question.known_at
    return head.at


def _moved(
    access: Access, ready: Ready, then: Knowing | None, until: int
) -> tuple[dict[str, Moved], bool]:
    """What came late or was corrected since, of what lies before an instant; whether that is all.

    A goal of which nothing moved is left out.
    """
    found, base, known = ready.found, ready.base, ready.known
    head = heads.head(access, found.workspace.key)
    if then is None or head is None:
        raise AssertionError
    new = known.seq if known else head.seq
    loaded = rules.load(access, found.workspace.key)
    found_all, counts = _counts(Listing(access, base, loaded, then.seq, new, until), ready)
    of = (until, ready.question.scope)
    moved = {
        one.goal.key: Moved(
            counts.get((one.goal.key, What.LATE), 0),
            counts.get((one.goal.key, What.CORRECTED), 0),
            one.after - one.before,
        )
        for one in differences_in(access, found, base, of, (then, known))
    }
    return {key: one for key, one in moved.items() if any(astuple(one))}, found_all


def _counts(listing: Listing, ready: Ready) -> tuple[bool, dict[tuple[str, What], int]]:
    """Of how many activities each goal moved; and whether they could all be counted."""
    counts: dict[tuple[str, What], int] = {}
    behind: Place = START
    for _ in range(PAGES):
        items, place = listing.page(behind, PER_PAGE)
        for key in _moves(ready, items):
            counts[key] = counts.get(key, 0) + 1
        if place is None:
            return True, counts
        behind = place
    return False, counts


def _moves(ready: Ready, items: Iterable[Change]) -> Iterator[tuple[str, What]]:
    for item in items:
        for move in item.moves:
            if _lies_in(ready, move):
                yield move.goal.key, item.what


def _lies_in(ready: Ready, move: Move) -> bool:
    """Whether what moved is, or was, of the people who are asked about."""
    base, team = ready.base, ready.question.scope.team
    if team is None:
        return True
    local_day = ready.found.workspace.calendar.local_day
    return any(
        team in stint.line
        for part in (*move.before, *move.after)
        if part.member in base.persons
        for stint in base.persons[part.member].stints
        if local_day(part.at) in stint.span
    )
