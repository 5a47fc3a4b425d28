"""What stands out, and what a drifted rate calls for, as JSON with a sentence each."""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction
from typing import NamedTuple, TypedDict

from app.domain.diagnosis import Step
from app.domain.progress import GoalProgress, Progress
from app.domain.quantities import rounded_up, written
from app.domain.signals import Needed, Proposal, Signal, proposals, signals
from app.views.diagnosis_json import PLAIN, Shown, comma, step_label, step_named
from app.views.progress_json import Sentence, figure


class SignalDocument(TypedDict):
    """A step of somebody's that is not as planned."""

    member: str | None
    factor: str
    plan: str
    actual: str
    e_value: str | None
    message: str


class NeededDocument(TypedDict):
    """A goal's target as planned, and as it would have to be."""

    goal: str
    target: str
    needed: str
    needed_display: str


class ProposalDocument(TypedDict):
    """A rate that has drifted, and what a plan by the rate seen would ask."""

    goal: str
    factor: str
    assumed: str
    observed: str
    since: str
    needed: list[NeededDocument] | None
    message: str


class SignalsDocument(TypedDict):
    """Both of them."""

    signals: list[SignalDocument]
    proposals: list[ProposalDocument]


class _Telling(NamedTuple):
    """Of which tree, who writes sentences in which language, and how figures stand in them."""

    root: GoalProgress
    sentence: Sentence
    language: str
    writing: Shown


def signals_document(
    progress: Progress, told: tuple[Sentence, str], writing: Shown = PLAIN
) -> SignalsDocument:
    """What stands out in a progress; `told`: who writes sentences, in which language.

    writing: how figures stand in them
    """
    telling = _Telling(progress.whole.root, *told, writing)
    return {
        "signals": [_signal(one, telling) for one in signals(progress)],
        "proposals": [_proposal(one, telling) for one in proposals(progress)],
    }


def _signal(signal: Signal, telling: _Telling) -> SignalDocument:
    root, sentence, language, writing = telling
    code = "signal_below" if signal.actual < signal.planned else "signal_above"
    params = {
        "who": signal.name,
        "step": step_label(root, signal.step),
        "plan": writing.of_step(root, signal.step, signal.planned),
        "actual": writing.of_step(root, signal.step, signal.actual),
    }
    return {
        "member": signal.member,
        "factor": step_named(signal.step),
        "plan": written(signal.planned),
        "actual": written(signal.actual),
        "e_value": figure(signal.evidence),
        "message": sentence(code, params, language),
    }


def _proposal(one: Proposal, telling: _Telling) -> ProposalDocument:
    needed = None if one.needed is None else [_needed(goal) for goal in one.needed]
    return {
        "goal": one.goal,
        "factor": step_named(Step(one.goal, one.per)),
        "assumed": written(one.assumed),
        "observed": written(one.observed),
        "since": one.since.isoformat(),
        "needed": needed,
        "message": _message(one, telling),
    }


def _needed(goal: Needed) -> NeededDocument:
    return {
        "goal": goal.goal,
        "target": written(goal.planned),
        "needed": written(goal.needed),
        "needed_display": written(_rounded(goal)),
    }


def _rounded(goal: Needed) -> Fraction:
    return Fraction(rounded_up(goal.needed, goal.unit.decimals))


def _message(one: Proposal, telling: _Telling) -> str:
    root, sentence, language, writing = telling
    step = Step(one.goal, one.per)
    params: Mapping[str, str] = {
        "step": step_label(root, step),
        "assumed": writing.of_step(root, step, one.assumed),
        "observed": writing.of_step(root, step, one.observed),
    }
    if one.needed is None:
        return sentence("nothing_converts", params, language)
    goals = {goal.key: goal for goal in root.walk()}
    needed = comma(language).join(
        f"{goal.name} {writing.of_goal(goals[goal.goal], _rounded(goal))}" for goal in one.needed
    )
    return sentence("rate_has_drifted", {**params, "needed": needed}, language)
