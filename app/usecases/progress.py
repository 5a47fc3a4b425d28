"""Progress: load a plan and its tallies in one snapshot, and let the domain evaluate."""

from __future__ import annotations

from dataclasses import dataclass, replace

from app.domain.errors import Fault, Invalid
from app.domain.evaluation import Question, evaluate
from app.domain.ground import Ground
from app.domain.instants import MINUTE, QUARTER
from app.domain.progress import Progress, Scope
from app.domain.scopes import WHOLE, Breakdown
from app.store import heads
from app.store.journal import Knowing
from app.store.transactions import Access, Reading
from app.usecases.closing import closing
from app.usecases.cohorts import cohorts_of
from app.usecases.context import Context
from app.usecases.counted import counted, heard, knowing, moment_written
from app.usecases.drifting import Evaluated, with_drift
from app.usecases.history import experience_of
from app.usecases.organisation import Organisation
from app.usecases.pipeline import lately_counted
from app.usecases.plan_names import plan_named
from app.usecases.settling import settling


@dataclass(frozen=True, slots=True)
class Asked:
    """What a reader wants to see. `as_of`, `known_at` in microseconds since 1970; None: now.

    version: of the plan; None: the one that stands; today: also what the day asks of each goal
    """

    as_of: int | None = None
    scope: Scope = WHOLE
    breakdown: Breakdown = Breakdown.NONE
    version: int | None = None
    known_at: int | None = None
    today: bool = False


@dataclass(frozen=True, slots=True)
class Answered:
    """The progress, and all that decides its content: what an entity tag is made of."""

    progress: Progress
    basis: tuple[str | int, ...]


@dataclass(frozen=True, slots=True)
class Ready:
    """A question, with the plan and the knowing that it is asked of, in one snapshot."""

    found: Organisation
    base: Ground
    question: Question
    at: Moment
    known: Knowing | None
    asked: Asked
    basis: tuple[str | int, ...]

    def progress(self, access: Access) -> Progress:
        """Its progress."""
        found, base, question, until = self.found, self.base, self.question, self.at.until
        plain = evaluated(access, found, base, question, until, self.known)
        progress = with_drift(access, found, base, plain, self.known)
        if self.asked.as_of is None:
            return progress
        # A fixed moment does not move; only what is reported late can change its answer.
        return replace(progress, next_change_at=None)


@dataclass(frozen=True, slots=True)
class Moment:
    """as_of is what expectations are measured at; until is what is counted up to.

    They differ for "now": counting runs to the end of the quarter hour, so that a read after the
    ack sees the event, and expecting stays on the minute, so that answers can be cached.
    """

    as_of: int
    until: int


@settling
def report_progress(context: Context, workspace: str, plan: str, asked: Asked) -> Answered:
    """A plan's progress as asked; an alias means the plan that had it at that moment.

    At midnight between two plans a given `as_of` means the one that has just ended: all of it has
    happened, and nothing of the next. With `known_at` only what had been received by then is
    counted, by the plan's version of then; people are as they are known today. A version that is
    named is measured by the same facts.

    Raises NotFound for an unknown plan, version, team or member, and Invalid for an `as_of` that
    lies ahead or between two quarter hours, or a `known_at` that lies ahead.
    """
    now = context.clock()
    with context.read() as reading:
        ready = made_ready(context, reading, (workspace, plan), asked, now)
        progress = ready.progress(reading)
    return Answered(progress, ready.basis)


def made_ready(
    context: Context, reading: Reading, named: tuple[str, str], asked: Asked, now: int
) -> Ready:
    """What is asked, with all that it is asked of. Raises as `report_progress` does.

    named: workspace and plan; in a function that is `settling`
    """
    workspace, plan = named
    at = moment_asked(asked.as_of, now)
    check_known_at(asked.known_at, now)
    found = context.organisations.at(reading, workspace)
    known = knowing(reading, found, asked.known_at)
    counted_last = at.as_of if asked.as_of is None else at.as_of - 1
    named_then = known if asked.version is None else None
    document = plan_named(reading, found, plan, counted_last, asked.version, named_then)
    known_at = now if asked.known_at is None else asked.known_at
    question = Question(at.as_of, known_at, now, asked.scope, asked.breakdown, today=asked.today)
    head = heads.head(reading, workspace)
    moved = (known.seq if known else head.seq, head.config_version) if head else ()
    which = (document.key, document.version)
    basis = (workspace, *which, *moved, at.as_of, at.until, repr(asked))
    return Ready(found, found.ground(reading, document), question, at, known, asked, basis)


def report_by_member(context: Context, workspace: str, plan: str, asked: Asked) -> Answered:
    """The same, broken down by member where there are any: a plan of everybody has none."""
    if asked.scope.member is not None:
        return report_progress(context, workspace, plan, asked)
    try:
        by_member = replace(asked, breakdown=Breakdown.MEMBER)
        return report_progress(context, workspace, plan, by_member)
    except Invalid as error:
        if error.code != "plan_has_no_assignments" or asked.scope != WHOLE:
            raise
        return report_progress(context, workspace, plan, asked)


def moment_asked(as_of: int | None, now: int) -> Moment:
    """The moment to evaluate."""
    if as_of is None:
        return Moment(now - now % MINUTE, now - now % QUARTER + QUARTER)
    if as_of > now:
        raise _refused("as_of_ahead", "as_of")
    if as_of % QUARTER:
        raise _refused("as_of_between_quarters", "as_of")
    return Moment(as_of, as_of)


def check_known_at(known_at: int | None, now: int, parameter: str = "known_at") -> None:
    """Refuse to know what is still to come."""
    if known_at is not None and known_at > now:
        raise _refused("as_of_ahead", parameter)


def _refused(code: str, parameter: str) -> Invalid:
    return Invalid("invalid_request", Fault("", code, {"parameter": parameter}))


def evaluated(
    access: Access,
    found: Organisation,
    base: Ground,
    question: Question,
    until: int,
    known: Knowing | None = None,
) -> Evaluated:
    """The progress of a plan in this snapshot, of everything counted before `until`.

    With what it was made of, so that more can be told of that.
    """
    amounts = counted(access, found, base, until, known)
    cohorts = cohorts_of(access, found, base, until, known)
    experience = experience_of(access, found, base, question.as_of, known)
    booked = question.beside or bool(experience.earned)
    today = question.today
    progress = evaluate(
        base,
        question,
        amounts,
        heard(access, found, known),
        closing(access, found, base, until, known),
        experience,
        lately_counted(access, found, base, until, cohorts, known, today=today, booked=booked),
    )
    return Evaluated(question, until, amounts, cohorts, progress)


def moment_of_text(
    context: Context, workspace: str, text: str | None, parameter: str = "as_of"
) -> int | None:
    """The instant that a parameter means, where a date is the end of that day; None for now.

    Raises Invalid with the parameter that has no meaning.
    """
    if text is None:
        return None
    try:
        with context.read() as reading:
            zone = context.organisations.at(reading, workspace).workspace.zone
        return moment_written(text, zone)
    except Invalid as error:
        raise _refused(error.code, parameter) from None
