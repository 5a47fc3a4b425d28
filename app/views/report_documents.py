"""The documents of a report as typed dictionaries, which all of its formats are made from."""

from __future__ import annotations

from typing import NotRequired, TypedDict

from app.views.diagnosis_json import EffectDocument, NamedDocument, SentenceDocument
from app.views.notes_json import NoteDocument
from app.views.progress_documents import (
    ExcludedDocument,
    ForecastDocument,
    PlanDocument,
    ScopeDocument,
    UnitDocument,
    WorkingDaysDocument,
)
from app.views.signals_json import SignalsDocument
from app.views.today_json import AskedDocument, SaidDocument


class PeriodDocument(TypedDict):
    """The plan's days; `end` is the first that no longer belongs to it."""

    start: str
    end: str


class ReportedGoalDocument(TypedDict):
    """A goal as the progress has it."""

    key: str
    edge: NotRequired[str]
    name: str
    unit: UnitDocument
    where: str
    target: str
    target_display: str
    deadline: str
    actual: str
    expected: str
    attainment: str | None
    pace: str | None
    gap: str
    gap_beyond_noise: bool
    required_per_day: str | None
    forecast: ForecastDocument | None
    verdict: str
    sentence: SaidDocument


class DayDocument(TypedDict):
    """What the day asks, in words and goal by goal, from the bottom of the tree up."""

    date: str
    sentence: SaidDocument
    goals: list[AskedDocument]


class HeadlineDocument(TypedDict):
    """The final goal in a word, and where it ends."""

    goal: str
    verdict: str
    sentence: SaidDocument
    outlook: SaidDocument


class ReasonsDocument(SignalsDocument):
    """Why the final goal is where it is: its gap to date, split so that all adds up.

    Beside it the steps that stand out, and what rates that have drifted call for.
    """

    expected: str
    actual: str
    gap: str
    sentence: SentenceDocument
    effects: list[EffectDocument]
    named: NamedDocument | None


class SupportDocument(TypedDict):
    """A person whose part falls short by more than chance."""

    member: str
    name: str
    need: str
    gap: str
    factor: str
    effect: str
    away_until: NotRequired[str]
    message: str


class ThenDocument(TypedDict):
    """A goal a week before."""

    goal: str
    actual: str
    attainment: str | None
    forecast: ForecastDocument | None


class MovedDocument(TypedDict):
    """How a goal's figure of a week before moved by what came late or was corrected."""

    goal: str
    late: int
    corrected: int
    difference: str
    message: str


class SinceDocument(TypedDict):
    """The week before, as it was known then."""

    as_of: str
    known_at: str
    goals: list[ThenDocument]
    moved: list[MovedDocument]
    complete: bool
    changes: str


class QuietDocument(TypedDict):
    """A source that does not tell all."""

    source: str
    state: str
    last_event_at: str | None
    pending: int
    goals: list[str]
    message: str


class BesideDocument(TypedDict):
    """What was counted beside a goal's actual."""

    goal: str
    unassigned: str
    outside_plan: str
    excluded: list[ExcludedDocument]


class UnknownDocument(TypedDict):
    """Whom a sender named and nobody is known as."""

    source: str
    identity: str
    activities: int


class ReportedNoteDocument(NoteDocument):
    """A note, and whether it should have been done."""

    overdue: bool


class ReportDocument(TypedDict):
    """What whoever answers for a plan is told."""

    workspace: str
    plan: PlanDocument
    scope: ScopeDocument
    name: str
    period: PeriodDocument
    as_of: str
    known_at: str
    generated_at: str
    time_zone: str
    language: str
    working_days: WorkingDaysDocument
    headline: HeadlineDocument
    today: DayDocument | None
    reached: list[str]
    not_reached: list[str]
    goals: list[ReportedGoalDocument]
    why: ReasonsDocument
    support: list[SupportDocument]
    since: SinceDocument | None
    sources: list[QuietDocument]
    beside: list[BesideDocument]
    unknown: list[UnknownDocument]
    notes: list[ReportedNoteDocument]
