"""Hooks through HTTP, signed by the vendors' own code."""

from __future__ import annotations

import json
from base64 import b64encode
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlencode

import pytest
from standardwebhooks import Webhook
from twilio.request_validator import RequestValidator

from app.domain.instants import SECOND
from tests.intake.senders import leg
from tests.web.example import START, actual, call, member, settle
from tests.web.service import Service, started

PUBLIC = "https://tassei.example.co.jp:8443/goals"
TOKEN = "5f1c9a3b7d2e4f60819a2b3c4d5e6f70"
PASSWORD = "correct horse"
FORM = "application/x-www-form-urlencoded"


@pytest.fixture
def service() -> Iterator[Service]:
    with started(START, public_url=PUBLIC) as running:
        yield settle(running)


def connect(service: Service, key: str, provider: str, **credentials: Any) -> dict[str, Any]:
    given = {"credentials": credentials} if credentials else {}
    body = {"provider": provider, "name": key} | given
    answer = service.put(f"/v1/sources/{key}", body)
    assert answer.status_code == 201, answer.text
    connected: dict[str, Any] = answer.json()
    return connected


def path_of(connected: dict[str, Any]) -> str:
    assert connected["hook_url"].startswith(f"{PUBLIC}/v1/hooks/h_default_")
    path: str = connected["hook_url"].removeprefix(PUBLIC)
    return path


def signed(service: Service, path: str, secret: str, event: Any, message: str = "m-1") -> Any:
    body = event if isinstance(event, str) else json.dumps(event)
    at = datetime.fromtimestamp(service.clock.now // SECOND, UTC)
    headers = {
        "content-type": "application/json",
        "webhook-id": message,
        "webhook-timestamp": str(service.clock.now // SECOND),
        "webhook-signature": Webhook(secret).sign(message, at, body),
    }
    return lambda sent=body, **other: service.client.post(
        path, content=sent, headers=headers | {k.replace("_", "-"): v for k, v in other.items()}
    )


def quarantined(service: Service) -> list[dict[str, Any]]:
    items: list[dict[str, Any]] = service.get("/v1/quarantine").json()["items"]
    return items


def sender(number: int, source: str) -> dict[str, Any]:
    """A call whose actor is known to another source, so that it needs no mapping here."""
    return call(number, source=source)


def map_sato(service: Service, source: str, kind: str, value: str) -> None:
    known = member("sato")
    known["identities"].append({"source": source, "kind": kind, "value": value})
    service.replace("/v1/members/sato", known)


def test_what_standard_webhooks_signed_is_counted_once(service: Service) -> None:
    connected = connect(service, "app", "standard_webhooks")
    map_sato(service, "app", "email", "sato@example.co.jp")
    send = signed(service, path_of(connected), connected["secret"], sender(1, "app"))
    assert send().status_code == 204
    assert actual(service) == "1"
    assert send().status_code == 204
    assert actual(service) == "1"
    assert service.mismatches() == []


def test_what_was_tampered_with_is_refused_and_not_stored(service: Service) -> None:
    connected = connect(service, "app", "standard_webhooks")
    send = signed(service, path_of(connected), connected["secret"], sender(1, "app"))
    before = service.dump()
    other = json.dumps(sender(2, "app"))
    for answer in (
        send(other),
        send(webhook_id="m-2"),
        send(webhook_timestamp=str(service.clock.now // SECOND + 1)),
        send(webhook_signature="v1,AAAA"),
        send(webhook_signature=""),
        service.client.post(path_of(connected), content=other),
    ):
        assert answer.status_code == 401, answer.text
        assert answer.json()["type"].startswith("urn:tassei:problem:signature-")
    assert service.dump() == before
    assert send().status_code == 204


def test_an_old_signature_is_no_proof(service: Service) -> None:
    connected = connect(service, "app", "standard_webhooks")
    send = signed(service, path_of(connected), connected["secret"], sender(1, "app"))
    service.clock.set("2026-12-14T09:06:00+09:00")
    before = service.dump()
    assert send().json()["type"].endswith("timestamp-out-of-tolerance")
    assert service.dump() == before


def test_a_secret_is_shown_once_and_stored_sealed(service: Service) -> None:
    connected = connect(service, "app", "standard_webhooks")
    assert connected["secret"].startswith("whsec_")
    shown = service.get("/v1/sources/app").json()
    assert shown["secret"] is None
    assert shown["hook_url"] == connected["hook_url"]
    again = service.put("/v1/sources/app", {"provider": "standard_webhooks", "name": "app"})
    assert (again.status_code, again.json()["secret"]) == (200, None)
    assert connected["secret"] not in service.dump()
    assert connected["hook_url"].rpartition("_")[2] not in service.dump()


def test_a_replaced_secret_ends_the_old_one_at_once(service: Service) -> None:
    connected = connect(service, "app", "standard_webhooks")
    old = signed(service, path_of(connected), connected["secret"], sender(1, "app"))
    assert old().status_code == 204
    fresh = "whsec_" + b64encode(b"n" * 32).decode()
    body = {"provider": "standard_webhooks", "name": "app", "credentials": {"secret": fresh}}
    assert service.put("/v1/sources/app", body).status_code == 428
    service.replace("/v1/sources/app", body)
    assert old().status_code == 401
    new = signed(service, path_of(connected), fresh, sender(2, "app"))
    assert new().status_code == 204


@pytest.mark.parametrize(
    ("event", "code"),
    [
        ("{", "not_json"),
        ('{"a": 1, "a": 2}', "duplicate_key"),
        ('{"specversion": "1.0"}', "invalid_event"),
    ],
)
def test_the_authentic_but_unusable_is_acknowledged_and_listed(
    service: Service, event: str, code: str
) -> None:
    connected = connect(service, "app", "standard_webhooks")
    send = signed(service, path_of(connected), connected["secret"], event)
    assert send().status_code == 204
    assert send().status_code == 204
    (entry,) = quarantined(service)
    assert (entry["source"], entry["code"], entry["count"]) == ("app", code, 2)
    assert entry["message"] != code
    assert service.get("/v1/activities").json()["items"] == []


def test_what_is_listed_holds_no_secret(service: Service) -> None:
    connected = connect(service, "app", "standard_webhooks")
    leaking = {"specversion": "1.0", "note": connected["secret"]}
    assert signed(service, path_of(connected), connected["secret"], leaking)().status_code == 204
    (entry,) = quarantined(service)
    assert "[redacted]" in entry["content"]
    assert connected["secret"] not in service.dump()


def twilio(service: Service, path: str, form: dict[str, str], token: str = TOKEN) -> Any:
    url = PUBLIC + path
    headers = {
        "content-type": FORM,
        "x-twilio-signature": RequestValidator(token).compute_signature(url, form),
    }
    return service.client.post(path, content=urlencode(form), headers=headers)


@pytest.mark.parametrize("query", ["", "?region=jp1&empty="])
def test_what_twilio_signed_is_counted_with_its_port_and_query(
    service: Service, query: str
) -> None:
    path = path_of(connect(service, "phone", "twilio", auth_tokens=[TOKEN])) + query
    map_sato(service, "phone", "id", "sato")
    form = leg("CA" + "1" * 32, "completed", "2026-12-11T10:02:00+09:00")
    form |= {"Direction": "outbound-api", "From": "client:sato", "CallDuration": "60"}
    assert twilio(service, path, form, token="another").status_code == 401
    before = service.dump()
    tampered = urlencode(form | {"CallDuration": "600"})
    url = PUBLIC + path
    signature = RequestValidator(TOKEN).compute_signature(url, form)
    headers = {"content-type": FORM, "x-twilio-signature": signature}
    assert service.client.post(path, content=tampered, headers=headers).status_code == 401
    assert service.dump() == before
    assert twilio(service, path, form).is_success
    assert twilio(service, path, form).is_success
    assert actual(service) == "1"


def test_twilio_tokens_rotate_without_a_gap(service: Service) -> None:
    fresh = "0" * 32
    path = path_of(connect(service, "phone", "twilio", auth_tokens=[TOKEN]))
    form = leg("CA" + "1" * 32, "ringing", "2026-12-11T10:02:00+09:00")
    assert twilio(service, path, form, fresh).status_code == 401
    both = {"provider": "twilio", "name": "phone", "credentials": {"auth_tokens": [fresh, TOKEN]}}
    service.replace("/v1/sources/phone", both)
    assert twilio(service, path, form).is_success
    assert twilio(service, path, form, fresh).is_success
    service.replace("/v1/sources/phone", both | {"credentials": {"auth_tokens": [fresh]}})
    assert twilio(service, path, form).status_code == 401
    assert twilio(service, path, form, fresh).is_success


def pipedrive(service: Service, path: str, password: str) -> Any:
    event = {
        "meta": {
            "action": "change",
            "entity": "deal",
            "entity_id": "123",
            "id": "4f9f9d9e-2c9c-4a8b-9d57-7b1f0f6f9c11",
            "timestamp": "2026-12-11T06:00:00.000Z",
            "version": "2.0",
        },
        "data": {
            "id": 123,
            "owner_id": 7,
            "status": "won",
            "value": 400000,
            "currency": "JPY",
            "add_time": "2026-12-10T06:00:00Z",
            "won_time": "2026-12-11T06:00:00Z",
            "update_time": "2026-12-11T06:00:00Z",
        },
        "previous": {"status": "open"},
    }
    token = b64encode(f"tassei:{password}".encode()).decode()
    return service.client.post(path, json=event, headers={"authorization": f"Basic {token}"})


def test_what_pipedrive_sends_with_its_password_is_counted_once(service: Service) -> None:
    connected = connect(service, "pd", "pipedrive", user="tassei", password=PASSWORD)
    map_sato(service, "pd", "id", "7")
    before = service.dump()
    assert pipedrive(service, path_of(connected), "wrong").status_code == 401
    assert service.dump() == before
    assert pipedrive(service, path_of(connected), PASSWORD).is_success
    assert pipedrive(service, path_of(connected), PASSWORD).is_success
    assert actual(service, "deals_won") == "1"
    assert PASSWORD not in service.dump()


def test_the_hook_of_an_archived_source_is_unknown_and_its_counts_stay(service: Service) -> None:
    connected = connect(service, "app", "standard_webhooks")
    map_sato(service, "app", "email", "sato@example.co.jp")
    send = signed(service, path_of(connected), connected["secret"], sender(1, "app"))
    assert send().status_code == 204
    etag = service.get("/v1/sources/app").headers["etag"]
    assert service.client.delete("/v1/sources/app", headers={"if-match": etag}).status_code == 204
    assert send().status_code == 404
    assert service.get("/v1/sources/app").status_code == 404
    assert actual(service) == "1"
    # Who comes back gets a new address, and what it counts is counted anew.
    again = service.put(
        "/v1/sources/app", {"provider": "standard_webhooks", "name": "app", "counts": ["deal"]}
    )
    assert again.status_code == 201
    assert again.json()["hook_url"] != connected["hook_url"]
    assert actual(service) == "0"
    assert service.mismatches() == []
    assert (
        service.client.put(
            "/v1/sources/app",
            json={"provider": "events", "name": "app"},
            headers={"if-match": again.headers["etag"]},
        )
        .json()["type"]
        .endswith("provider-fixed")
    )


def test_guessing_an_address_is_unknown_and_then_too_many(service: Service) -> None:
    connected = connect(service, "app", "standard_webhooks")
    send = signed(service, path_of(connected), connected["secret"], sender(1, "app"))
    assert send().status_code == 204
    before = service.dump()
    statuses = [
        service.client.post(f"/v1/hooks/h_default_{n:040d}", content=b"{}").status_code
        for n in range(12)
    ]
    assert statuses == [404] * 10 + [429] * 2
    assert service.client.post("/v1/hooks/nonsense").status_code == 429
    assert service.dump() == before
    # A provider that shares the address with the guesser is heard all the same.
    assert send().status_code == 204
