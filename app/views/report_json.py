"""The report as JSON: the figures of the progress, and sentences in which they are localised."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from urllib.parse import urlencode

from app.domain.presets import PRESETS
from app.domain.progress import GoalProgress, Progress, Verdict
from app.domain.quantities import written
from app.domain.report import Moved, Note, Quiet, Report, Since, Support, Where, where
from app.views.diagnosis_json import (
    effect_documents,
    fact_document,
    named_document,
    step_label,
    step_named,
)
from app.views.messages import sentence
from app.views.notes_json import note_document
from app.views.progress_json import (
    days_document,
    goal_document,
    plan_reference,
    scope_document,
)
from app.views.report_documents import (
    BesideDocument,
    DayDocument,
    HeadlineDocument,
    MovedDocument,
    QuietDocument,
    ReasonsDocument,
    ReportDocument,
    ReportedGoalDocument,
    ReportedNoteDocument,
    SinceDocument,
    SupportDocument,
    ThenDocument,
)
from app.views.report_numbers import Numbers
from app.views.signals_json import signals_document
from app.views.today_json import SaidDocument, today_list

# What is done to a text that somebody wrote before it stands in a page.
Quote = Callable[[str], str]


def report_document(report: Report, language: str, quote: Quote = str) -> ReportDocument:
    """The document of a report, every text in it that somebody wrote or a sender sent quoted."""
    return _Telling(_quoted(report, language, quote), language, quote).document()


def _quoted(report: Report, language: str, quote: Quote) -> Report:
    def named(goal: GoalProgress) -> str:
        """A preset's goal that was given no name of its own is told in the reader's language."""
        names = PRESETS[goal.metric].names if goal.metric in PRESETS else {}
        return quote(names[language] if goal.name in names.values() else goal.name)

    progress = _renamed(report.progress, quote, named)
    since = report.since
    return replace(
        report,
        progress=progress,
        diagnosis=replace(report.diagnosis, goal=progress.whole.root),
        support=tuple(replace(one, name=quote(one.name)) for one in report.support),
        since=since and replace(since, then=_renamed(since.then, quote, named)),
        quiet=tuple(replace(one, source=quote(one.source)) for one in report.quiet),
        unknown=tuple(
            one._replace(source=quote(one.source), identity=quote(one.identity))
            for one in report.unknown
        ),
        notes=tuple(replace(one, text=quote(one.text)) for one in report.notes),
    )


def _renamed(progress: Progress, quote: Quote, named: Callable[[GoalProgress], str]) -> Progress:
    def renamed(goal: GoalProgress) -> GoalProgress:
        return replace(goal, name=named(goal), children=tuple(map(renamed, goal.children)))

    whole = progress.whole
    return replace(
        progress,
        plan=replace(progress.plan, name=quote(progress.plan.name)),
        whole=replace(whole, name=quote(whole.name), root=renamed(whole.root)),
        breakdown=tuple(replace(part, name=quote(part.name)) for part in progress.breakdown),
    )


class _Telling:
    """A report in a language."""

    def __init__(self, report: Report, language: str, quote: Quote) -> None:
        self._report, self._language, self._quote = report, language, quote
        self._numbers = Numbers(language)
        self._goals = {goal.key: goal for goal in report.progress.whole.root.walk()}

    def document(self) -> ReportDocument:
        """All of it."""
        report, progress, span = self._report, self._report.progress, self._report.base.plan.span
        standing = {key: where(goal) for key, goal in self._goals.items()}
        good = (Where.REACHED, Where.ON_PACE)
        return {
            "workspace": progress.workspace,
            "plan": plan_reference(progress.plan),
            "scope": scope_document(progress.whole.scope),
            "name": progress.whole.name,
            "period": {"start": span.first.isoformat(), "end": span.until.isoformat()},
            "as_of": progress.as_of.isoformat(),
            "known_at": progress.known_at.isoformat(),
            "generated_at": progress.generated_at.isoformat(),
            "time_zone": progress.time_zone,
            "language": self._language,
            "working_days": days_document(progress.whole.working_days),
            "headline": self._headline(progress.whole.root),
            "today": self._today() if report.today in span else None,
            "reached": [key for key, found in standing.items() if found in good],
            "not_reached": [key for key, found in standing.items() if found not in good],
            "goals": [self._goal(goal) for goal in self._goals.values()],
            "why": self._why(),
            "support": [self._support(one) for one in report.support],
            "since": None if report.since is None else self._since(report.since),
            "sources": [self._quiet(one) for one in report.quiet],
            "beside": list(self._beside()),
            "unknown": [
                {"source": one.source, "identity": one.identity, "activities": one.activities}
                for one in report.unknown
            ],
            "notes": [self._note(note) for note in report.notes],
        }

    def _said(self, code: str, **params: str | int) -> SaidDocument:
        return {"code": code, "message": sentence(code, params, self._language)}

    def _headline(self, root: GoalProgress) -> HeadlineDocument:
        return {
            "goal": root.key,
            "verdict": root.verdict.value,
            "sentence": self._stands(root),
            "outlook": self._outlook(root),
        }

    def _today(self) -> DayDocument:
        alone = replace(self._report.progress, breakdown=())
        found = today_list(alone, (sentence, self._language))
        return {"date": found["date"], "sentence": found["sentence"], "goals": found["goals"]}

    def _outlook(self, goal: GoalProgress) -> SaidDocument:
        told, forecast = self._numbers.of_goal, goal.forecast
        if self._report.today >= self._report.base.plan.span.until:
            return self._said("outlook_over")
        if forecast is None:
            return self._said("no_outlook")
        return self._said(
            "outlook",
            median=told(goal, forecast.median),
            low=told(goal, forecast.low),
            high=told(goal, forecast.high),
            probability=self._numbers.percent(written(forecast.probability)),
        )

    def _stands(self, goal: GoalProgress) -> SaidDocument:
        found, told = where(goal), self._numbers.of_goal
        by_chance = found is Where.BEHIND and not goal.gap_beyond_noise
        by_chance = by_chance and goal.verdict is not Verdict.OFF_TRACK
        return self._said(
            f"goal_{found.value}" + ("_within_noise" if by_chance else ""),
            goal=goal.name,
            actual=told(goal, goal.actual),
            target=told(goal, goal.target_display),
            expected=told(goal, goal.expected),
            short=told(goal, -goal.gap),
            left=told(goal, goal.target - goal.actual),
        )

    def _goal(self, goal: GoalProgress) -> ReportedGoalDocument:
        all_of_it = goal_document(goal, sentence, self._language)
        document: ReportedGoalDocument = {
            "key": goal.key,
            "name": goal.name,
            "unit": all_of_it["unit"],
            "where": where(goal).value,
            "target": all_of_it["target"],
            "target_display": all_of_it["target_display"],
            "deadline": all_of_it["deadline"],
            "actual": all_of_it["actual"],
            "expected": all_of_it["expected"],
            "attainment": all_of_it["attainment"],
            "pace": all_of_it["pace"],
            "gap": all_of_it["gap"],
            "gap_beyond_noise": goal.gap_beyond_noise,
            "required_per_day": all_of_it["required_per_day"],
            "forecast": all_of_it["forecast"],
            "verdict": goal.verdict.value,
            "sentence": self._stands(goal),
        }
        if goal.edge is not None:
            document["edge"] = goal.edge.value
        return document

    def _why(self) -> ReasonsDocument:
        found, told = self._report.diagnosis, (sentence, self._language)
        return {
            "expected": written(found.goal.expected),
            "actual": written(found.goal.actual),
            "gap": written(found.goal.gap),
            "sentence": fact_document(found, told),
            "effects": effect_documents(found),
            "named": named_document(found, told, self._numbers),
            **signals_document(self._report.progress, told, self._numbers),
        }

    def _support(self, one: Support) -> SupportDocument:
        found = self._report.diagnosis
        document: SupportDocument = {
            "member": one.member,
            "name": one.name,
            "need": one.need.value,
            "gap": written(one.gap),
            "factor": step_named(one.step),
            "effect": written(one.effect),
            "message": self._said(
                f"support_{one.need.value}",
                who=one.name,
                goal=found.goal.name,
                step=step_label(found.goal, one.step),
                gap=self._numbers.of_goal(found.goal, one.gap),
                effect=self._numbers.of_goal(found.goal, one.effect),
                back=self._numbers.day(one.away_until) if one.away_until else "",
            )["message"],
        }
        if one.away_until is not None:
            document["away_until"] = one.away_until.isoformat()
        return document

    def _since(self, since: Since) -> SinceDocument:
        told = {
            "known_from": since.known_from.isoformat(),
            "known_to": since.known_to.isoformat(),
            "as_of": since.as_of.isoformat(),
        }
        return {
            "as_of": since.then.as_of.isoformat(),
            "known_at": since.then.known_at.isoformat(),
            "goals": [self._then(goal) for goal in since.then.whole.root.walk()],
            "moved": [
                self._moved(self._goals[key], moved, since) for key, moved in since.moved.items()
            ],
            "complete": since.is_all,
            "changes": f"/v1/plans/{self._report.progress.plan.key}/changes?{urlencode(told)}",
        }

    def _then(self, goal: GoalProgress) -> ThenDocument:
        then = goal_document(goal, sentence, self._language)
        return {
            "goal": goal.key,
            "actual": then["actual"],
            "attainment": then["attainment"],
            "forecast": then["forecast"],
        }

    def _moved(self, goal: GoalProgress, moved: Moved, since: Since) -> MovedDocument:
        unit = goal_document(goal, sentence, self._language)["unit"]
        said = self._said(
            "moved" if since.is_all else "moved_in_part",
            goal=goal.name,
            at=self._numbers.moment(since.as_of),
            late=moved.late,
            corrected=moved.corrected,
            difference=self._numbers.signed(written(moved.difference), unit),
        )
        return {
            "goal": goal.key,
            "late": moved.late,
            "corrected": moved.corrected,
            "difference": written(moved.difference),
            "message": said["message"],
        }

    def _quiet(self, one: Quiet) -> QuietDocument:
        comma = "、" if self._language == "ja" else ", "
        said = self._said(
            f"quiet_{one.state.value}",
            source=one.source,
            last="" if one.last is None else self._numbers.moment(one.last),
            goals=comma.join(self._goals[key].name for key in one.goals),
            pending=one.pending,
        )
        return {
            "source": one.source,
            "state": one.state.value,
            "last_event_at": None if one.last is None else one.last.isoformat(),
            "pending": one.pending,
            "goals": list(one.goals),
            "message": said["message"],
        }

    def _beside(self) -> Iterator[BesideDocument]:
        for goal in self._goals.values():
            if goal.unassigned or goal.outside_plan or goal.excluded:
                found = goal_document(goal, sentence, self._language)
                yield {
                    "goal": goal.key,
                    "unassigned": found["unassigned"],
                    "outside_plan": found["outside_plan"],
                    "excluded": found["excluded"],
                }

    def _note(self, note: Note) -> ReportedNoteDocument:
        base, overdue = self._report.base, note.is_overdue(self._report.today)
        told = note_document(note, base.workspace.zone)
        if note.member is not None:
            told["name"] = self._quote(base.people.members[note.member].name)
        return {**told, "overdue": overdue}
