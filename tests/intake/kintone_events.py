"""What kintone sends; the shape is its, the contents invented."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

from app.domain.activities import KIND, RETRACTED, Report, State
from app.domain.deliveries import Delivery
from app.intake.mapping import record_mapping_of
from app.intake.providers.kintone import PROVIDER
from app.intake.requests import HookRequest
from app.intake.source_settings import Settings, read_settings
from tests.intake import conformance
from tests.intake.senders import HOOK, NOW

DEAL_SETTINGS: dict[str, Any] = {
    "app_id": "12",
    "kind": "deal",
    "currency": "JPY",
    "time_zone": "Asia/Tokyo",
    "fields": {
        "status": "商談状況",
        "stage": "商談状況",
        "won_at": "受注日",
        "amount": "受注金額",
        "owner": "営業担当",
        "type": "区分",
        "expected_close_on": "受注予定日",
    },
    "values": {
        "受注": "won",
        "失注": "lost",
        "商談中": "open",
        "新規": "new",
        "既存": "existing",
    },
}


def user(code: str, name: str) -> dict[str, str]:
    return {"code": code, "name": name}


def record(revision: int = 1, number: str = "501", **fields: Any) -> dict[str, Any]:
    """A record of an app for deals: every field, with types and texts as kintone writes them."""
    values = {
        "商談状況": ("DROP_DOWN", "商談中"),
        "受注日": ("DATE", None),
        "受注予定日": ("DATE", "2026-12-25"),
        "受注金額": ("NUMBER", "450000"),
        "営業担当": ("USER_SELECT", [user("sato", "佐藤 昇"), user("suzuki", "鈴木 優")]),
        "区分": ("RADIO_BUTTON", "新規"),
        "明細": ("SUBTABLE", []),
        "レコード番号": ("RECORD_NUMBER", number),
        "作成者": ("CREATOR", user("tanaka", "田中 一")),
        "作成日時": ("CREATED_TIME", "2026-12-01T01:00:00Z"),
        "更新者": ("MODIFIER", user("suzuki", "鈴木 優")),
        "更新日時": ("UPDATED_TIME", "2026-12-08T06:00:00Z"),
        "$id": ("__ID__", number),
        "$revision": ("__REVISION__", str(revision)),
    }
    found: dict[str, Any] = {
        code: {"type": kind, "value": value} for code, (kind, value) in values.items()
    }
    for code, value in fields.items():
        found[code] = {**found.get(code, {"type": "SINGLE_LINE_TEXT"}), "value": value}
    return found


def won(revision: int = 3, **fields: Any) -> dict[str, Any]:
    return record(revision, **{"商談状況": "受注", "受注日": "2026-12-08"} | fields)


def notified(document: dict[str, Any], settings: dict[str, Any] | None = None) -> HookRequest:
    body = json.dumps(document, ensure_ascii=False).encode()
    headers = {"content-type": "application/json"}
    read = read_settings(PROVIDER.settings, settings or DEAL_SETTINGS)
    return HookRequest("default", "kt", HOOK, "POST", headers, body, {}, NOW, read)


def saved(
    fields: dict[str, Any],
    kind: str = "UPDATE_RECORD",
    settings: dict[str, Any] | None = None,
    **more: Any,
) -> HookRequest:
    return notified(
        {
            "id": "01883b13-2b5e-4b55-b1a7-9d5f7b3a8e10",
            "type": kind,
            "app": {"id": "12", "name": "案件管理"},
            "record": fields,
            "recordTitle": "名古屋支店 新規",
            "url": "https://example.cybozu.com/k/12/show#record=501",
        }
        | more,
        settings,
    )


def deleted(number: str = "501") -> HookRequest:
    return notified(
        {
            "id": "3fd1a1c6-5a87-4be5-9f3b-6ad0a8c3f111",
            "type": "DELETE_RECORD",
            "app": {"id": "12", "name": "案件管理"},
            "recordId": number,
            "deletedBy": user("suzuki", "鈴木 優"),
            "deletedAt": "2026-12-11T00:00:00Z",
            "url": "https://example.cybozu.com/k/12/",
        }
    )


def settings_of(document: dict[str, Any]) -> Settings:
    return read_settings(PROVIDER.settings, document)


def read(request: HookRequest) -> Delivery:
    return conformance.read("kintone", request)


def report(request: HookRequest) -> Report:
    delivery = read(request)
    assert not delivery.refused
    (item,) = delivery.items
    return item.report


def faults(request: HookRequest) -> list[tuple[str, str]]:
    delivery = read(request)
    assert not delivery.items
    (refused,) = delivery.refused
    return [(fault.pointer, fault.code) for fault in refused.error.faults]


def fields(found: Report | State) -> dict[str, Any]:
    return {name: value for name, value in found.fields.items() if name not in {KIND, RETRACTED}}


# One record is a deal from its first day, an appointment once there is one, and a lead if it says.
APP = {"app_id": "12"}
SEVERAL: dict[str, Any] = {
    "rules": [
        {
            "activity": {"kind": "deal"},
            "fields": {
                "status": {
                    "select": 'record."商談状況".value',
                    "map": {"受注": "won", "失注": "lost", "商談中": "open"},
                },
                "amount": {"select": 'record."受注金額".value', "type": "decimal"},
                "currency": {"constant": "JPY"},
                "won_at": {
                    "select": 'record."受注日".value',
                    "type": "date",
                    "zone": "Asia/Tokyo",
                },
                "owner": 'record."営業担当".value[0].code',
            },
        },
        {
            "when": 'record."訪問日時".value',
            "activity": {"kind": "meeting", "key": "アポ"},
            "fields": {
                "status": {
                    "select": 'record."訪問結果".value',
                    "map": {"実施": "held", "中止": "canceled"},
                    "default": "booked",
                },
                "starts_at": 'record."訪問日時".value',
                "organizer": 'record."営業担当".value[0].code',
            },
        },
        {
            "when": "record.\"流入\".value == '問い合わせ'",
            "activity": {"kind": "lead", "key": "lead", "actor": 'record."作成者".value.code'},
            "fields": {"created_at": 'record."作成日時".value'},
        },
    ]
}


def mapped(
    request: HookRequest, mapping: dict[str, Any] = SEVERAL, changes: int = 0
) -> HookRequest:
    """The request at a source whose fields a mapping decides."""
    settings = read_settings(PROVIDER.settings_of(mapped=True), APP)
    return replace(request, settings=settings, mapping=record_mapping_of(mapping), changes=changes)


def visited(revision: int = 1, **fields: Any) -> dict[str, Any]:
    """A record of an app that has the fields of all three."""
    return record(revision, **{"訪問日時": None, "訪問結果": None, "流入": None} | fields)
