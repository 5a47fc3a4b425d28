"""Forecasts by items under way: the whole's law, money above it, people's shares, the line."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import date, timedelta
from fractions import Fraction
from typing import Any

import pytest

from app.domain.attribution import Place, Standing
from app.domain.book import Now
from app.domain.experience import Experience, experience
from app.domain.foreseen import Forecast, ForecastLaw
from app.domain.ground import Ground
from app.domain.history import NO_HISTORY
from app.domain.items import Cohorts, Turned, Yardstick
from app.domain.progress import Progress
from app.domain.scopes import Breakdown
from tests.domain.courses import Did, at, goals
from tests.domain.pipeline_gain import bursts, flood, in_force, played
from tests.domain.test_book import Item, hazard, lag, rolled
from tests.domain.test_pipeline import EVENING, lagging
from tests.domain.worlds import december

FIRST = date(2026, 12, 1)
LAG = lag([0, 0, 1, 0, 2, 3, 2, 1, 0, 1], Fraction(1, 10))
SATO = Place(Standing.IN_PLAN, "sato", ("east",))
# When appointments took place, as days of the month, and after how many days some were deals.
BEGUN = {-6: 4, -3: 5, 0: 12, 2: 9, 5: 8, 8: 6, 13: 3}
BECAME = {-6: 5, -3: 7, 0: 4, 2: 6}
TODAY = 13


def day(place: int) -> date:
    return FIRST + timedelta(days=place)


ITEMS = [
    Item(begun, BECAME.get(begun) if n == 0 else None)
    for begun, number in BEGUN.items()
    for n in range(number)
]
WON = [begun + age for begun, age in BECAME.items()]
DONE = [
    *(Did("appointments", day(place), number, 1) for place, number in BEGUN.items()),
    *(Did("deals_won", day(place), 1, 1) for place in WON if place >= 0),
    *(Did("revenue", day(place), 1, 1, 300_000) for place in WON if place >= 0),
]
COHORTS = Cohorts(
    {"deals_won": LAG},
    {"deals_won": [Turned(day(begun), SATO, 1, day(begun + age)) for begun, age in BECAME.items()]},
    {"deals_won": Yardstick(LAG, Fraction(1))},
)


def base(**changes: Any) -> Ground:
    return december(funnel=lagging(), **changes)


def known(ground: Ground, *, earned: bool) -> Experience:
    return replace(
        experience(ground, NO_HISTORY), earned=frozenset({"deals_won"}) if earned else frozenset()
    )


def seen(ground: Ground, *, earned: bool = True, when: str = EVENING, **question: Any) -> Progress:
    return at(ground, when, DONE, known(ground, earned=earned), COHORTS, **question)


def forecast(progress: Progress, key: str) -> Forecast:
    found = goals(progress)[key].forecast
    assert found is not None
    return found


def gamma(done: float, level: float, start: float, due: float, elapsed: float) -> float:
    """(start + N / phi) / (due + elapsed / phi), with the luck of weeks of 4, 5 and 1 days."""
    phi = 1 + 0.01 * (8 + done) / (8 / level + 10) * (16 + 25 + 1) / 10
    return (start + done / phi) / (due + elapsed / phi)


def test_the_mean_is_what_the_items_should_bring_corrected_by_what_came() -> None:
    """Without a history: 100 appointments in 13 working days and 5 deals in 20, by the plan."""
    found = forecast(seen(base(assignments=[])), "deals_won")
    begun = sum(number for place, number in BEGUN.items() if place >= 0)
    pace = gamma(begun, 100 / 13, 8, 8 * 13 / 100, 10)
    elapsed = sum(
        hazard(LAG, place - item.begun)
        for item in ITEMS
        for place in range(max(item.begun, 0), TODAY + 1)
        if item.age is None or place - item.begun <= item.age
    )
    over = rolled_from(TODAY + 1)
    open_yet = sum(over(item.begun) for item in ITEMS if item.age is None)
    workdays = [14, 15, 16, 17, 20, 21, 22, 23, 24, 27]
    new = pace * sum(over(place) for place in workdays)
    done = sum(place >= 0 for place in WON)
    corrected = gamma(done, 5 / 20, 20, 20, elapsed) * (open_yet + new)
    assert float(found.mean) == pytest.approx(done + corrected)
    assert found.law is ForecastLaw.PIPELINE


def rolled_from(place: int) -> Callable[[int], float]:
    """What an item that began on a day and is open then should bring by the end of the month."""
    return lambda begun: rolled(LAG, begun, Now(place, 0.0), 31)


def test_it_is_used_where_it_has_earned_its_place_and_told_beside_where_not() -> None:
    usual, ours = seen(base(), earned=False), seen(base())
    assert {goal.forecast and goal.forecast.law for goal in usual.whole.root.walk()} == {
        ForecastLaw.GAMMA_POISSON
    }
    for earned, inside, beside in ((True, ours, usual), (False, usual, ours)):
        other = seen(base(), earned=earned, beside=True)
        for key in ("revenue", "deals_won"):
            assert forecast(other, key) == forecast(beside, key)
            assert forecast(other, key).law is forecast(inside, key).law.other
        for key in ("appointments", "calls"):
            assert forecast(other, key) == forecast(inside, key)


def test_money_above_is_as_many_amounts_as_that_law_says() -> None:
    progress = seen(base())
    deals, revenue = forecast(progress, "deals_won"), forecast(progress, "revenue")
    done = sum(place >= 0 for place in WON)
    # Nothing tells of single amounts before the period but the plan: 400,000 each.
    assert float(revenue.mean) == pytest.approx(done * 300_000 + float(deals.mean - done) * 400_000)
    assert revenue.law is ForecastLaw.PIPELINE


def test_people_and_teams_come_to_the_wholes_mean() -> None:
    whole = seen(base())
    people = seen(base(), breakdown=Breakdown.MEMBER).breakdown
    for key in ("deals_won", "revenue"):
        parts = [goals(replace(whole, whole=part))[key].forecast for part in people]
        assert all(part and part.law is ForecastLaw.PIPELINE for part in parts)
        means = sum(part.mean for part in parts if part)
        assert float(means) == pytest.approx(float(forecast(whole, key).mean))
    (team,) = seen(base(), breakdown=Breakdown.TEAM).breakdown
    assert goals(replace(whole, whole=team)) == goals(whole)


def test_what_is_to_come_is_divided_among_people_as_by_the_usual_law() -> None:
    shares = []
    for earned in (True, False):
        people = seen(base(), earned=earned, breakdown=Breakdown.MEMBER).breakdown
        own = [next(g for g in part.root.walk() if g.key == "deals_won") for part in people]
        rest = [float(goal.forecast.mean - goal.actual) for goal in own if goal.forecast]
        shares.append([one / sum(rest) for one in rest])
    assert shares[0] == pytest.approx(shares[1])
    assert shares[0][0] > 1.1 * shares[0][1]  # who won all of them


@pytest.mark.parametrize("when", ["2026-11-30T09:00:00+09:00", "2027-01-01T00:00:00+09:00"])
def test_before_the_period_nothing_is_by_items_and_after_it_nothing_comes(when: str) -> None:
    found = forecast(seen(base(), when=when), "deals_won")
    if when < "2026-12":
        assert found.law is ForecastLaw.GAMMA_POISSON
    else:
        assert found.mean == found.low == found.high == sum(place >= 0 for place in WON)


def test_what_was_too_sure_by_one_law_widens_that_law_alone() -> None:
    ground = base()
    wide = {("deals_won", True): 9.0}
    for law, changes in (
        (ForecastLaw.PIPELINE, {"spreads_by_items": {"deals_won": 4.0}}),
        (ForecastLaw.GAMMA_POISSON, {"spreads": wide}),
    ):
        for earned in (True, False):
            lesson = replace(known(ground, earned=earned), **changes)
            found = forecast(at(ground, EVENING, DONE, lesson, COHORTS), "deals_won")
            plain = forecast(seen(ground, earned=earned), "deals_won")
            times = (2 if law is ForecastLaw.PIPELINE else 3) if found.law is law else 1
            assert found.deviation == pytest.approx(times * plain.deviation)


def test_a_burst_that_takes_long_is_seen_coming_and_a_flood_that_closes_nothing_earns_nothing() -> (
    None
):
    seen_coming = played(bursts, 0)
    items, usual = (sum(of) for of in zip(*seen_coming, strict=True))
    assert items < 0.9 * usual
    assert any(in_force(seen_coming))
    drowned = played(flood, 0)
    items, usual = (sum(of) for of in zip(*drowned, strict=True))
    assert items > usual
    assert not any(in_force(drowned))
