"""As we saw it on Friday, as it is now, and what makes the difference."""

from __future__ import annotations

import json
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from app.domain.instants import written_instant
from tests.web.example import PLAN, START, call, deal, member, settle
from tests.web.service import Service, started

FRIDAY = "2026-12-18T18:00:00+09:00"
LATER = "2026-12-19T10:07:00+09:00"
MONEY_PLAN: dict[str, Any] = PLAN | {
    "funnel": [
        {"metric": "revenue", "target": "4000000"},
        {"metric": "deals_won", "rate": "400000"},
        {"metric": "calls", "rate": "0.05"},
    ],
}
PLANS = "/v1/plans/december"


@pytest.fixture
def service() -> Iterator[Service]:
    with started(START) as found:
        settle(found)
        found.replace(PLANS, MONEY_PLAN | {"reason": "money"})
        yield found


def revised(event: dict[str, Any], revision: str) -> dict[str, Any]:
    return event | {"revision": revision}


def said(answer: Any) -> dict[str, Any]:
    """An answer without what says when it was asked."""
    assert answer.status_code == 200, answer.text
    told = dict(answer.json())
    for name in ("generated_at", "known_at"):
        told.pop(name, None)
    return told


def ask(service: Service, path: str, **query: str) -> Any:
    return service.client.get(path, params=query)


def test_friday_read_on_saturday_is_what_friday_said_byte_for_byte(service: Service) -> None:
    service.post_events([call(1), call(2, "suzuki@example.co.jp"), deal(1), deal(2)])
    service.clock.set(FRIDAY)
    answers = {
        json.dumps(query): ask(service, path, as_of=FRIDAY, **query).content
        for path, query in _faces()
    }
    service.clock.set(LATER)
    service.post_events([call(3), revised(deal(1, amount="100"), LATER), deal(3)])
    service.replace("/v1/members/suzuki", member("suzuki") | {"capacity": "1"})
    service.replace(PLANS, MONEY_PLAN | {"name": "Another", "reason": "a new name"})
    for path, query in _faces():
        again = ask(service, path, as_of=FRIDAY, known_at=FRIDAY, **query).content
        assert _masked(again) == _masked(answers[json.dumps(query)])
        now = ask(service, path, as_of=FRIDAY, **query).content
        assert _masked(now) != _masked(again)


def _faces() -> list[tuple[str, dict[str, str]]]:
    progress = f"{PLANS}/progress"
    scopes: list[dict[str, str]] = [
        {}, {"team": "east"}, {"member": "sato"}, {"breakdown": "member"}, {"breakdown": "team"},
    ]  # fmt: skip
    return [(progress, scope) for scope in scopes]


def _masked(raw: bytes) -> bytes:
    told = json.loads(raw)
    for name in ("generated_at", "known_at"):
        raw = raw.replace(f'"{name}":"{told[name]}"'.encode(), b"")
    return raw


def test_what_moved_between_two_knowings_is_listed_and_adds_up(service: Service) -> None:
    service.post_events([call(1), deal(1), deal(2), deal(9, "suzuki@example.co.jp")])
    service.clock.set(FRIDAY)
    service.clock.set(LATER)
    service.post_events(
        [
            call(3),
            revised(deal(1, amount="330000"), LATER),
            revised(deal(2, status="lost", closed_at=LATER), LATER),
            revised(deal(9, actor="sato@example.co.jp"), LATER),
        ]
    )
    service.clock.set("2026-12-19T11:00:00+09:00")
    told = ask(service, f"{PLANS}/changes", known_from=FRIDAY).json()
    sums = {one["goal"]: (one["before"], one["after"], one["difference"]) for one in told["sums"]}
    assert sums == {
        "revenue": ("1200000", "730000", "-470000"),
        "deals_won": ("3", "2", "-1"),
        "calls": ("1", "2", "1"),
    }
    assert told["next"] is None
    late, first, second, moved = told["items"]
    assert (late["key"], late["what"], late["kind"]) == ("c-3", "late", "call")
    assert late["received_at"].startswith("2026-12-19T10:07:00")
    assert [one["goal"] for one in late["goals"]] == ["calls"]
    assert late["goals"][0]["before"] == []
    assert late["goals"][0]["after"] == [
        {
            "value": "1",
            "member": "sato",
            "actor": "sato@example.co.jp",
            "at": "2026-12-11T10:00:00+09:00",
        }
    ]
    assert (first["key"], first["what"]) == ("d-1", "corrected")
    assert [(one["goal"], one["difference"]) for one in first["goals"]] == [("revenue", "-70000")]
    assert [(one["goal"], one["difference"]) for one in second["goals"]] == [
        ("revenue", "-400000"), ("deals_won", "-1"),
    ]  # fmt: skip
    assert all(one["after"] == [] for one in second["goals"])
    # Nothing is more or less by it, but it is another one's now.
    assert {one["difference"] for one in moved["goals"]} == {"0"}
    assert {part["member"] for one in moved["goals"] for part in one["before"]} == {"suzuki"}
    assert {part["member"] for one in moved["goals"] for part in one["after"]} == {"sato"}


def test_pages_of_changes_are_of_one_list_though_more_arrives(service: Service) -> None:
    service.clock.set(FRIDAY)
    service.clock.set(LATER)
    service.post_events([call(number) for number in range(7)])
    keys, cursor, page = [], None, 0
    while cursor or not page:
        told = ask(
            service, f"{PLANS}/changes", known_from=FRIDAY, limit="3", **_cursor(cursor)
        ).json()
        keys += [item["key"] for item in told["items"]]
        assert {one["goal"]: one["difference"] for one in told["sums"]}["calls"] == "7"
        cursor, page = told["next"], page + 1
        service.clock.now += 60_000_000
        service.post_events([call(100 + page)])
    assert keys == [f"c-{number}" for number in range(7)]


def _cursor(cursor: str | None) -> dict[str, str]:
    return {"cursor": cursor} if cursor else {}


def test_activities_are_told_as_they_were_known(service: Service) -> None:
    service.post_events([deal(1)])
    service.clock.set(LATER)
    service.post_events([revised(deal(1, amount="1"), LATER), deal(2)])
    service.clock.set("2026-12-20T10:00:00+09:00")
    now = ask(service, "/v1/activities/crm/d-1").json()
    then = ask(service, "/v1/activities/crm/d-1", known_at=FRIDAY).json()
    assert (now["fields"]["amount"], len(now["revisions"])) == ("1", 2)
    assert (then["fields"]["amount"], len(then["revisions"])) == ("400000", 1)
    assert then["changed_at"].startswith("2026-12-14T00:00:00")
    listed = ask(service, "/v1/activities", known_at=FRIDAY).json()
    assert [(one["key"], one["fields"]["amount"]) for one in listed["items"]] == [("d-1", "400000")]
    assert ask(service, "/v1/activities/crm/d-2", known_at=FRIDAY).status_code == 404
    refused = ask(service, "/v1/activities", known_at=FRIDAY, counted="false")
    assert refused.json()["errors"][0]["code"] == "not_with_known_at"


def test_series_and_leaderboard_are_told_as_they_were_known(service: Service) -> None:
    service.post_events([call(1), deal(1)])
    service.clock.set(FRIDAY)
    asked = {"from": "2026-12-01", "granularity": "day", "group_by": "member", "as_of": FRIDAY}
    series = said(ask(service, "/v1/metrics/revenue/series", **asked))
    board = said(ask(service, f"{PLANS}/leaderboard", as_of=FRIDAY, goal="calls"))
    service.clock.set(LATER)
    service.post_events([revised(deal(1, amount="1"), LATER), call(2, "suzuki@example.co.jp")])
    then = ask(service, "/v1/metrics/revenue/series", known_at=FRIDAY, **asked)
    assert said(then) == series
    assert then.json()["known_at"] == FRIDAY
    assert said(ask(service, "/v1/metrics/revenue/series", **asked)) != series
    query = {"as_of": FRIDAY, "goal": "calls"}
    assert said(ask(service, f"{PLANS}/leaderboard", known_at=FRIDAY, **query)) == board
    assert said(ask(service, f"{PLANS}/leaderboard", **query)) != board


def test_a_plan_is_told_by_its_version_of_then(service: Service) -> None:
    service.clock.set(FRIDAY)
    service.clock.set(LATER)
    body = MONEY_PLAN | {"reason": "more"}
    body["funnel"][0]["target"] = "8000000"
    service.replace(PLANS, body)
    then = ask(service, f"{PLANS}/progress", known_at=FRIDAY).json()
    assert (then["plan"]["version"], then["root"]["target"]) == (2, "4000000")
    # A date is the end of that day; before there was a plan there is none to tell of.
    assert ask(service, f"{PLANS}/progress", known_at="2026-12-18").json()["plan"]["version"] == 2
    assert ask(service, f"{PLANS}/progress", known_at="2026-12-13").status_code == 404
    early = ask(service, f"{PLANS}/progress", known_at="2026-12-13", version="1")
    assert early.json()["root"]["actual"] == "0"
    service.client.delete(PLANS, headers={"If-Match": service.get(PLANS).headers["etag"]})
    assert ask(service, f"{PLANS}/progress", known_at=FRIDAY).json()["plan"]["version"] == 2


@pytest.mark.parametrize(
    ("path", "parameter"),
    [
        (f"{PLANS}/progress", "known_at"),
        (f"{PLANS}/leaderboard", "known_at"),
        (f"{PLANS}/changes", "known_from"),
        ("/v1/metrics/calls/series?from=2026-12-01", "known_at"),
        ("/v1/activities", "known_at"),
        ("/v1/activities/crm/c-1", "known_at"),
    ],
)
def test_nothing_is_known_from_the_future(service: Service, path: str, parameter: str) -> None:
    service.post_events([call(1)])
    sign = "&" if "?" in path else "?"
    for text, code in (
        ("2026-12-15T00:00:00%2B09:00", "as_of_ahead"),
        ("yesterday", "not_a_time"),
    ):
        answer = service.get(f"{path}{sign}{parameter}={text}")
        assert answer.status_code == 422
        (error,) = answer.json()["errors"]
        assert (error["code"], error["params"]) == (code, {"parameter": parameter})


def test_an_answer_of_then_keeps_its_tag_whatever_comes(service: Service) -> None:
    service.post_events([call(1)])
    service.clock.set(LATER)
    query = {"as_of": FRIDAY, "known_at": FRIDAY}
    first = ask(service, f"{PLANS}/progress", **query).headers["etag"]
    service.post_events([call(2)])
    assert ask(service, f"{PLANS}/progress", **query).headers["etag"] == first
    later = query | {"known_at": "2026-12-19T10:00:00+09:00"}
    assert ask(service, f"{PLANS}/progress", **later).headers["etag"] != first


CLOSED = "2027-01-08T12:00:00+09:00"


def test_a_closed_period_shows_what_it_was_closed_with_beside_what_is_known(
    service: Service,
) -> None:
    service.post_events([deal(1), deal(2)])
    early = service.client.post(f"{PLANS}/close", json={"reason": "too early"})
    assert early.status_code == 409
    assert early.json()["type"].endswith(":period-not-over")
    service.clock.set(CLOSED)
    assert service.get(f"{PLANS}/close").json()["type"].endswith(":not-closed")
    closed = service.client.post(f"{PLANS}/close", json={"reason": "books are closed"})
    assert closed.status_code == 201
    assert closed.json()["known_at"] == closed.json()["closed_at"]
    service.clock.set("2027-01-09T12:00:00+09:00")
    service.post_events([revised(deal(1, amount="1"), LATER)])
    told = service.progress("december", breakdown="member")
    assert told.body["closed"]["reason"] == "books are closed"
    assert (told.goal("revenue")["actual_at_close"], told.goal("revenue")["actual"]) == (
        "800000", "400001",
    )  # fmt: skip
    of_sato = told.body["breakdown"][0]["root"]
    assert (of_sato["actual_at_close"], of_sato["actual"]) == ("800000", "400001")
    listed = ask(service, f"{PLANS}/changes", known_from=closed.json()["known_at"]).json()
    assert [one["key"] for one in listed["items"]] == ["d-1"]
    assert listed["sums"][0]["difference"] == "-399999"
    assert "closed" not in ask(service, f"{PLANS}/progress", known_at="2027-01-07").json()
    again = service.client.post(f"{PLANS}/close", json={"reason": "again", "at": "2027-01-08"})
    assert (again.status_code, again.json()["version"]) == (200, 2)
    assert again.json()["known_at"] == "2027-01-09T00:00:00+09:00"
    assert service.get(f"{PLANS}/close").json() == again.json()
    assert service.client.delete(f"{PLANS}/close").status_code == 204
    assert "closed" not in service.progress("december").body
    assert service.client.delete(f"{PLANS}/close").status_code == 404
    ahead = service.client.post(f"{PLANS}/close", json={"reason": "r", "at": "2027-01-31"})
    assert [(e["pointer"], e["code"]) for e in ahead.json()["errors"]] == [("/at", "as_of_ahead")]


JANUARY: dict[str, Any] = {"period": {"month": "2027-01"}, "reason": "the next one"}


def test_a_plan_that_is_made_anew_or_moved_was_never_closed(service: Service) -> None:
    assert service.put("/v1/plans/moved", MONEY_PLAN).status_code == 201
    service.clock.set(CLOSED)
    for path in (PLANS, "/v1/plans/moved"):
        assert service.client.post(f"{path}/close", json={"reason": "over"}).status_code == 201
    service.clock.set("2027-01-09T12:00:00+09:00")
    service.client.delete(PLANS, headers={"If-Match": service.get(PLANS).headers["etag"]})
    assert service.put(PLANS, MONEY_PLAN | JANUARY).status_code == 201
    assert service.get(f"{PLANS}/close").status_code == 404
    service.replace("/v1/plans/moved", MONEY_PLAN | JANUARY)
    for plan in ("december", "moved"):
        told = service.progress(plan)
        assert "closed" not in told.body
        assert "actual_at_close" not in told.goal("revenue")
    then = service.progress("december", known_at="2027-01-08T13:00:00+09:00")
    assert then.body["closed"]["reason"] == "over"


_actors = st.sampled_from(["sato@example.co.jp", "suzuki@example.co.jp", "7", None])
_at = st.sampled_from(
    ["2026-11-30T23:59:00+09:00", "2026-12-01T00:00:00+09:00", "2026-12-11T10:00:00+09:00"]
)


@st.composite
def _events(draw: st.DrawFn) -> dict[str, Any]:
    number, actor = draw(st.integers(0, 3)), draw(_actors)
    at = draw(_at)
    event = (
        call(number, at=at)
        if draw(st.booleans())
        else deal(
            number,
            status=draw(st.sampled_from(["won", "lost"])),
            amount=str(draw(st.integers(0, 900))),
            currency=draw(st.sampled_from(["JPY", "JPY", "USD"])),
            won_at=at,
        )
    )
    event["revision"] = str(draw(st.integers(0, 9)))
    if actor is None:
        del event["actor"]
        return event
    return event | {"actor": actor}


_AS_OF = "2026-12-14T09:00:00+09:00"


@settings(max_examples=5, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(st.lists(_events(), min_size=1, max_size=4), min_size=2, max_size=5), st.data())
def test_whatever_comes_each_day_is_told_again_as_it_was_and_differences_add_up(
    days: list[list[dict[str, Any]]], data: st.DataObject
) -> None:
    with started(START) as service:
        settle(service)
        service.replace(PLANS, MONEY_PLAN | {"reason": "money"})
        told: dict[int, dict[str, Any]] = {}
        for batch in days:
            service.clock.now += 86_400_000_000
            service.post_events(batch)
            service.clock.now += 3_600_000_000
            told[service.clock.now] = _seen(service)
        service.clock.now += 1_000_000
        for at, expected in told.items():
            assert _seen(service, _written(at)) == expected
        first, last = sorted(
            data.draw(st.lists(st.sampled_from(sorted(told)), min_size=2, max_size=2))
        )
        assert_adds_up(service, told[first], told[last], (_written(first), _written(last)))
        assert service.mismatches() == []


def _written(at: int) -> str:
    return written_instant(at)


def _seen(service: Service, known_at: str | None = None) -> dict[str, Any]:
    """What a reader sees of a fixed day, now or as it was known."""
    then = {"known_at": known_at} if known_at else {}
    return {
        "progress": said(
            ask(service, f"{PLANS}/progress", as_of=_AS_OF, breakdown="member", **then)
        ),
        "series": said(
            ask(
                service,
                "/v1/metrics/open_pipeline/series",
                **{"from": "2026-12-01", "as_of": _AS_OF, "granularity": "day", "time_zone": "UTC"},
                **then,
            )
        ),
        "activities": said(ask(service, "/v1/activities", **then)),
    }


def assert_adds_up(
    service: Service, before: dict[str, Any], after: dict[str, Any], between: tuple[str, str]
) -> None:
    """Sums and items are the difference of two progresses that were recorded when they were so."""
    old, new = (dict(_actuals(seen["progress"]["root"])) for seen in (before, after))
    query = {"known_from": between[0], "known_to": between[1], "as_of": _AS_OF, "limit": "1"}
    items: list[Any] = []
    cursor = None
    while True:
        told = ask(service, f"{PLANS}/changes", **query, **_cursor(cursor)).json()
        items += told["items"]
        assert {one["goal"]: Decimal(one["difference"]) for one in told["sums"]} == {
            goal: new[goal] - old[goal] for goal in new
        }
        if (cursor := told["next"]) is None:
            break
    summed = dict.fromkeys(new, Decimal(0))
    for item in items:
        for one in item["goals"]:
            summed[one["goal"]] += Decimal(one["difference"])
    assert summed == {goal: new[goal] - old[goal] for goal in new}
    known = {(one["source"], one["key"]) for one in before["activities"]["items"]}
    assert {(one["source"], one["key"]) for one in items if one["what"] == "late"} & known == set()
    assert len({(one["source"], one["key"]) for one in items}) == len(items)


def _actuals(goal: dict[str, Any]) -> Iterator[tuple[str, Decimal]]:
    yield goal["key"], Decimal(goal["actual"])
    for child in goal["children"]:
        yield from _actuals(child)
