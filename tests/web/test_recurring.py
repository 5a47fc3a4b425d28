"""Plans that recur, through HTTP: the next one begins as a period ends, and once."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from app.usecases.context import Context
from app.usecases.recurring import Recurrence, begin_next
from tests.engines import on_both
from tests.web.example import PLAN, START, call, deal, settle
from tests.web.service import Service, started

pytestmark = on_both

KEY, NEXT = "2026-12-new", "2027-01-new"
NEW = {"alias": "new", "recurs": True, "assignments": [{"team": "east"}]}
YEAR_END, JANUARY = "2026-12-31T23:59:59+09:00", "2027-01-01T00:00:00+09:00"
WHY = {"reason": "we know better now"}


@pytest.fixture
def service() -> Iterator[Service]:
    with started(START) as running:
        settle(running).client.delete("/v1/plans/december", headers={"if-match": '"1"'})
        yield running


def planned(service: Service, key: str = KEY, **changes: Any) -> None:
    answer = service.put(f"/v1/plans/{key}", PLAN | NEW | changes)
    assert answer.status_code == 201, answer.text


def context_of(service: Service) -> Context:
    found: Context = service.client.app.state.context  # type: ignore[attr-defined] # Starlette's app
    return found


def look(service: Service, at: str) -> int:
    service.clock.set(at)
    return Recurrence(context_of(service)).look()


def keys(service: Service) -> list[str]:
    return [plan["key"] for plan in service.get("/v1/plans").json()["items"]]


def change(service: Service, key: str, **changes: Any) -> None:
    headers = {"content-type": "application/merge-patch+json"}
    headers["if-match"] = service.get(f"/v1/plans/{key}").headers["etag"]
    answer = service.client.patch(f"/v1/plans/{key}", json=changes | WHY, headers=headers)
    assert answer.status_code == 200, answer.text


def test_the_next_plan_begins_when_the_period_ends_with_the_same_alias_and_targets(
    service: Service,
) -> None:
    planned(service)
    service.counts([deal(1), *(call(n) for n in range(8))])
    assert look(service, YEAR_END) == 0
    assert look(service, JANUARY) == 1
    old, new = (service.get(f"/v1/plans/{key}").json() for key in (KEY, NEXT))
    assert service.get("/v1/plans/new").json()["key"] == NEXT
    assert new["period"] == {"start": "2027-01-01", "end": "2027-02-01"}
    same = ("name", "alias", "funnel", "assignments", "recurs")
    assert {name: new[name] for name in same} == {name: old[name] for name in same}
    # One deal of eight calls was seen; planned is still what was planned.
    assert [goal["target"] for goal in new["goals"]] == ["10", "200"]
    [version] = service.get(f"/v1/plans/{NEXT}/versions").json()["items"]
    assert (version["author"], version["reason"]) == ("tassei", f"follows {KEY}, which recurs")


def test_it_begins_once_however_many_look(service: Service) -> None:
    planned(service)
    service.clock.set(JANUARY)
    context = context_of(service)
    with ThreadPoolExecutor(4) as replicas:
        made = list(replicas.map(lambda _: begin_next(context, "default", KEY), range(4)))
    assert sorted(made) == [False, False, False, True]
    assert look(service, JANUARY) == 0
    assert keys(service) == [KEY, NEXT]


def test_periods_that_were_slept_through_are_caught_up_with(service: Service) -> None:
    planned(service)
    assert look(service, "2027-03-10T12:00:00+09:00") == 3
    assert keys(service) == [KEY, NEXT, "2027-02-new", "2027-03-new"]
    assert look(service, "2027-04-01T00:00:00+09:00") == 1


@pytest.mark.parametrize("end", ["switched off", "archived", "before"])
def test_it_stops_when_the_newest_is_switched_off_or_archived(service: Service, end: str) -> None:
    planned(service)
    if end == "before":
        change(service, KEY, recurs=False)
        assert look(service, JANUARY) == 0
        return
    assert look(service, JANUARY) == 1
    if end == "archived":
        service.client.delete(f"/v1/plans/{NEXT}", headers={"if-match": '"1"'})
    else:
        change(service, NEXT, recurs=False)
    assert look(service, "2027-06-01T00:00:00+09:00") == 0


def test_a_plan_that_was_made_by_hand_for_the_next_period_is_the_next_one(
    service: Service,
) -> None:
    planned(service)
    planned(service, "ours", period={"month": "2027-01"}, recurs=False)
    assert look(service, "2027-03-01T00:00:00+09:00") == 0
    assert keys(service) == [KEY, "ours"]


def test_what_cannot_be_planned_any_more_waits_until_somebody_mends_it(service: Service) -> None:
    """The lag leaves December some days, February none."""
    slow = [PLAN["funnel"][0], PLAN["funnel"][1] | {"lag_days": 29}]
    planned(service, "2027-01-new", period={"month": "2027-01"}, funnel=slow)
    service.clock.set("2027-02-01T00:00:00+09:00")
    recurrence = Recurrence(context_of(service))
    before = service.dump()
    assert (recurrence.look(), recurrence.look()) == (0, 0)
    assert keys(service) == ["2027-01-new"]
    assert service.dump() == before
    change(service, "2027-01-new", funnel=PLAN["funnel"])
    assert recurrence.look() == 1
    assert keys(service) == ["2027-01-new", "2027-02-new"]


def test_weeks_and_fiscal_years_recur_and_bare_days_do_not(service: Service) -> None:
    planned(service, "2026-w51-calls", period={"week": "2026-W51"})
    planned(service, "fy2026", alias="year", period={"fiscal_year": "2026"})
    assert look(service, "2027-04-01T00:00:00+09:00") > 10
    assert {"2026-w53-calls", "2027-w01-calls", "fy2027"} <= set(keys(service))
    days = {"period": {"start": "2026-12-01", "end": "2026-12-08"}}
    refused = service.put("/v1/plans/days", PLAN | NEW | days)
    assert refused.status_code == 422
    assert refused.json()["errors"][0]["code"] == "no_next_period"
    later = {"period": {"start": "2030-12-01", "end": "2030-12-08"}, "key": "few"}
    copied = service.client.post("/v1/plans/fy2026/copy", json=later)
    assert copied.status_code == 201
    assert "recurs" not in copied.json()


def test_a_plan_that_does_not_recur_is_the_same_whether_it_says_so_or_not(
    service: Service,
) -> None:
    planned(service, recurs=False)
    unsaid = {name: value for name, value in NEW.items() if name != "recurs"}
    assert service.put(f"/v1/plans/{KEY}", PLAN | unsaid).headers["etag"] == '"1"'


def test_the_thread_begins_it_without_being_asked(service: Service) -> None:
    planned(service)
    service.clock.set(JANUARY)
    recurrence = Recurrence(context_of(service))
    recurrence.start()
    recurrence.stop()
    assert keys(service) == [KEY, NEXT]
