"""The manager's page: the figures of the progress, in words, and nothing else."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import pytest

from tests.engines import ENGINES, on_both, use
from tests.views.test_report_text import HOSTILE, OURS, Reader
from tests.web import test_worked_month as worked
from tests.web.service import Service, started

EVENING = "2026-12-14T18:00:00+09:00"
MONTH = f"/v1/plans/{worked.MONTH}"
PLAIN = {"as_of": EVENING}


@pytest.fixture(scope="module", params=ENGINES)
def month(request: pytest.FixtureRequest) -> Iterator[Service]:
    """Lived through once on each engine; nobody changes it."""
    with use(request.param), worked.lived() as found:
        yield found


def report(service: Service, **query: str) -> dict[str, Any]:
    answer = service.client.get(f"{MONTH}/report", params=PLAIN | query)
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


def text(service: Service, form: str, language: str, **query: str) -> str:
    asked = PLAIN | query | {"format": form, "language": language}
    answer = service.client.get(f"{MONTH}/report", params=asked)
    assert answer.status_code == 200, answer.text
    return str(answer.text)


def test_the_evening_of_the_tenth_day_in_a_managers_words(month: Service) -> None:
    told = report(month)
    assert told["headline"]["sentence"]["message"] == (
        "Revenue: ¥380,000 of ¥2,000,000, ¥654,483 short of the ¥1,034,483 expected by now."
    )
    assert "a probability of 8%" in told["headline"]["outlook"]["message"]
    assert told["headline"]["verdict"] == "off_track"
    assert told["reached"] == ["appointments", "calls"]
    assert told["not_reached"] == ["revenue", "deals_won"]
    effects = [(one["factor"], one["effect"]) for one in told["why"]["effects"]]
    assert effects == [
        ("calls", "14877"),
        ("appointments/calls", "33977"),
        ("deals_won/appointments", "-684730"),
        ("revenue/deals_won", "-18607"),
    ]
    assert sum(Decimal(effect) for _, effect in effects) == Decimal(-654483)
    assert told["why"]["named"]["certainty"] == "not_yet_distinguishable"


def test_each_format_says_it_to_the_yen(month: Service) -> None:
    for form in ("markdown", "html"):
        english, japanese = text(month, form, "en"), text(month, form, "ja")
        for figure in ("¥380,000", "¥2,000,000", "+¥14,877", "+¥33,977", "-¥684,730", "-¥654,483"):
            assert figure in english, figure
        for figure in (
            "380,000円",
            "2,000,000円",
            "+14,877円",
            "-684,730円",
            "-654,483円",
            "262件",
        ):
            assert figure in japanese, figure
        assert "8%" in english
        assert "達成する確率は8%" in japanese
        assert "売上" in japanese
        assert "売上" not in english
        assert "Revenue" not in japanese


def test_every_figure_is_the_progresss_and_the_diagnosiss(month: Service) -> None:
    scopes: list[dict[str, str]] = [{}, {"team": "east"}]
    for scope in scopes:
        told = report(month, **scope)
        progress = month.progress(worked.MONTH, EVENING, **scope)
        assert {goal["key"] for goal in told["goals"]} == set(progress.goals)
        for goal in told["goals"]:
            shown = progress.goal(goal["key"])
            same = goal.keys() - {"where", "sentence", "name"}
            assert {name: goal[name] for name in same} == {name: shown[name] for name in same}
        for name in ("working_days", "as_of", "scope", "plan", "time_zone"):
            assert told[name] == progress.body[name]
        asked = PLAIN | scope
        diagnosis = month.client.get(f"{MONTH}/diagnosis", params=asked).json()
        for name in ("expected", "actual", "gap", "effects"):
            assert told["why"][name] == diagnosis[name]
        for name in ("factor", "share", "certainty", "e_value"):
            assert told["why"]["named"][name] == diagnosis["named"][name]


def test_what_the_day_asks_is_todays(month: Service) -> None:
    told = report(month)["today"]
    today = month.client.get(f"{MONTH}/today", params=PLAIN).json()
    for goal in (*told["goals"], *today["goals"]):
        goal.pop("name")  # a preset's is told in the report's language
    assert told == {name: today[name] for name in ("date", "sentence", "goals")}
    # At midnight 234 of 500 calls were there, and 11 days: 24.2 a day, and 28 were made.
    assert "| Calls | 25 | 28 | 0 |" in text(month, "markdown", "en")
    assert report(month, as_of="2026-11-30")["today"] is None


def test_the_week_before_is_the_progress_of_then(month: Service) -> None:
    since = report(month)["since"]
    then = "2026-12-07T18:00:00+09:00"
    assert (since["as_of"], since["known_at"]) == (then, then)
    progress = month.progress(worked.MONTH, then, known_at=then)
    for goal in since["goals"]:
        shown = progress.goal(goal["goal"])
        same = ("actual", "attainment", "forecast")
        assert {name: goal[name] for name in same} == {name: shown[name] for name in same}
    # Five days of calls: 9 x 5, 9 + 8 + 9 + 8 + 9, 8 + 8 + 9 + 8 + 8.
    assert {goal["goal"]: goal["actual"] for goal in since["goals"]}["calls"] == "129"
    assert since["moved"] == []
    first_week = report(month, as_of="2026-12-04T18:00:00+09:00")
    assert first_week["since"] is None


@on_both
def test_what_came_late_or_was_corrected_moved_last_weeks_figures() -> None:
    with worked.lived() as service:
        service.clock.set("2026-12-15T18:00:00+09:00")
        told = report(service, as_of="2026-12-15T18:00:00+09:00")["since"]
        moved = {one["goal"]: one for one in told["moved"]}
        # Won on the 8th at 15:00, told of on the 9th, and priced anew on the 11th.
        assert [moved["revenue"][name] for name in ("late", "corrected", "difference")] == [
            1, 0, "380000",
        ]  # fmt: skip
        assert [moved["deals_won"][name] for name in ("late", "corrected", "difference")] == [
            1, 0, "1",
        ]  # fmt: skip
        assert moved.keys() == {"revenue", "deals_won"}
        assert told["complete"] is True
        listed = service.get(told["changes"]).json()
        assert {one["goal"]: one["difference"] for one in listed["sums"]} == {
            "revenue": "380000", "deals_won": "1", "appointments": "0", "calls": "0",
        }  # fmt: skip
        assert [item["key"] for item in listed["items"]] == ["D-1001"]
        later = "2026-12-16T18:00:00+09:00"
        service.clock.set(later)
        told = report(service, as_of=later)["since"]
        moved = {one["goal"]: one for one in told["moved"]}
        # On the 9th at 18:00 both deals stood, 450,000 and 400,000; one is left, at 380,000.
        assert [moved["revenue"][name] for name in ("late", "corrected", "difference")] == [
            0, 2, "-470000",
        ]  # fmt: skip
        assert moved["deals_won"]["difference"] == "-1"
        assert "-¥470,000 (0 late, 2 corrected)" in moved["revenue"]["message"]


def test_the_format_is_as_asked_for_and_the_page_can_do_nothing(month: Service) -> None:
    for accept, kind in (
        ("*/*", "application/json"),
        ("text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8", "text/html"),
        ("text/markdown", "text/markdown"),
        ("text/html;q=0.2, text/markdown;q=0.7", "text/markdown"),
        ("text/html;q=x, application/json;q=0.1", "application/json"),
        ("image/png", "application/json"),
    ):
        answer = month.client.get(f"{MONTH}/report", params=PLAIN, headers={"accept": accept})
        assert answer.headers["content-type"].partition(";")[0] == kind, accept
        assert answer.headers["vary"] == "Authorization, Accept, Accept-Language"
        assert answer.headers["content-language"] == "en"
    page = month.client.get(f"{MONTH}/report", params=PLAIN | {"format": "html"},
                            headers={"accept-language": "ja"})  # fmt: skip
    assert page.headers["content-language"] == "ja"
    assert '<html lang="ja">' in page.text
    policy = page.headers["content-security-policy"]
    assert policy.startswith("default-src 'none'; style-src 'sha256-")
    assert "unsafe" not in policy
    reader = Reader()
    reader.feed(page.text)
    assert not reader.tags & {"script", "link", "img", "iframe", "form", "a", "object"}
    assert not re.search(r"\son\w+=|\sstyle=|url\(|@import|https?://(?!www\.w3\.org)", page.text)


def test_a_report_that_is_known_is_not_sent_again(month: Service) -> None:
    tags = set()
    for form in ("json", "markdown", "html"):
        for language in ("en", "ja"):
            asked = PLAIN | {"format": form, "language": language}
            etag = month.client.get(f"{MONTH}/report", params=asked).headers["etag"]
            again = month.client.get(
                f"{MONTH}/report", params=asked, headers={"if-none-match": etag}
            )
            assert again.status_code == 304
            tags.add(etag)
    assert len(tags) == 6


def test_what_is_asked_wrongly_is_said(month: Service) -> None:
    for query, status in (
        ("?format=pdf", 422),
        ("?language=fr", 422),
        ("?member=sato", 422),
        ("?team=west", 404),
        ("?as_of=2027-01-01", 422),
        ("?version=9", 404),
    ):
        answer = month.get(f"{MONTH}/report{query}")
        assert answer.status_code == status, query
        assert answer.headers["content-type"] == "application/problem+json"


@on_both
def test_names_and_notes_of_others_do_nothing_in_a_report() -> None:
    with worked.lived() as service:
        name = HOSTILE[0] + HOSTILE[1] + "\u202e"
        for key in worked.NAMES:
            body = service.get(f"/v1/members/{key}").json() | {"name": name}
            service.replace(f"/v1/members/{key}", body)
        stages: Any = worked.PLAN["funnel"]
        funnel = [stage | {"name": name + HOSTILE[3]} for stage in stages]
        service.replace(MONTH, worked.PLAN | {"name": name, "funnel": funnel})
        for line in HOSTILE:
            noted = {"goal": "calls", "member": "sato", "text": f"a\n{line.replace(chr(0), '')}"}
            assert service.client.post(f"{MONTH}/notes", json=noted).status_code == 201
        strange = worked.call("sato", 1, "2026-12-14", "10:01") | {"actor": name, "id": "odd"}
        assert service.counts([strange]) == {"accepted": 1}
        page = text(service, "html", "en")
        reader = Reader()
        reader.feed(page)
        assert reader.tags <= OURS | {
            "svg", "title", "desc", "polyline", "polygon", "circle", "rect", "line", "text",
        }  # fmt: skip
        assert not [one for one in reader.attributes if one.startswith("on")]
        assert "\u202e" not in page + text(service, "markdown", "ja")
        assert not re.search(r"(?<!\\)[<\]]", text(service, "markdown", "en"))
        assert HOSTILE[0] in "".join(reader.text)
        # JSON is for programs, which get what was written.
        assert report(service)["plan"]["name"] == name


@on_both
def test_who_could_do_with_help_and_of_whom_little_is_known() -> None:
    """Two days of nothing but sato's calls: the others' gaps are more than chance."""
    with started("2026-11-27T09:00:00+09:00") as service:
        worked.set_up(service)
        plan = worked.PLAN | {"funnel": [{"metric": "calls", "target": "600"}]}
        service.put(MONTH, plan)
        days = ("2026-12-01", "2026-12-02", "2026-12-03")
        for day in days:
            service.clock.set(f"{day}T17:59:00+09:00")
            calls = [worked.call("sato", n, day, f"{9 + n % 8:02}:{n + 1:02}") for n in range(15)]
            service.counts(calls)
        service.clock.set("2026-12-03T18:00:00+09:00")
        away = {"absences": [{"from": "2026-12-03", "to": "2026-12-05", "reason": "leave"}]}
        service.put("/v1/members/suzuki/absences", away)
        body = service.get("/v1/members/tanaka").json() | {"identities": []}
        service.replace("/v1/members/tanaka", body)
        told = report(service, as_of="2026-12-03T18:00:00+09:00")["support"]
        assert {one["member"]: one["need"] for one in told} == {
            "suzuki": "away", "tanaka": "unidentified",
        }  # fmt: skip
        assert {one["member"]: one.get("away_until") for one in told}["suzuki"] == "2026-12-05"
        known = body | {"identities": [{"source": "zoom", "kind": "extension", "value": "305"}]}
        service.replace("/v1/members/tanaka", known)
        told = report(service, as_of="2026-12-03T18:00:00+09:00")["support"]
        assert [(one["member"], one["need"]) for one in told] == [
            ("tanaka", "help"), ("suzuki", "away"),
        ]  # fmt: skip
        # tanaka's part of 600 is 18 of 56 days, of which 3 of 18 are over: 600 x 3/56.
        assert abs(Decimal(told[0]["gap"]) + Decimal(600 * 3) / 56) < Decimal("0.000001")
        # A telephone system that is silent for two hours of work makes it uncertain.
        service.clock.set("2026-12-04T15:00:00+09:00")
        late = report(service, as_of="2026-12-04T15:00:00+09:00")
        assert {one["need"] for one in late["support"]} <= {"silent", "away"}
        assert [(one["source"], one["state"]) for one in late["sources"]] == [("zoom", "stale")]
        assert late["goals"][0]["where"] == "unknown"


@on_both
def test_what_is_nobodys_stands_beside_the_goals_and_notes_at_the_end() -> None:
    with worked.lived() as service:
        odd = [
            worked.call("sato", n, "2026-12-14", f"16:{n:02}") | {"actor": "999", "id": f"o{n}"}
            for n in range(3)
        ]
        service.counts(odd)
        for due, words in (("2026-12-11", "late"), ("2026-12-14", "in time"), (None, "some day")):
            body = {"goal": "deals_won", "member": "suzuki", "text": words}
            body |= {"due": due} if due else {}
            assert service.client.post(f"{MONTH}/notes", json=body).status_code == 201
        told = report(service)
        assert told["unknown"] == [{"source": "zoom", "identity": "999", "activities": 3}]
        assert told["beside"] == [
            {"goal": "calls", "unassigned": "3", "outside_plan": "0", "excluded": []}
        ]
        assert [(one["text"], one["overdue"]) for one in told["notes"]] == [
            ("some day", False), ("in time", False), ("late", True),
        ]  # fmt: skip
        assert told["notes"][0]["name"] == "鈴木"
        assert report(service, known_at=EVENING)["notes"] == []
        assert "⚠ overdue since 11 Dec 2026" in text(service, "markdown", "en")


@on_both
def test_plans_of_everybody_of_the_future_and_of_the_past_have_reports() -> None:
    with worked.lived() as service:
        funnel = worked.PLAN["funnel"]
        for key, month_of in (("all", "2026-12"), ("next", "2027-01"), ("past", "2026-11")):
            body = {"name": key, "period": {"month": month_of}, "funnel": funnel}
            assert service.put(f"/v1/plans/{key}", body).status_code == 201
            for form in ("json", "markdown", "html"):
                answer = service.get(f"/v1/plans/{key}/report?format={form}")
                assert answer.status_code == 200, answer.text
        everybody = service.get("/v1/plans/all/report").json()
        assert everybody["support"] == []
        future = service.get("/v1/plans/next/report").json()
        assert {goal["where"] for goal in future["goals"]} == {"not_started"}
        past = service.get("/v1/plans/past/report").json()
        assert past["headline"]["outlook"]["code"] == "outlook_over"
        assert json.dumps(past["since"]) == "null"
