"""What Salesforce sends, in its three shapes; the shapes are its, the contents invented."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any
from xml.sax.saxutils import escape

from app.domain.activities import KIND, RETRACTED, Report, State
from app.domain.deliveries import Delivery
from app.intake.providers.salesforce import PROVIDER
from app.intake.requests import HookRequest
from app.intake.source_settings import read_settings
from tests.intake import conformance
from tests.intake.senders import HOOK, NOW

ORGANIZATION = "00D5g000004XyZ1EAK"
SESSION = "00D5g000004XyZ1!AQEAQHhbV2Vyc2Vzc2lvbi4uLg"
API_KEY = "5f1c9a3b7d2e4f60819a2b3c4d5e6f70a1b2c3d4"
DEAL_ID = "0065g00000AbCdEAAV"
TASK_ID = "00T5g00000AbCdEEAV"
EVENT_ID = "00U5g00000AbCdEEAV"
LEAD_ID = "00Q5g00000AbCdEEAV"
SATO = "0055g00000AbCdEAAV"
SUZUKI = "0055g00000AbCdFAAV"
ALL = ["outbound_message", "flow", "change_data_capture"]

OPEN: dict[str, Any] = {
    "Id": DEAL_ID,
    "SystemModstamp": "2026-12-01T01:00:00.000Z",
    "StageName": "Prospecting",
    "IsWon": "false",
    "IsClosed": "false",
    "Amount": "450000.0",
    "CloseDate": "2026-12-25",
    "Type": "New Business",
    "OwnerId": SATO,
    "CreatedDate": "2026-12-01T01:00:00.000Z",
}
WON = OPEN | {
    "SystemModstamp": "2026-12-08T06:00:01.000Z",
    "StageName": "Closed Won",
    "IsWon": "true",
    "IsClosed": "true",
    "CloseDate": "2026-12-08",
}
CALL: dict[str, Any] = {
    "Id": TASK_ID,
    "SystemModstamp": "2026-12-10T05:40:00.000Z",
    "TaskSubtype": "Call",
    "Status": "Completed",
    "CallType": "Outbound",
    "CallDisposition": "通話できた",
    "CallDurationInSeconds": "185",
    "CompletedDateTime": "2026-12-10T05:36:00.000Z",
    "ActivityDate": "2026-12-10",
    "OwnerId": SATO,
    "CreatedDate": "2026-12-10T05:36:00.000Z",
}
MEETING: dict[str, Any] = {
    "Id": EVENT_ID,
    "SystemModstamp": "2026-12-09T09:00:00.000Z",
    "IsChild": "false",
    "IsRecurrence": "false",
    "IsAllDayEvent": "false",
    "StartDateTime": "2026-12-20T01:00:00.000Z",
    "ActivityDate": "2026-12-20",
    "OwnerId": SUZUKI,
    "CreatedById": SATO,
    "CreatedDate": "2026-12-09T09:00:00.000Z",
}
LEAD: dict[str, Any] = {
    "Id": LEAD_ID,
    "SystemModstamp": "2026-12-03T00:00:00.000Z",
    "Status": "Open - Not Contacted",
    "OwnerId": SATO,
    "CreatedDate": "2026-12-02T23:30:00.000Z",
}


def request_(body: bytes, headers: dict[str, str] | None = None, **settings: Any) -> HookRequest:
    """A request to a source of this organization that takes every shape."""
    document = {
        "organization_id": ORGANIZATION,
        "shapes": ALL,
        "currency": "JPY",
        "time_zone": "Asia/Tokyo",
        "call_outcomes": {"通話できた": "connected", "留守電": "voicemail"},
    } | settings
    read = read_settings(PROVIDER.settings, document)
    credentials = {"api_key": (API_KEY,)}
    return HookRequest("default", "sf", HOOK, "POST", headers or {}, body, credentials, NOW, read)


def envelope(
    *records: tuple[str, dict[str, Any]],
    organization: str = ORGANIZATION,
    session: str | None = SESSION,
) -> bytes:
    """An Outbound Message's envelope with these records."""
    notifications = "".join(
        f"<Notification><Id>04l5g00000Gx7Qz{n:03}</Id>"
        f'<sObject xsi:type="sf:{kind}" xmlns:sf="urn:sobject.enterprise.soap.sforce.com">'
        + "".join(_element(label, value) for label, value in fields.items())
        + "</sObject></Notification>"
        for n, (kind, fields) in enumerate(records)
    )
    carried = (
        '<SessionId xsi:nil="true"/>' if session is None else f"<SessionId>{session}</SessionId>"
    )
    return (
        '<?xml version="1.0" encoding="UTF-8"?>\n'
        '<soapenv:Envelope xmlns:soapenv="http://schemas.xmlsoap.org/soap/envelope/" '
        'xmlns:xsd="http://www.w3.org/2001/XMLSchema" '
        'xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance">\n <soapenv:Body>\n'
        '  <notifications xmlns="http://soap.sforce.com/2005/09/outbound">\n'
        f"   <OrganizationId>{organization}</OrganizationId>\n"
        f"   <ActionId>04k5g000000CaRkAAK</ActionId>\n   {carried}\n"
        "   <EnterpriseUrl>https://example.my.salesforce.com/services/Soap/c/64.0</EnterpriseUrl>\n"
        "   <PartnerUrl>https://example.my.salesforce.com/services/Soap/u/64.0</PartnerUrl>\n"
        f"   {notifications}\n  </notifications>\n </soapenv:Body>\n</soapenv:Envelope>\n"
    ).encode()


def _element(label: str, value: Any) -> str:
    return (
        f'<sf:{label} xsi:nil="true"/>'
        if value is None
        else f"<sf:{label}>{escape(str(value))}</sf:{label}>"
    )


def message(*records: tuple[str, dict[str, Any]], **settings: Any) -> HookRequest:
    headers = {"content-type": "text/xml; charset=utf-8", "soapaction": '""'}
    taken = {"shapes": ["outbound_message"]} | settings
    return request_(envelope(*records), headers, **taken)


def posted(document: Any, **settings: Any) -> HookRequest:
    headers = {"content-type": "application/json", "x-api-key": API_KEY}
    return request_(json.dumps(document, ensure_ascii=False).encode(), headers, **settings)


def flow(kind: str, *records: dict[str, Any], event: str = "saved") -> HookRequest:
    return posted(
        {
            "organization_id": ORGANIZATION,
            "object": kind,
            "event": event,
            "records": [{"attributes": {"type": kind, "url": "/x"}, **one} for one in records],
        },
        shapes=["flow"],
    )


def change(
    kind: str,
    how: str,
    fields: dict[str, Any],
    *,
    at: int,
    ids: list[str] | None = None,
    wrapped: bool = True,
    **header: Any,
) -> HookRequest:
    """A change event by Event Relay, or as AppFlow writes it (`wrapped` False)."""
    told = {
        "ChangeEventHeader": {
            "commitNumber": 74487681550,
            "commitUser": SATO,
            "sequenceNumber": 1,
            "entityName": kind,
            "changeType": how,
            "changedFields": [*fields, "LastModifiedDate"] if how == "UPDATE" else [],
            "changeOrigin": "com/salesforce/api/soap/64.0;client=SfdcInternalAPI/",
            "transactionKey": "000035af-b239-0581-9f14-461e4187de11",
            "commitTimestamp": at,
            "recordIds": ids or [DEAL_ID],
        }
        | header,
        "LastModifiedDate": "2026-12-08T06:00:01.000Z",
    } | fields
    detail = {"payload": told, "schemaId": "I8b-dYxvxs5wOtCBr4qsew", "id": "e"} if wrapped else told
    return posted(
        {
            "version": "0",
            "id": "5c42b99e-e005-43b3-c744-07990c50d2cc",
            "detail-type": f"{kind}ChangeEvent",
            "source": f"aws.partner/salesforce.com/{ORGANIZATION}/0YL5g0000004Dfg4AE",
            "account": "000000000000",
            "time": "2026-12-08T06:00:03Z",
            "region": "ap-northeast-1",
            "resources": [],
            "detail": detail,
        },
        won_at="stage_change",
    )


def read(request: HookRequest) -> Delivery:
    return conformance.read("salesforce", request)


def report(request: HookRequest) -> Report:
    delivery = read(request)
    assert (delivery.refused, delivery.references) == ((), ())
    (item,) = delivery.items
    return item.report


def faults(request: HookRequest) -> list[tuple[str, str]]:
    delivery = read(request)
    assert not delivery.items
    (refused,) = delivery.refused
    return [(fault.pointer, fault.code) for fault in refused.error.faults]


def fields(found: Report | State) -> dict[str, Any]:
    return {name: value for name, value in found.fields.items() if name not in {KIND, RETRACTED}}


def without_key(request: HookRequest) -> HookRequest:
    headers = {name: value for name, value in request.headers.items() if name != "x-api-key"}
    return replace(request, headers=headers)
