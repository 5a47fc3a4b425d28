"""A provider that asks for everything a provider can ask for: handshakes, echoes, its own words."""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from app.domain.deliveries import Delivery, Item
from app.domain.errors import Invalid, Unavailable, Unreadable
from app.domain.revisions import of_number
from app.intake import registry
from app.intake.credentials import Absence, Secret
from app.intake.proofs import verify_claimed, verify_token
from app.intake.reading import read_json
from app.intake.redaction import form_without, json_without
from app.intake.requests import (
    GET_OR_POST,
    Answer,
    Connecting,
    Hook,
    HookRequest,
    Provider,
    Step,
    body_text,
    echoed,
    fields_of,
    hook_delivery,
    hook_report,
    refusal,
)
from app.intake.source_settings import choice_setting, texts_setting, words_setting
from tests.engines import on_both
from tests.web.example import START, settle
from tests.web.service import Service, started

pytestmark = on_both

TOKEN = "a/token, in the body"
AT = "2026-12-01T00:00:00Z"


def handshake(request: HookRequest) -> Answer | None:
    """Two of them: one that anybody may ask for, one that has to be proved."""
    if "validation-token" in request.headers:
        echo = echoed(request.headers["validation-token"])
        return Answer(200, "application/json", b"", {"validation-token": echo})
    if b'"plain"' not in request.body:
        return None
    verify(request)
    (token, *_), plain = request.credentials["token"], json.loads(request.body)["plain"]
    proof = hmac.new(token.encode(), plain.encode(), hashlib.sha256).hexdigest()
    return Answer(200, "application/json", json.dumps({"encrypted": proof}).encode())


def verify(request: HookRequest) -> None:
    if request.method == "GET":
        verify_token(request.url.partition("token=")[2], ("get-secret",))
    else:
        verify_claimed(request.body, "token", request.credentials.get("token", ()))


def kept(request: HookRequest) -> HookRequest:
    address, _, query = request.url.partition("?")
    body = json_without(request.body, "token", "challenge")
    return replace(request, url=f"{address}?{form_without(query, 'token')}", body=body)


def read(request: HookRequest) -> Delivery:
    try:
        event = read_json(request.body)
        assert isinstance(event, dict)
        if event.get("account") not in request.settings.texts("accounts"):
            return hook_delivery(request)
        fields = fields_of(
            "payment",
            {
                "amount": event["amount"],
                "currency": request.settings.words("currencies").get(str(event["money"]), "?"),
                "paid_at": request.headers.get("x-paid-at", AT),
            },
            {"amount": "/amount", "currency": "/money", "paid_at": "/paid_at"},
            request.received_at,
        )
        key = str(event["key"])
        report = hook_report(request, key, of_number("1"), fields, full=True, mapping=1)
    except (Unreadable, Invalid) as error:
        content = body_text(request.body)
        return hook_delivery(request, refused=(refusal(request, error, content),))
    return hook_delivery(request, Item(0, key, report))


def thanks(request: HookRequest) -> Answer:
    if request.method == "GET":
        return Answer(200, "text/plain", b"")
    challenge = json.loads(request.body).get("challenge")
    return Answer(200, "text/plain", echoed(challenge).encode() if challenge else b"")


def next_steps(connecting: Connecting) -> tuple[Step, ...]:
    accounts = ", ".join(connecting.settings.texts("accounts"))
    return (Step("send_cloudevents_to", {"url": connecting.hook_url, "accounts": accounts}),)


PROVIDER = Provider(
    "demanding",
    ("payment",),
    (Secret("token", "What the body carries.", absence=Absence.GENERATED),),
    Hook(
        verify,
        read,
        next_steps,
        answer=thanks,
        handshake=handshake,
        failed=Answer(200, "text/xml; charset=utf-8", b"<Ack>false</Ack>"),
        kept=kept,
        headers=("x-paid-at",),
        methods=GET_OR_POST,
    ),
    (
        texts_setting("accounts", "Accounts that are ours.", required=True),
        words_setting("currencies", "Their words for them.", allowed=("JPY", "USD")),
        choice_setting("side", "Which side.", ("left", "right"), default="left"),
    ),
)
SETTINGS = {"accounts": ["7"], "currencies": {"yen": "JPY"}}


@pytest.fixture
def service(monkeypatch: pytest.MonkeyPatch) -> Iterator[Service]:
    monkeypatch.setitem(registry.PROVIDERS, "demanding", PROVIDER)
    with started(START) as running:
        yield settle(running)


def connect(service: Service, settings: Any = None, **more: Any) -> str:
    body = {"provider": "demanding", "name": "Shop", "credentials": {"token": TOKEN}}
    answer = service.put("/v1/sources/shop", body | {"settings": settings or SETTINGS} | more)
    assert answer.status_code == 201, answer.text
    path: str = "/v1/hooks/" + answer.json()["hook_url"].rpartition("/")[2]
    return path


def paid(**more: Any) -> dict[str, Any]:
    return {"token": TOKEN, "account": "7", "key": "p1", "amount": "120", "money": "yen"} | more


def payments(service: Service) -> list[tuple[str, str, str]]:
    items = service.get("/v1/activities").json()["items"]
    return [(i["key"], i["fields"]["amount"], i["fields"]["currency"]) for i in items]


def deliveries(service: Service) -> list[dict[str, Any]]:
    items: list[dict[str, Any]] = service.get("/v1/deliveries").json()["items"]
    return items


def test_a_handshake_before_any_proof_is_echoed_and_stores_nothing(service: Service) -> None:
    path = connect(service)
    before = service.dump()
    answer = service.client.post(path, headers={"validation-token": "abc-123"})
    assert (answer.status_code, answer.content) == (200, b"")
    assert answer.headers["validation-token"] == "abc-123"
    assert answer.headers["content-type"] == "application/json"
    assert service.client.post(path, headers={"validation-token": "x" * 513}).status_code == 401
    assert service.dump() == before


def test_a_handshake_that_is_proved_is_answered_with_the_secret(service: Service) -> None:
    path = connect(service)
    before = service.dump()
    forged = service.client.post(path, json={"plain": "q", "token": "other"})
    assert forged.status_code == 401
    answer = service.client.post(path, json={"plain": "q", "token": TOKEN})
    expected = hmac.digest(TOKEN.encode(), b"q", "sha256").hex()
    assert answer.json() == {"encrypted": expected}
    assert service.dump() == before


def test_a_challenge_beside_data_is_answered_and_the_data_count(service: Service) -> None:
    path = connect(service)
    answer = service.client.post(path, json=paid(challenge="c0ffee"))
    assert (answer.status_code, answer.content) == (200, b"c0ffee")
    assert answer.headers["content-type"] == "text/plain"
    assert payments(service) == [("p1", "120", "JPY")]


@pytest.mark.parametrize("written", [json.dumps, lambda v: json.dumps(v).replace("/", "\\/")])
def test_a_secret_in_the_body_is_stored_nowhere_and_the_delivery_replays(
    service: Service, written: Any
) -> None:
    path = connect(service)
    body = written(paid(challenge="c0ffee-c0ffee", amount="?"))
    assert service.client.post(path, content=body).status_code == 200
    assert service.client.post(path, content=written(paid(key="p2"))).status_code == 200
    dump = service.dump()
    for secret in (TOKEN, TOKEN.replace("/", "\\/"), "c0ffee"):
        assert secret not in dump
    assert [one["redacted"] for one in deliveries(service)] == [False, False]
    (entry,) = service.get("/v1/quarantine").json()["items"]
    again = service.client.post(f"/v1/quarantine/{entry['id']}/replay")
    assert (again.status_code, again.json()["quarantined"]) == (200, 1)


def test_a_secret_in_the_query_is_not_kept_either(service: Service) -> None:
    path = connect(service)
    assert service.client.get(f"{path}?a=1&token=get-secret").status_code == 200
    assert service.client.get(f"{path}?token=other").status_code == 401
    assert "get-secret" not in service.dump()
    (kept_,) = deliveries(service)
    shown = service.get(f"/v1/deliveries/{kept_['id']}").json()
    assert shown["query"] == "a=1&token=%5Bredacted%5D"


def test_a_header_that_reading_needs_is_there_at_replay_and_no_other(service: Service) -> None:
    path = connect(service)
    headers = {"x-paid-at": "2026-12-02T00:00:00Z", "x-other": "never-kept"}
    assert service.client.post(path, json=paid(), headers=headers).status_code == 200
    assert "never-kept" not in service.dump()
    span = {"from": "2000-01-01T00:00:00Z", "to": "2100-01-01T00:00:00Z"}
    again = service.client.post("/v1/deliveries/replay", json=span).json()
    assert {word: n for word, n in again["outcomes"].items() if n} == {"duplicate": 1}
    (item,) = service.get("/v1/activities").json()["items"]
    assert item["fields"]["paid_at"] == "2026-12-02T00:00:00Z"


def test_what_is_of_no_interest_is_thanked_for_and_kept_and_moves_nothing(
    service: Service,
) -> None:
    path = connect(service)
    assert service.client.post(path, json=paid(account="8")).status_code == 200
    assert payments(service) == []
    assert service.get("/v1/quarantine").json()["items"] == []
    (kept_,) = deliveries(service)
    assert not any(kept_["outcomes"].values())


def test_what_could_not_be_stored_is_told_in_the_providers_own_words(
    service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = connect(service)
    committer = service.client.app.state.context.committer  # type: ignore[attr-defined] # ours

    def full(_delivery: Delivery) -> None:
        raise Unavailable("queue_full")

    with monkeypatch.context() as broken:
        broken.setattr(type(committer), "submit", lambda _self, delivery: full(delivery))
        answer = service.client.post(path, json=paid())
    assert (answer.status_code, answer.content) == (200, b"<Ack>false</Ack>")
    assert answer.headers["content-type"] == "text/xml; charset=utf-8"
    assert payments(service) == []
    assert service.client.post(path, json=paid()).status_code == 200
    assert payments(service) == [("p1", "120", "JPY")]


def test_other_methods_are_refused(service: Service) -> None:
    connected = service.put(
        "/v1/sources/app", {"provider": "standard_webhooks", "name": "App"}
    ).json()
    path = "/v1/hooks/" + connected["hook_url"].rpartition("/")[2]
    answer = service.client.get(path)
    assert (answer.status_code, answer.headers["allow"]) == (405, "POST")
    assert service.client.put(connect(service)).status_code == 405


@pytest.mark.parametrize(
    ("settings", "faults"),
    [
        ({}, [("/settings/accounts", "required")]),
        ({"accounts": "7"}, [("/settings/accounts", "not_a_list")]),
        ({"accounts": [7]}, [("/settings/accounts/0", "not_a_text")]),
        (
            SETTINGS | {"currencies": {"$": "dollars"}},
            [("/settings/currencies/$", "unknown_value")],
        ),
        (SETTINGS | {"side": "up"}, [("/settings/side", "unknown_value")]),
        (SETTINGS | {"zone": "UTC"}, [("/settings", "unknown_field")]),
        (
            {"accounts": [""], "side": 7},
            [("/settings/accounts/0", "not_a_text"), ("/settings/side", "not_a_text")],
        ),
    ],
)
def test_wrong_settings_are_told_each_in_its_place_and_change_nothing(
    service: Service, settings: Any, faults: list[tuple[str, str]]
) -> None:
    before = service.dump()
    body = {"provider": "demanding", "name": "Shop", "settings": settings}
    answer = service.put("/v1/sources/shop", body)
    assert answer.status_code == 422
    assert [(f["pointer"], f["code"]) for f in answer.json()["errors"]] == faults
    assert all(f["message"] != f["code"].replace("_", " ") for f in answer.json()["errors"])
    assert service.dump() == before


def test_settings_are_answered_used_and_their_change_supersedes_at_replay(
    service: Service,
) -> None:
    path = connect(service)
    shown = service.get("/v1/sources/shop").json()
    assert shown["settings"] == SETTINGS
    assert shown["next"][0]["params"]["accounts"] == "7"
    assert service.client.post(path, json=paid()).status_code == 200
    assert service.client.post(path, json=paid(key="p2", account="8")).status_code == 200
    changed = SETTINGS | {"accounts": ["7", "8"], "currencies": {"yen": "USD"}}
    service.replace(
        "/v1/sources/shop", {"provider": "demanding", "name": "Shop", "settings": changed}
    )
    span = {"from": "2000-01-01T00:00:00Z", "to": "2100-01-01T00:00:00Z"}
    again = service.client.post("/v1/deliveries/replay", json=span).json()
    assert {word: n for word, n in again["outcomes"].items() if n} == {"revised": 1, "accepted": 1}
    assert payments(service) == [("p1", "120", "USD"), ("p2", "120", "USD")]
    again = service.client.post("/v1/deliveries/replay", json=span).json()
    assert {word: n for word, n in again["outcomes"].items() if n} == {"duplicate": 2}
    assert service.mismatches() == []


def test_settings_where_a_provider_has_none_are_refused(service: Service) -> None:
    body = {"provider": "events", "name": "Ours", "settings": {"zone": "UTC"}}
    answer = service.put("/v1/sources/ours", body)
    assert [f["pointer"] for f in answer.json()["errors"]] == ["/settings"]


def test_a_secret_that_was_made_is_shown_once_whatever_its_name(service: Service) -> None:
    body = {"provider": "demanding", "name": "Shop", "settings": SETTINGS}
    made = service.put("/v1/sources/shop", body).json()["secret"]
    assert len(bytes.fromhex(made)) == 32
    assert service.get("/v1/sources/shop").json()["secret"] is None
    assert made not in service.dump()
