"""Senders without code: proofs, meanings, and the built-in adapters as the oracle."""

from __future__ import annotations

import json
from contextlib import nullcontext
from dataclasses import replace
from datetime import datetime
from typing import Any
from urllib.parse import urlencode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.activities import KIND, RETRACTED, Report
from app.domain.deliveries import Delivery, Item, Refused
from app.domain.errors import Invalid
from app.domain.instants import instant
from app.domain.revisions import of_instant
from app.intake.mapping import body_mapping_of
from app.intake.payloads import mapped
from app.intake.providers.custom import PROVIDER, SETTINGS
from app.intake.requests import Connecting
from app.intake.source_settings import NO_SETTINGS, read_settings
from app.views.messages import sentence
from tests.intake import conformance
from tests.intake.samples import custom as samples
from tests.intake.samples import pipedrive as deals
from tests.intake.samples.custom import BODY, SECRET, basic, bearer, custom, hexed, stamped
from tests.intake.senders import FORM, HOOK, NOW, ROOT, leg, pipedrive, twilio

RAW = json.dumps(BODY).encode()


def read(body: Any, mapping: dict[str, Any], **more: Any) -> Delivery:
    raw = body if isinstance(body, bytes) else json.dumps(body, ensure_ascii=False).encode()
    return conformance.read("custom", bearer(raw, mapping=mapping, **more))


def one(body: Any, mapping: dict[str, Any], **more: Any) -> Report:
    delivery = read(body, mapping, **more)
    assert not delivery.refused, delivery.refused
    (item,) = delivery.items
    return item.report


def faults(body: Any, mapping: dict[str, Any], **more: Any) -> list[tuple[str, str]]:
    (refused,) = read(body, mapping, **more).refused
    return [(fault.pointer, fault.code) for fault in refused.error.faults]


# Proofs.


def test_every_byte_of_what_is_signed_counts() -> None:
    for request, signed in ((hexed(RAW), True), (stamped(RAW), True), (bearer(RAW), False)):
        if signed:
            conformance.assert_refused("custom", conformance.flipped_bodies(request))
        header = "x-signature" if signed else "authorization"
        text = request.headers[header]
        fitting = text if "v1=other" not in text else text[: text.index(",v1=other")]
        cut = replace(request, headers={**request.headers, header: fitting})
        conformance.assert_refused("custom", conformance.flipped_headers(cut, header))


def test_another_secret_no_secret_and_another_scheme_are_refused() -> None:
    for request in (hexed(RAW), stamped(RAW), bearer(RAW), basic(RAW)):
        hook = conformance.hook_of("custom")
        hook.verify(request)
        older = replace(request, credentials={**request.credentials, "secret": (SECRET,)})
        hook.verify(older)
        conformance.assert_refused(
            "custom",
            [
                replace(request, credentials={**request.credentials, "secret": ("another",)}),
                replace(request, credentials={}),
                replace(request, headers={}),
                replace(request, settings=NO_SETTINGS),
            ],
        )


def test_a_signed_timestamp_is_near_unless_told_otherwise() -> None:
    now = NOW // 1_000_000
    hook = conformance.hook_of("custom")
    for at in (now - 300, now + 300):
        hook.verify(stamped(RAW, at))
    late = [stamped(RAW, now - 301), stamped(RAW, now + 301)]
    conformance.assert_refused("custom", late)
    patient = read_settings(SETTINGS, samples.STAMPED | {"tolerance_seconds": 0})
    hook.verify(replace(late[0], settings=patient))


def test_a_query_is_not_covered_by_a_signature_over_the_body() -> None:
    request = hexed(b"", url=f"{HOOK}?id=1", method="GET")
    conformance.assert_refused("custom", [request])


def test_the_address_alone_is_proof_only_where_it_was_said() -> None:
    bare = custom(RAW, {"authentication": "address"}, {})
    conformance.hook_of("custom").verify(bare)
    assert PROVIDER.secrets_of(bare.settings) == ()


@pytest.mark.parametrize(
    ("settings", "credentials", "expected"),
    [
        ({"authentication": "hmac", "signed": "{timestamp}"}, {}, ["signed", "timestamp_header"]),
        ({"authentication": "hmac", "signed": "x"}, {}, ["signed"]),
        ({"authentication": "hmac", "header": "a b"}, {}, ["header"]),
        ({"authentication": "hmac", "key_encoding": "hex"}, {"secret": ("xyz",)}, ["secret"]),
        ({"authentication": "hmac", "key_encoding": "base64"}, {"secret": ("?",)}, ["secret"]),
        ({"authentication": "address"}, {}, []),
        ({"authentication": "hmac", "key_encoding": "hex"}, {"secret": ("00ff",)}, []),
    ],
)
def test_settings_that_prove_nothing_are_refused(
    settings: dict[str, Any], credentials: dict[str, tuple[str, ...]], expected: list[str]
) -> None:
    found = read_settings(SETTINGS, settings)
    with pytest.raises(Invalid) if expected else nullcontext() as refused:
        PROVIDER.check(found, credentials)
    told = refused.value.faults if refused else ()
    assert [fault.pointer.rpartition("/")[2] for fault in told] == expected


@pytest.mark.parametrize("scheme", ["hmac", "header", "basic", "address"])
def test_the_steps_say_how_to_prove_it(scheme: str) -> None:
    settings = read_settings(SETTINGS, {"authentication": scheme})
    steps = conformance.hook_of("custom").next_steps(Connecting(HOOK, settings))
    told = [sentence(s.code, s.params, language) for s in steps for language in ("en", "ja")]
    assert len(told) == 4
    assert HOOK in told[0]
    assert not any("{" in text for text in told[2:] if scheme != "hmac")


# Meanings, by hand.


def test_a_list_is_taken_apart_with_what_stands_around_it() -> None:
    delivery = conformance.read("custom", hexed(RAW))
    assert [item.report.key for item in delivery.items] == ["7", "8"]
    dollars, yen = (item.report for item in delivery.items)
    assert dollars.fields == {
        KIND: "deal",
        RETRACTED: False,
        "owner": "sato@x.jp",
        "status": "won",
        "amount": "450.5",
        "currency": "USD",
        "won_at": "2025-12-11T06:00:00Z",
    }
    assert yen.fields["amount"] == "45050"
    assert dollars.stamp.revision == of_instant(instant("2026-12-11T06:00:00Z"))
    (refused,) = delivery.refused
    assert refused.id == "9"
    assert [(fault.pointer, fault.code) for fault in refused.error.faults] == [
        ("/mapping/fields/won_at", "not_a_time"),
        ("/mapping/fields/amount", "not_a_decimal"),
    ]


def test_what_no_rule_is_about_is_kept_and_counted_nowhere() -> None:
    delivery = conformance.read("custom", hexed(json.dumps(BODY | {"kind": "lost"}).encode()))
    assert (delivery.items, delivery.refused) == ((), ())


def cell(value: Any, **how: Any) -> Any:
    mapping = {
        "activity": {"kind": "visit", "key": {"constant": "v1"}},
        "fields": {"x": {"select": "v"} | how, "currency": "c"},
    }
    return one({"v": value, "c": "JPY"}, mapping).fields.get("x")


@pytest.mark.parametrize(
    ("value", "how", "expected"),
    [
        (" a ", {}, "a"),
        (7, {}, 7),
        (7, {"type": "text"}, "7"),
        (True, {"type": "text"}, "true"),
        (["a", 1, None, " "], {"type": "text"}, ["a", "1"]),
        ("", {"default": "d"}, "d"),
        (None, {"default": "d"}, "d"),
        (None, {}, None),
        ("a", {"map": {"a": "b"}}, "b"),
        ("z", {"map": {"a": "b"}}, "z"),
        ("z", {"map": {"a": "b"}, "others": "c"}, "c"),
        (True, {"map": {"true": "yes"}}, "yes"),
        (4, {"map": {"4": "won"}}, "won"),
        ("", {"map": {"": "none"}}, "none"),
        ("2026-12-01", {"type": "date"}, "2026-12-01"),
        ("2026-12-01", {"type": "date", "zone": "Asia/Tokyo"}, "2026-12-01T03:00:00Z"),
        ("2026-12-01 09:00", {"type": "time", "zone": "Asia/Tokyo"}, "2026-12-01T00:00:00Z"),
        ("2026-12-01T09:00:00+09:00", {"type": "time"}, "2026-12-01T09:00:00+09:00"),
        (1765432800, {"type": "time", "unit": "seconds"}, "2025-12-11T06:00:00Z"),
        ("1765432800123", {"type": "time", "unit": "milliseconds"}, "2025-12-11T06:00:00.123000Z"),
        ("Thu, 11 Dec 2025 06:00:00 +0000", {"type": "time"}, "2025-12-11T06:00:00Z"),
        (
            1765432800,
            {"type": "time", "unit": "seconds", "minus": {"constant": 90}},
            "2025-12-11T05:58:30Z",
        ),
        (59_999, {"type": "duration", "unit": "milliseconds"}, 59),
        ("2", {"type": "duration", "unit": "minutes"}, 120),
        ("1:02:03", {"type": "duration"}, 3723),
        ("02:03", {"type": "duration"}, 123),
        ("90", {"type": "duration"}, 90),
        ("12", {"type": "integer"}, 12),
        ("TRUE", {"type": "boolean"}, True),
        (1250, {"type": "money", "unit": "minor"}, "1250"),
        ("12.50", {"type": "money"}, "12.50"),
        ("a", {"when": "v == 'a'"}, "a"),
        ("a", {"when": "v == 'b'"}, None),
        ("a", {"when": {"c": "JPY"}}, "a"),
        ("a", {"when": {"c": "USD"}}, None),
    ],
)
def test_a_cell_reads(value: Any, how: dict[str, Any], expected: Any) -> None:
    assert cell(value, **how) == expected


@pytest.mark.parametrize(
    ("value", "how", "code"),
    [
        ({}, {}, "not_a_scalar"),
        ([[1]], {}, "not_a_scalar"),
        ("x", {"type": "integer"}, "not_an_integer"),
        ("x", {"type": "boolean"}, "not_a_boolean"),
        ("31/12", {"type": "date"}, "not_a_date"),
        ("Thu, 99 Dec 2025 06:00:00 +0000", {"type": "time"}, "not_a_time"),
        (10**17, {"type": "time", "unit": "seconds"}, "not_a_time"),
        ("1e9", {"type": "time", "unit": "seconds"}, "not_a_time"),
        (-1, {"type": "duration"}, "out_of_range"),
        ("1:99", {"type": "duration"}, "not_a_duration_value"),
        ("x", {"type": "money", "unit": "minor"}, "not_a_decimal"),
        (["a"] * 1_001, {}, "too_many_items"),
        ("0000-12-01", {"type": "date", "zone": "Asia/Tokyo"}, "not_a_date"),
        ("0001-01-01 00:00", {"type": "time", "zone": "Asia/Tokyo"}, "not_a_time"),
    ],
)
def test_what_a_cell_cannot_read_is_told_at_the_cell(
    value: Any, how: dict[str, Any], code: str
) -> None:
    mapping = {
        "rules": [
            {
                "activity": {"kind": "visit", "key": {"constant": "v1"}},
                "fields": {"a/b": {"select": "v"} | how, "currency": {"constant": "JPY"}},
            }
        ]
    }
    assert faults({"v": value}, mapping) == [("/mapping/rules/0/fields/a~1b", code)]


def test_a_fault_of_a_field_points_to_its_cell() -> None:
    mapping = {
        "activity": {"kind": "deal", "key": "id", "revision": "rev"},
        "fields": {"status": "s", "amount": {"select": "n", "type": "decimal"}},
    }
    assert faults({"s": "sold", "n": "1,5", "rev": "x"}, mapping) == [
        ("/mapping/activity/revision", "not_a_revision"),
        ("/mapping/activity/key", "required"),
        ("/mapping/fields/status", "unknown_value"),
        ("/mapping/fields/amount", "not_a_decimal"),
    ]


def test_what_a_deal_grew_from_is_where_the_mapping_says_it_is() -> None:
    mapping: dict[str, Any] = {
        "activity": {"kind": "deal", "key": "id"},
        "fields": {"origin": {"select": "[meeting.id, other]", "source": "calendar"}},
    }
    told = one({"id": 1, "meeting": {"id": 7}, "other": "m-1"}, mapping).fields["origin"]
    assert told == [{"key": "7", "source": "calendar"}, {"key": "m-1", "source": "calendar"}]
    assert "origin" not in one({"id": 1}, mapping).fields
    assert faults({"id": 1, "other": "x" * 256}, mapping) == [
        ("/mapping/fields/origin/0/key", "not_a_name")
    ]
    own = mapping | {"fields": {"origin": "meeting.id"}}
    assert one({"id": 1, "meeting": {"id": 7}}, own).fields["origin"] == [{"key": "7"}]


@pytest.mark.parametrize(
    ("label", "source", "expected"),
    [
        ("origin", "No Key", ("/fields/origin/source", "not_a_key")),
        ("stage", "zoom", ("/fields/stage/source", "unknown_field")),
    ],
)
def test_only_an_origin_lies_in_another_source(
    label: str, source: str, expected: tuple[str, str]
) -> None:
    document = {
        "activity": {"kind": "deal", "key": "id"},
        "fields": {label: {"select": "x", "source": source}},
    }
    with pytest.raises(Invalid) as refused:
        body_mapping_of(document)
    assert [(fault.pointer, fault.code) for fault in refused.value.faults] == [expected]


def test_several_rules_merge_and_retract() -> None:
    mapping = {
        "rules": [
            {
                "when": "type == 'call.tagged'",
                "activity": {"kind": "call", "key": "id", "merge": True},
                "fields": {"outcome": {"select": "tag", "map": {"talked": "connected"}}},
            },
            {
                "when": "type == 'call.deleted'",
                "activity": {"kind": "call", "key": "id", "retracted": True},
                "fields": {"outcome": {"constant": "failed"}},
            },
            {
                "when": "type == 'call.deleted' || type == 'call.tagged'",
                "activity": {
                    "kind": "note",
                    "key": "join('-', ['n', to_string(id)])",
                    "retracted": "type == 'call.deleted'",
                },
                "fields": {"by": "user"},
            },
        ]
    }
    tagged = read({"type": "call.tagged", "id": 1, "tag": "talked", "user": 3}, mapping).items
    assert [(i.report.key, i.report.full, dict(i.report.fields)) for i in tagged] == [
        ("1", False, {KIND: "call", "outcome": "connected"}),
        ("n-1", True, {KIND: "note", RETRACTED: False, "by": 3}),
    ]
    gone = read({"type": "call.deleted", "id": 1, "user": 3}, mapping).items
    assert [(i.report.key, i.report.full, dict(i.report.fields)) for i in gone] == [
        ("1", False, {KIND: "call", RETRACTED: True}),
        ("n-1", False, {KIND: "note", RETRACTED: True}),
    ]


def test_too_many_activities_and_a_list_that_is_none_are_refused() -> None:
    mapping = {"each": "@", "activity": {"kind": "visit", "key": "id"}, "fields": {}}
    assert faults([{"id": n} for n in range(1_001)], mapping) == [("/mapping", "too_many_items")]
    assert faults({"id": 1}, mapping) == [("/mapping/each", "not_a_list")]
    assert len(read([{"id": n} for n in range(1_000)], mapping).items) == 1_000
    lines = b'{"id": 1}\n\n{"id": 2}\n'
    assert len(read(lines, mapping, media_type="application/x-ndjson").items) == 2


def test_a_mapping_that_costs_too_much_for_a_body_ends_with_a_refusal() -> None:
    mapping = {
        "activity": {"kind": "visit", "key": {"constant": "v"}},
        "fields": {f"f{n}": "length(a[*].b[*])" for n in range(50)},
    }
    found = faults({"a": [{"b": []}] * 9_000}, mapping)
    assert {code for _, code in found} == {"selector_too_costly"}
    assert len(found) > 30


def test_kintone_selectors() -> None:
    mapping = {
        "when": "type != 'DELETE_RECORD'",
        "activity": {
            "kind": "deal",
            "key": "join(':', [app.id, record.\"$id\".value])",
            "revision": 'record."$revision".value',
            "actor": 'record."担当者".value[0].code',
        },
        "fields": {
            "status": {
                "select": 'record."ステータス".value',
                "map": {"受注": "won"},
                "others": "open",
            },
            "amount": {"select": 'record."金額".value', "type": "decimal"},
            "won_at": {
                "select": 'record."受注日".value',
                "type": "date",
                "zone": "Asia/Tokyo",
                "when": "record.\"ステータス\".value == '受注'",
            },
        },
    }
    body = {
        "id": "01-u-n-i-q-u-e",
        "type": "UPDATE_STATUS",
        "app": {"id": "12", "name": "案件"},
        "record": {
            "$id": {"type": "__ID__", "value": "3"},
            "$revision": {"type": "__REVISION__", "value": "11"},
            "担当者": {"type": "USER_SELECT", "value": [{"code": "sato", "name": "佐藤"}]},
            "ステータス": {"type": "STATUS", "value": "受注"},
            "金額": {"type": "NUMBER", "value": "1250000"},
            "受注日": {"type": "DATE", "value": "2026-12-11"},
        },
    }
    report = one(body, mapping)
    assert report.key == "12:3"
    assert report.fields == {
        KIND: "deal",
        RETRACTED: False,
        "owner": "sato",
        "status": "won",
        "amount": "1250000",
        "won_at": "2026-12-11T03:00:00Z",
    }


# The built-in adapters say what a mapping for the same body has to come to.

PIPEDRIVE: dict[str, Any] = {
    "when": "meta.entity == 'deal'",
    "activity": {
        "kind": "deal",
        "key": "join(':', ['deal', to_string(meta.entity_id)])",
        "revision": "meta.timestamp",
        "retracted": "meta.action == 'delete' || data.is_deleted == `true`",
    },
    "fields": {
        "status": "data.status",
        "stage": {"select": "data.stage_id", "type": "text"},
        "amount": {"select": "data.value", "type": "decimal"},
        "currency": "data.currency",
        "created_at": {"select": "data.add_time", "type": "time", "zone": "UTC"},
        "won_at": {"select": "data.won_time", "type": "time", "zone": "UTC"},
        "closed_at": {"select": "data.close_time", "type": "time", "zone": "UTC"},
        "expected_close_on": "data.expected_close_date",
        "owner": {"select": "data.owner_id", "type": "text"},
    },
}
LATEST = datetime(2026, 12, 1)  # noqa: DTZ001 - as senders write it, without a zone
TIMES = st.none() | st.datetimes(min_value=LATEST.replace(year=1990), max_value=LATEST).map(
    lambda at: at.strftime("%Y-%m-%d %H:%M:%S")
)
DEALS = st.fixed_dictionaries(
    {
        "status": st.sampled_from(["open", "won", "lost"]),
        "value": st.none() | st.integers(0, 10**9) | st.decimals(0, 10**6, places=2).map(float),
        "currency": st.sampled_from([None, "JPY", "USD"]),
        "stage_id": st.none() | st.integers(1, 99),
        "owner_id": st.none() | st.integers(1, 10**9),
        "add_time": TIMES,
        "won_time": TIMES,
        "close_time": TIMES,
        "expected_close_date": st.none() | st.dates().map(lambda day: day.isoformat()),
        "is_deleted": st.booleans(),
    }
)


def told(report: Report) -> tuple[str, str, bool, dict[str, Any]]:
    return report.key, report.stamp.revision, report.full, dict(report.fields)


@given(DEALS, st.sampled_from(["create", "change", "delete"]), st.sampled_from(["deal", "person"]))
def test_a_mapping_for_pipedrive_deals_comes_to_what_the_adapter_comes_to(
    data: dict[str, Any], action: str, entity: str
) -> None:
    previous = data if action == "delete" else {}
    request = pipedrive(
        None if action == "delete" else data,
        at=deals.AT,
        action=action,
        entity=entity,
        previous=previous,
    )
    expected = [told(item.report) for item in conformance.read("pipedrive", request).items]
    assert [told(i.report) for i in read(request.body, PIPEDRIVE).items] == expected


# Of a call that one leg makes; joining legs is what the adapter is for.
TWILIO: dict[str, Any] = {
    "when": "contains(['completed', 'busy', 'no-answer', 'failed', 'canceled'], CallStatus)",
    "activity": {"kind": "call", "key": "CallSid", "merge": True, "actor": "From"},
    "fields": {
        "direction": {"constant": "outbound"},
        "counterpart": "To",
        "outcome": {
            "select": "CallStatus",
            "map": {"completed": "connected", "no-answer": "no_answer"},
        },
        "ended_at": {"select": "Timestamp", "type": "time"},
        "started_at": {
            "select": "Timestamp",
            "type": "time",
            "minus": {"select": "CallDuration", "type": "duration"},
        },
        "duration_seconds": {"select": "CallDuration", "type": "duration"},
        "talk_seconds": {
            "select": "CallDuration",
            "type": "duration",
            "map": {"0": 0},
        },
    },
}


@given(
    st.sampled_from(["completed", "ringing", "initiated"]),
    st.integers(0, 86_400),
    st.datetimes(min_value=LATEST.replace(year=2020), max_value=LATEST),
)
def test_a_mapping_for_twilio_callbacks_comes_to_what_the_adapter_comes_to(
    status: str, seconds: int, ended: Any
) -> None:
    form = leg(
        ROOT,
        status,
        ended.replace(microsecond=0).isoformat() + "+09:00",
        CallDuration=str(seconds),
        Direction="outbound-api",
    )
    adapter = conformance.read("twilio", twilio(form)).items
    own = read(urlencode(form).encode(), TWILIO, media_type=FORM).items
    assert len(own) == len(adapter) == (status == "completed")
    for ours, theirs in zip(own, adapter, strict=True):
        assert ours.report.key == theirs.report.key
        assert ours.report.full is theirs.report.full is False
        assert dict(ours.report.fields) == dict(theirs.report.fields)


# Any mapping, any body.

SELECTORS = st.sampled_from(
    ["a", "b[0]", "@", "a[*]", "a.b", "*", "a[?b > `1`]", "join('', a)", "keys(@)", "length(a)"]
)
CELLS = st.fixed_dictionaries(
    {"select": SELECTORS},
    optional={
        "type": st.sampled_from(
            ["text", "date", "time", "decimal", "integer", "boolean", "duration", "money"]
        ),
        "unit": st.sampled_from(["seconds", "milliseconds", "minutes", "minor", "major"]),
        "zone": st.just("Asia/Tokyo"),
        "default": st.text(max_size=5),
        "others": st.integers(),
        "map": st.just({"1": "won"}),
        "when": SELECTORS,
        "of": st.just("payload"),
        "minus": st.just({"constant": 3}),
    },
)
FIELDS = st.dictionaries(
    st.sampled_from(
        ["status", "amount", "currency", "started_at", "talk_seconds", "credits", "origin", "x"]
    ),
    CELLS,
    max_size=4,
)
MAPPINGS = st.fixed_dictionaries(
    {
        "activity": st.fixed_dictionaries(
            {
                "kind": st.sampled_from(["call", "deal", "meeting", "visit"]) | CELLS,
                "key": CELLS | st.just({"constant": "k"}),
            },
            optional={
                "revision": CELLS,
                "actor": CELLS,
                "merge": CELLS | st.booleans(),
                "retracted": CELLS | st.booleans(),
            },
        ),
        "fields": FIELDS,
    },
    optional={"when": SELECTORS, "each": SELECTORS},
)
BODIES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.decimals(allow_nan=False, allow_infinity=False)
    | st.text(max_size=8)
    | st.sampled_from(["2026-12-01T09:00:00Z", "9999-12-31", "0001-01-01 00:00", "1:02", "1e9"]),
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.sampled_from("ab"), inner, max_size=2)
    ),
    max_leaves=12,
)


@given(MAPPINGS | BODIES, BODIES)
def test_any_mapping_makes_something_of_any_body_or_is_refused(document: Any, body: Any) -> None:
    try:
        mapping = body_mapping_of(document)
    except Invalid:
        return
    outcomes = mapped(mapping, replace(bearer(b""), mapping=mapping), body)
    for outcome in outcomes:
        if isinstance(outcome, Refused):
            assert all(f.pointer.startswith("/mapping") for f in outcome.error.faults)
        else:
            assert isinstance(outcome, Item)


@given(st.binary(max_size=60), st.sampled_from(["application/json", FORM, "application/x-ndjson"]))
def test_any_bytes_are_kept(body: bytes, media_type: str) -> None:
    assert conformance.read("custom", bearer(body, media_type=media_type)).quarantines
