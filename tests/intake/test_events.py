"""POST /v1/events: the modes of CloudEvents and NDJSON, and what each bad event is told."""

from __future__ import annotations

import json
from typing import Any

import pytest

from app.domain.activities import KIND, RETRACTED, joined
from app.domain.deliveries import Delivery, Item, Refused
from app.domain.errors import TasseiError, TooDeep, TooLarge, Unreadable, UnsupportedMedia
from app.domain.instants import instant
from app.domain.revisions import of_instant, of_number
from app.intake.cloudevents import MAX_CONTENT
from app.intake.events import MAX_ITEMS
from tests.intake.senders import NOW, reading

STRUCTURED = "application/cloudevents+json"
BATCH = "application/cloudevents-batch+json"
NDJSON = "application/x-ndjson"
CALL = {
    "specversion": "1.0",
    "id": "c-0001",
    "source": "zoom",
    "type": "call",
    "time": "2026-12-01T09:05:00+09:00",
    "actor": "301",
    "data": {
        "direction": "outbound",
        "outcome": "connected",
        "started_at": "2026-12-01T09:02:10+09:00",
        "talk_seconds": 150,
        "counterpart": "+81312345678",
    },
}
DEAL = {
    "specversion": "1.0",
    "id": "e-1",
    "subject": "D-1001",
    "revision": "1",
    "source": "hubspot",
    "type": "deal",
    "actor": "Sato@Example.co.jp",
    "data": {"status": "won", "amount": "450000", "won_at": "2026-12-08T15:00:00+09:00"},
}


def item(event: dict[str, Any]) -> Item:
    delivery = reading(event)
    assert not delivery.refused
    return delivery.items[0]


def refused(event: object) -> Refused:
    delivery = reading(event)
    assert not delivery.items
    return delivery.refused[0]


def faults(event: object) -> list[tuple[str, str]]:
    return [(fault.pointer, fault.code) for fault in refused(event).error.faults]


def without(event: dict[str, Any], *names: str) -> dict[str, Any]:
    return {name: value for name, value in event.items() if name not in names}


def test_a_structured_event_becomes_a_full_report() -> None:
    delivery = reading(CALL)
    assert (delivery.workspace, delivery.received_at, delivery.quarantines) == ("w", NOW, False)
    (found,) = delivery.items
    assert (found.index, found.id) == (0, "c-0001")
    report = found.report
    assert (report.source, report.key, report.full) == ("zoom", "c-0001", True)
    assert report.stamp.revision == of_instant(instant("2026-12-01T00:05:00Z"))
    assert report.fields == {
        KIND: "call",
        RETRACTED: False,
        "direction": "outbound",
        "outcome": "connected",
        "started_at": "2026-12-01T00:02:10Z",
        "talk_seconds": 150,
        "counterpart": "+81312345678",
        "agent": "301",
    }


def test_subject_is_the_key_and_revision_the_order() -> None:
    found = item(DEAL)
    assert (found.id, found.report.key) == ("e-1", "D-1001")
    assert found.report.stamp.revision == of_number("1")
    assert found.report.fields["owner"] == "sato@example.co.jp"


def test_null_attributes_are_absent() -> None:
    nulls: dict[str, Any] = dict.fromkeys(
        ["subject", "time", "revision", "actor", "retracted", "merge", "datacontenttype"]
    )
    found = item(without(CALL, "time", "actor") | nulls)
    assert found.report.key == "c-0001"
    assert found.report.stamp.revision == ""
    assert "agent" not in found.report.fields


def test_unknown_attributes_change_nothing() -> None:
    extra = {"traceparent": "00-ab", "dataschema": "https://x", "workspace_id": "other"}
    assert item(CALL | extra) == item(CALL)


@pytest.mark.parametrize(
    ("revision", "text"),
    [
        ("7", of_number("7")),
        (7, of_number("7")),
        (10**30, of_number("1" + "0" * 30)),
        ("2026-12-08T15:00:00+09:00", of_instant(instant("2026-12-08T06:00:00Z"))),
    ],
)
def test_a_revision_is_an_integer_or_an_instant(revision: object, text: str) -> None:
    assert item(DEAL | {"revision": revision}).report.stamp.revision == text


def test_a_merge_is_partial_and_null_clears() -> None:
    event = DEAL | {"merge": True, "data": {"amount": 380000, "won_at": None}}
    report = item(without(event, "actor")).report
    assert not report.full
    assert report.fields == {KIND: "deal", "amount": "380000", "won_at": None}
    assert item(event | {"merge": False}).report.full


def test_a_retraction_without_data_keeps_the_fields_in_any_order() -> None:
    original = item(DEAL).report
    retraction = item(without(DEAL, "data") | {"revision": "2", "retracted": True}).report
    assert not retraction.full
    assert retraction.fields == {KIND: "deal", RETRACTED: True}
    there, back = joined([original, retraction]), joined([retraction, original])
    assert there == back
    assert there.retracted
    assert there.fields["amount"] == "450000"
    restored = item(without(DEAL, "data") | {"revision": "3", "retracted": False}).report
    assert not joined([restored, retraction, original]).retracted


def test_a_retraction_with_data_replaces_the_state() -> None:
    report = item(DEAL | {"retracted": True}).report
    assert report.full
    assert report.fields[RETRACTED] is True


def test_a_custom_kind_keeps_its_fields_exactly() -> None:
    body = b"""{"specversion":"1.0","id":"1","source":"s","type":"site_visit","actor":"sato",
        "data":{"km":12.50,"stops":["a",{"b":1}],"note":"\xe6\x9d\xb1\xe4\xba\xac"}}"""
    (found,) = reading(body).items
    assert found.report.fields == {
        KIND: "site_visit",
        RETRACTED: False,
        "km": "12.5",
        "stops": ["a", {"b": 1}],
        "note": "東京",
        "actor": "sato",
    }


def data(**values: object) -> dict[str, Any]:
    return CALL | {"data": {"started_at": "2026-12-01T09:02:10+09:00"} | values}


BAD: list[tuple[object, list[tuple[str, str]]]] = [
    (["not", "an", "object"], [("", "not_an_object")]),
    ("text", [("", "not_an_object")]),
    (
        {},
        [(f"/{name}", "required") for name in ("id", "source", "specversion", "type")],
    ),
    (CALL | {"specversion": "0.3"}, [("/specversion", "unsupported_version")]),
    (CALL | {"specversion": 1.0}, [("/specversion", "unsupported_version")]),
    (CALL | {"id": ""}, [("/id", "not_a_name")]),
    (CALL | {"id": "c-1 "}, [("/id", "not_a_name")]),
    (CALL | {"id": "c\u00001"}, [("/id", "not_a_name")]),
    (CALL | {"id": "x" * 256}, [("/id", "not_a_name")]),
    (CALL | {"id": 7}, [("/id", "not_a_text")]),
    (CALL | {"id": None}, [("/id", "required")]),
    (CALL | {"source": True}, [("/source", "not_a_text")]),
    (CALL | {"type": "Call"}, [("/type", "not_a_kind")]),
    (CALL | {"type": ["call"]}, [("/type", "not_a_kind")]),
    (CALL | {"subject": ""}, [("/subject", "not_a_name")]),
    (CALL | {"actor": " sato"}, [("/actor", "not_a_name")]),
    (CALL | {"actor": 301}, [("/actor", "not_a_text")]),
    (CALL | {"time": "2026-12-01T09:05:00"}, [("/time", "time_without_offset")]),
    (CALL | {"time": "yesterday"}, [("/time", "not_a_time")]),
    (CALL | {"time": 1764547200}, [("/time", "not_a_time")]),
    (CALL | {"revision": "2026-12-01 10:00"}, [("/revision", "time_without_offset")]),
    (CALL | {"revision": "v2"}, [("/revision", "not_a_revision")]),
    (CALL | {"revision": ""}, [("/revision", "not_a_revision")]),
    (CALL | {"revision": -1}, [("/revision", "not_a_revision")]),
    (CALL | {"revision": True}, [("/revision", "not_a_revision")]),
    (CALL | {"revision": 1.5}, [("/revision", "not_a_revision")]),
    (CALL | {"revision": "9" * 201}, [("/revision", "not_a_revision")]),
    (CALL | {"retracted": "true"}, [("/retracted", "not_a_boolean")]),
    (CALL | {"merge": 1}, [("/merge", "not_a_boolean")]),
    (CALL | {"datacontenttype": "text/xml"}, [("/datacontenttype", "data_not_json")]),
    (CALL | {"datacontenttype": 1}, [("/datacontenttype", "data_not_json")]),
    (without(CALL, "data"), [("/data", "required")]),
    (CALL | {"data": None}, [("/data", "required")]),
    (CALL | {"data": []}, [("/data", "not_an_object")]),
    (CALL | {"data": "x"}, [("/data", "not_an_object")]),
    (without(CALL, "data") | {"merge": True}, [("/data", "required")]),
    (data(talk_seconds=True), [("/data/talk_seconds", "not_an_integer")]),
    (data(talk_seconds="7"), [("/data/talk_seconds", "not_an_integer")]),
    (data(talk_seconds=7.0), [("/data/talk_seconds", "not_an_integer")]),
    (data(talk_seconds=-1), [("/data/talk_seconds", "out_of_range")]),
    (data(talk_seconds=10**30), [("/data/talk_seconds", "out_of_range")]),
    (data(started_at="2026-12-01T09:02:10"), [("/data/started_at", "time_without_offset")]),
    (data(started_at="2026-12-15T09:00:01Z"), [("/data/started_at", "time_too_far_ahead")]),
    (data(started_at="9999-12-31T23:59:59-01:00"), [("/data/started_at", "not_a_time")]),
    (data(started_at="0001-01-01T00:00:00+09:00"), [("/data/started_at", "not_a_time")]),
    (data(started_at="1979-12-31T23:59:59Z"), [("/data/started_at", "time_before_1980")]),
    (data(started_at=1764547200), [("/data/started_at", "not_a_time")]),
    (data(outcome="answered"), [("/data/outcome", "unknown_value")]),
    (data(direction=None, outcome={}), [("/data/outcome", "unknown_value")]),
    (data(counterpart="a\u0000b"), [("/data/counterpart", "nul_in_text")]),
    (data(counterpart="x" * 10_001), [("/data/counterpart", "text_too_long")]),
    (data(**{"@kind": "deal"}), [("/data/@kind", "not_a_field_name")]),
    (data(**{"a/b~": "\u0000"}), [("/data/a~1b~0", "nul_in_text")]),
    (data(**{f"f{n}": n for n in range(200)}), [("/data", "too_many_fields")]),
    (DEAL | {"data": {"amount": True}}, [("/data/amount", "not_a_decimal")]),
    (DEAL | {"data": {"amount": 10**30}}, [("/data/amount", "not_a_decimal")]),
    (DEAL | {"data": {"amount": "1e3"}}, [("/data/amount", "not_a_decimal")]),
    (DEAL | {"data": {"currency": "yen"}}, [("/data/currency", "not_a_currency")]),
]


@pytest.mark.parametrize(("event", "expected"), BAD)
def test_a_bad_event_is_told_what_and_where(event: object, expected: list[tuple[str, str]]) -> None:
    assert faults(event) == expected


def test_an_integer_is_not_written_with_an_exponent() -> None:
    body = json.dumps(data(talk_seconds=7)).replace(": 7", ": 1e3").encode()
    assert [f.code for f in reading(body).refused[0].error.faults] == ["not_an_integer"]


def test_every_fault_of_an_event_is_told_at_once() -> None:
    event = CALL | {"time": "?", "merge": "?", "data": {"talk_seconds": "?", "outcome": "?"}}
    assert faults(event) == [
        ("/time", "not_a_time"),
        ("/merge", "not_a_boolean"),
        ("/data/talk_seconds", "not_an_integer"),
        ("/data/outcome", "unknown_value"),
    ]


def test_binary_data_is_refused() -> None:
    event = without(CALL, "data") | {"data_base64": "e30=", "retracted": True}
    assert faults(event) == [("/data_base64", "data_not_json")]


def test_a_refusal_names_the_event_by_what_is_usable() -> None:
    found = refused(CALL | {"time": "?"})
    assert (found.index, found.id, found.source) == (0, "c-0001", "zoom")
    assert json.loads(found.content) == CALL | {"time": "?"}
    nameless = refused(CALL | {"id": "x" * 999, "source": 1})
    assert (nameless.id, nameless.source) == (None, None)


def custom(texts: int) -> dict[str, Any]:
    return CALL | {"type": "note", "data": {f"t{n}": "x" * 10_000 for n in range(texts)}}


def test_an_event_of_64_kib_fits_and_a_much_larger_one_does_not() -> None:
    numbers = "1.5," * ((64 * 1024 - 200) // 4)
    body = json.dumps(CALL | {"type": "note", "data": {"n": [0]}}).replace("[0]", f"[{numbers}1]")
    assert len(body) > 65_000
    assert reading(body.encode()).items
    assert item(custom(13)).report.content
    assert len(json.dumps(custom(14))) > MAX_CONTENT
    assert faults(custom(14)) == [("", "item_too_large")]


def test_a_batch_keeps_the_places_of_good_and_bad_events() -> None:
    delivery = reading([CALL, CALL | {"id": ""}, DEAL, 7], BATCH)
    assert [(i.index, i.id) for i in delivery.items] == [(0, "c-0001"), (2, "e-1")]
    assert [(r.index, r.id) for r in delivery.refused] == [(1, None), (3, None)]
    assert reading([], BATCH) == Delivery("w", NOW, False, ())


def test_lines_are_events_and_blank_lines_are_not() -> None:
    lines = [json.dumps(CALL), "", "  \r", json.dumps(DEAL) + "\r", "[]", ""]
    delivery = reading("\n".join(lines).encode(), NDJSON)
    assert delivery.items == reading([CALL, DEAL], BATCH).items
    assert [r.index for r in delivery.refused] == [2]
    assert reading(b"\n \n", NDJSON).items == ()


@pytest.mark.parametrize(
    ("body", "media_type", "error", "code"),
    [
        (b"{", STRUCTURED, Unreadable, "not_json"),
        (b"", STRUCTURED, Unreadable, "not_json"),
        (b'{"id":1,"id":2}', STRUCTURED, Unreadable, "duplicate_key"),
        (b'{"data":NaN}', STRUCTURED, Unreadable, "not_json"),
        (b"[" * 33 + b"]" * 33, BATCH, TooDeep, "too_deep"),
        (b"{}", BATCH, Unreadable, "not_an_array"),
        (b"[" + b"0," * MAX_ITEMS + b"0]", BATCH, TooLarge, "too_many_items"),
        (b"0\n" * (MAX_ITEMS + 1), NDJSON, TooLarge, "too_many_items"),
        (b'{}\n\n{"a":\n', NDJSON, Unreadable, "not_json"),
        (b'{}\n\n{"a":\xff}\n', NDJSON, Unreadable, "not_utf8"),
        (b"\xef\xbb\xbf{}", NDJSON, Unreadable, "byte_order_mark"),
        (b"{}", "", UnsupportedMedia, "unsupported_media_type"),
        (b"{}", "application/json", UnsupportedMedia, "unsupported_media_type"),
        (b"{}", "text/plain", UnsupportedMedia, "unsupported_media_type"),
        (b"{}", "application/cloudevents+avro", UnsupportedMedia, "unsupported_media_type"),
        (b"{}", f"{STRUCTURED}; charset=latin1", UnsupportedMedia, "unsupported_charset"),
        (b"{}", f"{NDJSON};charset=UTF-16", UnsupportedMedia, "unsupported_charset"),
    ],
)
def test_a_request_that_cannot_be_read_is_refused_whole(
    body: bytes, media_type: str, error: type[TasseiError], code: str
) -> None:
    with pytest.raises(error) as refusal:
        reading(body, media_type)
    assert refusal.value.code == code


def test_the_line_that_cannot_be_read_is_named() -> None:
    with pytest.raises(Unreadable) as refusal:
        reading(b'{}\n\n{"a":\n', NDJSON)
    assert refusal.value.params == {"line": 3}


@pytest.mark.parametrize(
    "media_type",
    [
        "Application/CloudEvents+JSON",
        f'{STRUCTURED} ; charset="UTF-8"',
        f"{STRUCTURED};charset=utf8;v=1",
    ],
)
def test_media_types_are_read_without_case_and_with_utf8(media_type: str) -> None:
    assert reading(CALL, media_type) == reading(CALL)
