"""Silence is not zero: what everybody is told when a source stops, and when it speaks again."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

import pytest

from app.domain.instants import instant
from app.domain.scopes import WHOLE, Breakdown
from app.usecases.exports import snapshot
from app.usecases.stream import Hub, Subject
from app.views.prometheus import families
from app.views.terminal import plain
from tests.engines import on_both
from tests.web.example import EVENTS, PLAN, SETTINGS, call, deal, settle
from tests.web.service import Service, started

# Monday the 23rd is no working day, and the plan's December begins on a Tuesday.
CLOSED = {"from": "2026-11-23", "to": "2026-11-24", "reason": "inventory"}
CALENDAR = SETTINGS["calendar"] | {"closures": [CLOSED]}


@pytest.fixture
def service(engine: str) -> Iterator[Service]:
    assert engine
    with started("2026-11-02T09:00:00+09:00") as service:
        settle(service)
        service.replace("/v1/workspace", SETTINGS | {"calendar": CALENDAR})
        yield service


def at(service: Service, moment: str) -> Service:
    service.clock.set(f"2026-{moment}:00+09:00")
    return service


def speak(service: Service, number: int) -> None:
    answer = service.post_events([call(number)])
    assert answer.status_code == 200, answer.text


def hourly(service: Service, first: str, last: str) -> None:
    """A call at every full hour from nine to five, on weekdays but for the closed one."""
    day = datetime.fromisoformat(f"2026-{first}")
    number = 0
    while day <= datetime.fromisoformat(f"2026-{last}"):
        if day.weekday() < 5 and f"{day:%m-%d}" != "11-23":
            for hour in range(9, 18):
                number += 1
                speak(at(service, f"{day:%m-%dT}{hour:02}:00"), number + day.day * 1000)
        day += timedelta(days=1)


def verdict(service: Service, moment: str = "", **query: str) -> tuple[str, list[Any]]:
    if moment:
        at(service, moment)
    answer = service.client.get("/v1/plans/december/progress", params=query)
    assert answer.status_code == 200, answer.text
    goal = answer.json()["root"]["children"][0]
    silent = [one["params"] for one in goal["reasons"] if one["code"] == "source_silent"]
    return goal["verdict"], silent


def source(service: Service) -> dict[str, Any]:
    body = service.get("/v1/sources/crm").json()
    told: dict[str, Any] = body["expectation"]
    return {"state": body["state"]} | told


LEARNED = {"every": "PT2H", "within": "working_hours", "from": "learned", "learned_from_days": 18}
DEFAULT = LEARNED | {"every": "P1D", "from": "default", "learned_from_days": None}
SILENT = [{"sources": "crm"}]


@on_both
def test_a_source_that_is_usually_silent_for_an_hour_is_late_after_two(service: Service) -> None:
    assert source(service)["from"] == "default"
    hourly(service, "11-03", "11-06")
    assert source(service) == {"state": "active"} | DEFAULT
    tag = service.get("/v1/sources/crm").headers["etag"]
    hourly(service, "11-09", "12-01")
    # The days from the 4th to the 30th but for weekends and the closed one.
    assert source(service) == {"state": "active"} | LEARNED
    assert service.get("/v1/sources/crm").headers["etag"] == tag
    # It last spoke on Tuesday at five, an hour before closing.
    assert verdict(service, "12-01T17:59")[0] != "unknown"
    assert verdict(service, "12-02T03:00")[0] != "unknown"
    assert verdict(service, "12-02T10:00")[0] != "unknown"
    assert verdict(service, "12-02T10:01") == ("unknown", SILENT)
    assert source(service) == {"state": "stale"} | LEARNED
    # Asked about then, with what was known then: the same words.
    then = {"as_of": "2026-12-02T10:15:00+09:00", "known_at": "2026-12-02T10:15:00+09:00"}
    asked = verdict(service, "12-02T15:00", **then)
    assert asked == ("unknown", SILENT)
    speak(service, 1)
    assert verdict(service)[0] != "unknown"
    assert verdict(service, **then) == asked
    # One such day teaches nothing. On Friday it speaks at half past five; no weekend makes it late.
    hourly(service, "12-03", "12-04")
    speak(at(service, "12-04T17:30"), 2)
    assert verdict(service, "12-07T09:00")[0] != "unknown"
    assert verdict(service, "12-07T10:31")[0] == "unknown"


@on_both
def test_a_closed_day_is_no_silence_and_what_is_set_is_not_learned(service: Service) -> None:
    hourly(service, "11-09", "11-20")
    assert source(at(service, "11-24T09:59"))["state"] == "active"
    assert source(at(service, "11-24T10:01"))["state"] == "stale"
    service.replace("/v1/sources/crm", EVENTS | {"expect": {"every": "PT24H", "within": "always"}})
    told = {"every": "PT24H", "within": "always", "from": "set", "learned_from_days": None}
    assert source(service) == {"state": "stale"} | told


@on_both
def test_what_is_reached_stays_and_what_is_over_is_not_unknown_by_later_silence(
    service: Service,
) -> None:
    funnel = [{"metric": "deals_won", "target": "100"}, {"metric": "calls", "rate": "50"}]
    service.replace("/v1/plans/december", PLAN | {"funnel": funnel, "reason": "fewer calls"})
    in_december = "2026-12-28T10:00:00+09:00"
    service.clock.set("2026-12-28T12:00:00+09:00")
    service.post_events([call(1, at=in_december), call(2, at=in_december), deal(1)])
    assert verdict(service) == ("reached", [])
    root = service.progress("december").body["root"]
    assert root["verdict"] != "unknown"
    at(service, "12-30T12:01")
    assert verdict(service) == ("reached", [])
    root = service.progress("december").body["root"]
    assert root["verdict"] == "unknown"
    # It speaks in the last hours, and then no more: the month was missed, and that is known.
    speak(at(service, "12-31T17:00"), 3)
    service.clock.set("2027-01-20T12:00:00+09:00")
    found = service.get("/v1/plans/december/progress").json()["root"]
    assert (found["verdict"], found["freshness"]["state"]) == ("missed", "stale")


def faces(service: Service) -> dict[str, bool]:
    """Who says that the calls are unknown, of all who say anything of them."""
    context: Any = service.client.app.state.context  # type: ignore[attr-defined] # Starlette's own
    lines = families(snapshot(context)).decode().splitlines()
    body = service.get("/v1/plans/december/progress").json()
    board = service.get("/v1/plans/december/leaderboard?goal=calls").json()["items"]
    gauges = [
        float(line.rsplit(" ")[-1])
        for line in lines
        if line.startswith("tassei_goal_verdict") and 'goal="calls"' in line and "unknown" in line
    ]
    stale = [line.rsplit(" ")[-1] for line in lines if line.startswith("tassei_source_stale{")]
    reasons = [{one["code"] for one in rank["reasons"]} for rank in board]
    return {
        "progress": body["root"]["children"][0]["verdict"] == "unknown",
        "gauges": bool(gauges) and all(gauges),
        "source": [float(one) for one in stale] == [1.0],
        "leaderboard": bool(reasons) and all("source_silent" in codes for codes in reasons),
        "terminal": "data are late" in plain(body, "en"),
    }


@on_both
def test_everybody_says_the_same_and_a_stream_at_the_very_minute(service: Service) -> None:
    hourly(service, "11-09", "12-01")
    context: Any = service.client.app.state.context  # type: ignore[attr-defined] # Starlette's own
    hub = Hub(context)  # not started: its rounds are ours
    woken: list[str] = []
    subject = Subject("default", "december", WHOLE, Breakdown.NONE, "en")
    topic = hub.follow(subject, lambda: woken.append("woken"))

    def pushed(moment: str = "") -> tuple[bool, bool]:
        """Whether something is pushed at a moment, and whether the calls are unknown in it."""
        if moment:
            at(service, moment)
        woken.clear()
        hub.round()
        assert topic.state is not None
        calls = topic.state.observed.document["root"]["children"][0]
        return bool(woken), calls["verdict"] == "unknown"

    pushed("12-02T10:00")
    assert set(faces(service).values()) == {False}
    assert pushed() == (False, False)
    assert pushed("12-02T10:01") == (True, True)
    assert faces(service) == dict.fromkeys(faces(service), True)
    # In the night nothing moves but for a delivery, which is told at once.
    pushed("12-02T20:00")
    assert pushed("12-03T02:00") == (False, True)
    speak(service, 1)
    assert pushed() == (True, False)
    assert set(faces(service).values()) == {False}


@on_both
def test_a_night_may_be_the_end_of_patience_where_nights_count(service: Service) -> None:
    service.replace("/v1/sources/crm", EVENTS | {"expect": {"every": "PT3H", "within": "always"}})
    speak(at(service, "12-02T22:00"), 1)
    change = service.progress("december").body["next_change_at"]
    assert instant(change) == instant("2026-12-03T01:00:00+09:00") + 1
    assert verdict(service, "12-03T01:00")[0] != "unknown"
    assert verdict(service, "12-03T01:01") == ("unknown", SILENT)


def warned(answer: Any) -> list[tuple[str, dict[str, str]]]:
    assert answer.status_code in (200, 201), answer.text
    told = [(one["code"], one["params"]) for one in answer.json()["warnings"]]
    return [one for one in told if one[0] != "no_history"]  # which is of the past


@on_both
def test_a_plan_that_waits_for_a_first_delivery_is_told_so(service: Service) -> None:
    service.replace("/v1/sources/crm", EVENTS | {"counts": ["deal"]})
    for key in ("zoom", "pbx"):
        service.put(f"/v1/sources/{key}", EVENTS | {"counts": ["call"]})
    body = PLAN | {"period": {"month": "2027-03"}, "name": "March"}
    ask = "/v1/plans/preview"
    deals = ("source_never_spoke", {"goals": "deals_won", "sources": "crm"})
    calls = ("source_never_spoke", {"goals": "calls", "sources": "pbx, zoom"})
    assert warned(service.client.post(ask, json=body)) == [deals, calls]
    assert warned(service.put("/v1/plans/march", body)) == [deals, calls]
    # One of two that speaks is enough, and a goal that waits for nobody is never unknown.
    service.post_events([call(1, source="zoom")])
    assert warned(service.get("/v1/plans/march")) == [deals]
    root = service.progress("december").body["root"]
    assert (root["freshness"]["state"], root["verdict"] == "unknown") == ("none", False)
    service.post_events([deal(1)])
    assert warned(service.get("/v1/plans/march")) == []
