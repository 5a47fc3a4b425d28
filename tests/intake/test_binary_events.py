"""Binary mode: attributes in headers, decoded once; the CloudEvents SDK as oracle."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from cloudevents.core.bindings.http import to_binary_event, to_structured_event
from cloudevents.core.v1.event import CloudEvent

from app.domain.activities import KIND, RETRACTED
from app.domain.errors import Unreadable, UnsupportedMedia
from app.domain.instants import instant
from app.domain.revisions import of_instant, of_number
from tests.intake.senders import reading

CE = {"ce-specversion": "1.0", "ce-id": "c-1", "ce-source": "zoom", "ce-type": "call"}


def test_binary_mode_carries_attributes_in_headers() -> None:
    headers = CE | {
        "Ce-Subject": "%E9%80%9A%E8%A9%B1%201",
        "ce-actor": '"sa\\to"',
        "ce-revision": "12",
        "ce-merge": "true",
        "ce-retracted": "false",
        "ce-data": "x",
        "content-type": "application/json",
    }
    (found,) = reading({"talk_seconds": 5}, "application/json; charset=utf-8", headers).items
    assert (found.report.key, found.report.stamp.revision) == ("通話 1", of_number("12"))
    assert not found.report.full
    assert found.report.fields == {KIND: "call", "talk_seconds": 5, "agent": "sato"} | {
        RETRACTED: False
    }


@pytest.mark.parametrize("media_type", ["", "application/json"])
def test_a_retraction_in_binary_mode_needs_no_body(media_type: str) -> None:
    (found,) = reading(b"", media_type, CE | {"ce-retracted": "true"}).items
    assert found.report.fields == {KIND: "call", RETRACTED: True}


@pytest.mark.parametrize(
    ("sent", "means"),
    [
        ("a%20b", "a b"),
        ("%61", "a"),
        ("100%25", "100%"),
        ("%2525", "%25"),
        ("50%", "50%"),
        ("%zz", "%zz"),
        ("\xc3\xbc", "ü"),
        ('"a\\"b"', 'a"b'),
        ('a"b', 'a"b'),
    ],
)
def test_header_values_are_decoded_once(sent: str, means: str) -> None:
    (found,) = reading({}, "application/json", CE | {"ce-subject": sent}).items
    assert found.report.key == means


@pytest.mark.parametrize("value", ["%ff", "\xe9", "%C3", "案件"])
def test_headers_that_are_not_utf8_are_refused(value: str) -> None:
    with pytest.raises(Unreadable) as refusal:
        reading({}, "application/json", CE | {"ce-subject": value})
    assert refusal.value.code == "not_utf8"


def test_flags_of_binary_mode_are_true_or_false() -> None:
    (found,) = reading({}, "application/json", CE | {"ce-merge": "True"}).refused
    assert found.error.faults[0].pointer == "/merge"


def test_the_content_type_is_said_in_one_place() -> None:
    headers = CE | {"ce-datacontenttype": "application/json"}
    (found,) = reading({}, "application/json", headers).refused
    assert [(f.pointer, f.code) for f in found.error.faults] == [
        ("/datacontenttype", "forbidden_header")
    ]


def test_binary_mode_wants_json() -> None:
    for media_type in ("text/plain", "", "application/cloudevents"):
        with pytest.raises(UnsupportedMedia):
            reading({}, media_type, CE)


@pytest.mark.parametrize("subject", [None, "D-1", "案件 100%", 'a"b\\c'])
def test_what_the_cloudevents_sdk_writes_is_read_the_same_in_both_modes(
    subject: str | None,
) -> None:
    attributes = {
        "id": "e-1",
        "source": "hubspot",
        "type": "deal",
        "specversion": "1.0",
        "datacontenttype": "application/json",
        "time": datetime(2026, 12, 8, 6, 0, 0, 250_000, tzinfo=UTC),
        "actor": "佐藤",
    } | ({"subject": subject} if subject else {})
    fields = {"status": "won", "amount": "450000", "won_at": "2026-12-08T15:00:00+09:00"}
    event = CloudEvent(attributes=attributes, data=fields)
    structured, binary = to_structured_event(event), to_binary_event(event)
    headers = {name.lower(): value for name, value in binary.headers.items()}
    one = reading(structured.body, structured.headers["content-type"])
    other = reading(binary.body, headers["content-type"], headers)
    assert one == other
    (found,) = one.items
    assert found.report.key == (subject or "e-1")
    assert found.report.stamp.revision == of_instant(instant("2026-12-08T06:00:00.25Z"))
    assert found.report.fields["owner"] == "佐藤"
