"""What stands out, and what a drifted rate calls for, as JSON with a sentence each."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypedDict

from app.domain.diagnosis import Step
from app.domain.progress import GoalProgress, Progress
from app.domain.quantities import rounded_up, written
from app.domain.signals import Needed, Proposal, Signal, proposals, signals
from app.views.diagnosis_json import comma, shown, step_label, step_named
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


def signals_document(progress: Progress, told: tuple[Sentence, str]) -> SignalsDocument:
    """What stands out in a progress; `told`: who writes sentences, in which language."""
    root = progress.whole.root
    return {
        "signals": [_signal(root, one, told) for one in signals(progress)],
        "proposals": [_proposal(root, one, told) for one in proposals(progress)],
    }


def _signal(root: GoalProgress, signal: Signal, told: tuple[Sentence, str]) -> SignalDocument:
    sentence, language = told
    code = "signal_below" if signal.actual < signal.planned else "signal_above"
    params = {
        "who": signal.name,
        "step": step_label(root, signal.step),
        "plan": shown(signal.planned),
        "actual": shown(signal.actual),
    }
    return {
        "member": signal.member,
        "factor": step_named(signal.step),
        "plan": written(signal.planned),
        "actual": written(signal.actual),
        "e_value": figure(signal.evidence),
        "message": sentence(code, params, language),
    }


def _proposal(root: GoalProgress, one: Proposal, told: tuple[Sentence, str]) -> ProposalDocument:
    needed = None if one.needed is None else [_needed(goal) for goal in one.needed]
    return {
        "goal": one.goal,
        "factor": step_named(Step(one.goal, one.per)),
        "assumed": written(one.assumed),
        "observed": written(one.observed),
        "since": one.since.isoformat(),
        "needed": needed,
        "message": _message(root, one, told),
    }


def _needed(goal: Needed) -> NeededDocument:
    return {
        "goal": goal.goal,
        "target": written(goal.planned),
        "needed": written(goal.needed),
        "needed_display": _displayed(goal),
    }


def _displayed(goal: Needed) -> str:
    return written(rounded_up(goal.needed, goal.unit.decimals))


def _message(root: GoalProgress, one: Proposal, told: tuple[Sentence, str]) -> str:
    sentence, language = told
    params: Mapping[str, str] = {
        "step": step_label(root, Step(one.goal, one.per)),
        "assumed": shown(one.assumed),
        "observed": shown(one.observed),
    }
    if one.needed is None:
        return sentence("nothing_converts", params, language)
    needed = comma(language).join(f"{goal.name} {_displayed(goal)}" for goal in one.needed)
    return sentence("rate_has_drifted", {**params, "needed": needed}, language)
