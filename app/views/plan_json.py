"""Plans as JSON: what a plan comes to, and how two plans differ."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from fractions import Fraction
from typing import NamedTuple, NotRequired, TypedDict

from app.domain.almanac import Almanac
from app.domain.attainability import Attainable
from app.domain.comparison import Change, Difference
from app.domain.ground import Blueprint, Ground, Share
from app.domain.lines import Sliced
from app.domain.needed import Needed
from app.domain.progress import Rate, Reason
from app.domain.quantities import tallied, written
from app.domain.spans import Span
from app.domain.weekdays import WEEKDAYS
from app.views.progress_documents import ReasonDocument
from app.views.progress_json import (
    Sentence,
    reason_document,
)

Split = dict[str, str | dict[str, str]]


class PeriodDocument(TypedDict):
    """Half-open days."""

    start: str
    end: str


class Beside(NamedTuple):
    """What is told beside a plan's targets, by goal; and the holidays it was made with."""

    needed: Mapping[str, Needed]
    slices: Mapping[str, Iterable[Sliced]]
    attainable: Mapping[str, Attainable]
    rates: Mapping[str, Rate]
    weekdays: Mapping[int, Fraction] | None
    almanac: Almanac | None


# "from" is a keyword, so these are written as calls.
SliceDocument = TypedDict(
    "SliceDocument", {"from": str, "to": str, "target": str, "target_display": str}
)


BasisDocument = TypedDict("BasisDocument", {"from": str, "to": str, "spans": int})


class AttainabilityDocument(TypedDict):
    """What was done before, in spans as long as the plan."""

    shown_best: str
    shown_median: str
    probability: str | None
    basis: BasisDocument


class SuggestedRateDocument(TypedDict):
    """A rate as the half year before the plan has shown it."""

    goal: str
    assumed: str
    observed: str
    sample: int | str
    low: NotRequired[str]
    high: NotRequired[str]


class SuccessDocument(TypedDict):
    """How sure the count above is reached, and with how much it is in 80 of 100 cases."""

    feeds: str
    rate: str
    probability: str
    known_rate: str
    uncertain_rate: NotRequired[str]
    sample: NotRequired[int]


class SolvedGoalDocument(TypedDict):
    """What a goal has to reach."""

    key: str
    target: str
    target_display: str
    success: NotRequired[SuccessDocument]
    attainability: NotRequired[AttainabilityDocument]
    slices: NotRequired[list[SliceDocument]]


class ProfileDocument(TypedDict):
    """Weights of weekdays as a plan's profile takes them."""

    weekdays: dict[str, str]


class HolidayDocument(TypedDict):
    """A public holiday."""

    date: str
    name: str


class AlmanacDocument(TypedDict):
    """The public holidays that a plan was made with, and by whose calendar."""

    holidays: str
    made_by: str
    days: list[HolidayDocument]


class WorkedDocument(TypedDict):
    """What a plan comes to, before anything has happened."""

    period: PeriodDocument
    working_days: int
    calendar: AlmanacDocument | None
    goals: list[SolvedGoalDocument]
    needed_for_80_percent: dict[str, str]
    attainability: AttainabilityDocument | None
    suggested_rates: list[SuggestedRateDocument]
    suggested_profile: NotRequired[ProfileDocument]
    split: dict[str, Split]
    unmeasured: list[str]
    warnings: list[ReasonDocument]


class ChangeDocument(TypedDict):
    """A target before and after; what is absent is not in that plan."""

    before: NotRequired[str]
    after: NotRequired[str]
    change: NotRequired[str]


class GoalChangeDocument(ChangeDocument):
    """The change of a whole goal."""

    key: str


class DifferenceDocument(TypedDict):
    """What would be asked instead, of the whole and of everybody."""

    goals: list[GoalChangeDocument]
    split: dict[str, dict[str, ChangeDocument]]


def worked_document(
    base: Ground,
    blueprint: Blueprint,
    unmeasured: Iterable[str],
    warnings: Iterable[Reason],
    beside: Beside,
    told: tuple[Sentence, str],
) -> WorkedDocument:
    """The part of an answer that is calculated; `told`: who writes sentences, in which language."""
    kgi = beside.attainable.get(base.plan.root.key)
    document: WorkedDocument = {
        "period": _period(base.plan.span),
        "working_days": blueprint.working_days,
        "calendar": _almanac(beside.almanac) if beside.almanac else None,
        "goals": [_goal(key, share, beside) for key, share in blueprint.goals.items()],
        "needed_for_80_percent": {key: written(n.known) for key, n in beside.needed.items()},
        "attainability": None if kgi is None else _attainable(kgi),
        "suggested_rates": [_rate(key, rate) for key, rate in beside.rates.items()],
        "split": {member: _split(goals) for member, goals in blueprint.split.items()},
        "unmeasured": list(unmeasured),
        "warnings": [reason_document(warning, *told) for warning in warnings],
    }
    if beside.weekdays is not None:
        weights = {WEEKDAYS[n]: written(weight) for n, weight in beside.weekdays.items()}
        document["suggested_profile"] = {"weekdays": weights}
    return document


def _almanac(found: Almanac) -> AlmanacDocument:
    days = sorted(found.days.items())
    return {
        "holidays": found.country,
        "made_by": found.made_by,
        "days": [{"date": day.isoformat(), "name": name} for day, name in days],
    }


def _goal(key: str, share: Share, beside: Beside) -> SolvedGoalDocument:
    document: SolvedGoalDocument = {
        "key": key,
        "target": written(share.target),
        "target_display": written(share.display),
    }
    if needed := beside.needed.get(key):
        document["success"] = _success(needed)
    if attainable := beside.attainable.get(key):
        document["attainability"] = _attainable(attainable)
    if slices := [_slice(piece) for piece in beside.slices.get(key, ())]:
        document["slices"] = slices
    return document


def _attainable(found: Attainable) -> AttainabilityDocument:
    within = found.within
    return {
        "shown_best": written(found.best),
        "shown_median": written(found.median),
        "probability": None if found.probability is None else written(found.probability),
        "basis": {
            "from": within.first.isoformat(),
            "to": within.until.isoformat(),
            "spans": found.spans,
        },
    }


def _rate(goal: str, rate: Rate) -> SuggestedRateDocument:
    document: SuggestedRateDocument = {
        "goal": goal,
        "assumed": written(rate.assumed),
        "observed": written(rate.observed or 0),
        "sample": tallied(rate.sample),
    }
    if rate.low is not None and rate.high is not None:
        document["low"], document["high"] = written(rate.low), written(rate.high)
    return document


def _slice(piece: Sliced) -> SliceDocument:
    return {
        "from": piece.span.first.isoformat(),
        "to": piece.span.until.isoformat(),
        "target": written(piece.target),
        "target_display": written(piece.display),
    }


def _success(needed: Needed) -> SuccessDocument:
    document: SuccessDocument = {
        "feeds": needed.feeds,
        "rate": written(needed.rate),
        "probability": probability(needed.chance),
        "known_rate": written(needed.known),
    }
    if needed.uncertain is not None and needed.trials is not None:
        document["uncertain_rate"] = written(needed.uncertain)
        document["sample"] = needed.trials
    return document


def probability(chance: float) -> str:
    """A chance in steps of a hundredth: more digits would claim to know more than is known."""
    return written(Fraction(round(chance * 100), 100))


def difference_document(difference: Difference) -> DifferenceDocument:
    """Every goal and person, those that stay the same among them."""
    return {
        "goals": [{"key": key, **_change(change)} for key, change in difference.goals.items()],
        "split": {
            member: {key: _change(change) for key, change in goals.items()}
            for member, goals in difference.split.items()
        },
    }


def _change(change: Change) -> ChangeDocument:
    document: ChangeDocument = {}
    if change.before is not None:
        document["before"] = written(change.before)
    if change.after is not None:
        document["after"] = written(change.after)
    if change.by is not None:
        document["change"] = written(change.by)
    return document


def _split(goals: Mapping[str, Share]) -> Split:
    exact: Split = {key: written(share.target) for key, share in goals.items()}
    return exact | {"display": {key: written(share.display) for key, share in goals.items()}}


def _period(span: Span) -> PeriodDocument:
    return {"start": span.first.isoformat(), "end": span.until.isoformat()}
