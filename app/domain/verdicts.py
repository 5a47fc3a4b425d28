"""One word for where a goal stands, and the reasons for it and for every number that is missing."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from typing import NamedTuple

from app.domain.outcomes import Ahead
from app.domain.pacing import Moment
from app.domain.plans import Plan
from app.domain.progress import Rate, Reason, Verdict
from app.domain.quantities import written

# Of pace, where no probability can be told.
ON_PACE = Fraction(1)
NEARLY = Fraction(4, 5)


class Facts(NamedTuple):
    """What is known of a goal in a scope.

    heard: whether any source of it ever spoke; silent: those that stopped before as_of, or before
    the period's end where that is over; carried: whether anybody has a share in it
    """

    target: Fraction
    actual: Fraction
    expected: Fraction
    required: Fraction | None
    rate: Rate | None
    heard: bool
    silent: tuple[str, ...]
    ahead: Ahead
    carried: bool


def verdict(facts: Facts, plan: Plan, now: Moment) -> Verdict:
    """The first word that fits.

    What is reached no silence takes away; before anything else, silence is not zero. More than
    nothing where nothing is expected yet is a start.
    """
    if facts.actual >= facts.target:
        return Verdict.REACHED
    if facts.silent:
        return Verdict.UNKNOWN
    if now.day >= plan.span.until:
        return Verdict.MISSED
    if facts.expected == 0 and facts.actual == 0:
        return Verdict.NOT_STARTED
    score, (on_track, at_risk) = _score(facts, plan)
    if score >= on_track:
        return Verdict.ON_TRACK
    return Verdict.AT_RISK if score >= at_risk else Verdict.OFF_TRACK


def _score(facts: Facts, plan: Plan) -> tuple[Fraction, tuple[Fraction, Fraction]]:
    """The probability of reaching the target, as it is told; else the pace; and the thresholds."""
    forecast, limits = facts.ahead.forecast, plan.thresholds
    if forecast is not None:
        return forecast.probability, (limits.on_track, limits.at_risk)
    pace = facts.actual / facts.expected if facts.expected else ON_PACE
    return pace, (ON_PACE, NEARLY)


def reasons(facts: Facts, word: Verdict, plan: Plan) -> Iterator[Reason]:
    """Why numbers are missing, and why the word is what it is."""
    if not facts.target:
        yield Reason("target_zero")
    if not facts.expected:
        yield Reason("nothing_expected_yet" if facts.carried else "nobody_carries_it")
    if facts.required is None:
        yield Reason("no_days_left")
    if facts.ahead.forecast is None:
        yield Reason("nothing_to_forecast_from")
    if facts.rate is not None and facts.rate.observed is None:
        yield Reason("no_sample")
    if not facts.heard:
        yield Reason("never_heard")
    if word is Verdict.UNKNOWN:
        yield Reason("source_silent", {"sources": ", ".join(facts.silent)})
    yield from _thresholds(facts, word, plan)
    chance = facts.ahead.chance
    if facts.actual < facts.expected and chance is not None and not facts.ahead.beyond_noise:
        yield Reason("gap_within_noise", {"p": written(chance)})


def _thresholds(facts: Facts, word: Verdict, plan: Plan) -> Iterator[Reason]:
    if word in (Verdict.AT_RISK, Verdict.OFF_TRACK):
        _, (on_track, at_risk) = _score(facts, plan)
        code = "pace_below" if facts.ahead.forecast is None else "probability_below"
        missed = on_track if word is Verdict.AT_RISK else at_risk
        yield Reason(code, {"threshold": written(missed)})
