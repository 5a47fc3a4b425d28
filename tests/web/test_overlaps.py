"""Two senders that see the same calls: what is told, and that the told change mends it."""

from __future__ import annotations

import shlex
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

import pytest

from app.usecases import overlaps
from tests.engines import on_both
from tests.web.example import EVENTS, START, actual, call, deal, member, settle
from tests.web.service import Service, started

pytestmark = on_both

PATH = "/v1/sources/overlaps"
LOGGED = "2026-12-11T10:00:00+09:00"


@pytest.fixture
def service() -> Iterator[Service]:
    with started(START) as running:
        yield settle(running)


def at(seconds: int) -> str:
    return (datetime.fromisoformat(LOGGED) + timedelta(seconds=seconds)).isoformat()


def rang(number: int, seconds: int, **rest: Any) -> dict[str, Any]:
    """The call as the phone system tells it: by extension, some seconds off."""
    given = {"source": "phone", "actor": "305", "id": f"p-{number}", "at": at(seconds)} | rest
    return call(number, **given)


def connect_phone(service: Service, **rest: Any) -> None:
    body = {"provider": "events", "name": "Phone", "counts": ["call"]} | rest
    assert service.put("/v1/sources/phone", body).status_code == 201
    known = member("sato")
    known["identities"].append({"source": "phone", "kind": "extension", "value": "305"})
    service.replace("/v1/members/sato", known)


def told(service: Service, query: str = "", **headers: str) -> list[dict[str, Any]]:
    answer = service.get(PATH + query, **headers)
    assert answer.status_code == 200, answer.text
    assert answer.json()["next"] is None
    items: list[dict[str, Any]] = answer.json()["items"]
    return items


def test_without_a_second_source_there_is_nothing_to_tell(service: Service) -> None:
    assert told(service) == []


def test_what_both_saw_is_told_and_the_told_change_counts_it_once(service: Service) -> None:
    connect_phone(service)
    service.counts([call(n, at=at(600 * n)) for n in range(5)])
    service.counts([rang(n, 600 * n + 30) for n in range(3)])
    assert actual(service) == "8"
    (item,) = told(service)
    assert item["kind"] == "call"
    assert item["sources"] == [
        {"source": "crm", "activities": 5},
        {"source": "phone", "activities": 3},
    ]
    assert (item["from"], item["to"], item["complete"]) == (
        "2026-12-07T09:00:00+09:00",
        START,
        True,
    )
    assert item["seen_twice"] == 3
    assert item["examples"][-1] == {
        "agrees": ["member"],
        "apart_seconds": 30,
        "activities": [
            {"source": "crm", "key": "c-2", "at": at(1200), "members": ["sato"]},
            {"source": "phone", "key": "p-2", "at": at(1230), "members": ["sato"]},
        ],
    }
    assert actual(service) == "8"  # it only tells
    # The CRM may send anything: it leaves calls to the phone system, which sends nothing else.
    repair = item["repairs"][0]
    assert [one["source"] for one in item["repairs"]] == ["crm", "phone"]
    request = repair["request"]
    changed = service.client.request(
        request["method"],
        request["path"],
        json=request["body"],
        headers={"if-match": request["if_match"]},
    )
    assert changed.status_code == 200, changed.text
    assert told(service) == []
    assert actual(service) == "3"
    assert service.mismatches() == []


def test_a_phone_system_keeps_the_calls_that_a_crm_sends_as_well(service: Service) -> None:
    secrets: dict[str, dict[str, Any]] = {
        "close": {"signature_key": "ab" * 32},
        "callrail": {"signing_keys": ["0" * 32]},
    }
    for provider, credentials in secrets.items():
        body = {"provider": provider, "name": provider, "counts": ["call"]}
        answer = service.put(f"/v1/sources/{provider}", body | {"credentials": credentials})
        assert answer.status_code == 201, answer.text
    firsts = {
        tuple(one["source"] for one in item["sources"]): item["repairs"][0]["source"]
        for item in told(service)
    }
    assert firsts == {
        ("callrail", "close"): "close",
        ("callrail", "crm"): "crm",
        ("close", "crm"): "crm",
    }


def test_the_command_and_the_request_say_the_same(service: Service) -> None:
    connect_phone(service, counts=["call", "lead"])
    items = {item["kind"]: item for item in told(service)}
    assert set(items) == {"call", "lead"}
    by_source = {one["source"]: one for one in items["call"]["repairs"]}
    words = shlex.split(by_source["phone"]["command"])
    assert words == [
        *("tassei", "connect", "events", "--key", "phone"),
        *("--counts", "lead", "--no-wait"),
    ]
    assert by_source["phone"]["request"]["body"] == {
        "provider": "events",
        "name": "Phone",
        "counts": ["lead"],
    }
    every = by_source["crm"]["request"]["body"]["counts"]
    assert every == ["deal", "lead", "meeting", "payment"]
    japanese = {i["kind"]: i for i in told(service, **{"accept-language": "ja"})}["call"]
    assert "外す" in japanese["repairs"][0]["message"]


def test_an_archived_source_and_an_older_week_are_not_looked_at(service: Service) -> None:
    connect_phone(service)
    service.counts([call(1), rang(1, 10)])
    assert [item["seen_twice"] for item in told(service)] == [1]
    assert [item["seen_twice"] for item in told(service, "?days=2")] == [0]
    etag = service.get("/v1/sources/phone").headers["etag"]
    service.client.delete("/v1/sources/phone", headers={"if-match": etag})
    assert told(service) == []


def test_what_is_retracted_or_moved_away_is_not_seen_any_more(service: Service) -> None:
    connect_phone(service)
    service.counts([call(1), rang(1, 10), call(2, at=at(300)), rang(2, 310)])
    assert told(service)[0]["seen_twice"] == 2
    gone = rang(1, 10) | {"retracted": True, "time": "2026-12-12T10:00:00+09:00"}
    moved = rang(2, 999) | {"time": "2026-12-12T10:00:00+09:00"}
    service.counts([gone, moved])
    assert [one["activities"] for one in told(service)[0]["sources"]] == [2, 1]
    assert told(service)[0]["seen_twice"] == 0


def test_deals_are_told_by_their_amount(service: Service) -> None:
    service.put("/v1/sources/erp", EVENTS | {"counts": ["deal"]})
    service.counts([deal(1), deal(2, amount="5")])
    service.counts([deal(1, actor="7") | {"source": "erp"}])
    (item,) = told(service)
    assert (item["kind"], item["seen_twice"]) == ("deal", 1)
    assert item["examples"][0]["agrees"] == ["amount"]


def test_only_the_newest_are_compared_and_that_is_said(
    service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(overlaps, "MOST", 6)
    connect_phone(service)
    service.counts([call(n, at=at(900 * n)) for n in range(8)])
    service.counts([rang(n, 900 * n + 20) for n in range(8)])
    (item,) = told(service)
    assert item["complete"] is False
    # Three quarter hours of one call each by either; the last begins with the sixth.
    assert item["from"] == at(900 * 5)
    assert [one["activities"] for one in item["sources"]] == [3, 3]
    assert item["seen_twice"] == 3


def test_it_comes_page_by_page(service: Service) -> None:
    for key in ("a", "b"):
        service.put(f"/v1/sources/{key}", EVENTS | {"counts": ["call", "deal"]})
    whole = [(item["kind"], *(one["source"] for one in item["sources"])) for item in told(service)]
    assert whole == [
        (kind, *two)
        for kind in ("call", "deal")
        for two in (("a", "b"), ("a", "crm"), ("b", "crm"))
    ]
    found, cursor = [], ""
    while True:
        body = service.get(f"{PATH}?limit=2{cursor}").json()
        found += [(i["kind"], *(one["source"] for one in i["sources"])) for i in body["items"]]
        if body["next"] is None:
            break
        cursor = f"&cursor={body['next']}"
    assert found == whole
    assert service.get(f"{PATH}?limit=2&days=3{cursor}").status_code == 422


def test_nobody_sees_another_workspace_and_only_an_admin_asks(service: Service) -> None:
    connect_phone(service)
    service.counts([call(1), rang(1, 10)])
    assert service.workspace("other").get(PATH).json() == {"items": [], "next": None}
    assert service.key("read", "write", "ingest").get(PATH).status_code == 403
    assert service.get(f"{PATH}?days=29").status_code == 422


def test_its_word_is_no_key_of_a_source(service: Service) -> None:
    refused = service.put(PATH, EVENTS)
    assert refused.status_code == 422
    assert refused.json()["type"].endswith("key-reserved")
