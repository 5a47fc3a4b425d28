"""What today asks, through HTTP: the worked month on the morning of its eleventh working day."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from app.domain.progress import Scope
from app.domain.scopes import Breakdown
from app.usecases.stream import Subject, observe
from tests.engines import ENGINES, on_both, use
from tests.web.service import Reading, Service, started
from tests.web.test_worked_month import (
    DAY_TEN,
    MONTH,
    PLAN,
    call,
    live_through,
    meeting,
    set_up,
)

MORNING = "2026-12-15T09:00:00+09:00"
LAGGING = "2026-12-lag"


STAGES: list[dict[str, Any]] = [
    {"metric": "revenue", "target": "2000000"},
    {"metric": "deals_won", "rate": "400000"},
    {"metric": "appointments", "rate": "0.05", "lag_days": 14},
    {"metric": "calls", "rate": "0.2", "priority": 1, "why": "All begins with a call."},
]
# Of everybody: 13 of the calendar's days are useful for appointments.
WITH_A_LAG = {"name": "With a lag", "period": PLAN["period"], "funnel": STAGES}


@contextmanager
def lived_through() -> Iterator[Service]:
    with started("2026-11-27T09:00:00+09:00") as service:
        set_up(service)
        answer = service.put(f"/v1/plans/{LAGGING}", WITH_A_LAG)
        assert answer.status_code == 201, answer.text
        live_through(service)
        service.clock.set(MORNING)
        yield service


@pytest.fixture(scope="module", params=ENGINES)
def month(request: pytest.FixtureRequest) -> Iterator[Service]:
    with use(request.param), lived_through() as service:
        yield service


def today(service: Service, plan: str = MONTH, language: str = "en", **query: str) -> Any:
    answer = service.client.get(
        f"/v1/plans/{plan}/today", params=query, headers={"accept-language": language}
    )
    assert answer.status_code == 200, answer.text
    return answer.json()


def by_key(goals: list[dict[str, Any]]) -> dict[str, Any]:
    return {goal["key"]: goal for goal in goals}


def test_sato_is_asked_for_nine_calls_and_two_appointments(month: Service) -> None:
    told = today(month, member="sato")
    assert (told["date"], told["name"], told["scope"]) == ("2026-12-15", "佐藤", {"member": "sato"})
    assert told["sentence"] == {"code": "today_asks", "message": "9 calls, 2 appointments today."}
    assert [goal["key"] for goal in told["goals"]] == [
        "calls",
        "appointments",
        "deals_won",
        "revenue",
    ]
    calls, appointments, deals, revenue = told["goals"]
    assert (calls["required"], calls["required_display"]) == ("8.241379", "9")
    assert (calls["done"], calls["left"]) == ("0", "8.241379")
    assert (appointments["required"], appointments["required_display"]) == ("1.448276", "2")
    # 689,655.172414 - 380,000 is left: 0.774138 deals, 15.482759 appointments, 77.413793 calls.
    assert [goal["required_from_kgi"] for goal in told["goals"]] == [
        "7.741379",
        "1.548276",
        "0.077414",
        "30965.517241",
    ]
    assert (deals["required"], deals["verdict"]) == ("0.072414", "on_track")
    assert revenue["unit"] == {"kind": "money", "currency": "JPY"}
    assert calls["deadline"] == "2027-01-01T00:00:00+09:00"
    assert told["people"] == []
    assert today(month, member="sato", language="ja")["sentence"]["message"] == (
        "本日の目標: 架電 9件、アポ 2件。"
    )


def test_a_team_is_told_with_its_people_each_by_the_own_days(month: Service) -> None:
    told = today(month, team="east")
    assert by_key(told["goals"])["calls"]["required"] == "23.8"
    assert by_key(told["goals"])["calls"]["required_from_kgi"] == "40.5"
    assert [one["member"] for one in told["people"]] == ["sato", "suzuki", "tanaka"]
    for one in told["people"]:
        alone = today(month, member=one["member"])
        for name in ("name", "sentence", "goals", "working_days"):
            assert one[name] == alone[name]
    tanaka = by_key(told["people"][2]["goals"])["calls"]
    assert tanaka["required"] == "8.896552"
    assert today(month)["people"] == told["people"]


@pytest.mark.parametrize(
    "query",
    [
        {},
        {"member": "tanaka"},
        {"team": "east"},
        {"as_of": "2026-12-11T09:00:00+09:00", "known_at": "2026-12-11T09:00:00+09:00"},
        {"as_of": "2026-12-14"},
        {"as_of": DAY_TEN, "team": "east", "member": "suzuki", "version": "1"},
    ],
)
@pytest.mark.parametrize("plan", [MONTH, LAGGING])
def test_today_is_a_part_of_the_progress_that_includes_it(
    month: Service, plan: str, query: dict[str, str]
) -> None:
    if plan == LAGGING and {"team", "member"} & query.keys():
        return  # nobody in particular carries it
    told = today(month, plan, **query)
    as_of = query.get("as_of")
    rest = {name: value for name, value in query.items() if name != "as_of"}
    alone = plan == LAGGING or "member" in query
    more = {} if alone else {"breakdown": "member"}
    progress = month.progress(plan, as_of, include="today", **rest, **more)
    assert told["goals"] == list(reversed(list(projected(progress))))
    assert told["next_change_at"] == progress.body["next_change_at"]
    assert told["working_days"] == progress.body["working_days"]
    for person, part in zip(told["people"], progress.body.get("breakdown", []), strict=True):
        assert person["goals"] == list(reversed(list(projected(Reading(part)))))
    assert {goal["today"]["date"] for goal in progress.goals.values()} == {told["date"]}
    plain = month.progress(plan, as_of, **rest)
    assert all("today" not in goal for goal in plain.goals.values())
    for key, goal in progress.goals.items():
        assert without(goal, "today") == without(plain.goal(key))


def without(goal: dict[str, Any], *names: str) -> dict[str, Any]:
    return {name: value for name, value in goal.items() if name not in {*names, "children"}}


def projected(progress: Reading) -> Iterator[dict[str, Any]]:
    for goal in progress.goals.values():
        names = ("key", "name", "metric", "unit", "deadline", "verdict", "priority", "why")
        day = {name: value for name, value in goal["today"].items() if name != "date"}
        yield {name: goal[name] for name in names if name in goal} | day


def test_a_date_means_that_day_and_a_midnight_the_day_it_ends(month: Service) -> None:
    for as_of in ("2026-12-14", "2026-12-15T00:00:00+09:00", DAY_TEN):
        told = today(month, member="sato", as_of=as_of)
        calls = by_key(told["goals"])["calls"]
        # 172.413793 - 81 were left in the morning, for 11 days; 9 were done.
        assert (told["date"], calls["required"], calls["done"]) == ("2026-12-14", "8.310345", "9")
        assert calls["left"] == "0"
        assert told["sentence"] == {
            "code": "today_done",
            "message": "Done for today: 9 calls, 2 appointments.",
        }


def test_friday_as_it_was_seen_on_friday(month: Service) -> None:
    friday = "2026-12-11T09:00:00+09:00"
    then, now = (
        by_key(today(month, as_of=friday, **known)["goals"])["revenue"]
        for known in ({"known_at": friday}, {})
    )
    # 850,000 of 2,000,000 were known then, 380,000 are now; 12 working days are left.
    assert (then["required"], now["required"]) == ("95833.333333", "135000")


@pytest.mark.parametrize(
    ("as_of", "known_at", "calls", "appointments"),
    [
        # By noon four of sato's nine calls were made, and both appointments booked.
        ("2026-12-14T12:00:00+09:00", None, "4", "2"),
        # At noon the CRM had told of its appointments, and nobody of the calls.
        (DAY_TEN, "2026-12-14T12:00:00+09:00", "0", "2"),
        (DAY_TEN, "2026-12-14T10:00:00+09:00", "0", "0"),
    ],
)
def test_what_was_done_by_a_moment_as_it_was_known_at_another(
    month: Service, as_of: str, known_at: str | None, calls: str, appointments: str
) -> None:
    known = {} if known_at is None else {"known_at": known_at}
    told = by_key(today(month, member="sato", as_of=as_of, **known)["goals"])
    assert (told["calls"]["done"], told["appointments"]["done"]) == (calls, appointments)
    assert told["calls"]["required"] == "8.310345"


def test_with_a_lag_the_deadline_the_flight_and_the_rest_are_those_of_the_worked_month(
    month: Service,
) -> None:
    progress = month.progress(LAGGING, DAY_TEN)
    appointments, deals = progress.goal("appointments"), progress.goal("deals_won")
    assert appointments["deadline"] == "2026-12-18T00:00:00+09:00"
    assert appointments["expected"] == "76.923077"
    assert deals["in_flight"] == {"items": 54, "expected": "2.7"}
    assert "in_flight" not in appointments
    needed = {key: goal["required_from_kgi_per_day"] for key, goal in progress.goals.items()}
    assert needed == {"revenue": "162000", "deals_won": "0.405", "appointments": "9", "calls": "45"}
    told = by_key(today(month, LAGGING)["goals"])
    assert (told["calls"]["required_from_kgi"], told["appointments"]["required"]) == (
        "45",
        "15.333333",
    )
    assert progress.goal("calls")["priority"] == told["calls"]["priority"] == 1
    assert progress.goal("calls")["why"] == told["calls"]["why"] == "All begins with a call."
    assert "why" not in told["appointments"]


def test_the_flight_is_that_which_had_been_heard_of(month: Service) -> None:
    evening = "2026-12-10T12:00:00+09:00"
    then = month.progress(LAGGING, DAY_TEN, known_at=evening).goal("deals_won")["in_flight"]
    # Eight days of appointments were booked by then.
    assert then == {"items": 43, "expected": "2.15"}
    early = month.progress(LAGGING, "2026-12-02").goal("deals_won")["in_flight"]
    assert early == {"items": 11, "expected": "0.55"}


def test_the_screen_is_shown_the_same_flight(month: Service) -> None:
    context = month.client.app.state.context  # type: ignore[attr-defined] # the app of a test client
    subject = Subject("default", LAGGING, Scope(), Breakdown.NONE, "en")
    shown: Any = observe(context, subject).document
    assert shown["root"] == month.progress(LAGGING).body["root"]
    assert shown["root"]["children"][0]["in_flight"]["items"] == 54


def test_an_entity_tag_knows_the_face_the_language_and_the_moment(month: Service) -> None:
    path = f"/v1/plans/{MONTH}/today?member=sato"
    first = month.get(path)
    assert month.get(path, **{"if-none-match": first.headers["etag"]}).status_code == 304
    others = [
        month.get(path, **{"accept-language": "ja"}),
        month.get(f"/v1/plans/{MONTH}/progress?member=sato&include=today"),
        month.get(f"/v1/plans/{MONTH}/progress?member=sato"),
        month.get(f"{path}&as_of=2026-12-14"),
    ]
    tags = {first.headers["etag"], *(other.headers["etag"] for other in others)}
    assert len(tags) == 5


@pytest.mark.parametrize("include", ["tomorrow", "today,tomorrow", "today,", ","])
def test_what_cannot_be_included_is_refused(month: Service, include: str) -> None:
    answer = month.client.get(f"/v1/plans/{MONTH}/progress", params={"include": include})
    assert answer.status_code == 422
    (fault,) = answer.json()["errors"]
    assert (fault["code"], fault["params"]) == (
        "not_one_of",
        {"allowed": "today, evidence", "parameter": "include"},
    )


@pytest.mark.parametrize(
    ("path", "status", "code"),
    [
        (f"/v1/plans/{MONTH}/today?member=nobody", 404, "member-not-in-plan"),
        (f"/v1/plans/{MONTH}/today?team=west", 404, "team-not-in-plan"),
        ("/v1/plans/unknown/today", 404, "unknown-plan"),
        (f"/v1/plans/{LAGGING}/today?member=sato", 422, "plan-has-no-assignments"),
        (f"/v1/plans/{MONTH}/today?as_of=2027-12-01", 422, "invalid-request"),
        (f"/v1/plans/{MONTH}/today?day=2026-12-01", 422, "invalid-request"),
    ],
)
def test_what_nobody_can_be_told_is_refused(
    month: Service, path: str, status: int, code: str
) -> None:
    answer = month.get(path)
    assert answer.status_code == status
    assert answer.json()["type"] == f"urn:tassei:problem:{code}"


@pytest.mark.parametrize(
    ("given", "code"),
    [({"priority": 0}, "too_small"), ({"priority": 101}, "too_large"),
     ({"priority": "1"}, None), ({"why": ""}, "too_short")],
)  # fmt: skip
def test_no_rank_and_no_reason_is_refused(
    month: Service, given: dict[str, Any], code: str | None
) -> None:
    stages = [*STAGES[:3], STAGES[3] | given]
    answer = month.put("/v1/plans/refused", PLAN | {"funnel": stages})
    assert answer.status_code == 422
    (fault,) = answer.json()["errors"]
    assert fault["pointer"] == f"/funnel/3/{next(iter(given))}"
    assert code is None or fault["code"] == code


@on_both
def test_working_does_not_move_the_goalpost() -> None:
    with lived_through() as service:
        work_on(service)


def work_on(month: Service) -> None:
    before = today(month, member="sato")
    month.clock.set("2026-12-15T11:50:00+09:00")
    some = [call("sato", number, "2026-12-15", f"{9 + number // 3:02d}:{number:02d}")
            for number in range(5)]  # fmt: skip
    assert month.counts(some) == {"accepted": 5}
    after = today(month, member="sato")
    calls = by_key(after["goals"])["calls"]
    assert (calls["done"], calls["left"]) == ("5", "3.241379")
    for was, now in zip(before["goals"], after["goals"], strict=True):
        for name in ("required", "required_display", "required_from_kgi"):
            assert was[name] == now[name]
    assert month.counts([call("sato", n, "2026-12-15", f"11:{n:02d}") for n in range(10, 14)]) == {
        "accepted": 4
    }
    assert month.counts([meeting("sato", n, "2026-12-15") for n in range(2)]) == {"accepted": 2}
    done = today(month, member="sato")["sentence"]
    assert done == {"code": "today_done", "message": "Done for today: 9 calls, 2 appointments."}
    month.clock.set("2026-12-24T10:00:00+09:00")
    away = today(month, member="tanaka")["sentence"]
    assert away == {"code": "today_day_off", "message": "No working day today."}
    late = today(month, LAGGING, "ja")["sentence"]["message"]
    assert late.endswith("アポは、今から始めてもこの期間の成果にはつながりません。")
    month.clock.set("2026-12-29T10:00:00+09:00")
    assert today(month)["sentence"]["code"] == "today_no_days_left"
    assert today(month, as_of="2026-11-27")["sentence"]["code"] == "today_not_begun"
