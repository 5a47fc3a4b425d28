"""Weights of weekdays through HTTP: a month by hand, what carries them over, what is suggested."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta
from typing import Any

import pytest

from app.usecases.recurring import begin_next
from tests.engines import on_both
from tests.web.example import START, call, settle
from tests.web.service import Service, started
from tests.web.test_cascade import codes, made
from tests.web.test_recurring import context_of

HALF_MONDAYS = {"weekdays": {"mon": "0.5"}}
# A December without holidays and closures has 23 working days, four of them Mondays: 19 + 2 = 21.
CALLS = {"name": "December", "period": {"month": "2026-12"}, "assignments": [{"team": "east"}],
         "funnel": [{"metric": "calls", "target": "210"}]}  # fmt: skip


@pytest.fixture
def service() -> Iterator[Service]:
    """The year is over, so that any moment of its December can be asked about."""
    with started(START) as running:
        settle(running)
        running.clock.set("2027-01-01T00:00:00+09:00")
        yield running


def expected(service: Service, plan: str, *at: str, **query: str) -> list[str]:
    return [service.progress(plan, f"{t}:00+09:00", **query).goal("calls")["expected"] for t in at]


def today(service: Service, plan: str, day: str, language: str = "en") -> Any:
    answer = service.client.get(
        f"/v1/plans/{plan}/today",
        params={"as_of": f"{day}T12:00:00+09:00"},
        headers={"accept-language": language},
    )
    assert answer.status_code == 200, answer.text
    return answer.json()


def patched(service: Service, plan: str, patch: Any, status: int = 200) -> Any:
    etag = service.get(f"/v1/plans/{plan}").headers["etag"]
    kind = {"if-match": etag, "content-type": "application/merge-patch+json"}
    answer = service.client.patch(f"/v1/plans/{plan}", json=patch, headers=kind)
    assert answer.status_code == status, answer.text
    return answer.json()


def test_a_month_with_half_mondays_by_hand(service: Service) -> None:
    """Ten calls for each day and five for a Monday, of which half the hours are over at 13:30."""
    plan = made(service, "half", CALLS | {"profile": HALF_MONDAYS})
    assert plan["profile"] == HALF_MONDAYS
    assert "slices" not in plan["goals"][0]
    assert (plan["working_days"], plan["split"]["sato"]["calls"]) == (23, "105")
    days = ("2026-12-05T00:00", "2026-12-07T13:30", "2026-12-08T00:00", "2026-12-15T00:00",
            "2026-12-29T00:00", "2027-01-01T00:00")  # fmt: skip
    assert expected(service, "half", *days) == ["40", "42.5", "45", "90", "180", "210"]
    assert expected(service, "half", "2026-12-15T00:00", member="sato") == ["45"]
    # 210 are left of Monday the 14th's midnight, 8.5 + 9.5 + 2 - 9 = 12.5 days; so 8.4 for it.
    [monday] = today(service, "half", "2026-12-14")["goals"]
    [tuesday] = today(service, "half", "2026-12-15")["goals"]
    assert (monday["required"], tuesday["required"]) == ("8.4", "17.5")
    # What is required per day is the mean of the working days that are left, as ever.
    calls = service.progress("half", "2026-12-14T00:00:00+09:00").goal("calls")
    assert calls["required_per_day"] == "15"
    assert made(service, "half", plan, 200) == plan
    line = service.get("/v1/plans/half/goals/calls/line").json()
    rises = {day["date"]: day["expected"] for day in line}
    assert [rises[f"2026-12-{n:02}"] for n in (4, 6, 7, 8, 31)] == ["40", "40", "45", "55", "210"]


def test_who_keeps_to_the_line_is_foreseen_to_reach_the_target(service: Service) -> None:
    """In a first month nobody knows better than the plan which days bring how much."""
    made(service, "half", CALLS | {"profile": HALF_MONDAYS})
    at = "2026-12-08T00:00:00+09:00"
    done = [call(n, at="2026-12-07T10:00:00+09:00") for n in range(45)]
    assert service.counts(done) == {"accepted": 45}
    found = service.progress("half", at).goal("calls")
    assert (found["expected"], found["actual"]) == ("45", "45")
    assert found["forecast"]["mean"] == "210"


def test_a_day_without_weight_says_so(service: Service) -> None:
    made(service, "no-fridays", CALLS | {"profile": {"weekdays": {"fri": "0"}}})
    friday = today(service, "no-fridays", "2026-12-18")
    assert friday["sentence"] == {
        "code": "today_without_weight",
        "message": "The plan asks nothing of this day of the week.",
    }
    [goal] = friday["goals"]
    assert (goal["required"], [reason["code"] for reason in goal["reasons"]]) == (
        "0", ["day_without_weight"],
    )  # fmt: skip
    assert "曜日" in today(service, "no-fridays", "2026-12-18", "ja")["sentence"]["message"]
    assert today(service, "no-fridays", "2026-12-19")["sentence"]["code"] == "today_day_off"


def test_what_is_no_weight_is_refused_with_its_place(service: Service) -> None:
    for weekdays, place, code in (
        ({"mon": "-1"}, "/mon", "weight_out_of_range"),
        ({"mon": "0.12345"}, "/mon", "weight_out_of_range"),
        (dict.fromkeys(("mon", "tue", "wed", "thu", "fri"), "0"), "", "weekdays_all_zero"),
    ):
        body = CALLS | {"profile": {"weekdays": weekdays}}
        assert codes(made(service, "x", body, 422)) == [(f"/profile/weekdays{place}", code)]
        tried = service.client.post("/v1/plans/preview", json=body)
        assert codes(tried.json()) == [(f"/profile/weekdays{place}", code)]
    made(service, "x", CALLS | {"profile": {"weekdays": {"monday": "1"}}}, 422)


def test_a_plan_stays_readable_when_the_company_works_on_other_days(service: Service) -> None:
    """Only Saturdays weigh anything, and nobody works on them any more: all is due at the end."""
    settings = service.get("/v1/workspace").json()
    calendar = settings["calendar"]
    six = calendar | {"weekdays": [*calendar["weekdays"], "sat"]}
    service.replace("/v1/workspace", settings | {"calendar": six})
    weekdays = dict.fromkeys(("mon", "tue", "wed", "thu", "fri"), "0")
    made(service, "saturdays", CALLS | {"profile": {"weekdays": weekdays}})
    assert expected(service, "saturdays", "2026-12-14T00:00") == ["105"]
    service.replace("/v1/workspace", settings)
    assert expected(service, "saturdays", "2026-12-14T00:00", "2027-01-01T00:00") == ["0", "210"]


def test_versions_difference_preview_and_earlier_knowings_have_their_own_weights(
    service: Service,
) -> None:
    service.clock.set("2026-12-14T09:00:00+09:00")
    made(service, "plan", CALLS)
    service.clock.set("2026-12-14T12:00:00+09:00")
    tried = service.client.post(
        "/v1/plans/preview", json=CALLS | {"plan": "plan", "profile": HALF_MONDAYS}
    ).json()
    assert all(goal["change"] == "0" for goal in tried["difference"]["goals"])
    # The second version weighs Mondays; the third one bends on the 15th to weighing them twice.
    patched(service, "plan", {"profile": HALF_MONDAYS, "reason": "nobody books on Mondays"})
    later = {"profile": {"weekdays": {"mon": "2"}}, "effective_from": "2026-12-15", "reason": "!"}
    patched(service, "plan", later)
    service.clock.set("2027-01-01T00:00:00+09:00")
    midnight = "2026-12-15T00:00"
    assert [expected(service, "plan", midnight, version=v) for v in ("1", "2", "3")] == [
        ["91.304348"], ["90"], ["90"],
    ]  # fmt: skip
    # 120 are left over 11 days and two Mondays that count twice, which are 15.
    assert expected(service, "plan", "2026-12-16T00:00", "2026-12-22T00:00") == ["98", "138"]
    told = service.get("/v1/plans/plan/difference?from=2&to=3").json()
    edits = {edit["pointer"]: (edit.get("before"), edit["after"]) for edit in told["document"]}
    assert edits["/profile/weekdays/mon"] == ("0.5", "2")
    known = {"known_at": "2026-12-14T10:00:00+09:00"}
    assert expected(service, "plan", "2026-12-14T09:00", **known) == ["82.173913"]


def test_a_merge_patch_adds_weights_to_weeks_and_takes_them_away(service: Service) -> None:
    weeks = {"by": "week", "shares": ["0.1", "0.2", "0.2", "0.4", "0.1"]}
    made(service, "plan", CALLS | {"profile": weeks})
    both = patched(service, "plan", {"profile": HALF_MONDAYS, "reason": "Mondays"})
    assert both["profile"] == weeks | HALF_MONDAYS
    # A fifth of 210 in the second week, half a day of 4.5 on its Monday.
    assert expected(service, "plan", "2026-12-08T00:00", "2026-12-14T00:00") == ["25.666667", "63"]
    back = patched(service, "plan", {"profile": {"weekdays": None}, "reason": "no"})
    assert back["profile"] == weeks
    slices = [{"from": "2026-12-01", "share": "0.3"}, {"from": "2026-12-14", "share": "0.7"}]
    beside = patched(service, "plan", {"profile": None, "slices": slices, "reason": "slices"})
    assert "profile" not in beside
    cut = patched(service, "plan", {"profile": HALF_MONDAYS, "reason": "and Mondays"})
    assert cut["slices"] == slices
    assert [piece["target"] for piece in cut["goals"][0]["slices"]] == ["63", "147"]
    # The days until the 13th weigh 4 + 4.5, those after it 4.5 + 4.5 + 3.5.
    assert expected(service, "plan", "2026-12-08T00:00") == ["33.352941"]


@on_both
def test_what_begins_again_and_what_is_copied_keeps_its_weights(service: Service) -> None:
    """November has six weeks and December five: the weeks stay behind, the Mondays do not."""
    six = {"by": "week", "shares": ["0.1", "0.1", "0.1", "0.1", "0.1", "0.5"]}
    november = CALLS | {"period": {"month": "2026-11"}, "alias": "calls", "recurs": True}
    made(service, "2026-11-calls", november | {"profile": six | HALF_MONDAYS})
    assert begin_next(context_of(service), "default", "2026-11-calls")
    assert service.get("/v1/plans/2026-12-calls").json()["profile"] == HALF_MONDAYS
    assert expected(service, "calls", "2026-12-15T00:00") == ["90"]
    copied = service.client.post(
        "/v1/plans/2026-12-calls/copy", json={"period": {"quarter": "2027-Q1"}}
    )
    assert copied.status_code == 201, copied.text
    assert copied.json()["profile"] == HALF_MONDAYS


def history() -> list[dict[str, Any]]:
    """Four calls on each Monday and ten on other working days, from October to November."""
    days = [date(2026, 10, 1) + timedelta(n) for n in range(61)]
    numbers = {day: 4 if day.weekday() == 0 else 10 for day in days if day.weekday() < 5}
    return [
        call(1000 * n + i, at=f"{day.isoformat()}T10:00:00+09:00")
        for n, (day, number) in enumerate(numbers.items())
        for i in range(number)
    ]


@on_both
def test_weights_that_were_seen_are_suggested_in_the_form_that_a_plan_takes(
    service: Service,
) -> None:
    """43 days, nine of them Mondays: level 376 / 61, Mondays (36 / level + 2.4) / 11 = 0.749159.

    Tuesdays, Wednesdays and Mondays: 9 days each; Thursdays and Fridays: 9 and 8 or so. All are
    worked out below, by their numbers.
    """
    assert "suggested_profile" not in made(service, "before", CALLS)
    service.counts(history())
    made(service, "plan", CALLS)
    days = {n: sum((date(2026, 10, 1) + timedelta(d)).weekday() == n for d in range(61))
            for n in range(5)}  # fmt: skip
    total = sum((4 if n == 0 else 10) * number for n, number in days.items())
    raw = {n: ((4 if n == 0 else 10) * number * 61 / total + 2.4) / (number + 2)
           for n, number in days.items()}  # fmt: skip
    mean = sum(raw.values()) / 5
    plan = service.get("/v1/plans/plan").json()
    suggested = plan["suggested_profile"]
    names = dict(enumerate(("mon", "tue", "wed", "thu", "fri")))
    assert suggested == {"weekdays": {names[n]: f"{raw[n] / mean:.2f}".rstrip("0") for n in raw}}
    assert "profile" not in plan  # it is proposed, and nothing else
    tried = service.client.post("/v1/plans/preview", json=CALLS).json()
    assert tried["suggested_profile"] == suggested
    # Sent back as it was answered it changes nothing; taken over it is not suggested again.
    assert made(service, "plan", plan, 200) == plan
    taken = patched(service, "plan", {"profile": suggested, "reason": "as it was seen"})
    assert taken["profile"] == suggested
    assert "suggested_profile" not in taken
    # Of a plan of somebody who has done nothing there is nothing to say.
    alone = CALLS | {"assignments": [{"member": "suzuki"}]}
    assert "suggested_profile" not in made(service, "alone", alone)
