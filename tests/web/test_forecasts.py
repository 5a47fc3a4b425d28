"""Forecasts over HTTP: a projection of progress, kept day by day, judged when the month is over."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta
from fractions import Fraction
from typing import Any

import numpy as np
import pytest

from app.usecases import foreseeing
from tests.engines import on_both
from tests.web.service import Service, started

pytestmark = on_both

PLAN = "2026-10-calls"
PEOPLE = {"sato": 5.0, "suzuki": 3.0}
HISTORY, MONTH = date(2026, 6, 1), date(2026, 10, 1)
Calls = dict[tuple[str, date], int]


def lived(first: date, until: date) -> Calls:
    chance = np.random.default_rng(first.toordinal())
    days = [first + timedelta(n) for n in range((until - first).days)]
    return {
        (member, day): int(chance.poisson(mean))
        for day in days
        if day.weekday() < 5
        for member, mean in PEOPLE.items()
    }


def send(service: Service, calls: Calls) -> None:
    events = [
        call(member, day, number) for (member, day), many in calls.items() for number in range(many)
    ]
    for start in range(0, len(events), 400):
        service.counts(events[start : start + 400])


def call(member: str, day: date, number: int) -> dict[str, Any]:
    data = {"direction": "outbound", "started_at": f"{day}T10:{number:02d}:00Z"}
    key = f"{member}-{day}-{number}"
    common = {"specversion": "1.0", "source": "phone", "type": "call", "actor": member}
    return common | {"id": key, "data": data}


def plan(service: Service, key: str, month: str) -> None:
    body = {
        "name": month,
        "alias": "calls",
        "period": {"month": month},
        "root": {"metric": "calls", "target": "176"},
        "assignments": [{"team": "east"}],
    }
    assert service.put(f"/v1/plans/{key}", body).status_code == 201


@pytest.fixture
def service() -> Iterator[Service]:
    with started("2026-10-01T00:30:00+00:00") as service:
        service.put("/v1/teams/east", {"name": "East"})
        for key in PEOPLE:
            member = {
                "name": key,
                "memberships": [{"team": "east", "from": "2026-01-01"}],
                "identities": [{"source": "phone", "kind": "id", "value": key}],
            }
            service.put(f"/v1/members/{key}", member)
        source = {"provider": "events", "name": "Phone", "counts": ["call"]}
        assert service.put("/v1/sources/phone", source).status_code == 201
        send(service, lived(HISTORY, MONTH))
        plan(service, PLAN, "2026-10")
        yield service


def foresee(service: Service) -> tuple[int, int]:
    app: Any = service.client.app
    context = app.state.context
    return foreseeing.issue(context), foreseeing.judge(context)


def live(service: Service, calls: Calls) -> None:
    """October, day by day; a little after each midnight the day before is forecast from."""
    for n in range(31):
        day = MONTH + timedelta(n)
        service.clock.set(f"{day}T18:00:00+00:00")
        send(service, {key: many for key, many in calls.items() if key[1] == day})
        service.clock.set(f"{day + timedelta(1)}T00:07:00+00:00")
        assert foresee(service) == (1, 0)
        assert foresee(service) == (0, 0)


def test_a_forecast_is_what_progress_says(service: Service) -> None:
    for query in ({}, {"team": "east"}, {"member": "sato"}):
        told = service.client.get("/v1/plans/calls/forecast", params=query).json()
        progress = service.progress("calls", **query)
        for goal in told["goals"]:
            same = progress.goal(goal["key"])
            assert {name: same[name] for name in goal} == goal
        assert told["scope"] == query
    unchanged = service.get("/v1/plans/calls/forecast")
    tag = unchanged.headers["etag"]
    assert service.get("/v1/plans/calls/forecast", **{"if-none-match": tag}).status_code == 304


def test_every_day_is_kept_as_it_was_said_and_judged_when_it_is_over(service: Service) -> None:
    calls = lived(MONTH, date(2026, 11, 1))
    live(service, calls)
    first = service.client.get(f"/v1/plans/{PLAN}/forecasts", params={"limit": 20}).json()
    rest = service.client.get(
        f"/v1/plans/{PLAN}/forecasts", params={"limit": 20, "cursor": first["next"]}
    ).json()
    said = [*first["items"], *rest["items"]]
    assert [one["date"] for one in said] == [str(MONTH + timedelta(n)) for n in range(31)]
    assert rest["next"] is None
    fifth = said[4]
    by_then = sum(many for (_, day), many in calls.items() if day <= date(2026, 10, 5))
    assert (fifth["actual"], fifth["target"]) == (str(by_then), "176")
    own = service.client.get(f"/v1/plans/{PLAN}/forecasts", params={"member": "sato"}).json()
    sato = sum(many for (who, day), many in calls.items() if who == "sato")
    assert own["items"][-1]["actual"] == str(sato)

    # A late report of the 5th changes what is known, and nothing of what was said.
    service.counts([call("sato", date(2026, 10, 5), 59)])
    again = service.client.get(f"/v1/plans/{PLAN}/forecasts", params={"limit": 20}).json()
    assert again == first

    assert service.get(f"/v1/plans/{PLAN}/forecasts/scores").json()["items"] == []
    service.clock.set("2026-11-04T00:07:00+00:00")
    assert foresee(service) == (0, 1)
    assert foresee(service) == (0, 0)
    told = service.get(f"/v1/plans/{PLAN}/forecasts/scores").json()
    assert (told["plan"], told["periods"]) == ("calls", [PLAN])
    numbers = {(one["of"], one["stage"]): one["number"] for one in told["items"]}
    assert sum(n for (of, _), n in numbers.items() if of == "plan") == 31
    assert sum(n for (of, _), n in numbers.items() if of == "member") == 62
    total = sum(calls.values()) + 1
    late = next(o for o in told["items"] if (o["of"], o["stage"]) == ("plan", "late"))
    days = [one for one in said if stage(calls, one["date"]) == "late"]
    errors = sum(abs(Fraction(one["median"]) - total) for one in days)
    wape = errors / (len(days) * total)
    assert Fraction(late["forecast"]["wape"]) == pytest.approx(wape, abs=1e-6)
    covered = sum(Fraction(o["low"]) <= total <= Fraction(o["high"]) for o in days)
    assert Fraction(late["forecast"]["cover"]) == pytest.approx(covered / len(days), abs=1e-6)


def stage(calls: Calls, day: str) -> str:
    """By weekdays that are over at the end of a day, recounted."""
    days = sorted({when for _, when in calls})
    over = sum(when <= date.fromisoformat(day) for when in days) / len(days)
    return ("early", "middle", "late", "late")[int(3 * over)]


def test_a_month_that_was_too_sure_of_itself_widens_the_next(service: Service) -> None:
    """October came in bursts that the months before did not know."""
    calls = dict.fromkeys(lived(MONTH, date(2026, 11, 1)), 0)
    for (member, day), _ in list(calls.items()):
        if day in {date(2026, 10, 2), date(2026, 10, 29)}:
            calls[member, day] = 50
    live(service, calls)
    service.clock.set("2026-11-02T09:00:00+00:00")
    plan(service, "2026-11-calls", "2026-11")
    before = service.progress("2026-11-calls").goal("calls")["forecast"]
    service.clock.set("2026-11-04T00:07:00+00:00")
    assert foresee(service) == (1, 1)
    service.clock.set("2026-11-02T09:00:00+00:00")
    after = service.progress("2026-11-calls").goal("calls")["forecast"]
    assert Fraction(after["mean"]) == Fraction(before["mean"])
    spans = [Fraction(f["high"]) - Fraction(f["low"]) for f in (before, after)]
    assert spans[1] > spans[0]


def test_what_is_not_there_is_said(service: Service) -> None:
    assert service.get("/v1/plans/none/forecasts").status_code == 404
    assert service.get(f"/v1/plans/{PLAN}/forecasts?goal=deals").status_code == 404
    assert service.get(f"/v1/plans/{PLAN}/forecasts?member=nobody").status_code == 404
    assert service.get(f"/v1/plans/{PLAN}/forecasts?cursor=xx").status_code == 422
    assert service.get(f"/v1/plans/{PLAN}/forecasts").json() == {"items": [], "next": None}
    assert service.get("/v1/plans/none/forecasts/scores").status_code == 404
