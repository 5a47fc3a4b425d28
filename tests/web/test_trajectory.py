"""A goal day by day, against the month that was worked out by hand and against its progress."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta
from decimal import Decimal
from itertools import accumulate, pairwise
from typing import Any

import pytest

from tests.engines import ENGINES, on_both, use
from tests.web import test_worked_month as worked
from tests.web.service import Service

EVENING = "2026-12-14T18:00:00+09:00"
MONTH = f"/v1/plans/{worked.MONTH}"
DAYS = [str(date(2026, 12, 1) + timedelta(days=n)) for n in range(31)]


@pytest.fixture(scope="module", params=ENGINES)
def month(request: pytest.FixtureRequest) -> Iterator[Service]:
    """Lived through once on each engine; nobody changes it."""
    with use(request.param), worked.lived() as found:
        yield found


def line(service: Service, goal: str, **query: str) -> dict[str, dict[str, Any]]:
    answer = service.client.get(f"{MONTH}/goals/{goal}/line", params={"as_of": EVENING} | query)
    assert answer.status_code == 200, answer.text
    points = answer.json()
    assert [point["date"] for point in points] == DAYS
    return {point["date"]: point for point in points}


def test_each_day_has_what_was_done_by_its_end(month: Service) -> None:
    done = dict(
        zip(
            worked.DAYS, accumulate(map(sum, zip(*worked.CALLS.values(), strict=True))), strict=True
        )
    )
    calls, so_far = line(month, "calls"), 0
    for day in DAYS[:14]:
        so_far = done.get(day, so_far)
        assert calls[day]["actual"] == str(so_far)
    assert all(calls[day]["actual"] is None for day in DAYS[14:])
    # Won on the 8th at 450,000; what was known later is known here of every day before.
    revenue = line(month, "revenue")
    assert [revenue[f"2026-12-{day:02}"]["actual"] for day in (7, 8, 9)] == [
        "0",
        "380000",
        "380000",
    ]
    then = line(month, "revenue", known_at="2026-12-10T09:00:00+09:00")
    assert [then[f"2026-12-{day:02}"]["actual"] for day in (7, 8, 9)] == ["0", "450000", "850000"]


def test_what_is_expected_ends_at_the_target_and_rests_when_nobody_works(month: Service) -> None:
    calls = line(month, "calls")
    working = [day for day in DAYS if calls[day]["working"]]
    assert len(working) == 20
    # 58 days of members: three on each working day, two on the 24th and 25th.
    members = [2 if day in ("2026-12-24", "2026-12-25") else 3 for day in working]
    by_day = dict(zip(working, accumulate(members), strict=True))
    due = 0
    for day in DAYS:
        due = by_day.get(day, due)
        # tanaka carries 18/58 over 18 days, the others 20/58 over 20: a day of each is 1/58.
        assert abs(Decimal(calls[day]["expected"]) - Decimal(500 * due) / 58) < Decimal("0.000001")
    assert calls["2026-12-14"]["expected"] == "258.62069"
    assert calls["2026-12-31"]["expected"] == "500"


def test_where_it_goes_begins_at_what_is_there_and_ends_at_the_forecast(month: Service) -> None:
    scopes: list[dict[str, str]] = [{}, {"team": "east"}, {"member": "tanaka"}]
    for scope in scopes:
        told = month.progress(worked.MONTH, EVENING, **scope)
        for goal in ("calls", "revenue"):
            points, now = line(month, goal, **scope), told.goal(goal)
            assert points["2026-12-14"]["actual"] == now["actual"]
            # The day's work is done, so nothing more comes on it.
            assert points["2026-12-14"]["median"] == now["actual"]
            last = points["2026-12-31"]
            assert {n: last[n] for n in ("median", "low", "high")} == {
                n: now["forecast"][n] for n in ("median", "low", "high")
            }
            assert all(points[day]["median"] is None for day in DAYS[:13])
            ahead = [points[day] for day in DAYS[13:]]
            for earlier, later in pairwise(ahead):
                for name in ("low", "median", "high"):
                    assert Decimal(earlier[name]) <= Decimal(later[name])
            assert all(
                Decimal(one["low"]) <= Decimal(one["median"]) <= Decimal(one["high"])
                for one in ahead
            )


def test_the_lines_of_members_add_up_to_the_plans(month: Service) -> None:
    whole = line(month, "appointments")
    parts = [line(month, "appointments", member=key) for key in worked.NAMES]
    for day in DAYS:
        if whole[day]["actual"] is not None:
            assert Decimal(whole[day]["actual"]) == sum(Decimal(p[day]["actual"]) for p in parts)
        together = sum(Decimal(part[day]["expected"]) for part in parts)
        assert abs(together - Decimal(whole[day]["expected"])) < Decimal("0.000003")


@on_both
def test_an_activity_outside_the_assignment_is_in_no_line() -> None:
    """Who leaves the team takes along what is done from then on."""
    with worked.lived() as service:
        moved = worked.member("sato") | {
            "memberships": [{"team": "east", "from": "2026-04-01", "to": "2026-12-05"}]
        }
        service.replace("/v1/members/sato", moved)
        calls = line(service, "calls")
        assert (
            calls["2026-12-14"]["actual"]
            == service.progress(worked.MONTH, EVENING).goal("calls")["actual"]
        )
        sato = line(service, "calls", member="sato")
        assert [sato[day]["actual"] for day in ("2026-12-04", "2026-12-14")] == ["36", "36"]


def test_what_is_asked_wrongly_is_said(month: Service) -> None:
    for target, status, code in (
        (f"{MONTH}/goals/leads/line", 404, "unknown-goal"),
        ("/v1/plans/nothing/goals/calls/line", 404, "unknown-plan"),
        (f"{MONTH}/goals/calls/line?member=nobody", 404, "member-not-in-plan"),
        (f"{MONTH}/goals/calls/line?as_of=2026-12-14T18:01:00%2B09:00", 422, "invalid-request"),
        (f"{MONTH}/goals/calls/line?breakdown=member", 422, "invalid-request"),
    ):
        answer = month.get(target)
        assert answer.status_code == status, target
        assert answer.json()["type"].endswith(code)


@on_both
def test_a_line_is_not_sent_again_while_nothing_moves() -> None:
    with worked.lived() as service:
        target = f"{MONTH}/goals/calls/line?as_of=2026-12-14T18:00:00%2B09:00"
        etag = service.get(target).headers["etag"]
        headers = {"if-none-match": etag}
        assert service.client.get(target, headers=headers).status_code == 304
        service.counts([worked.call("sato", 9, "2026-12-14", "17:50")])
        assert service.client.get(target, headers=headers).status_code == 200


@on_both
def test_a_bent_line_is_that_of_every_evenings_progress() -> None:
    """By weeks of unlike shares, and revised in mid-period."""
    with worked.lived() as service:
        stages: Any = worked.PLAN["funnel"]
        shares = ["0.1", "0.2", "0.3", "0.3", "0.1"]
        sliced = worked.PLAN | {"profile": {"by": "week", "shares": shares}}
        service.replace(MONTH, sliced | {"reason": "the campaign begins late"})
        more = [stages[0] | {"target": "2400000"}, *stages[1:]]
        revised = sliced | {"funnel": more, "effective_from": "2026-12-10", "reason": "more"}
        service.replace(MONTH, revised)
        calls = line(service, "calls")
        for day in ("2026-12-01", "2026-12-05", "2026-12-09", "2026-12-10", "2026-12-14"):
            told = service.progress(worked.MONTH, f"{day}T18:00:00+09:00").goal("calls")
            assert calls[day]["expected"] == told["expected"], day
        assert calls["2026-12-31"]["expected"] == "600"
        # Nothing of it is even: the plain line rises by the same on days with the same people.
        steps = {
            Decimal(calls[later]["expected"]) - Decimal(calls[earlier]["expected"])
            for earlier, later in pairwise(DAYS[:11])
            if calls[later]["working"]
        }
        assert len(steps) > 2
