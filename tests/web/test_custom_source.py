"""A sender without code through HTTP: tried, connected, counted, mended and replayed."""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Iterator
from typing import Any

import pytest

from tests.engines import on_both
from tests.web.example import START, actual, member, settle
from tests.web.service import Service, started

pytestmark = on_both

SECRET = "a secret of the sender's own"
SETTINGS = {"authentication": "hmac", "header": "X-Signature"}
MAPPING: dict[str, Any] = {
    "when": "event == 'deal.won'",
    "activity": {"kind": "deal", "key": "id", "revision": "sent_at", "actor": "owner.email"},
    "fields": {
        "status": {"constant": "won"},
        "amount": {"select": "value", "type": "decimal"},
        "currency": {"constant": "JPY"},
        "won_at": {"select": "closed", "type": "time", "zone": "Asia/Tokyo"},
    },
}
WON: dict[str, Any] = {
    "event": "deal.won",
    "id": 7,
    "sent_at": "2026-12-11T06:00:00Z",
    "owner": {"email": "Sato@example.co.jp"},
    "value": 400000,
    "closed": "2026-12-11 15:00",
}
SPAN = {"from": "2000-01-01T00:00:00Z", "to": "2100-01-01T00:00:00Z"}


@pytest.fixture
def service() -> Iterator[Service]:
    with started(START) as running:
        yield settle(running)


def source(mapping: dict[str, Any] | None = MAPPING) -> dict[str, Any]:
    body = {"provider": "custom", "name": "CRM", "settings": SETTINGS, "counts": ["deal"]}
    return body | ({"mapping": mapping} if mapping else {})


def connect(service: Service, mapping: dict[str, Any] | None = MAPPING) -> str:
    answer = service.put("/v1/sources/crm2", source(mapping) | {"credentials": {"secret": SECRET}})
    assert answer.status_code == 201, answer.text
    known = member("sato")
    found = {"source": "crm2", "kind": "email", "value": "sato@example.co.jp"}
    known["identities"].append(found)
    service.replace("/v1/members/sato", known)
    return "/v1/hooks/" + str(answer.json()["hook_url"]).rpartition("/")[2]


def send(service: Service, path: str, event: Any, secret: str = SECRET) -> int:
    body = json.dumps(event).encode()
    proof = hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()
    answer = service.client.post(path, content=body, headers={"x-signature": proof})
    return int(answer.status_code)


def replayed(service: Service) -> dict[str, int]:
    answer = service.client.post("/v1/deliveries/replay", json=SPAN).json()
    return {word: number for word, number in answer["outcomes"].items() if number}


def tried(service: Service, **body: Any) -> Any:
    answer = service.client.post("/v1/sources/crm2/mapping/try", json=body)
    assert answer.status_code == 200, answer.text
    return answer.json()


def test_what_a_mapping_means_is_counted_once(service: Service) -> None:
    path = connect(service)
    assert send(service, path, WON, "another") == 401
    assert send(service, path, WON) == 204
    assert send(service, path, WON) == 204
    assert send(service, path, WON | {"event": "deal.seen", "id": 8}) == 204
    assert actual(service, "deals_won") == "1"
    assert service.get("/v1/quarantine").json()["items"] == []
    assert len(service.get("/v1/deliveries").json()["items"]) == 3
    assert service.mismatches() == []


def test_what_came_before_its_mapping_or_under_a_wrong_one_counts_after_replay(
    service: Service,
) -> None:
    path = connect(service, None)
    assert send(service, path, WON) == 204
    (entry,) = service.get("/v1/quarantine").json()["items"]
    assert entry["code"] == "source_without_mapping"
    wrong = MAPPING | {"fields": MAPPING["fields"] | {"status": {"constant": "open"}}}
    service.replace("/v1/sources/crm2", source(wrong))
    assert replayed(service) == {"accepted": 1}
    assert service.get("/v1/quarantine").json()["items"] == []
    assert actual(service, "deals_won") == "0"
    service.replace("/v1/sources/crm2", source())
    assert replayed(service) == {"revised": 1}
    assert replayed(service) == {"duplicate": 1}
    assert actual(service, "deals_won") == "1"
    assert service.mismatches() == []


def test_what_a_mapping_cannot_read_is_listed_with_its_place_in_it(service: Service) -> None:
    path = connect(service)
    assert send(service, path, WON | {"closed": "yesterday"}) == 204
    (entry,) = service.get("/v1/quarantine").json()["items"]
    found = [(fault["pointer"], fault["code"]) for fault in entry["errors"]]
    assert found == [("/mapping/fields/won_at", "not_a_time")]
    assert actual(service, "deals_won") == "0"


def test_a_trial_tells_what_would_count_and_changes_nothing(service: Service) -> None:
    connect(service)
    before = service.dump()
    found = tried(service, sample=WON)
    assert found == {
        "items": [
            {
                "index": 0,
                "key": "7",
                "kind": "deal",
                "revision": "2026-12-11T06:00:00Z",
                "merge": False,
                "retracted": False,
                "fields": {
                    "owner": "sato@example.co.jp",
                    "status": "won",
                    "amount": "400000",
                    "currency": "JPY",
                    "won_at": "2026-12-11T06:00:00Z",
                },
                "counts": True,
                "metrics": ["deals_won", "revenue"],
                "uncounted": [
                    # Both are by the day of creation, which this sender does not tell.
                    {"metric": metric, "code": "no_time", "field": "created_at"}
                    for metric in ("deals_created", "open_pipeline")
                ],
            }
        ],
        "problems": [],
    }
    assert tried(service, body=json.dumps(WON)) == found
    assert tried(service, sample=WON | {"event": "?"}) == {"items": [], "problems": []}
    broken = tried(service, sample=WON | {"value": "4,5"})
    assert [(p["pointer"], p["code"], p["item"], p["index"]) for p in broken["problems"]] == [
        ("/mapping/fields/amount", "not_a_decimal", "7", 0)
    ]
    assert broken["problems"][0]["message"]
    other = MAPPING | {"activity": MAPPING["activity"] | {"kind": "visit", "merge": True}}
    (visit,) = tried(service, sample=WON, mapping=other)["items"]
    assert (visit["kind"], visit["counts"], visit["merge"]) == ("visit", False, True)
    assert visit["metrics"] == []
    gone = MAPPING | {"activity": MAPPING["activity"] | {"retracted": True}}
    (retracted,) = tried(service, sample=WON, mapping=gone)["items"]
    assert (retracted["retracted"], retracted["merge"], retracted["fields"]) == (True, False, {})
    assert service.dump() == before


@pytest.mark.parametrize(
    ("mapping", "pointer", "code"),
    [
        ({}, "/mapping/activity", "required"),
        (MAPPING | {"each": "a["}, "/mapping/each", "not_a_selector"),
        (MAPPING | {"when": "avg(a)"}, "/mapping/when", "unknown_function"),
        ({"rules": []}, "/mapping/rules", "not_a_list"),
        ({"rules": [MAPPING] * 21}, "/mapping/rules", "not_a_list"),
        ({"rules": [{"activity": {}}]}, "/mapping/rules/0/fields", "required"),
        (
            {"rules": [MAPPING, MAPPING | {"fields": {"a": {"select": "b", "type": "yen"}}}]},
            "/mapping/rules/1/fields/a/type",
            "unknown_value",
        ),
        (
            MAPPING | {"fields": {"a": {"select": "b", "type": "text", "unit": "minor"}}},
            "/mapping/fields/a/unit",
            "unknown_value",
        ),
        (
            MAPPING | {"fields": {"a": {"select": "b", "minus": "c"}}},
            "/mapping/fields/a/minus",
            "minus_only_from_times",
        ),
        (
            MAPPING | {"fields": {"a": {"select": "b", "of": "element"}}},
            "/mapping/fields/a/of",
            "unknown_value",
        ),
        (
            MAPPING | {"fields": {"a": {"select": "b", "constant": "c"}}},
            "/mapping/fields/a",
            "column_or_constant",
        ),
        (
            MAPPING | {"activity": MAPPING["activity"] | {"kind": "member"}},
            "/mapping/activity/kind",
            "people_not_as_events",
        ),
    ],
)
def test_a_wrong_mapping_is_told_at_its_place_when_given_and_when_tried(
    service: Service, mapping: Any, pointer: str, code: str
) -> None:
    connect(service)
    before = service.dump()
    etag = service.get("/v1/sources/crm2").headers["etag"]
    given = service.put("/v1/sources/crm2", source() | {"mapping": mapping}, if_match=etag)
    trial = service.client.post(
        "/v1/sources/crm2/mapping/try", json={"sample": WON, "mapping": mapping}
    )
    for answer in (given, trial):
        assert answer.status_code == 422, answer.text
        (fault,) = answer.json()["errors"]
        assert (fault["pointer"], fault["code"]) == (pointer, code)
    assert service.dump() == before


def test_a_trial_without_a_sample_a_mapping_or_a_source_is_refused(service: Service) -> None:
    connect(service, None)
    asked = "/v1/sources/crm2/mapping/try"
    for body in ({}, {"sample": 1, "body": "x"}):
        answer = service.client.post(asked, json=body)
        assert [fault["code"] for fault in answer.json()["errors"]] == ["one_sample"]
    missing = service.client.post(asked, json={"sample": WON})
    assert (missing.status_code, missing.json()["title"]) == (409, "Source without mapping")
    nobody = service.client.post("/v1/sources/nobody/mapping/try", json={"sample": WON})
    assert nobody.status_code == 404
    assert service.put("/v1/sources/ours", {"provider": "events", "name": "O"}).is_success
    other = service.client.post("/v1/sources/ours/mapping/try", json={"sample": WON})
    assert (other.status_code, other.json()["title"]) == (409, "Source takes no mapping")
    unreadable = service.client.post(asked, json={"body": "{", "mapping": MAPPING})
    assert unreadable.status_code == 400


def test_a_table_can_be_tried_too(service: Service) -> None:
    mapping = {
        "activity": {"kind": "payment", "key": "no"},
        "fields": {
            "amount": {"column": "yen", "type": "decimal"},
            "paid_at": {"column": "day", "type": "date", "zone": "Asia/Tokyo"},
            "digits": {"select": "length(yen)"},
        },
    }
    body = {"provider": "csv", "name": "Shop", "mapping": mapping}
    assert service.put("/v1/sources/crm2", body).status_code == 201
    before = service.dump()
    found = tried(service, body="no,yen,day\n1,120,2026-12-01\n2,?,2026-12-01\n")
    assert [(i["index"], i["key"], i["fields"]["amount"]) for i in found["items"]] == [
        (2, "1", "120")
    ]
    assert [(p["index"], p["pointer"]) for p in found["problems"]] == [(3, "/row/3/yen")]
    refused = service.client.post("/v1/sources/crm2/mapping/try", json={"sample": {}})
    assert refused.status_code == 422
    assert service.dump() == before
