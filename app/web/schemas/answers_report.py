"""The report of a plan."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from app.web.schemas.answers import Answer, Moment, Quantity
from app.web.schemas.answers_diagnosis import (
    DiagnosisSentence,
    DriftProposal,
    NamedCause,
    Signal,
    StepEffect,
)
from app.web.schemas.answers_plans import Days
from app.web.schemas.answers_progress import (
    Excluded,
    Forecast,
    PlanReference,
    ProgressScope,
    Unit,
    WorkingDays,
)
from app.web.schemas.answers_today import Goals, TodaySentence
from app.web.schemas.common import Key, LocalDate
from app.web.schemas.notes import Note

Message = Annotated[str, Field(description="In the report's language, its figures localised.")]
Verdict = Literal["reached", "unknown", "missed", "not_started", "on_track", "at_risk", "off_track"]


class Said(Answer):
    """A code, and the sentence that it stands for."""

    code: str
    message: Message


class Headline(Answer):
    """The KGI in a word, and where it ends; its figures stand first in `goals`."""

    goal: Key
    verdict: Verdict
    sentence: Said
    outlook: Said


class ReportedToday(Answer):
    """What the day asks; as `/today` has it."""

    date: LocalDate
    sentence: TodaySentence
    goals: Goals


class ReportedGoal(Answer):
    """A goal; every figure is the progress's."""

    key: Key
    edge: Literal["conversion", "part", "influence"] | None = None
    name: str
    unit: Unit
    where: Annotated[
        Literal["reached", "on_pace", "behind", "missed", "unknown", "not_started"],
        Field(description="Of a goal that still runs: whether it is where the plan expected it."),
    ]
    target: Quantity
    target_display: Quantity
    deadline: Moment
    actual: Quantity
    expected: Quantity
    attainment: Quantity | None
    pace: Quantity | None
    gap: Quantity
    gap_beyond_noise: bool
    required_per_day: Quantity | None
    forecast: Forecast | None
    verdict: Verdict
    sentence: Said


class Why(Answer):
    """The KGI's gap to date, split over the steps; as `/diagnosis` has it."""

    expected: Quantity
    actual: Quantity
    gap: Quantity
    sentence: DiagnosisSentence
    effects: list[StepEffect]
    named: NamedCause | None
    signals: list[Signal]
    proposals: list[DriftProposal]


class Support(Answer):
    """A person whose part falls short by more than chance makes."""

    member: Key
    name: str
    need: Annotated[
        Literal["help", "away", "silent", "unidentified"],
        Field(
            description="`away`: not at work today; `silent`: a source is late, so the gap may be "
            "none; `unidentified`: no sender's name is known for this person."
        ),
    ]
    gap: Annotated[Quantity, Field(description="What it is of the KGI, below 0.")]
    factor: Annotated[str, Field(description="The step that costs most, as in `why.effects`.")]
    effect: Annotated[Quantity, Field(description="What that step costs, in the KGI's unit.")]
    away_until: Annotated[LocalDate | None, Field(description="The first day back.")] = None
    message: Message


class Then(Answer):
    """A goal a week before."""

    goal: Key
    actual: Quantity
    attainment: Quantity | None
    forecast: Forecast | None


class Moved(Answer):
    """How a goal's figure of a week before moved by what came late or was corrected."""

    goal: Key
    late: Annotated[int, Field(description="Activities that had not been heard of.")]
    corrected: Annotated[int, Field(description="Activities that had.")]
    difference: Quantity
    message: Message


class Week(Answer):
    """The same plan seven days before, as it was known then."""

    as_of: Moment
    known_at: Moment
    goals: list[Then]
    moved: list[Moved]
    complete: Annotated[
        bool,
        Field(
            description="False where there were too many activities to count; differences are "
            "exact all the same."
        ),
    ]
    changes: Annotated[str, Field(description="Where the activities are listed one by one.")]


class QuietSource(Answer):
    """A source that feeds the plan and does not tell all."""

    source: Key
    state: Literal["stale", "pending", "none"]
    last_event_at: Moment | None
    pending: Annotated[int, Field(description="Objects that it named and are to be fetched.")]
    goals: list[Key]
    message: Message


class Beside(Answer):
    """What was counted beside a goal's actual."""

    goal: Key
    unassigned: Quantity
    outside_plan: Quantity
    excluded: list[Excluded]


class UnknownPerson(Answer):
    """Whom a sender named and nobody is known as."""

    source: Key
    identity: Annotated[str, Field(examples=["305"])]
    activities: Annotated[int, Field(description="In the plan's period.")]


class ReportedNote(Note):
    """A note, the name of the member that it is about, and whether it should have been done."""

    name: str | None = None
    overdue: bool


class Report(Answer):
    """What whoever answers for a plan is told."""

    workspace: Key
    plan: PlanReference
    scope: ProgressScope
    name: str
    period: Days
    as_of: Moment
    known_at: Moment
    generated_at: Moment
    time_zone: str
    language: Literal["en", "ja"]
    working_days: WorkingDays
    headline: Headline
    today: Annotated[ReportedToday | None, Field(description="Null before and after the period.")]
    reached: Annotated[list[Key], Field(description="Goals that are reached or on pace.")]
    not_reached: list[Key]
    goals: Annotated[list[ReportedGoal], Field(description="The KGI first.")]
    why: Why
    support: Annotated[list[Support], Field(description="What costs the KGI most stands first.")]
    since: Annotated[
        Week | None, Field(description="Null while the plan or its period is younger than that.")
    ]
    sources: list[QuietSource]
    beside: Annotated[list[Beside], Field(description="Goals that have something beside them.")]
    unknown: Annotated[list[UnknownPerson], Field(description="The busiest first.")]
    notes: Annotated[list[ReportedNote], Field(description="The newest first.")]
