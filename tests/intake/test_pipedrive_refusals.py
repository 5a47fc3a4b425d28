"""Pipedrive: what is authentic and unusable is kept with its place; what is not is refused."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from app.domain.errors import Unauthenticated
from app.intake.requests import Connecting, HookRequest
from app.intake.source_settings import NO_SETTINGS
from tests.intake.pipedrive_events import CALL, DEAL, HOOKED, WON, activity, read, refused
from tests.intake.senders import HOOK, pipedrive, pipedrive_body


def faults(request: HookRequest) -> list[tuple[str, str]]:
    return [(fault.pointer, fault.code) for fault in refused(request).error.faults]


AT = "2026-12-10T00:00:00Z"


@pytest.mark.parametrize(
    ("request_", "expected"),
    [
        (pipedrive(DEAL, at=AT, version="1.0"), ("/meta/version", "unsupported_version")),
        (pipedrive(DEAL, at=AT, action="merged"), ("/meta/action", "unknown_value")),
        (pipedrive(DEAL, at=AT, number=""), ("/meta/entity_id", "not_an_id")),
        (pipedrive(DEAL, at=AT, entity_id=None), ("/meta/entity_id", "required")),
        (pipedrive(DEAL, at=AT, entity_id=True), ("/meta/entity_id", "not_an_id")),
        (pipedrive(DEAL, at="soon"), ("/meta/timestamp", "not_a_time")),
        (pipedrive(DEAL, at=""), ("/meta/timestamp", "required")),
        (pipedrive(None, at=AT), ("/data", "not_an_object")),
        (pipedrive(DEAL, at=AT, previous=[1]), ("/previous", "not_an_object")),  # type: ignore[arg-type] # wrong on purpose
        (pipedrive(DEAL | {"value": "dear"}, at=AT), ("/data/value", "not_a_decimal")),
        (pipedrive(DEAL | {"value": True}, at=AT), ("/data/value", "not_a_decimal")),
        (pipedrive(DEAL | {"status": "paused"}, at=AT), ("/data/status", "unknown_value")),
        (pipedrive(DEAL | {"currency": "円"}, at=AT), ("/data/currency", "not_a_currency")),
        (pipedrive(DEAL | {"won_time": 7}, at=AT), ("/data/won_time", "not_a_time")),
        (
            pipedrive(WON | {"won_time": "1970-01-01 00:00:00"}, at=AT),
            ("/data/won_time", "time_before_1980"),
        ),
        (
            pipedrive(WON | {"won_time": "2026-12-16 00:00:00"}, at=AT),
            ("/data/won_time", "time_too_far_ahead"),
        ),
        (
            pipedrive(WON | {"won_time": "2026-02-30 00:00:00"}, at=AT),
            ("/data/won_time", "not_a_time"),
        ),
        (pipedrive(DEAL | {"owner_id": {"id": 7}}, at=AT), ("/data/owner_id", "not_an_id")),
        (
            pipedrive(DEAL | {"expected_close_date": "soon"}, at=AT),
            ("/data/expected_close_date", "not_a_date"),
        ),
        (activity({"done": True}), ("/data/type", "required")),
        (activity(CALL | {"done": "yes"}), ("/data/done", "not_a_boolean")),
        (activity(CALL | {"due_time": "noon"}), ("/data/due_time", "not_a_time")),
        (activity(None, action="delete", previous=None), ("/data/type", "required")),
    ],
)
def test_an_unusable_event_is_refused_with_its_place(
    request_: HookRequest, expected: tuple[str, str]
) -> None:
    assert faults(request_) == [expected]


def test_a_webhook_of_version_1_is_named_as_such() -> None:
    event = {
        "v": 1,
        "meta": {"v": 1, "action": "updated", "object": "deal", "id": 123, "timestamp": 1765180800},
        "current": DEAL,
        "previous": DEAL,
        "event": "updated.deal",
    }
    request = pipedrive_body(json.dumps(event).encode())
    assert faults(request) == [("/meta/version", "unsupported_version")]


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (b"{", "not_json"),
        (b"\xff\xfe", "byte_order_mark"),
        (b'{"meta":1,"meta":2}', "duplicate_key"),
        (b"[" * 1000, "too_deep"),
        (b"[]", "invalid_delivery"),
        (b"{}", "invalid_delivery"),
    ],
)
def test_an_authentic_body_that_cannot_be_read_is_refused_not_raised(
    body: bytes, code: str
) -> None:
    found = refused(pipedrive_body(body))
    assert (found.error.code, found.source, found.id) == (code, "pd", None)


def test_a_refusal_has_the_events_id_and_none_of_our_secrets() -> None:
    found = refused(pipedrive(DEAL | {"status": "previous-password\u0000"}, at=AT))
    assert found.id == "4f9f9d9e-2c9c-4a8b-9d57-7b1f0f6f9c11"
    assert "previous-password" not in found.content
    assert "[redacted]" in found.content
    assert refused(pipedrive(DEAL | {"status": "x"}, at=AT, id=" ")).id is None


def test_an_event_without_an_id_of_its_own_counts_all_the_same() -> None:
    (item,) = read(pipedrive(DEAL, at=AT, id=None)).items
    assert item.id == "deal:123"


def test_wrong_credentials_are_refused() -> None:
    request = pipedrive(DEAL, at=AT)
    for forged in (
        replace(request, headers={}),
        replace(request, credentials={}),
        replace(request, credentials={"user": ("tassei",), "password": ("other",)}),
        replace(request, credentials={"user": ("other",), "password": ("ひみつの合言葉",)}),
    ):
        with pytest.raises(Unauthenticated):
            HOOKED.verify(forged)


def test_the_steps_name_the_address() -> None:
    assert HOOKED.next_steps(Connecting(HOOK, NO_SETTINGS))[0].params["url"] == HOOK
