"""A source of kintone through HTTP: by settings, by a mapping, tried, changed and replayed."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from tests.engines import on_both
from tests.intake.kintone_events import APP, DEAL_SETTINGS, SEVERAL, deleted, saved, visited, won
from tests.web.example import START, actual, member, settle
from tests.web.service import Service, started

pytestmark = on_both

SPAN = {"from": "2000-01-01T00:00:00Z", "to": "2100-01-01T00:00:00Z"}
COUNTS = ["deal", "lead", "meeting"]
SENT = visited(
    4, 商談状況="受注", 受注日="2026-12-08", 訪問日時="2026-12-03T05:30:00Z", 流入="問い合わせ"
)


@pytest.fixture
def service() -> Iterator[Service]:
    with started(START) as running:
        yield settle(running)


def source(mapping: dict[str, Any] | None = None, **settings: Any) -> dict[str, Any]:
    body: dict[str, Any] = {"provider": "kintone", "name": "案件", "counts": COUNTS}
    if mapping is None:
        return body | {"settings": DEAL_SETTINGS | settings}
    return body | {"settings": APP | settings, "mapping": mapping}


def connect(service: Service, body: dict[str, Any]) -> str:
    answer = service.put("/v1/sources/kt", body)
    assert answer.status_code == 201, answer.text
    assert answer.json()["warnings"] == []
    known = member("sato")
    known["identities"].append({"source": "kt", "kind": "id", "value": "sato"})
    service.replace("/v1/members/sato", known)
    return "/v1/hooks/" + str(answer.json()["hook_url"]).rpartition("/")[2]


def send(service: Service, path: str, request: Any) -> None:
    answer = service.client.post(path, content=request.body, headers=request.headers)
    assert answer.status_code == 204


def replayed(service: Service) -> dict[str, int]:
    answer = service.client.post("/v1/deliveries/replay", json=SPAN).json()
    return {word: number for word, number in answer["outcomes"].items() if number}


def standing(service: Service) -> list[tuple[str, str]]:
    """What is there and not retracted, by key and kind."""
    items = service.get("/v1/activities?limit=50").json()["items"]
    return sorted((one["key"], one["kind"]) for one in items if not one["retracted"])


def amount(service: Service) -> Any:
    return service.get("/v1/activities/kt/12:501").json()["fields"]["amount"]


def refused(service: Service, body: dict[str, Any]) -> list[tuple[str, str]]:
    answer = service.put("/v1/sources/other", body)
    assert answer.status_code == 422, answer.text
    return [(fault["pointer"], fault["code"]) for fault in answer.json()["errors"]]


def test_the_mapping_of_a_source_counts_several_activities_of_a_record(service: Service) -> None:
    path = connect(service, source(SEVERAL))
    send(service, path, saved(SENT))
    send(service, path, saved(SENT))
    assert standing(service) == [
        ("12:501", "deal"),
        ("12:501:lead", "lead"),
        ("12:501:アポ", "meeting"),
    ]
    assert (actual(service, "deals_won"), amount(service)) == ("1", "450000")
    send(service, path, deleted())
    assert standing(service) == []
    assert actual(service, "deals_won") == "0"
    assert service.get("/v1/quarantine").json()["items"] == []
    assert service.mismatches() == []


def test_a_source_goes_from_settings_to_a_mapping_and_back_and_is_replayed(
    service: Service,
) -> None:
    path = connect(service, source())
    send(service, path, saved(SENT))
    assert standing(service) == [("12:501", "deal")]
    service.replace("/v1/sources/kt", source(SEVERAL))
    assert replayed(service) == {"accepted": 2, "revised": 1}
    assert len(standing(service)) == 3
    half = json.loads(json.dumps(SEVERAL))
    half["rules"][0]["fields"]["amount"] = {"constant": "7"}
    half["rules"][1]["when"] = "`false`"
    service.replace("/v1/sources/kt", source(half))
    assert replayed(service) == {"revised": 3}
    assert amount(service) == "7"
    assert standing(service) == [("12:501", "deal"), ("12:501:lead", "lead")]
    service.replace("/v1/sources/kt", source())
    assert replayed(service) == {"revised": 1}
    assert replayed(service) == {"duplicate": 1}
    assert amount(service) == "450000"
    assert service.mismatches() == []


def test_a_mapping_is_tried_on_a_notification_and_nothing_changes(service: Service) -> None:
    connect(service, source())
    before = service.dump()

    def tried(sample: dict[str, Any], **body: Any) -> Any:
        asked = body or {"sample": sample}
        answer = service.client.post(
            "/v1/sources/kt/mapping/try", json=asked | {"mapping": SEVERAL}
        )
        assert answer.status_code == 200, answer.text
        return answer.json()

    notice = json.loads(saved(SENT).body)
    found = tried(notice)
    assert [(one["key"], one["kind"], one["revision"]) for one in found["items"]] == [
        ("12:501", "deal", "4"),
        ("12:501:アポ", "meeting", "4"),
        ("12:501:lead", "lead", "4"),
    ]
    assert found["items"][0]["metrics"] == ["deals_won", "revenue"]
    assert found["problems"] == []
    assert tried(notice, body=json.dumps(notice)) == found
    broken = tried(json.loads(saved(won(5)).body))
    assert [(one["item"], one["pointer"], one["code"]) for one in broken["problems"]] == [
        ("12:501:アポ", "/mapping/rules/1/when", "no_such_field"),
        ("12:501:アポ", "/mapping/rules/1/fields/status", "no_such_field"),
        ("12:501:アポ", "/mapping/rules/1/fields/starts_at", "no_such_field"),
        ("12:501:lead", "/mapping/rules/2/when", "no_such_field"),
    ]
    assert all(one["message"] for one in broken["problems"])
    gone = tried(json.loads(deleted().body))
    assert [one["retracted"] for one in gone["items"]] == [True, True, True]
    other = tried(notice | {"app": {"id": "99"}})
    assert [(one["pointer"], one["code"]) for one in other["problems"]] == [
        ("/app/id", "unknown_value")
    ]
    assert service.dump() == before


def test_what_settings_and_mapping_would_both_decide_is_refused(service: Service) -> None:
    both = source(SEVERAL, kind="deal", time_zone="Asia/Tokyo")
    assert refused(service, both) == [
        ("/settings/kind", "mapping_decides"),
        ("/settings/time_zone", "mapping_decides"),
    ]
    neither = source() | {"settings": APP}
    assert refused(service, neither) == [
        ("/settings/kind", "required"),
        ("/settings/fields", "required"),
    ]
    wrong = {"rules": [SEVERAL["rules"][0], SEVERAL["rules"][1] | {"each": "a"}]}
    assert refused(service, source(wrong)) == [("/mapping/rules/1/each", "not_of_records")]
    token = source(SEVERAL) | {"credentials": {"api_token": "t"}}
    assert refused(service, token) == [("/settings/api_url", "required")]
