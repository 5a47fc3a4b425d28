"""Nothing a stranger sends raises anything but a refusal."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.errors import TasseiError
from app.intake.credentials import read_credentials
from app.intake.events import read_events
from app.intake.registry import PROVIDERS
from tests.intake.senders import NOW, leg, pipedrive, pipedrive_body, twilio, webhook

TEXT = st.text(max_size=20) | st.sampled_from(
    [
        "2026-12-01T09:00:00Z",
        "9999-12-31T23:59:59-12:00",
        "0001-01-01 00:00:00",
        "1e9",
        "-0",
        "call",
    ]
)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | TEXT | st.just(10**300),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXT, inner, max_size=3),
    max_leaves=8,
)
EVENT: dict[str, Any] = {
    "specversion": "1.0",
    "id": "e-1",
    "subject": "D-1",
    "revision": "1",
    "source": "crm",
    "type": "deal",
    "time": "2026-12-01T09:00:00Z",
    "actor": "sato",
    "merge": False,
    "retracted": False,
    "datacontenttype": "application/json",
    "data": {"status": "won", "amount": "1.5", "currency": "JPY", "won_at": "2026-12-01T09:00:00Z"},
}
MEDIA_TYPES = st.sampled_from(
    [
        "application/cloudevents+json",
        "application/cloudevents-batch+json",
        "application/x-ndjson",
        "application/json",
        "",
    ]
) | st.text(max_size=30)
HEADERS = st.dictionaries(
    st.sampled_from(
        "ce-id ce-source ce-type ce-specversion ce-merge ce-time authorization content-type "
        "webhook-id webhook-timestamp webhook-signature svix-id x-twilio-signature "
        "x-twilio-webhooks-signature-settings".split()
    ),
    st.text(max_size=30),
)
BODIES = st.binary(max_size=80) | JSON.map(lambda value: json.dumps(value).encode())


@given(BODIES, MEDIA_TYPES, HEADERS)
def test_arbitrary_bytes_are_events_or_refused(
    body: bytes, media_type: str, headers: dict[str, str]
) -> None:
    try:
        delivery = read_events(body, media_type, headers, workspace="w", now=NOW)
    except TasseiError:
        return
    assert delivery.workspace == "w"


@pytest.mark.parametrize("name", [*EVENT, *(f"data.{field}" for field in EVENT["data"])])
@given(value=JSON, kind=st.sampled_from(["call", "meeting", "deal", "payment", "lead", "visit"]))
def test_any_value_in_any_place_of_an_event_is_one_item_or_one_refusal(
    name: str, value: Any, kind: str
) -> None:
    event = EVENT | {"type": kind}
    if name.startswith("data."):
        event |= {"data": EVENT["data"] | {name[5:]: value}}
    else:
        event |= {name: value}
    body = json.dumps(event).encode()
    try:
        delivery = read_events(body, "application/cloudevents+json", {}, workspace="w", now=NOW)
    except TasseiError:
        return
    assert len(delivery.items) + len(delivery.refused) == 1


DEAL = json.loads(pipedrive({}, at="2026-12-01T09:00:00Z").body)
PLACES = [("meta", n) for n in DEAL["meta"]] + [
    ("data", n)
    for n in "status value currency add_time won_time close_time expected_close_date owner_id "
    "stage_id type done due_date due_time marked_as_done_time is_deleted".split()
]


@given(
    st.sampled_from(PLACES),
    JSON,
    st.sampled_from(["deal", "activity"]),
    st.sampled_from(["create", "change", "delete"]),
    st.sampled_from(["call", "meeting", "task"]),
)
def test_any_value_in_any_place_of_a_pipedrive_event_is_kept(
    place: tuple[str, str], value: Any, entity: str, action: str, kind: str
) -> None:
    data: dict[str, Any] = {"type": kind, "done": True, "due_date": "2026-12-01"}
    event = DEAL | {"data": data, "previous": {"type": kind}}
    event["meta"] = DEAL["meta"] | {"entity": entity, "action": action}
    event[place[0]] = event[place[0]] | {place[1]: value}
    request = pipedrive_body(json.dumps(event).encode())
    assert PROVIDERS["pipedrive"].hook
    delivery = PROVIDERS["pipedrive"].hook.read(request)
    assert len(delivery.items) + len(delivery.refused) <= 1


@given(
    st.sampled_from(sorted(leg("CA1", "completed", "2026-12-01T09:00:00Z")))
    | st.just("CallDuration"),
    TEXT,
    st.sampled_from(["", "CA2"]),
)
def test_any_value_in_any_parameter_of_a_twilio_callback_is_kept(
    name: str, value: str, parent: str
) -> None:
    form = leg("CA1", "completed", "2026-12-01T09:00:00Z", ParentCallSid=parent) | {name: value}
    request = twilio(form)
    hook = PROVIDERS["twilio"].hook
    assert hook
    hook.verify(request)
    delivery = hook.read(request)
    assert len(delivery.refused) <= 1


@given(st.binary(max_size=60))
def test_authentic_bytes_of_any_kind_are_kept(body: bytes) -> None:
    request = replace(webhook(b"{}"), body=body)
    hook = PROVIDERS["standard_webhooks"].hook
    assert hook
    assert hook.read(request).quarantines


@given(st.sampled_from(sorted(PROVIDERS)), JSON.filter(lambda v: not isinstance(v, float)))
def test_any_credentials_are_read_or_refused(name: str, document: Any) -> None:
    try:
        read_credentials(PROVIDERS[name].secrets, document)
    except TasseiError:
        return
    assert document is None or isinstance(document, dict)
