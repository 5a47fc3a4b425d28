"""Replaying history: the run-rate beside it is recounted from the events; nothing looks ahead."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta
from typing import Any

import numpy as np
import pytest

from app.backtesting import table
from app.domain.scores import scored
from app.usecases.backtest import CHECKPOINTS, Compared, backtest
from tests.engines import on_both
from tests.web.service import Service, started

pytestmark = on_both

FIRST, END = date(2026, 5, 1), date(2026, 11, 1)
TESTED = date(2026, 8, 1)
PEOPLE = {"sato": 4.0, "suzuki": 2.0}
Calls = dict[tuple[str, date], int]


def lived() -> Calls:
    """Two people who call so often on every weekday, by chance."""
    chance = np.random.default_rng(20261101)
    days = [FIRST + timedelta(n) for n in range((END - FIRST).days)]
    return {
        (member, day): int(chance.poisson(mean))
        for day in days
        if day.weekday() < 5
        for member, mean in PEOPLE.items()
    }


@pytest.fixture(scope="module")
def calls() -> Calls:
    return lived()


@pytest.fixture(scope="module")
def service(calls: Calls) -> Iterator[Service]:
    with started("2026-11-02T09:00:00+00:00") as service:
        assert service.put("/v1/teams/east", {"name": "East"}).status_code == 201
        for key in PEOPLE:
            assert service.put(f"/v1/members/{key}", member(key)).status_code == 201
        source = {"provider": "events", "name": "Phone", "counts": ["call"]}
        assert service.put("/v1/sources/phone", source).status_code == 201
        events = [
            call(member, day, number)
            for (member, day), many in calls.items()
            for number in range(many)
        ]
        for start in range(0, len(events), 400):
            service.counts(events[start : start + 400])
        yield service


def member(key: str) -> dict[str, Any]:
    return {
        "name": key,
        "memberships": [{"team": "east", "from": "2026-01-01"}],
        "identities": [{"source": "phone", "kind": "id", "value": key}],
    }


def call(member: str, day: date, number: int) -> dict[str, Any]:
    data = {"direction": "outbound", "started_at": f"{day}T10:{number:02d}:00Z"}
    return {
        "specversion": "1.0",
        "id": f"{member}-{day}-{number}",
        "source": "phone",
        "type": "call",
        "actor": member,
        "data": data,
    }


def compared(service: Service, until: date = END) -> list[Compared]:
    app: Any = service.client.app
    return list(backtest(app.state.context, "default", ["calls"], FIRST, until))


def weekdays(month: date) -> list[date]:
    following = (month + timedelta(31)).replace(day=1)
    days = [month + timedelta(n) for n in range((following - month).days)]
    return [day for day in days if day.weekday() < 5]


def test_the_run_rate_is_that_of_the_events(service: Service, calls: Calls) -> None:
    """Of the whole: what came by then, over the working days, times the month's."""
    errors: dict[int, float] = dict.fromkeys(CHECKPOINTS, 0.0)
    came = 0
    for month in (date(2026, 8, 1), date(2026, 9, 1), date(2026, 10, 1)):
        days = weekdays(month)
        by_day = [sum(calls[member, day] for member in PEOPLE) for day in days]
        came += sum(by_day)
        for checkpoint in CHECKPOINTS:
            rate = sum(by_day[:checkpoint]) / checkpoint
            rest = rate * (len(days) - checkpoint)
            # The median of a Poisson is within one of its mean.
            errors[checkpoint] += abs(sum(by_day) - sum(by_day[:checkpoint]) - rest)
    found = compared(service)
    for checkpoint, error in errors.items():
        group = [one for one in found if one.group.level == "plan" and one.group.day == checkpoint]
        assert len(group) == 3 * 3  # months and targets
        wape = scored(one.run_rate for one in group).wape
        assert wape == pytest.approx(error / came, abs=3 / came)


def test_forecasts_are_scored_against_what_came(service: Service, calls: Calls) -> None:
    found = compared(service)
    months = {one.month for one in found}
    assert months == {TESTED, date(2026, 9, 1), date(2026, 10, 1)}
    for one in found:
        total = sum(calls[member, day] for member in PEOPLE for day in weekdays(one.month))
        if one.group.level == "plan":
            assert one.forecast.actual == one.run_rate.actual == total
    plan = [one for one in found if one.group.level == "plan" and one.group.day == 5]
    ours, theirs = (
        scored(getattr(one, which) for one in plan) for which in ("forecast", "run_rate")
    )
    assert ours.crps is not None
    assert theirs.crps is not None
    assert ours.crps < theirs.crps  # a steady team: what it always does tells more than five days


def test_later_months_change_no_earlier_forecast(service: Service) -> None:
    """Nothing looks ahead: the replay that ends earlier says the same of what it has."""
    early = compared(service, date(2026, 9, 1))
    assert early
    assert early == [one for one in compared(service) if one.month < date(2026, 9, 1)]


def test_the_table_has_a_line_for_each_level_and_day(service: Service) -> None:
    shown = table(compared(service))
    assert shown.row_count == 2 * len(CHECKPOINTS)
    assert [str(cell) for cell in shown.columns[3].cells] == ["18"] * 3 + ["9"] * 3


def test_without_history_there_is_nothing_to_score(service: Service) -> None:
    app: Any = service.client.app
    assert list(backtest(app.state.context, "default", ["deals_won"], FIRST, END)) == []
