"""A small company that the tests of resources start from."""

from __future__ import annotations

from typing import Any

from tests.web.service import Service

START = "2026-12-14T09:00:00+09:00"
SETTINGS: dict[str, Any] = {
    "name": "Example K.K.",
    "time_zone": "Asia/Tokyo",
    "currency": "JPY",
    "locale": "ja-JP",
    "calendar": {
        "weekdays": ["mon", "tue", "wed", "thu", "fri"],
        "working_hours": {"from": "09:00", "to": "18:00"},
    },
}
TEAM: dict[str, Any] = {"name": "東日本"}
EVENTS: dict[str, Any] = {"provider": "events", "name": "CRM"}
PLAN: dict[str, Any] = {
    "name": "December",
    "period": {"month": "2026-12"},
    "funnel": [
        {"metric": "deals_won", "target": "10"},
        {"metric": "calls", "rate": "0.05"},
    ],
    "assignments": [{"team": "east"}],
}


def member(name: str = "sato", team: str = "east", **rest: Any) -> dict[str, Any]:
    return {
        "name": name,
        "memberships": [{"team": team}],
        "identities": [{"source": "crm", "kind": "email", "value": f"{name}@example.co.jp"}],
    } | rest


def call(number: int, actor: str = "sato@example.co.jp", **rest: Any) -> dict[str, Any]:
    at = rest.pop("at", "2026-12-11T10:00:00+09:00")
    data = {"direction": "outbound", "outcome": "connected", "started_at": at, "talk_seconds": 60}
    return {
        "specversion": "1.0",
        "id": f"c-{number}",
        "source": "crm",
        "type": "call",
        "time": at,
        "actor": actor,
        "data": data | rest.pop("data", {}),
    } | rest


def deal(number: int, actor: str = "sato@example.co.jp", **data: Any) -> dict[str, Any]:
    at = "2026-12-11T15:00:00+09:00"
    won = {"status": "won", "amount": "400000", "currency": "JPY", "won_at": at}
    return {
        "specversion": "1.0",
        "id": f"d-{number}",
        "source": "crm",
        "type": "deal",
        "time": at,
        "actor": actor,
        "data": {name: value for name, value in (won | data).items() if value is not None},
    }


def settle(service: Service) -> Service:
    """The company: a team of two, one source, one plan."""
    service.replace("/v1/workspace", SETTINGS)
    for path, body in (
        ("/v1/teams/east", TEAM),
        ("/v1/members/sato", member("sato")),
        ("/v1/members/suzuki", member("suzuki")),
        ("/v1/sources/crm", EVENTS),
        ("/v1/plans/december", PLAN),
    ):
        answer = service.put(path, body)
        assert answer.status_code == 201, answer.text
    return service


def actual(service: Service, goal: str = "calls") -> str:
    """What the plan has counted."""
    found: str = service.progress("december").goal(goal)["actual"]
    return found
