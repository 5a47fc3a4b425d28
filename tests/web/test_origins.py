"""What grew from what, through HTTP: lags are learned, and what is open is counted."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta
from typing import Any

import pytest

from tests.engines import ENGINES, use
from tests.web.example import EVENTS, SETTINGS
from tests.web.service import Service, started

FIRST, YESTERDAY = date(2026, 9, 1), date(2026, 12, 14)
NIGHT, MORNING = "2026-12-14T20:00:00+09:00", "2026-12-15T09:00:00+09:00"
PLAN: dict[str, Any] = {
    "name": "Deals",
    "period": {"month": "2026-12"},
    "funnel": [
        {"metric": "deals_won", "target": "40"},
        {"metric": "appointments", "rate": "0.5", "lag_days": 14},
    ],
}
WEEK = timedelta(days=7)


def event(kind: str, key: str, **data: Any) -> dict[str, Any]:
    own = {"specversion": "1.0", "source": "crm", "revision": "1", "actor": "sato"}
    return own | {"id": key, "type": kind, "data": data}


def meeting(day: date, number: int) -> dict[str, Any]:
    at = f"{day}T12:00:00+09:00"
    return event("meeting", f"m-{day}-{number}", status="booked", booked_at=at)


def deal(key: str, of: date, number: int, won: date) -> dict[str, Any]:
    origin = [{"key": f"m-{of}-{number}"}]
    at = f"{won}T12:00:00+09:00"
    return event("deal", key, status="won", won_at=at, origin=origin)


def life() -> Iterator[dict[str, Any]]:
    """Two appointments a day; one of them is a deal a week later, the other never."""
    for place in range((YESTERDAY - FIRST).days + 1):
        day = FIRST + timedelta(days=place)
        yield from (meeting(day, 0), meeting(day, 1))
        if day + WEEK <= YESTERDAY:
            yield deal(f"d-{day}", day, 1, day + WEEK)


SHARED: dict[str, Any] = {
    "names": {"en": "Deals, shared"}, "kind": "deal", "aggregation": "count", "credit": "shared",
    "time": "won_at", "roles": ["owner"], "unit": "count",
    "where": [{"field": "status", "in": ["won"]}],
}  # fmt: skip


@pytest.fixture(scope="module", params=ENGINES)
def service(request: pytest.FixtureRequest) -> Iterator[Service]:
    with use(request.param), started(NIGHT) as running:
        running.replace("/v1/workspace", SETTINGS)
        running.put("/v1/sources/crm", EVENTS)
        running.put("/v1/plans/deals", PLAN)
        hopeful = {**PLAN, "funnel": [PLAN["funnel"][0], PLAN["funnel"][1] | {"rate": "0.9"}]}
        running.put("/v1/plans/hopeful", hopeful | {"alias": "hopeful"})
        assert running.put("/v1/metrics/shared", SHARED).status_code == 201
        parts = [{"metric": "shared", "target": "40"}, PLAN["funnel"][1]]
        together = {**PLAN, "funnel": parts, "alias": "together"}
        assert running.put("/v1/plans/together", together).status_code == 201
        events = list(life())
        assert running.counts(events)["accepted"] == len(events)
        running.clock.set(MORNING)
        # One that is quicker than all before: it is open no more.
        quick = date(2026, 12, 10)
        assert running.counts([deal("quick", quick, 0, YESTERDAY)])["accepted"] == 1
        yield running


def goal(service: Service, **query: str) -> Any:
    return service.progress("deals", **query).goal("deals_won")


def test_a_lag_is_learned_of_what_turned_out(service: Service) -> None:
    rate = goal(service)["rate"]
    # Of 105 days with a week behind them 98; those before the first deal teach nothing.
    assert rate["lag"] == {"mean_days": "7", "longest_days": 7, "conversions": 91}
    assert rate["basis"] == "cohort"


def test_in_flight_is_what_is_open_and_not_what_began(service: Service) -> None:
    """Begun on 8 to 14 December, 14; one of them is a deal already. The plan's lag had 28."""
    assert goal(service)["in_flight"] == {"items": 13, "expected": "6.5"}


def test_the_matured_rate_leaves_out_what_had_no_time(service: Service) -> None:
    """Of the 56 days from 13 October to 7 December, 2 a day; half turned out, and the quick one."""
    matured = goal(service)["rate"]["matured"]
    assert (matured["converted"], matured["exposure"]) == (57, "112")
    assert matured["rate"] == "0.508929"
    assert float(matured["low"]) < 0.5 < float(matured["high"])


def test_a_rate_that_is_not_the_plans_is_proven_so_since_items_are_followed(
    service: Service,
) -> None:
    """One in two turns out: what nine in ten would have been by now, everybody can tell."""
    assert goal(service)["rate"]["drift"]["state"] == "unproven"
    drift = service.progress("hopeful").goal("deals_won")["rate"]["drift"]
    assert drift["state"] == "proven"
    assert drift["since"] < "2026-12-15"


def test_what_was_known_before_is_told_as_it_was(service: Service) -> None:
    """On the day of the import nothing had been learned in the morning."""
    late = "2026-12-14T20:15:00+09:00"
    then = goal(service, as_of=late, known_at=late)
    assert (then["rate"]["basis"], then["rate"]["lag"]) == ("period", None)
    assert then["in_flight"] == {"items": 28, "expected": "14"}
    early = goal(service, as_of="2026-12-15T08:00:00+09:00", known_at="2026-12-15T08:00:00+09:00")
    assert early["rate"]["basis"] == "period"


def test_what_is_kept_of_it_is_true(service: Service) -> None:
    assert service.mismatches() == []


def test_where_credit_is_shared_as_much_is_known(service: Service) -> None:
    """Tallied in millionths, a deal is one deal all the same."""
    rate = service.progress("together").goal("shared")["rate"]
    alone = goal(service)["rate"]
    assert {name: rate[name] for name in ("basis", "lag", "matured")} == {
        name: alone[name] for name in ("basis", "lag", "matured")
    }


def test_what_was_read_of_a_commit_is_not_told_of_the_next(service: Service) -> None:
    """One that is open turns out, and is taken back: all others see what they saw."""
    before = goal(service)["in_flight"]["items"]
    won = deal("late", date(2026, 12, 11), 0, YESTERDAY)
    assert service.counts([won]) == {"accepted": 1}
    assert goal(service)["in_flight"]["items"] == before - 1
    assert service.counts([won | {"revision": "2", "retracted": True}]) == {"revised": 1}
    assert goal(service)["in_flight"]["items"] == before
