"""Progress: load a plan and its tallies in one snapshot, and let the domain evaluate."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, replace

from app.domain import attribution
from app.domain.attribution import Actor, ActorTotal, Counted, Grain, Segment, segments
from app.domain.calendar import ONE_DAY
from app.domain.documents import Node
from app.domain.errors import Fault, Invalid
from app.domain.evaluation import Heard, Question, evaluate
from app.domain.ground import Ground
from app.domain.instants import MINUTE, QUARTER, day_number
from app.domain.plans import COUNTABLE
from app.domain.progress import Progress, Scope
from app.domain.scopes import WHOLE, Breakdown
from app.store import actors, heads, sources, totals
from app.store.transactions import Access
from app.usecases.context import Context
from app.usecases.organisation import Organisation
from app.usecases.plan_names import plan_named


@dataclass(frozen=True, slots=True)
class Asked:
    """What a reader wants to see. `as_of` in microseconds since 1970; None: now.

    version: of the plan; None: the one that stands
    """

    as_of: int | None = None
    scope: Scope = WHOLE
    breakdown: Breakdown = Breakdown.NONE
    version: int | None = None


@dataclass(frozen=True, slots=True)
class Answered:
    """The progress, and all that decides its content: what an entity tag is made of."""

    progress: Progress
    basis: tuple[str | int, ...]


@dataclass(frozen=True, slots=True)
class Moment:
    """as_of is what expectations are measured at; until is what is counted up to.

    They differ for "now": counting runs to the end of the quarter hour, so that a read after the
    ack sees the event, and expecting stays on the minute, so that answers can be cached.
    """

    as_of: int
    until: int


def report_progress(context: Context, workspace: str, plan: str, asked: Asked) -> Answered:
    """A plan's progress as asked; an alias means the plan that had it at that moment.

    At midnight between two plans a given `as_of` means the one that has just ended: all of it has
    happened, and nothing of the next. Another version is measured by today's facts.

    Raises NotFound for an unknown plan, version, team or member, and Invalid for an `as_of` that
    lies ahead or between two quarter hours.
    """
    now = context.clock()
    at = moment_asked(asked.as_of, now)
    with context.read() as reading:
        found = context.organisations.at(reading, workspace)
        counted_last = at.as_of if asked.as_of is None else at.as_of - 1
        document = plan_named(reading, found, plan, counted_last, asked.version)
        question = Question(at.as_of, now, now, asked.scope, asked.breakdown)
        progress = progress_of(reading, found, found.ground(document), question, at.until)
        head = heads.head(reading, workspace)
    if asked.as_of is not None:
        # A fixed moment does not move; only what is reported late can change its answer.
        progress = replace(progress, next_change_at=None)
    moved = (head.seq, head.config_version) if head else ()
    which = (document.key, document.version)
    return Answered(progress, (workspace, *which, *moved, at.as_of, at.until, repr(asked)))


def moment_asked(as_of: int | None, now: int) -> Moment:
    """The moment to evaluate."""
    if as_of is None:
        return Moment(now - now % MINUTE, now - now % QUARTER + QUARTER)
    if as_of > now:
        raise _refused("as_of_ahead")
    if as_of % QUARTER:
        raise _refused("as_of_between_quarters")
    return Moment(as_of, as_of)


def _refused(code: str) -> Invalid:
    return Invalid("invalid_request", Fault("", code, {"parameter": "as_of"}))


def progress_of(
    access: Access, found: Organisation, base: Ground, question: Question, until: int
) -> Progress:
    """The progress of a plan in this snapshot, of everything counted before `until`."""
    return evaluate(base, question, counted(access, found, base, until), heard(access, found))


def counted(
    access: Access,
    found: Organisation,
    base: Ground,
    until: int,
    metrics: AbstractSet[str] | None = None,
) -> Counted:
    """What was counted for a plan before `until`, in this snapshot, and whose it is.

    metrics: of the plan's, those that are asked about; None for all
    """
    chosen = metrics or {goal.metric.key for goal in base.plan.root.walk()}
    parts = segments(base.plan, base.people, found.workspace.calendar, until)
    return attribution.counted(
        base.plan,
        base.people,
        base.persons,
        actors_of(access, found.workspace.key),
        [(part, _totals(access, base, chosen, part, until)) for part in parts],
    )


def heard(access: Access, found: Organisation) -> Heard:
    """The sources, and when each was last heard."""
    states = sources.states(access, found.workspace.key)
    return Heard(found.sources, {key: state.last_received_at for key, state in states.items()})


def actors_of(access: Access, workspace: str) -> Mapping[int, Actor]:
    """Whom senders have named, by number."""
    return {number: Actor(*who) for number, who in actors.all_actors(access, workspace).items()}


def _totals(
    access: Access, base: Ground, metrics: AbstractSet[str], part: Segment, until: int
) -> Iterable[ActorTotal]:
    """The sums of a segment: of whole days, or of the running day's quarters up to `until`."""
    workspace = base.workspace
    if part.grain is Grain.DAYS:
        first, end = day_number(part.span.first), day_number(part.span.until)
        rows = totals.totals(access, workspace.key, metrics, first, end)
    else:
        first = workspace.calendar.midnight(part.span.first) // QUARTER
        rows = totals.quarter_totals(access, workspace.key, metrics, first, until // QUARTER)
    return (ActorTotal(*row) for row in rows)


def end_of_day(context: Context, workspace: str, text: str) -> int:
    """The instant at which a local day ends. Raises Invalid `not_a_date`."""
    day = Node(text).day()
    if day not in COUNTABLE:
        raise Invalid("date_out_of_range")
    with context.read() as reading:
        calendar = context.organisations.at(reading, workspace).workspace.calendar
    return calendar.midnight(day + ONE_DAY)
