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


OPENING, DECEMBER = date(2026, 9, 20), date(2026, 12, 1)
LATE = deal("late", date(2026, 11, 28), 7, date(2026, 12, 10))


def open_day(day: date) -> int:
    """How many of a day's four deals say what they grew from: on every other day one does not."""
    return 4 - day.toordinal() % 2


def steady() -> Iterator[dict[str, Any]]:
    """Eight appointments a day; half of them are deals a week later, and one took twelve days."""
    for place in range((YESTERDAY - OPENING).days + 1):
        day = OPENING + timedelta(days=place)
        yield from (meeting(day, number) for number in range(8))
        if day + WEEK <= YESTERDAY:
            for number in range(4):
                found = deal(f"d-{day}-{number}", day, number, day + WEEK)
                if number >= open_day(day):
                    del found["data"]["origin"]
                yield found
    yield LATE


def matured_days() -> list[date]:
    """Those of the last 12 + 56 days of which the deals are there."""
    days = [YESTERDAY - timedelta(days=n) for n in range(12 + 56)]
    return [day for day in days if day + WEEK <= YESTERDAY]


def test_deals_that_do_not_say_what_they_grew_from_are_no_fall() -> None:
    """Half turn out, as planned, and one in eight says nothing of it.

    The evidence is that of the items that have reached the lag's only age, 7 days, as it was
    learned before the period: each was a deal at it or was none, by the part that is linked.
    """
    with use("sqlite"), started(NIGHT) as running:
        running.replace("/v1/workspace", SETTINGS)
        running.put("/v1/sources/crm", EVENTS)
        running.put("/v1/plans/deals", PLAN)
        assert running.counts(list(steady()))["accepted"] == len(list(steady()))
        running.clock.set(MORNING)
        # What is learned in the morning is what was known when its first news came.
        assert running.counts([meeting(YESTERDAY + timedelta(days=1), 0)])["accepted"] == 1
        rate = running.progress("deals", include="evidence").goal("deals_won")["rate"]
    assert (rate["basis"], rate["lag"]["longest_days"]) == ("cohort", 12)
    reached = [DECEMBER - WEEK + timedelta(days=n) for n in range(14)]
    items, deals = 8 * len(reached), sum(map(open_day, reached))
    won = [YESTERDAY - timedelta(days=n) for n in range((YESTERDAY - OPENING - WEEK).days + 1)]
    linked = min(
        (sum(open_day(day - WEEK) for day in last) + 1) / (4 * len(last) + 1)
        for last in (won, won[:28])
    )
    assert 0.8 < linked < 0.9
    # Of those that began in the longest lag and 56 days before today, by the share of their age.
    assert rate["matured"]["converted"] == sum(map(open_day, matured_days())) + 1
    assert float(rate["matured"]["rate"]) == pytest.approx(0.5, abs=0.01)
    planned = 0.9 * 0.5 * linked
    ratios = [
        part**deals * ((1 - part * planned) / (1 - planned)) ** (items - deals)
        for part in (0.5, 0.6, 0.7, 0.8, 0.9)
    ]
    assert float(rate["drift"]["evidence"]["e_value"]) == pytest.approx(sum(ratios) / 5, rel=1e-5)
    assert rate["drift"]["state"] == "unproven"
