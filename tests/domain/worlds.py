"""Small worlds for the domain's tests: a Japanese workspace, its people, and plain builders."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any

import holidays

from app.domain.directory import Directory, directory
from app.domain.errors import Invalid
from app.domain.ground import Ground, ground
from app.domain.people import member_of, team_of
from app.domain.plans import Plan, check_assignments, plan_of
from app.domain.presets import PRESETS
from app.domain.workspace import Workspace, workspace_of

JAPAN: Mapping[date, str] = dict(
    holidays.country_holidays("JP", years=range(2024, 2029), language="ja")
)
YEAR_END = {"from": "2026-12-29", "to": "2027-01-04", "reason": "年末年始"}


def workspace_document(**changes: Any) -> dict[str, Any]:
    calendar = {
        "holidays": "JP",
        "weekdays": ["mon", "tue", "wed", "thu", "fri"],
        "working_hours": {"from": "09:00", "to": "18:00"},
        "closures": [YEAR_END],
        "extra_working_days": [],
    } | changes.pop("calendar", {})
    return {
        "name": "Example K.K.",
        "time_zone": "Asia/Tokyo",
        "currency": "JPY",
        "locale": "ja-JP",
        "fiscal_year_start_month": 4,
        "calendar": calendar,
    } | changes


def workspace(**changes: Any) -> Workspace:
    return workspace_of("example", workspace_document(**changes), JAPAN)


def member_document(key: str, extension: str, team: str = "east") -> dict[str, Any]:
    return {
        "name": key.title(),
        "capacity": "1",
        "memberships": [{"team": team, "from": "2026-04-01", "to": None}],
        "identities": [
            {"source": "hubspot", "kind": "email", "value": f"{key}@example.co.jp"},
            {"source": "zoom", "kind": "extension", "value": extension},
        ],
    }


LEAVE = {"absences": [{"from": "2026-12-24", "to": "2026-12-26", "reason": "leave"}]}


def east() -> Directory:
    """The worked month's people: tanaka is away on the 24th and 25th."""
    return directory(
        [team_of("east", {"name": "東日本チーム"})],
        [
            member_of("sato", member_document("sato", "301")),
            member_of("suzuki", member_document("suzuki", "302")),
            member_of("tanaka", member_document("tanaka", "305"), LEAVE),
        ],
    )


FUNNEL = [
    {"metric": "revenue", "target": "2000000"},
    {"metric": "deals_won", "rate": "400000"},
    {"metric": "appointments", "rate": "0.05"},
    {"metric": "calls", "rate": "0.2"},
]


def plan_document(**changes: Any) -> dict[str, Any]:
    document: dict[str, Any] = {
        "name": "December new business",
        "period": {"month": "2026-12"},
        "funnel": FUNNEL,
        "assignments": [{"team": "east"}],
    } | changes
    return {name: value for name, value in document.items() if value is not None}


def plan(**changes: Any) -> Plan:
    return plan_of("2026-12-new", plan_document(**changes), workspace(), PRESETS)


def december(people: Directory | None = None, **changes: Any) -> Ground:
    made, folk = plan(**changes), people or east()
    check_assignments(made, folk)
    return ground(workspace(), made, 1, folk)


def values(*numbers: object) -> tuple[object, ...]:
    """Several quantities at once, to be compared with plain numbers."""
    return numbers


def codes(error: Invalid) -> list[tuple[str, str]]:
    """Where it is wrong, and what."""
    return [(fault.pointer, fault.code) for fault in error.faults]
