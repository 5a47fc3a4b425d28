"""How often the evidence of drift is wrong and how soon it is right, by the functions that serve.

Sound and broken plans are played, looked at on every day, and what is found is held against the
figures that another implementation of the same method gave once. They are what the method was
chosen by: a change that makes alarms more frequent or later shows here and nowhere else.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy import float64
from numpy.random import Generator
from numpy.typing import NDArray

from app.domain.drift import (
    ACT,
    CHANGED,
    TOLERATED,
    log_changed,
    log_e_rate,
    log_e_volume,
    stand_out,
)
from app.usecases.simulated_figures import Figures, Row, alarmed, median_day, reaching, within
from app.usecases.simulating_lags import followed, lagging, lagging_tallies

_RATE, _FALLEN, _HALVED = 0.2, 0.15, 0.1
_MONTHS, _PEOPLE_AND_STAGES, _WORKDAYS = 4, 120, 20


def simulated(runs: int, seed: int) -> Iterator[Row]:
    """All figures, as they are measured; the same seed gives the same ones."""
    dice = np.random.default_rng(seed)
    for scenario in (
        _planned_rates,
        _fallen_rates,
        _small_falls,
        _changes,
        _uneven_days,
        _volumes,
        _streams,
        lagging,
        lagging_tallies,
        followed,
    ):
        yield from scenario(dice, runs)


def _planned_rates(dice: Generator, runs: int) -> Iterator[Row]:
    for daily, shares in ((10, (0.015, 0.027, 0.031)), (40, (0.015, 0.025, 0.026))):
        logs = _rate_logs(dice.binomial(daily, _RATE, (runs, 240)), daily, _RATE)
        for days, share in zip((20, 60, 240), shares, strict=True):
            yield reaching(f"sound, {daily} a day, {days} days: 20", logs[:, :days], share)
        if daily == 10:
            for days, share in zip((20, 60, 240), (0.002, 0.005, 0.008), strict=True):
                yield reaching(f"sound, 10 a day, {days} days: 100", logs[:, :days], share, ACT)


def _fallen_rates(dice: Generator, runs: int) -> Iterator[Row]:
    for daily, true, shares, day in (
        (10, _FALLEN, (0.29, 0.73, 1.0), 36),
        (10, _HALVED, (0.93, 1.0, 1.0), 9),
        (40, _FALLEN, (0.85, 1.0, 1.0), 10),
    ):
        logs = _rate_logs(dice.binomial(daily, true, (runs, 240)), daily, _RATE)
        what = f"{true:.0%} for {_RATE:.0%}, {daily} a day"
        for days, share in zip((20, 60, 240), shares, strict=True):
            yield reaching(f"{what}, {days} days: found", logs[:, :days], share, digits=2)
        yield median_day(f"{what}: median day", logs, day)
    # However strongly the alternatives are kept together, so many are found.
    for daily, low, high in ((5, 0.39, 0.49), (20, 0.94, 0.97)):
        logs = _rate_logs(dice.binomial(daily, _FALLEN, (runs, 60)), daily, _RATE)
        yield within(f"15% for 20%, {daily} a day, 60 days: found", alarmed(logs), low, high, 2)


def _small_falls(dice: Generator, runs: int) -> Iterator[Row]:
    for true, share, digits in ((1.0, 0.004, 3), (0.9, 0.026, 3), (0.75, 0.32, 2), (0.5, 0.998, 3)):
        came = dice.binomial(10, true * _RATE, (runs, 60))
        logs = _rate_logs(came, 10, TOLERATED * _RATE)
        what = f"a tenth tolerated, {true:.0%} of the plan, 60 days"
        yield reaching(what, logs, share, digits=digits)


def _changes(dice: Generator, runs: int) -> Iterator[Row]:
    """Of a rate that falls to 15 % on day 61 of 180, and of one that does not.

    A delay is of the runs without an alarm before the fall, where there is one behind it.
    """
    for daily, threshold, shares in (
        (10, 250.0, (0.002, 0.017, 0.071)),
        (10, CHANGED, (0.0, 0.004, 0.015)),
        (40, 250.0, (0.010, 0.029, 0.12)),
    ):
        logs = _change_logs(dice.binomial(daily, _RATE, (runs, 240)), daily)
        for days, share in zip((20, 60, 240), shares, strict=True):
            what = f"no change, {daily} a day, {days} days: {threshold:.0f}"
            yield reaching(what, logs[:, :days], share, threshold)
    rates = np.where(np.arange(180) < 60, _RATE, _FALLEN)
    for daily, thresholds in ((10, ((250.0, 46), (CHANGED, 59))), (40, ((250.0, 14),))):
        logs = _change_logs(dice.binomial(daily, rates, (runs, 180)), daily)
        for threshold, delay in thresholds:
            sound = ~alarmed(logs[:, :60], threshold)
            what = f"a change, {daily} a day: median delay to {threshold:.0f}"
            yield median_day(what, logs[sound, 60:], delay, threshold)


def _change_logs(came: NDArray[np.int64], daily: int) -> Figures:
    return log_changed(came.astype(float64), np.full(came.shape, float(daily)), _RATE)


def _uneven_days(dice: Generator, runs: int) -> Iterator[Row]:
    """Each day has a luck of its own, so that the variance is a multiple of the binomial's."""
    for spread, plain, kept, found, day in (
        (2.0, 0.156, 0.029, 0.99, 17),
        (4.0, 0.397, 0.032, 0.83, 27),
    ):
        what = f"dispersion {spread:.0f}, 40 a day, 60 days"
        logs = _rate_logs(_uneven(dice, _RATE, spread, (runs, 60)), 40, _RATE)
        yield reaching(f"{what}: sound, not tempered", logs, plain)
        yield reaching(f"{what}: sound", logs / spread, kept)
        fallen = _rate_logs(_uneven(dice, _FALLEN, spread, (runs, 60)), 40, _RATE) / spread
        yield reaching(f"{what}: 15% for 20% found", fallen, found, digits=2)
        yield median_day(f"{what}: 15% for 20%, median day", fallen, day)


def _uneven(dice: Generator, rate: float, spread: float, shape: tuple[int, int]) -> Figures:
    """40 a day, at a rate that the day's luck multiplies; the spread is that of the plan's rate.

    The references do not say how days vary: of the ways that were tried this one gives them all.
    """
    together = (40 - 1) / (spread - 1) - 1
    luck = dice.beta(_RATE * together, (1 - _RATE) * together, shape) / _RATE
    return dice.binomial(40, rate * luck).astype(float64)


def _volumes(dice: Generator, runs: int) -> Iterator[Row]:
    """Of these the references are ranges, over dispersions and lengths."""
    for spread in (2.0, 4.0):
        came = dice.negative_binomial(10 / (spread - 1), 1 / spread, (runs, 60))
        logs = _volume_logs(came, 10)
        for days in (20, 60):
            what = f"volume 10 a day, dispersion {spread:.0f}, {days} days"
            hit = alarmed(logs[:, :days])
            yield within(f"{what}: sound, not tempered", hit, 0.10, 0.37, 2)
            yield within(f"{what}: sound", alarmed(logs[:, :days] / spread), 0.005, 0.033, 3)


def _streams(dice: Generator, runs: int) -> Iterator[Row]:
    """30 people and 4 stages, of whom nobody has changed, looked at together on every day."""
    months = max(runs // _MONTHS, 1)
    shape = (months * _PEOPLE_AND_STAGES, _WORKDAYS)
    logs = _rate_logs(dice.binomial(10, _RATE, shape), 10, _RATE)
    evidence = np.exp(logs).reshape(months, _PEOPLE_AND_STAGES, _WORKDAYS)
    hit = np.array([
        any(stand_out(month[:, day].tolist()) for day in range(_WORKDAYS)) for month in evidence
    ])  # fmt: skip
    yield within("120 sound streams, 20 days: any that stands out", hit, 0.015, 0.015, 3)
    # 2.3 of the 120.
    yield reaching("120 sound streams, 20 days: of each, 20", logs, 0.019)


def _rate_logs(came: NDArray[np.int64] | Figures, daily: int, rate: float) -> Figures:
    successes = came.cumsum(axis=1).astype(float64)
    trials = np.broadcast_to(daily * np.arange(1.0, came.shape[1] + 1), successes.shape)
    return log_e_rate(successes, trials, rate)


def _volume_logs(came: NDArray[np.int64], daily: int) -> Figures:
    counts = came.cumsum(axis=1).astype(float64)
    expected = np.broadcast_to(daily * np.arange(1.0, came.shape[1] + 1), counts.shape)
    return log_e_volume(counts, expected)
