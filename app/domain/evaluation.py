"""The one evaluator: a plan, what was counted, and a moment become a Progress.

Every face of the service shows this value, so no two of them can disagree about a number.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field, replace
from datetime import date, tzinfo
from fractions import Fraction

from app.domain.attribution import Counted, deadlines
from app.domain.belonging import Belongings, belongings, done_in_time, numbers_by_member
from app.domain.calendar import ONE_DAY
from app.domain.cohorts import books, turned_in, with_cohorts
from app.domain.experience import Experience, day_places, experience
from app.domain.forecast import Followed, Outlook
from app.domain.freshness import Pending, Source, freshness, next_silence, silent
from app.domain.goals import Goal
from app.domain.ground import Ground, member_displays
from app.domain.history import NO_HISTORY
from app.domain.instants import moment_of
from app.domain.items import NO_COHORTS, Cohorts
from app.domain.lines import is_plain, line
from app.domain.outcomes import Ahead
from app.domain.pacing import Moment, everybody, moment, parts
from app.domain.pipeline import NOTHING_LATELY, Course, Lately, lags_of, wanted
from app.domain.progress import (
    Closed,
    PlanReference,
    Progress,
    Scope,
    ScopedProgress,
)
from app.domain.scopes import NEVER, WHOLE, Breakdown, broken_down, check, portions
from app.domain.today import asked
from app.domain.view import Heed, View


@dataclass(frozen=True, slots=True)
class Question:
    """What is asked: the moment, and whose progress. All instants in microseconds since 1970.

    today: whether also what the last day that is counted asks for
    beside: whether forecasts are to be by the law that is not in force, wherever there are two
    """

    as_of: int
    known_at: int
    generated_at: int
    scope: Scope = WHOLE
    breakdown: Breakdown = Breakdown.NONE
    today: bool = False
    beside: bool = False


@dataclass(frozen=True, slots=True)
class Heard:
    """The sources of the workspace, and the instant of each one's last delivery, if any.

    pending: what of each is still to be fetched, where anything is
    """

    sources: tuple[Source, ...] = ()
    last: Mapping[str, int] = field(default_factory=dict)
    pending: Mapping[str, Pending] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Closing:
    """A period that was closed: when and by whom, and what was counted for the plan by then.

    known_at, closed_at: in microseconds since 1970; what counts as known may be older than the act
    """

    known_at: int
    closed_at: int
    author: str
    reason: str | None
    counted: Counted


def evaluate(
    base: Ground,
    question: Question,
    counted: Counted,
    heard: Heard,
    closing: Closing | None = None,
    known: Experience | None = None,
    lately: Lately = NOTHING_LATELY,
) -> Progress:
    """A plan's progress at a moment.

    `counted` comes from `attribution.counted` over `attribution.segments`; `closing` if the
    period was closed; `known`: what forecasts may learn from, None without history; `lately`: as
    `pipeline.wanted` wants it. Raises Invalid `plan_has_no_assignments` when a plan of the whole
    workspace is asked for a team, a member or a breakdown, NotFound `team_not_in_plan` or
    `member_not_in_plan` for anybody else's.
    """
    scope, breakdown = question.scope, question.breakdown
    check(base, scope, breakdown)
    evaluation = _evaluation(base, question, counted, heard, closing, lately)
    views = [evaluation.view(one) for one in (scope, *broken_down(base, scope, breakdown))]
    outlook = evaluation.outlook(known or experience(base, NO_HISTORY), beside=question.beside)
    trees = evaluation.trees(views, outlook)
    plan, zone = base.plan, base.workspace.zone
    change = _change(base, question, heard, lately.today)
    return Progress(
        base.workspace.key,
        PlanReference(plan.key, plan.alias, plan.name, base.version),
        moment_of(question.as_of, zone),
        moment_of(question.known_at, zone),
        moment_of(question.generated_at, zone),
        zone.key,
        None if change is None else moment_of(change, zone),
        trees[0],
        tuple(trees[1:]),
        None if closing is None else _closed(closing, zone),
    )


def trail(
    base: Ground,
    question: Question,
    counted: Counted,
    known: Experience,
    lately: Lately,
    goal: Goal,
    days: Sequence[date],
) -> list[Ahead]:
    """Where a goal will stand when each of some days is over, by what `evaluate` forecasts by."""
    evaluation = _evaluation(base, question, counted, Heard(), None, lately)
    outlook = evaluation.outlook(known)
    done = done_in_time(base.plan, goal, numbers_by_member(counted))
    part, whole = (evaluation.view(scope).part(goal) for scope in (question.scope, WHOLE))
    over = [day_places(base.plan.span, day) + 1 for day in days]
    return outlook.trail(goal, whole, done, part, over)


def expected_by(
    base: Ground, question: Question, goal: Goal, days: Sequence[date]
) -> list[Fraction]:
    """What is expected of a goal when each of some days begins, as `evaluate` expects it."""
    evaluation = _evaluation(base, question, {}, Heard(), None, NOTHING_LATELY)
    moments = (replace(evaluation, now=Moment(day, Fraction(0))) for day in days)
    return [one.view(question.scope).part(goal).expected for one in moments]


def _closed(closing: Closing, zone: tzinfo) -> Closed:
    known_at, closed_at = (moment_of(at, zone) for at in (closing.known_at, closing.closed_at))
    return Closed(known_at, closed_at, closing.author, closing.reason)


def _change(base: Ground, question: Question, heard: Heard, today: date) -> int | None:
    """The next change that time alone brings; who asks what today requires sees each midnight."""
    change = next_change(base, question.as_of, heard)
    if not question.today or today >= base.plan.span.until:
        return change
    tomorrow = base.workspace.calendar.midnight(today + ONE_DAY)
    return tomorrow if change is None else min(change, tomorrow)


def next_change(base: Ground, as_of: int, heard: Heard) -> int | None:
    """When time alone will next change the answer; None when it never will.

    That is a minute of working time, a deadline, or a source's silence growing too long. An
    activity dated ahead of its report is no announcement: it begins to count unforeseen.
    """
    calendar, span = base.workspace.calendar, base.plan.span
    end = calendar.midnight(span.until)
    revised = base.plan.effective_from
    days = (*deadlines(base.plan), *(() if revised is None else (revised,)))
    limits = [calendar.midnight(day) for day in days]
    work = calendar.next_change(max(as_of, calendar.midnight(span.first)))
    kinds = {goal.metric.kind for goal in base.plan.root.walk()}
    feeding = [source for source in heard.sources if any(map(source.feeds, kinds))]
    silence = next_silence(feeding, heard.last, calendar, as_of)
    ahead = [limit for limit in limits if limit > as_of]
    ahead += [at for at in (work,) if at is not None and at < end]
    return min((*ahead, *([] if silence is None else [silence])), default=None)


def _evaluation(
    base: Ground,
    question: Question,
    counted: Counted,
    heard: Heard,
    closing: Closing | None,
    lately: Lately,
) -> _Evaluation:
    calendar, goals = base.workspace.calendar, list(base.plan.root.walk())
    narrow = question.scope != WHOLE or question.breakdown is not Breakdown.NONE
    # Of a period that is over, what was silent later says nothing.
    limit = min(question.as_of, calendar.midnight(base.plan.span.until))
    fresh = {
        kind: Heed(
            freshness(kind, heard.sources, heard.last, calendar, question.as_of, heard.pending),
            silent(kind, heard.sources, heard.last, calendar, limit),
        )
        for kind in {goal.metric.kind for goal in goals}
    }
    # Only parts of the plan need the largest remainder over everybody.
    displays = {goal.key: member_displays(base, goal) for goal in goals} if narrow else {}
    lags = lately.cohorts.lags
    recent = wanted(base.plan, lately.today, lags)[1].first if lately.days else date.min
    return _Evaluation(
        base,
        belongings(base.plan, counted),
        None if closing is None else belongings(base.plan, closing.counted),
        moment(calendar, question.as_of),
        fresh,
        displays,
        {day: belongings(base.plan, amounts) for day, amounts in lately.days.items()},
        recent,
        lately.today if question.today else None,
        lately.cohorts,
    )


@dataclass(frozen=True, slots=True)
class _Evaluation:
    """What the trees of one answer share. closed: what was counted at the close, if ever.

    begun: what was counted day by day; since: from which day on it tells of what is in flight
    today: the day that is asked about, if one is
    """

    base: Ground
    counted: Belongings
    closed: Belongings | None
    now: Moment
    fresh: Mapping[str, Heed]
    displays: Mapping[str, Mapping[str, Fraction]]
    begun: Mapping[date, Belongings]
    since: date
    today: date | None
    cohorts: Cohorts = NO_COHORTS

    def view(self, scope: Scope) -> View:
        """What is needed to tell the tree of one scope."""
        base, plan = self.base, self.base.plan
        people = portions(base, scope) if plan.assignments else (everybody(plan.span),)
        bent = None if is_plain(base) else line(base, scope, self.now)
        # A bent line says itself what is expected.
        now = NEVER if bent else self.now
        due = {d: parts(people, base.workdays, d, now) for d in deadlines(plan)}
        # A member counts the own days; teams and plans count the workspace's.
        days = people[0].stints if scope.member is not None else everybody(plan.span).stints
        closed = None if self.closed is None else self.closed.of(scope)
        return View(self, scope, people, days, self.counted.of(scope), closed, due, bent)

    def trees(self, views: Sequence[View], outlook: Outlook) -> list[ScopedProgress]:
        """The trees of some scopes, forecast together."""
        whole = next((view for view in views if view.scope == WHOLE), None) or self.view(WHOLE)
        narrow = [view for view in views if view.scope != WHOLE]
        ahead: dict[Scope, dict[str, Ahead]] = {view.scope: {} for view in views}
        numbers = numbers_by_member(self.counted.counted) if narrow else {}
        roster = outlook.time.roster([view.people for view in narrow])
        for goal in self.base.plan.root.walk():
            part = whole.part(goal)
            if whole in views:
                ahead[WHOLE][goal.key] = outlook.whole(goal, part)
            if narrow:
                done = done_in_time(self.base.plan, goal, numbers)
                parts_of = [view.part(goal) for view in narrow]
                found = outlook.of(goal, part, done, roster, parts_of)
                for view, one in zip(narrow, found, strict=True):
                    ahead[view.scope][goal.key] = one
        return [self._asked(view, view.tree(ahead[view.scope])) for view in views]

    def outlook(self, known: Experience, *, beside: bool = False) -> Outlook:
        """What forecasts; before the period by no items, as of what comes until then none is known.

        beside: as in `Question`
        """
        of = self.cohorts.turned.keys() if beside else known.earned & self.cohorts.turned.keys()
        followed = self._followed(of) if of and self.now.day in self.base.plan.span else {}
        return Outlook(self.base, known, self.now, followed, beside=beside)

    def _followed(self, of: AbstractSet[str]) -> dict[str, Followed]:
        """Conversions of the whole plan by their items."""
        whole = self.view(WHOLE)
        found = books(self._course(whole), self.cohorts.lags, of)
        children = {
            goal.key: goal.conversion.child
            for goal in self.base.plan.root.walk()
            if goal.conversion is not None
        }
        return {
            key: Followed(
                book,
                children[key],
                whole.part(children[key]),
                float(self.cohorts.yardsticks[key].linked),
            )
            for key, book in found.items()
        }

    def _course(self, view: View) -> Course:
        """A scope on its way, with what began on the days that tell of it."""
        learned = self.cohorts.lags
        # What may have been open long ago tells only of the whole, and people are many.
        since = date.min if view.scope == WHOLE else self.since
        days = ((day, amounts) for day, amounts in self.begun.items() if day >= since)
        begun = {day: amounts.of(view.scope) for day, amounts in days}
        turned = turned_in(self.base.plan, view.scope, self.cohorts)
        lags = lags_of(self.base.plan, learned)
        base = self.base
        return Course(base.plan, base.workdays, base.weighted, view.days, begun, lags, turned)

    def _asked(self, view: View, tree: ScopedProgress) -> ScopedProgress:
        """A tree with what its rest asks for."""
        course, learned = self._course(view), self.cohorts.lags
        root = asked(tree.root, course, self.now, self.today)
        if learned:
            root = with_cohorts(root, course, self.cohorts, self.now.day)
        return replace(tree, root=root)
