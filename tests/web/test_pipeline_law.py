"""The pipeline law over HTTP: said beside the usual one, judged, and used once it was better."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta
from fractions import Fraction
from typing import Any

import pytest

from app.domain.instants import day_number
from app.store import forecasts
from app.usecases import foreseeing
from tests.engines import on_both
from tests.web.example import EVENTS, SETTINGS
from tests.web.service import Service, started
from tests.web.test_origins import deal, meeting

pytestmark = on_both

ONE_DAY = timedelta(days=1)
HISTORY, MONTHS = date(2026, 6, 15), [date(2026, month, 1) for month in (9, 10, 11, 12)]
# Appointments on each of the first five days of a month; two on every other day.
CAMPAIGNS = {9: 12, 10: 2, 11: 16, 12: 12}
TAKES = timedelta(days=10)  # every second one is a deal that many days later
SAID_ON = (8, 18)  # days of the month behind which it is forecast


def begun_on(day: date) -> int:
    return CAMPAIGNS.get(day.month, 2) if day.day <= 5 else 2


def won_on(day: date) -> int:
    return begun_on(day - TAKES) // 2 if day - TAKES >= HISTORY else 0


def days(first: date, until: date) -> Iterator[date]:
    return (first + timedelta(n) for n in range((until - first).days))


def lived(first: date, until: date) -> list[dict[str, Any]]:
    events = []
    for day in days(first, until):
        events += [meeting(day, n) for n in range(begun_on(day))]
        of = day - TAKES
        events += [deal(f"d-{of}-{n}", of, 2 * n, day) for n in range(won_on(day))]
    return events


def key(first: date) -> str:
    return f"{first:%Y-%m}-deals"


def planned(service: Service, first: date) -> None:
    stages = [
        {"metric": "deals_won", "target": "40"},
        {"metric": "appointments", "rate": "0.5", "lag_days": 10},
    ]
    body = {"name": "Deals", "period": {"month": f"{first:%Y-%m}"}, "funnel": stages}
    assert service.put(f"/v1/plans/{key(first)}", body | {"alias": "deals"}).status_code == 201


def foresee(service: Service) -> tuple[int, int]:
    app: Any = service.client.app
    context = app.state.context
    return foreseeing.issue(context), foreseeing.judge(context)


def said(service: Service, first: date, **query: str) -> list[dict[str, Any]]:
    answer = service.client.get(f"/v1/plans/{key(first)}/forecasts", params=query)
    found: list[dict[str, Any]] = answer.json()["items"]
    return found


def law(service: Service, plan: str, **query: str) -> str:
    found: str = service.progress(plan, **query).goal("deals_won")["forecast"]["law"]
    return found


def kept_before_there_were_two_laws(service: Service) -> None:
    """A day and a period as an earlier version wrote them."""
    app: Any = service.client.app
    day = ["deals_won", "", "", True, 2.0, 0.1, 40.0, 28.0, 30.0, 33.0, 30.5, 2.0, 0.05]
    ours, theirs = [3, 93.0, 9.0, 6.0, 3, 0.01], [3, 93.0, 30.0, 20.0, 1, 0.1]
    body = {
        "scores": [["deals_won", "plan", "early", ours, theirs]],
        "surprises": [["deals_won", True, "early", 0.5, 1]],
    }
    with app.state.context.write("default") as writing:
        forecasts.issue(writing, key(MONTHS[0]), "deals", day_number(date(2026, 9, 2)), [day])
        until = day_number(date(2026, 9, 1))
        forecasts.judge(writing, "2026-08-deals", "deals", until, body)


def play(service: Service, first: date, next_first: date) -> None:
    """A month, forecast on some days of it, and judged when it is over."""
    planned(service, first)
    sent = first
    for number in SAID_ON:
        night = first + timedelta(number)
        service.clock.set(f"{night - ONE_DAY}T20:00:00+09:00")
        service.counts(lived(sent, night))
        sent = night
        service.clock.set(f"{night}T00:07:00+09:00")
        assert foresee(service) == (1, 0)
    service.clock.set(f"{next_first - ONE_DAY}T20:00:00+09:00")
    service.counts(lived(sent, next_first))
    service.clock.set(f"{next_first + 3 * ONE_DAY}T00:07:00+09:00")
    foresee(service)


@pytest.fixture
def service() -> Iterator[Service]:
    with started("2026-08-31T20:00:00+09:00") as running:
        running.replace("/v1/workspace", SETTINGS)
        running.put("/v1/sources/crm", EVENTS)
        events = lived(HISTORY, MONTHS[0])
        assert running.counts(events)["accepted"] == len(events)
        yield running


def test_three_periods_in_which_it_was_better_bring_it_into_force(service: Service) -> None:
    september, october, november, december = MONTHS
    kept_before_there_were_two_laws(service)
    play(service, september, october)
    old, *new = said(service, september)
    assert (old["date"], old["law"], old["other"]) == ("2026-09-02", "gamma_poisson", None)
    came = sum(map(won_on, days(september, october)))
    for one in new:
        assert (one["law"], one["other"]["law"]) == ("gamma_poisson", "pipeline")
        usual, by_items = (abs(Fraction(law["mean"]) - came) for law in (one, one["other"]))
        assert by_items < usual
    # Nearly all that still comes is under way, and known.
    assert by_items < 2
    assert {one["law"] for one in said(service, september, goal="appointments")} == {
        "gamma_poisson"
    }

    play(service, october, november)
    planned(service, december)
    play(service, november, december)
    # Two periods are not enough.
    assert [one["law"] for one in said(service, november)] == ["gamma_poisson"] * 2
    told = service.get("/v1/plans/deals/forecasts/scores").json()
    assert told["periods"] == [*map(key, (november, *MONTHS[1::-1])), "2026-08-deals"]
    laws = {one["stage"]: one["laws"] for one in told["items"] if one["goal"] == "deals_won"}
    assert sum(one["number"] for one in laws.values()) == 6
    for one in laws.values():
        assert Fraction(one["pipeline"]["crps"]) < Fraction(one["gamma_poisson"]["crps"])
    assert all(one["laws"] is None for one in told["items"] if one["goal"] == "appointments")

    before = "2026-12-04T00:00:00+09:00"
    assert law(service, key(december), known_at=before) == "gamma_poisson"
    now = service.progress(key(december)).goal("deals_won")["forecast"]
    assert now["law"] == "pipeline"
    line = service.get(f"/v1/plans/{key(december)}/goals/deals_won/line").json()
    assert [line[-1][name] for name in ("median", "low", "high")] == [
        now[name] for name in ("median", "low", "high")
    ]
    assert law(service, key(november)) == "gamma_poisson"  # nothing is ahead of it

    # From now on the other way round, and both are judged as before.
    service.clock.set("2026-12-09T00:07:00+09:00")
    assert foresee(service)[0] == 1
    assert [(one["law"], one["other"]["law"]) for one in said(service, december)] == [
        ("gamma_poisson", "pipeline"),
        ("pipeline", "gamma_poisson"),
    ]
    service.clock.set("2027-01-04T00:07:00+09:00")
    assert foresee(service)[1] == 1
    told = service.get(f"/v1/plans/{key(december)}/forecasts/scores").json()
    both = [one["laws"] for one in told["items"] if one["goal"] == "deals_won"]
    assert sum(one["number"] for one in both) == 8
