"""Senders that want more than a 204: Salesforce its acknowledgement, MiiTel its challenge."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from app.domain.deliveries import Delivery
from app.domain.errors import Unavailable
from tests.intake.salesforce_events import DEAL_ID, OPEN, ORGANIZATION, SESSION, WON, envelope
from tests.web.example import START, settle
from tests.web.service import Service, started

XML = {"content-type": "text/xml; charset=utf-8", "soapaction": '""'}
EARLIER = {"SystemModstamp": "2026-11-20T01:00:00.000Z", "CreatedDate": "2026-11-01T00:00:00.000Z"}


@pytest.fixture
def service() -> Iterator[Service]:
    with started(START) as running:
        yield settle(running)


def connect(service: Service, body: dict[str, Any]) -> tuple[str, str | None]:
    """The path of the hook, and the secret that was made."""
    answer = service.put("/v1/sources/s", {"name": "S"} | body)
    assert answer.status_code == 201, answer.text
    told = answer.json()
    return "/v1/hooks/" + told["hook_url"].rpartition("/")[2], told["secret"]


def salesforce(**settings: Any) -> dict[str, Any]:
    told = {"organization_id": ORGANIZATION, "currency": "JPY", "time_zone": "Asia/Tokyo"}
    return {"provider": "salesforce", "settings": told | settings}


def test_an_outbound_message_is_acknowledged_kept_without_session_and_counted(
    service: Service,
) -> None:
    path, secret = connect(service, salesforce())
    assert secret is None
    body = envelope(("Opportunity", WON | EARLIER | {"CloseDate": "2026-11-20"}))
    answer = service.client.post(path, content=body, headers=XML)
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "text/xml; charset=utf-8"
    assert b"<Ack>true</Ack>" in answer.content
    (item,) = service.get("/v1/activities").json()["items"]
    assert (item["key"], item["fields"]["amount"]) == (f"Opportunity:{DEAL_ID}", "450000")
    assert SESSION not in service.dump()
    # Once more, as after a lost answer: the same, and nothing moves.
    assert service.client.post(path, content=body, headers=XML).content == answer.content
    assert len(service.get("/v1/activities").json()["items"]) == 1
    assert service.mismatches() == []


def test_a_forged_organization_or_a_document_type_is_not_acknowledged(service: Service) -> None:
    path, _ = connect(service, salesforce())
    before = service.dump()
    forged = envelope(("Opportunity", OPEN), organization="00D5g000004XyZ2EAK")
    bomb = envelope(("Opportunity", OPEN)).replace(b"<soapenv:Env", b"<!DOCTYPE x><soapenv:Env", 1)
    for body in (forged, bomb, b"<", b"", b"{}"):
        answer = service.client.post(path, content=body, headers=XML)
        assert answer.status_code == 401, body
        assert b"Ack" not in answer.content
    assert service.dump() == before


def test_what_could_not_be_stored_is_not_acknowledged_and_counts_when_sent_again(
    service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    path, _ = connect(service, salesforce())
    committer = service.client.app.state.context.committer  # type: ignore[attr-defined] # ours
    body = envelope(("Opportunity", OPEN | EARLIER))

    def full(_committer: object, _delivery: Delivery) -> None:
        raise Unavailable("queue_full")

    with monkeypatch.context() as broken:
        broken.setattr(type(committer), "submit", full)
        answer = service.client.post(path, content=body, headers=XML)
    assert answer.status_code == 503
    assert b"<Ack>false</Ack>" in answer.content
    assert b"<Ack>true</Ack>" in service.client.post(path, content=body, headers=XML).content
    assert len(service.get("/v1/activities").json()["items"]) == 1


def test_one_source_takes_messages_and_json_about_the_same_deal(service: Service) -> None:
    path, key = connect(service, salesforce(shapes=["outbound_message", "flow"]))
    assert key
    service.client.post(path, content=envelope(("Opportunity", OPEN | EARLIER)), headers=XML)
    later = WON | {"SystemModstamp": "2026-11-21T00:00:00.000+0000", "CloseDate": "2026-11-21"}
    told = {"object": "Opportunity", "records": [later]}
    assert service.client.post(path, json=told).status_code == 401
    answer = service.client.post(path, json=told, headers={"x-api-key": key})
    assert (answer.status_code, answer.content) == (204, b"")
    (item,) = service.get("/v1/activities").json()["items"]
    assert item["fields"]["status"] == "won"
    assert key not in service.dump()


def test_settings_of_salesforce_that_cannot_work_are_told_in_their_places(service: Service) -> None:
    body = {"name": "S", **salesforce(shapes=["change_data_capture"])}
    answer = service.put("/v1/sources/s", body)
    assert answer.status_code == 422
    assert [(f["pointer"], f["code"]) for f in answer.json()["errors"]] == [
        ("/settings/won_at", "unknown_value")
    ]


def test_miitels_challenge_comes_back_as_plain_text_and_nothing_is_stored(service: Service) -> None:
    path, token = connect(service, {"provider": "miitel"})
    assert token
    before = service.dump()
    answer = service.client.post(path, json={"challenge": "9f86d081884c7d65"})
    assert (answer.status_code, answer.text) == (200, "9f86d081884c7d65")
    assert answer.headers["content-type"] == "text/plain"
    assert service.dump() == before
    headers = {"authorization": f"Bearer {token}"}
    answer = service.client.post(path, json={"challenge": "9f86d081884c7d65"}, headers=headers)
    assert (answer.status_code, answer.text) == (200, "9f86d081884c7d65")
    assert "9f86d081884c7d65" not in service.dump()
    assert service.client.post(path, json={"call": {}}).status_code == 401


def test_kintone_is_connected_without_any_secret(service: Service) -> None:
    settings = {
        "app_id": "12",
        "kind": "deal",
        "fields": {"status": "商談状況", "won_at": "受注日"},
        "values": {"受注": "won"},
    }
    _, secret = connect(service, {"provider": "kintone", "settings": settings})
    assert secret is None
    wrong = {"provider": "kintone", "name": "K", "settings": settings | {"fields": {}}}
    answer = service.put("/v1/sources/k", wrong)
    assert answer.status_code == 422
    assert [f["pointer"] for f in answer.json()["errors"]] == ["/settings/fields/status"]
