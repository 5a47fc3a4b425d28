"""The same of conversions that take their time: of tallies, and of items that are followed."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial

import numpy as np
from numpy import float64
from numpy.random import Generator
from numpy.typing import NDArray

from app.domain.drift import ACT, LOOK
from app.domain.ripening import allotted, log_e_hazard, ripening
from app.domain.running import running_items, uneven
from app.domain.survival import Cohort, Learned, learned, trusted
from app.usecases.simulated_figures import Figures, Row, alarmed, median_day, reaching, within

_CHUNK = 250
_LAG, _RIPENING, _OPEN_DAYS = 10, 0.25, 60
# Half a year of single items is learned from; of so many runs one is played.
_LEARNED_DAYS, _FEWER = 183, 10
_TRUE = (1.0, 0.9, 0.7, 0.5)
# By lag and items a day: which part is suspected and which proven of 70 % of the plan's rate, and
# of half of it, in 4,000 plans each by another implementation of the same rules.
_FOUND = {
    (10, 2): ((0.049, 0.007), (0.249, 0.076)),
    (10, 5): ((0.175, 0.058), (0.756, 0.522)),
    (30, 2): ((0.009, 0.001), (0.028, 0.005)),
    (30, 5): ((0.023, 0.006), (0.106, 0.036)),
    (30, 20): ((0.083, 0.027), (0.712, 0.501)),
}


def lagging(dice: Generator, runs: int) -> Iterator[Row]:
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
        yield reaching(f"lag of 10 days, 5 a day, 60 days: {what}", logs, share, digits=digits)
        if day is not None:
            yield median_day(f"lag of 10 days: {what}, median day", logs, day)


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


def lagging_tallies(dice: Generator, runs: int) -> Iterator[Row]:
    """The same of daily tallies after a past of six lags: at most 5 %, whatever the lag's law."""
    exactly = tuple(float(age == _LAG) for age in range(6 * _LAG))
    for what, law in (
        ("10 days on average", ripening(_LAG, 6 * _LAG)),
        ("13 days on average", ripening(13, 6 * _LAG)),
        ("10 days each", exactly),
    ):
        logs = _in_chunks(runs, partial(_tallied, dice, law))
        yield within(f"tallies, lag of 10 days planned, {what}: sound", alarmed(logs), 0, 0.05)


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


def followed(dice: Generator, runs: int) -> Iterator[Row]:
    """Items of which it is known when they turned out, by a lag that is learned of them.

    Half a year as planned, then 60 days at one rate; what counts is what is said on the last one.
    Sound plans, and those that just are, may be doubted no more often than is promised.
    """
    plans = max(runs // _FEWER, 1)
    for (lag, daily), found in _FOUND.items():
        law = ripening(lag, _LEARNED_DAYS + _OPEN_DAYS)
        plays = np.array([_played(dice, law, daily) for _ in range(plans)])
        promised = tuple((0.0, most) for most in (0.05, 0.01))
        measured = (tuple((share, share) for share in shares) for shares in found)
        for place, bounds in enumerate((promised, promised, *measured)):
            what = f"items, lag of {lag} days, {daily} a day, {_TRUE[place]:.0%} of the plan"
            for (low, high), word, threshold in zip(
                bounds, ("suspected", "proven"), (LOOK, ACT), strict=True
            ):
                hit = alarmed(plays[:, place], threshold)
                yield within(f"{what}: {word}", hit, low, high, 3)


def _played(dice: Generator, law: tuple[float, ...], daily: int) -> list[Figures]:
    """One past, and for each true rate behind it the evidence at the end of each day."""
    past = _conversions(dice, daily, _RIPENING, law, _LEARNED_DAYS)
    before = _learned(past, daily)
    then = (_conversions(dice, daily, true * _RIPENING, law, _OPEN_DAYS) for true in _TRUE)
    return [_told(np.concatenate((past, came)), daily, before) for came in then]


def _learned(came: Figures, daily: int) -> Learned | None:
    """The lag that the items of some days show at the end of the last one, as it is served."""
    ends = _ends(came)
    first = min((day + age for day, age, _ in ends), default=0)
    by_day: list[dict[int, int]] = [{} for _ in came]
    for day, age, number in ends:
        by_day[day][age] = int(number)
    return learned(Cohort(daily, by_day[day], len(came) - day) for day in range(first, len(came)))


def _told(came: Figures, daily: int, before: Learned | None) -> Figures:
    now = _learned(came[-_LEARNED_DAYS:], daily)
    if now is None:
        return np.zeros(_OPEN_DAYS)
    lag = trusted(before, now)
    became = [0.0] * len(came)
    for day, age, number in _ends(came):
        became[day + age] += number
    over = slice(_LEARNED_DAYS)
    begun, ripe = [float(daily)] * len(came), lag.steps
    spread = uneven(begun[over], became[over], ripe, lag.settled)
    first = _LEARNED_DAYS - lag.longest
    ends = _ends(came[first:])
    course = running_items(begun[first:], ends, _RIPENING, (ripe, lag.longest), spread)
    return np.log(course.apart)


def _ends(came: Figures) -> list[tuple[int, int, float]]:
    """On which day what began, at what age and how many turned out, of what is seen by the last."""
    places = zip(*(place.tolist() for place in np.nonzero(came)), strict=True)
    return [(day, age, float(came[day, age])) for day, age in places if day + age < len(came)]


def _in_chunks(runs: int, play: Callable[[int], Figures]) -> Figures:
    """Many runs, of which each holds items by day and age, a few at a time."""
    parts = [min(_CHUNK, runs - done) for done in range(0, runs, _CHUNK)]
    return np.concatenate([play(part) for part in parts])
