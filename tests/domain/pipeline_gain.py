"""What the pipeline law gains and loses: months that are played, forecast by both laws and scored.

`python -m tests.domain.pipeline_gain` prints, for each way in which items come, the CRPS of either
law and of the one in force over the months, in how many of them the pipeline law's was lower, and
in how many it would have been in force. The functions are those that serve.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from datetime import date, timedelta
from fractions import Fraction
from itertools import pairwise
from typing import NamedTuple

import numpy as np

from app.domain.attribution import ANYBODY, Amount
from app.domain.experience import experience
from app.domain.ground import Ground
from app.domain.history import History, months_before
from app.domain.items import Cohorts, Turned, Yardstick
from app.domain.scores import earns, made_of, score
from app.domain.survival import Cohort, learned
from app.usecases.cohorts import LOOKED_BACK
from app.usecases.spreads import PERIODS
from tests.domain.courses import Did, at, goals
from tests.domain.worlds import december

FIRST, ONE_DAY = date(2024, 6, 1), timedelta(days=1)
MONTHS, LEARNED = 18, 8  # and how many of them are only learned from
RATE = 0.25
CHECKPOINTS = (5, 10, 15)
MEAN_LAG = 18
FUNNEL = [
    {"metric": "deals_won", "target": "60"},
    {"metric": "appointments", "rate": "0.25", "lag_days": 10},
]


class Month(NamedTuple):
    """A month's scores, added up over the days on which it was forecast."""

    items: float
    usual: float


class Life(NamedTuple):
    """Items by day, and of each day the ages at which some turned out."""

    begun: dict[date, int]
    came: dict[date, Counter[int]]


Intake = Callable[[int, int, np.random.Generator], tuple[float, float]]


def steady(_month: int, _place: int, _dice: np.random.Generator) -> tuple[float, float]:
    """Ten a working day."""
    return 10.0, RATE


def bursts(month: int, place: int, _dice: np.random.Generator) -> tuple[float, float]:
    """A campaign in the first week of a month, of another size each time; three a day else."""
    size = (12, 45, 20, 8, 35, 60)[month * 7 % 6]
    return (float(size) if place < 5 else 3.0), RATE


def flood(month: int, _place: int, _dice: np.random.Generator) -> tuple[float, float]:
    """Intake doubles every second month from the ninth on, and no more is closed than before."""
    times = 2.0 ** max((month - 7 + 1) // 2, 0)
    return 10.0 * times, RATE / times


def played(intake: Intake, seed: int) -> list[Month]:
    """The scores of the months behind those that are learned from."""
    dice = np.random.default_rng(seed)
    firsts = _firsts(MONTHS + 1)
    life = _lived(intake, firsts, dice)
    return [_month(life, *span) for span in pairwise(firsts[LEARNED:])]


def in_force(months: list[Month]) -> list[bool]:
    """In which months the pipeline law would have been in force, by those before."""
    return [earns(months[max(n - PERIODS, 0) : n]) for n in range(len(months))]


def _firsts(number: int) -> list[date]:
    months = (FIRST.year * 12 + FIRST.month - 1 + n for n in range(number))
    return [date(month // 12, month % 12 + 1, 1) for month in months]


def _lived(intake: Intake, firsts: list[date], dice: np.random.Generator) -> Life:
    begun, came = {}, {}
    for month, (first, until) in enumerate(pairwise(firsts)):
        days = [first + timedelta(n) for n in range((until - first).days)]
        for place, day in enumerate(day for day in days if day.weekday() < 5):
            mean, rate = intake(month, place, dice)
            begun[day] = int(dice.poisson(mean))
            ages = dice.negative_binomial(3, 3 / (3 + MEAN_LAG), dice.binomial(begun[day], rate))
            came[day] = Counter(ages.tolist())
    return Life(begun, came)


def _month(life: Life, first: date, until: date) -> Month:
    base = _base(first)
    days = base.workspace.calendar.days(base.plan.span)
    working = [day.date for day in days if day.working]
    told = [_scored(base, life, working[n - 1] + ONE_DAY, until) for n in CHECKPOINTS]
    return Month(sum(one.items for one in told), sum(one.usual for one in told))


def _base(first: date) -> Ground:
    return december(period={"month": f"{first:%Y-%m}"}, funnel=FUNNEL, assignments=None)


def _scored(base: Ground, life: Life, today: date, until: date) -> Month:
    """Both laws at the beginning of a day, with nothing but what came before it."""
    first = base.plan.span.first
    won: Counter[date] = Counter()
    for day, ages in life.came.items():
        won.update({day + timedelta(age): n for age, n in ages.items()})
    came = sum(n for day, n in won.items() if first <= day < until)
    daily = {
        "appointments": {day: Amount(n, 0) for day, n in life.begun.items() if day < first},
        "deals_won": {day: Amount(n, 0) for day, n in won.items() if day < first},
    }
    known = experience(base, History(months_before(first), daily))
    did = [
        *(Did("appointments", day, n, 1) for day, n in life.begun.items() if _near(day, today)),
        *(Did("deals_won", day, n, 1) for day, n in won.items() if first <= day < today),
    ]
    as_of, cohorts = f"{today}T00:00:00+09:00", _cohorts(life, today)
    found = {}
    for beside in (False, True):
        progress = at(base, as_of, did, known, cohorts, beside=beside, today=False)
        made = made_of(goals(progress)["deals_won"], counts=True)
        assert made is not None
        found[beside] = score(made, float(came)).crps
    return Month(found[True], found[False])


def _near(day: date, today: date) -> bool:
    return today - timedelta(LOOKED_BACK) <= day < today


def _cohorts(life: Life, today: date) -> Cohorts:
    seen = [day for day in life.begun if _near(day, today)]
    lag = learned(
        Cohort(
            life.begun[day],
            {age: n for age, n in life.came[day].items() if day + timedelta(age) < today},
            (today - day).days,
        )
        for day in seen
    )
    assert lag is not None
    turned = [
        Turned(day, ANYBODY, n, day + timedelta(age))
        for day in seen
        for age, n in life.came[day].items()
        if day + timedelta(age) < today
    ]
    return Cohorts(
        {"deals_won": lag}, {"deals_won": turned}, {"deals_won": Yardstick(lag, Fraction(1))}
    )


class Row(NamedTuple):
    """CRPS by either law and by the one in force; months in which the pipeline law was better."""

    name: str
    usual: float
    items: float
    told: float
    better: int
    in_force: int
    months: int


def rows(seeds: int) -> Iterator[Row]:
    """What the table tells."""
    for intake in (steady, bursts, flood):
        runs = [played(intake, seed) for seed in range(seeds)]
        months = [month for run in runs for month in run]
        used = [by_items for run in runs for by_items in in_force(run)]
        yield Row(
            intake.__name__,
            sum(one.usual for one in months),
            sum(one.items for one in months),
            sum(one[0] if by_items else one[1] for one, by_items in zip(months, used, strict=True)),
            sum(one.items < one.usual for one in months),
            sum(used),
            len(months),
        )


if __name__ == "__main__":
    for row in rows(3):
        print(  # noqa: T201 - what the command is for
            f"{row.name:6} usual {row.usual:6.1f}, by items {row.items:6.1f}, in force "
            f"{row.told:6.1f}; better in {row.better} of {row.months}, in force in {row.in_force}"
        )
