"""HubSpot's notifications: objects named, a deletion, a merge, and one without its object."""

from __future__ import annotations

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
