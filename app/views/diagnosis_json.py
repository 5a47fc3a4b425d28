"""The diagnosis as JSON: the fact is always said, the cause as surely as it is known."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from fractions import Fraction
from typing import NotRequired, Protocol, TypedDict

from app.domain.diagnosis import Diagnosis, Effect, Step
from app.domain.progress import GoalProgress, Progress
from app.domain.quantities import written
from app.views.progress_documents import (
    PlanDocument,
    ScopeDocument,
    UnitDocument,
)
from app.views.progress_json import (
    Sentence,
    figure,
    optional,
    plan_reference,
    scope_document,
    unit_document,
)


class Shown(Protocol):
    """How figures are written in a sentence."""

    def of_goal(self, goal: GoalProgress, quantity: Fraction) -> str:
        """An amount of a goal."""

    def of_step(self, root: GoalProgress, step: Step, quantity: Fraction | None) -> str:
        """A volume or a rate of a tree; None where its basis is nothing."""


class _Plain:
    """Figures as every answer has them: never localised."""

    def of_goal(self, goal: GoalProgress, quantity: Fraction) -> str:
        """An amount of a goal."""
        currency = goal.unit.currency
        return written(quantity) if currency is None else f"{written(quantity)} {currency}"

    def of_step(self, _root: GoalProgress, _step: Step, quantity: Fraction | None) -> str:
        """A volume or a rate."""
        return shown(quantity)


PLAIN: Shown = _Plain()


class SentenceDocument(TypedDict):
    """Which goals of the tree are where the plan expected them by now, and which are not."""

    code: str
    on_pace: list[str]
    behind: list[str]
    message: str


class EffectDocument(TypedDict):
    """What a step cost or brought, in the unit of the goal."""

    factor: str
    plan: str | None
    actual: str | None
    effect: str
    share: str | None


class NamedDocument(TypedDict):
    """The step that is the largest part of a shortfall, and whether it is more than chance."""

    factor: str
    share: str
    certainty: str
    e_value: str | None
    message: str


class DiagnosisDocument(TypedDict):
    """A goal's gap to date, split over the steps below it and over the people."""

    workspace: str
    plan: PlanDocument
    scope: ScopeDocument
    as_of: str
    known_at: str
    time_zone: str
    goal: str
    unit: UnitDocument
    basis: str
    expected: str
    actual: str
    gap: str
    sentence: SentenceDocument
    effects: list[EffectDocument]
    named: NamedDocument | None
    members: dict[str, list[str]]
    rest: list[str]
    mix: NotRequired[list[str]]


def diagnosis_document(
    progress: Progress, found: Diagnosis, told: tuple[Sentence, str], *, mix: bool = False
) -> DiagnosisDocument:
    """The document of a diagnosis; `told`: who writes sentences, in which language."""
    goal, whole = found.goal, progress.whole
    document: DiagnosisDocument = {
        "workspace": progress.workspace,
        "plan": plan_reference(progress.plan),
        "scope": scope_document(whole.scope),
        "as_of": progress.as_of.isoformat(),
        "known_at": progress.known_at.isoformat(),
        "time_zone": progress.time_zone,
        "goal": goal.key,
        "unit": unit_document(goal.unit),
        "basis": "plan_to_date",
        "expected": written(goal.expected),
        "actual": written(goal.actual),
        "gap": written(goal.gap),
        "sentence": fact_document(found, told),
        "effects": effect_documents(found),
        "named": named_document(found, told),
        "members": {
            person.member: _written(person.effects)
            for person in found.people
            if person.member is not None
        },
        "rest": next(
            (_written(person.effects) for person in found.people if person.member is None), []
        ),
    }
    if mix:
        document["mix"] = _written(found.mix)
    return document


def _written(effects: Iterable[Fraction]) -> list[str]:
    return [written(effect) for effect in effects]


def step_named(step: Step) -> str:
    """How a step is called: `calls`, `deals_won/appointments`, `revenue/other`."""
    if step.other:
        return f"{step.goal}/other"
    return step.goal if step.per is None else f"{step.goal}/{step.per}"


def effect_documents(found: Diagnosis) -> list[EffectDocument]:
    """What each step cost or brought; they add up to the gap."""
    return [_effect(effect) for effect in found.effects]


def step_label(root: GoalProgress, step: Step) -> str:
    """How people call it: the goal's name, over that of the goal it is converted from."""
    names = {goal.key: goal.name for goal in root.walk()}
    return names[step.goal] if step.per is None else f"{names[step.goal]} / {names[step.per]}"


def _effect(effect: Effect) -> EffectDocument:
    return {
        "factor": step_named(effect.step),
        "plan": optional(effect.planned),
        "actual": optional(effect.actual),
        "effect": written(effect.shown),
        "share": optional(effect.share),
    }


def _code(found: Diagnosis) -> str:
    """The root stands first in either list, what it is converted from behind it."""
    if not found.goal.expected and not found.goal.actual:
        return "nothing_expected_by_now"
    if not found.behind:
        return "all_on_pace"
    if not found.on_pace:
        return "all_behind"
    upstream_first = [goal.key for goal in found.goal.walk()]
    last_behind, last_on_pace = (
        max(map(upstream_first.index, keys)) for keys in (found.behind, found.on_pace)
    )
    first_behind, first_on_pace = (
        min(map(upstream_first.index, keys)) for keys in (found.behind, found.on_pace)
    )
    if last_behind < first_on_pace:
        return "upstream_reached_downstream_not"
    if last_on_pace < first_behind:
        return "downstream_reached_upstream_not"
    return "some_behind"


def fact_document(found: Diagnosis, told: tuple[Sentence, str]) -> SentenceDocument:
    """Which goals are where the plan expected them by now."""
    code, (sentence, language) = _code(found), told
    goals = {goal.key: goal for goal in found.goal.walk()}
    params = {
        "reached": _enumerated((goals[key] for key in reversed(found.on_pace)), language),
        "missed": _enumerated((goals[key] for key in reversed(found.behind)), language),
    }
    return {
        "code": code,
        "on_pace": list(reversed(found.on_pace)),
        "behind": list(reversed(found.behind)),
        "message": sentence(code, params, language),
    }


def _enumerated(goals: Iterable[GoalProgress], language: str) -> str:
    return comma(language).join(f"{goal.name} ({_percent(goal.pace)})" for goal in goals)


def comma(language: str) -> str:
    """What stands between the items of a list."""
    return "、" if language == "ja" else ", "


def _percent(share: Fraction | None) -> str:
    return "-" if share is None else f"{written(Fraction(round(share * 1000), 10))} %"


def named_document(
    found: Diagnosis, told: tuple[Sentence, str], writing: Shown = PLAIN
) -> NamedDocument | None:
    """The step that costs most. writing: how its figures stand in the sentence."""
    if found.named is None:
        return None
    (sentence, language), named = told, found.named
    effect = next(one for one in found.effects if one.step == named.step)
    params = _cause(found, effect, writing)
    return {
        "factor": step_named(named.step),
        "share": written(named.share),
        "certainty": named.certainty.value,
        "e_value": figure(named.evidence),
        "message": sentence(f"cause_{named.certainty.value}", params, language),
    }


def _cause(found: Diagnosis, effect: Effect, told: Shown) -> Mapping[str, str]:
    return {
        "step": step_label(found.goal, effect.step),
        "plan": told.of_step(found.goal, effect.step, effect.planned),
        "actual": told.of_step(found.goal, effect.step, effect.actual),
        "cost": told.of_goal(found.goal, -effect.shown),
        "goal": found.goal.name,
    }


def shown(quantity: Fraction | None) -> str:
    """Two digits behind the first ones that say anything; the exact figures stand beside it."""
    if quantity is None:
        return "-"
    return written(round(quantity, 4 if abs(quantity) < 1 else 2))
