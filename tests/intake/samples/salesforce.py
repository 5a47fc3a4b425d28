"""Salesforce: Outbound Messages, JSON of a flow, change events, and what is of no interest."""

from __future__ import annotations

from tests.intake.salesforce_events import (
    CALL,
    DEAL_ID,
    EVENT_ID,
    LEAD,
    MEETING,
    OPEN,
    TASK_ID,
    WON,
    change,
    flow,
    message,
)

AT = 1796709601000  # 2026-12-08T06:00:01Z

SAMPLES = [
    message(("Opportunity", WON), ("Opportunity", OPEN | {"Id": "0065g00000AbCdFAAV"})),
    message(("Task", CALL)),
    message(("Event", MEETING), ("Lead", LEAD)),
    message(("Account", {"Id": "0015g00000ZkM3hAAF"})),
    message(("Opportunity", {"Id": DEAL_ID})),
    message(("Opportunity", WON | {"CloseDate": "someday"})),
    flow("Opportunity", WON),
    flow("Task", CALL, CALL | {"Id": "00T5g00000AbCdFEAV", "TaskSubtype": "Task"}),
    flow("Opportunity", WON, event="deleted"),
    change("Opportunity", "CREATE", OPEN, at=AT),
    change("Opportunity", "UPDATE", {"StageName": "Closed Won"}, at=AT),
    change("Opportunity", "UPDATE", {"Amount": 380000.5}, at=AT, wrapped=False),
    change("Opportunity", "DELETE", {}, at=AT),
    change("Task", "UPDATE", {"Status": "Completed"}, at=AT, ids=[TASK_ID]),
    change("Event", "GAP_UPDATE", {}, at=AT, ids=[EVENT_ID]),
    change("Opportunity", "GAP_OVERFLOW", {}, at=AT),
    change("Account", "UPDATE", {"Industry": "Steel"}, at=AT),
]

FETCHED = [
    ("Opportunity", WON | {"IsWon": True, "IsClosed": True, "Amount": 450000, "IsDeleted": False}),
    ("Opportunity", OPEN | {"IsWon": False, "IsClosed": False, "IsDeleted": True}),
    ("Task", CALL | {"CallDurationInSeconds": 185, "IsDeleted": False}),
    ("Event", MEETING | {"IsChild": False, "IsRecurrence": False, "IsAllDayEvent": False}),
    ("Lead", LEAD | {"IsDeleted": False}),
]
