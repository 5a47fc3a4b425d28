"""How often the evidence of drift is wrong and how soon it is right, by the functions that serve.

Sound and broken plans are played, looked at on every day, and what is found is held against the
figures that another implementation of the same method gave once. They are what the method was
chosen by: a change that makes alarms more frequent or later shows here and nowhere else.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from math import log, sqrt

import numpy as np
from numpy import float64
from numpy.random import Generator
from numpy.typing import NDArray

from app.domain.drift import (
    ACT,
    CHANGED,
    LOOK,
    TOLERATED,
    log_changed,
    log_e_rate,
    log_e_volume,
    stand_out,
)
from app.domain.ripening import allotted, log_e_hazard, ripening

# How many runs the references were taken from, and how far chance may move either side.
_REFERENCE_RUNS = 4_000
_ERRORS = 4.0
_CHUNK = 250
_RATE, _FALLEN, _HALVED = 0.2, 0.15, 0.1
_LAG, _RIPENING, _OPEN_DAYS = 10, 0.25, 60
_MONTHS, _PEOPLE_AND_STAGES, _WORKDAYS = 4, 120, 20

Figures = NDArray[float64]


@dataclass(frozen=True, slots=True)
class Row:
    """A figure that was measured in so many runs, and the one it is held against.

    measured, low, high: shares of the runs, or days
    errors: by how many standard errors it lies outside of low to high, as they are rounded
    """

    what: str
    measured: float
    low: float
    high: float
    errors: float
    days: bool = False

    def written(self, figure: float) -> str:
        """A figure as it is shown: the day, or the per cents."""
        return f"day {figure:g}" if self.days else f"{100 * figure:.1f} %"

    @property
    def sound(self) -> bool:
        """Whether chance explains the difference."""
        return self.errors <= _ERRORS


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
        _lagging,
        _lagging_tallies,
    ):
        yield from scenario(dice, runs)


def _planned_rates(dice: Generator, runs: int) -> Iterator[Row]:
    for daily, shares in ((10, (0.015, 0.027, 0.031)), (40, (0.015, 0.025, 0.026))):
        logs = _rate_logs(dice.binomial(daily, _RATE, (runs, 240)), daily, _RATE)
        for days, share in zip((20, 60, 240), shares, strict=True):
            yield _share(f"sound, {daily} a day, {days} days: 20", logs[:, :days], share)
        if daily == 10:
            for days, share in zip((20, 60, 240), (0.002, 0.005, 0.008), strict=True):
                yield _share(f"sound, 10 a day, {days} days: 100", logs[:, :days], share, ACT)


def _fallen_rates(dice: Generator, runs: int) -> Iterator[Row]:
    for daily, true, shares, day in (
        (10, _FALLEN, (0.29, 0.73, 1.0), 36),
        (10, _HALVED, (0.93, 1.0, 1.0), 9),
        (40, _FALLEN, (0.85, 1.0, 1.0), 10),
    ):
        logs = _rate_logs(dice.binomial(daily, true, (runs, 240)), daily, _RATE)
        what = f"{true:.0%} for {_RATE:.0%}, {daily} a day"
        for days, share in zip((20, 60, 240), shares, strict=True):
            yield _share(f"{what}, {days} days: found", logs[:, :days], share, digits=2)
        yield _median(f"{what}: median day", logs, day)


def _small_falls(dice: Generator, runs: int) -> Iterator[Row]:
    for true, share, digits in ((1.0, 0.004, 3), (0.9, 0.026, 3), (0.75, 0.32, 2), (0.5, 0.998, 3)):
        came = dice.binomial(10, true * _RATE, (runs, 60))
        logs = _rate_logs(came, 10, TOLERATED * _RATE)
        what = f"a tenth tolerated, {true:.0%} of the plan, 60 days"
        yield _share(what, logs, share, digits=digits)


def _changes(dice: Generator, runs: int) -> Iterator[Row]:
    """Of a rate that falls to 15 % on day 61, and of one that does not."""
    for daily, threshold, shares in (
        (10, 250.0, (0.002, 0.017, 0.071)),
        (10, CHANGED, (0.0, 0.004, 0.015)),
        (40, 250.0, (0.010, 0.029, 0.12)),
    ):
        logs = _change_logs(dice.binomial(daily, _RATE, (runs, 240)), daily)
        for days, share in zip((20, 60, 240), shares, strict=True):
            what = f"no change, {daily} a day, {days} days: {threshold:.0f}"
            yield _share(what, logs[:, :days], share, threshold)
    rates = np.where(np.arange(180) < 60, _RATE, _FALLEN)
    logs = _change_logs(dice.binomial(40, rates, (runs, 180)), 40)
    sound = ~_alarmed(logs[:, :60], 250)
    yield _median("a change, 40 a day: median delay to 250", logs[sound, 60:], 14, 250)


def _change_logs(came: NDArray[np.int64], daily: int) -> Figures:
    return log_changed(came.astype(float64), np.full(came.shape, float(daily)), _RATE)


def _uneven_days(dice: Generator, runs: int) -> Iterator[Row]:
    """Each day has a rate of its own, so that the variance is a multiple of the binomial's."""
    for spread, plain, kept, found in ((2.0, 0.156, 0.029, 0.99), (4.0, 0.397, 0.032, 0.83)):
        what = f"dispersion {spread:.0f}, 40 a day, 60 days"
        logs = _rate_logs(_uneven(dice, _RATE, spread, (runs, 60)), 40, _RATE)
        yield _share(f"{what}: sound, not tempered", logs, plain)
        yield _share(f"{what}: sound", logs / spread, kept)
        fallen = _rate_logs(_uneven(dice, _FALLEN, spread, (runs, 60)), 40, _RATE) / spread
        yield _share(f"{what}: 15% for 20% found", fallen, found, digits=2)
        if spread == 2:
            # Of 4 the reference says day 27 and not of which runs: here 25 of those that are found
            # within the 60 days, 31 of all.
            yield _median(f"{what}: 15% for 20%, median day", fallen, 17)


def _uneven(dice: Generator, rate: float, spread: float, shape: tuple[int, int]) -> Figures:
    together = (40 - 1) / (spread - 1) - 1
    rates = dice.beta(rate * together, (1 - rate) * together, shape)
    return dice.binomial(40, rates).astype(float64)


def _volumes(dice: Generator, runs: int) -> Iterator[Row]:
    """Of these the references are ranges, over dispersions and lengths."""
    for spread in (2.0, 4.0):
        came = dice.negative_binomial(10 / (spread - 1), 1 / spread, (runs, 60))
        logs = _volume_logs(came, 10)
        for days in (20, 60):
            what = f"volume 10 a day, dispersion {spread:.0f}, {days} days"
            hit = _alarmed(logs[:, :days])
            yield _between(f"{what}: sound, not tempered", hit, 0.10, 0.37, 2)
            yield _between(f"{what}: sound", _alarmed(logs[:, :days] / spread), 0.005, 0.033, 3)


def _streams(dice: Generator, runs: int) -> Iterator[Row]:
    """30 people and 4 stages, of whom nobody has changed, looked at together on every day."""
    months = max(runs // _MONTHS, 1)
    shape = (months * _PEOPLE_AND_STAGES, _WORKDAYS)
    logs = _rate_logs(dice.binomial(10, _RATE, shape), 10, _RATE)
    evidence = np.exp(logs).reshape(months, _PEOPLE_AND_STAGES, _WORKDAYS)
    hit = np.array([
        any(stand_out(month[:, day].tolist()) for day in range(_WORKDAYS)) for month in evidence
    ])  # fmt: skip
    yield _between("120 sound streams, 20 days: any that stands out", hit, 0.015, 0.015, 3)


def _lagging(dice: Generator, runs: int) -> Iterator[Row]:
    """Items that convert after 10 days on average; each is looked at while it is open."""
    steady = np.full(_OPEN_DAYS, 5)
    doubled = np.where(np.arange(_OPEN_DAYS) < _OPEN_DAYS // 2, 5, 10)
    for what, begun, true, lag, share, digits, day in (
        ("sound", steady, 1.0, 10, 0.026, 3, None),
        ("volume doubles", doubled, 1.0, 10, 0.019, 3, None),
        ("70% of the plan found", steady, 0.7, 10, 0.668, 3, 35),
        ("half of the plan found", steady, 0.5, 10, 0.995, 3, 25),
        ("sound, but a lag of 13", steady, 1.0, 13, 0.101, 3, None),
    ):
        logs = _in_chunks(runs, partial(_ripened, dice, begun, true * _RIPENING, lag))
        yield _share(f"lag of 10 days, 5 a day, 60 days: {what}", logs, share, digits=digits)
        if day is not None:
            yield _median(f"lag of 10 days: {what}, median day", logs, day)


def _ripened(
    dice: Generator, begun: NDArray[np.int64], true: float, lag: int, runs: int
) -> Figures:
    """The evidence on each day, where it is known which item converted when."""
    days = len(begun)
    converted, opened = np.zeros((2, runs, days, days))
    for start, items in enumerate(begun):
        ages = days - start
        came = _conversions(dice, int(items), true, ripening(lag, ages), runs)
        day, age = np.arange(start, days), np.arange(ages)
        converted[:, day, age] += came
        opened[:, day, age] += items - (came.cumsum(axis=1) - came)
    return log_e_hazard(
        converted.cumsum(axis=1), opened.cumsum(axis=1), _RIPENING, ripening(_LAG, days)
    )


def _lagging_tallies(dice: Generator, runs: int) -> Iterator[Row]:
    """The same of daily tallies after a past of six lags: at most 5 %, whatever the lag's law."""
    exactly = tuple(float(age == _LAG) for age in range(6 * _LAG))
    for what, law in (
        ("10 days on average", ripening(_LAG, 6 * _LAG)),
        ("13 days on average", ripening(13, 6 * _LAG)),
        ("10 days each", exactly),
    ):
        logs = _in_chunks(runs, partial(_tallied, dice, law))
        yield _between(f"tallies, lag of 10 days planned, {what}: sound", _alarmed(logs), 0, 0.05)


def _tallied(dice: Generator, law: tuple[float, ...], runs: int) -> Figures:
    past, ages = 6 * _LAG, len(law)
    days = past + _OPEN_DAYS
    begun, became = np.full((runs, days), 5.0), np.zeros((runs, days + ages))
    for start in range(days):
        became[:, start : start + ages] += _conversions(dice, 5, _RIPENING, law, runs)
    parts = allotted(begun, became[:, :days], _RIPENING, ripening(_LAG, 6 * _LAG))
    converted, opened = (part[:, past:].cumsum(axis=1) for part in parts)
    return log_e_hazard(converted, opened, _RIPENING, ripening(_LAG, 6 * _LAG))


def _conversions(
    dice: Generator, items: int, rate: float, law: tuple[float, ...], runs: int
) -> Figures:
    """How many of some items convert at each age; the rest later or never."""
    chances = rate * np.array(law)
    whole = np.append(chances, max(1 - chances.sum(), 0))
    return dice.multinomial(items, whole, size=runs)[:, :-1].astype(float64)


def _rate_logs(came: NDArray[np.int64] | Figures, daily: int, rate: float) -> Figures:
    successes = came.cumsum(axis=1).astype(float64)
    trials = np.broadcast_to(daily * np.arange(1.0, came.shape[1] + 1), successes.shape)
    return log_e_rate(successes, trials, rate)


def _volume_logs(came: NDArray[np.int64], daily: int) -> Figures:
    counts = came.cumsum(axis=1).astype(float64)
    expected = np.broadcast_to(daily * np.arange(1.0, came.shape[1] + 1), counts.shape)
    return log_e_volume(counts, expected)


def _in_chunks(runs: int, play: Callable[[int], Figures]) -> Figures:
    """Many runs, of which each holds items by day and age, a few at a time."""
    parts = [min(_CHUNK, runs - done) for done in range(0, runs, _CHUNK)]
    return np.concatenate([play(part) for part in parts])


def _alarmed(logs: Figures, threshold: float = LOOK) -> NDArray[np.bool_]:
    found: NDArray[np.bool_] = np.any(logs >= log(threshold), axis=1)
    return found


def _share(what: str, logs: Figures, share: float, threshold: float = LOOK, digits: int = 3) -> Row:
    return _between(what, _alarmed(logs, threshold), share, share, digits)


def _between(what: str, hit: NDArray[np.bool_], low: float, high: float, digits: int = 6) -> Row:
    measured, half = float(hit.mean()), 0.5 / 10**digits
    nearest = min(max(measured, low - half), high + half, 1.0)
    return Row(what, measured, low, high, _errors(measured, nearest, len(hit)))


def _median(what: str, logs: Figures, day: int, threshold: float = LOOK) -> Row:
    """The day by which half of those that are found at all are found; the reference is whole."""
    first = (logs >= log(threshold)).argmax(axis=1)[_alarmed(logs, threshold)] + 1
    if not len(first):
        return Row(what, 0, day, day, float("inf"), days=True)
    before, until = float((first < day).mean()), float((first <= day).mean())
    errors = _errors(min(max(0.5, before), until), 0.5, len(first))
    return Row(what, float(np.median(first)), day, day, errors, days=True)


def _errors(measured: float, nearest: float, runs: int) -> float:
    """How many standard errors two shares differ by, where both were measured."""
    if measured == nearest:
        return 0.0
    pooled = (measured * runs + nearest * _REFERENCE_RUNS) / (runs + _REFERENCE_RUNS)
    return abs(measured - nearest) / sqrt(pooled * (1 - pooled) * (1 / runs + 1 / _REFERENCE_RUNS))
