"""HubSpot's notifications: objects named, a deletion, a merge, and one without its object."""

from __future__ import annotations

from typing import Any

from tests.intake.hubspot_events import event, hubspot

SAMPLES = [
    hubspot([event("deal.creation"), event("deal.propertyChange", propertyName="amount")]),
    hubspot([event("object.propertyChange", objectTypeId="0-48", propertyName="hs_call_status")]),
    hubspot([event("deal.deletion"), event("company.creation")]),
    hubspot(
        [
            event(
                "object.merge",
                objectTypeId="0-3",
                primaryObjectId=512,
                mergedObjectIds=[513],
                newObjectId=514,
            )
        ]
    ),
    hubspot([event("deal.propertyChange", objectId=None)]),
    hubspot({}),
]


def _object(number: str, **properties: str | None) -> dict[str, Any]:
    return {
        "id": number,
        "properties": properties,
        "createdAt": "2026-12-01T01:00:00.120Z",
        "updatedAt": "2026-12-08T06:00:01.500Z",
        "archived": False,
    }


FETCHED = [
    (
        "deals",
        _object(
            "512",
            amount="450000",
            closedate="2026-12-08T06:00:00Z",
            createdate="2026-12-01T01:00:00.120Z",
            deal_currency_code="JPY",
            dealstage="closedwon",
            dealtype="newbusiness",
            hs_is_closed="true",
            hs_is_closed_won="true",
            hubspot_owner_id="77001",
        ),
    ),
    (
        "calls",
        _object(
            "513",
            hs_call_direction="OUTBOUND",
            hs_call_disposition="f240bbac-87c9-4f6e-bf70-924b57d47db7",
            hs_call_duration="125000",
            hs_call_from_number="+81312340000",
            hs_call_status="COMPLETED",
            hs_call_to_number="+819012345678",
            hs_timestamp="2026-12-08T05:30:00Z",
            hubspot_owner_id="77001",
        ),
    ),
    (
        "meetings",
        _object(
            "514",
            hs_createdate="2026-12-02T02:00:00Z",
            hs_meeting_outcome="SCHEDULED",
            hs_meeting_start_time="2026-12-20T05:00:00Z",
            hs_timestamp="2026-12-20T05:00:00Z",
            hubspot_owner_id="77001",
        ),
    ),
    (
        "contacts",
        _object(
            "515",
            createdate="2026-12-02T02:00:00Z",
            hs_lead_status="NEW",
            hubspot_owner_id=None,
        ),
    ),
    ("deals", _object("516") | {"archived": True, "archivedAt": "2026-12-09T06:00:00Z"}),
]
