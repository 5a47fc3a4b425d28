"""A small team with a goal tree, created and reported over HTTP by any client."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol

PLAN = "new-business"
ATTAINMENT = "tassei_goal_attainment_ratio"
# What breaks a careless exposition: quotes, a backslash, the signs of a sample, Japanese.
AWKWARD = '架電 "新規" \\ {a="b"} 1'
WORKSPACE = {
    "name": "Example K.K.",
    "time_zone": "Asia/Tokyo",
    "currency": "JPY",
    "locale": "ja-JP",
    "fiscal_year_start_month": 4,
    "calendar": {
        "holidays": "JP",
        "weekdays": ["mon", "tue", "wed", "thu", "fri", "sat", "sun"],
        "working_hours": {"from": "09:00", "to": "18:00"},
        "closures": [],
        "extra_working_days": [],
    },
}
FUNNEL = [
    {"metric": "revenue", "target": "2000000"},
    {"metric": "deals_won", "rate": "400000"},
    {"metric": "appointments", "rate": "0.05"},
    {"metric": "calls", "rate": "0.3", "name": AWKWARD},
]


class Answer(Protocol):
    @property
    def status_code(self) -> int: ...
    @property
    def text(self) -> str: ...
    @property
    def headers(self) -> Mapping[str, str]: ...
    def json(self) -> Any: ...


class Client(Protocol):
    """What httpx and the test client have in common."""

    def get(self, url: str, /) -> Answer: ...
    def put(self, url: str, /, *, json: Any, headers: Mapping[str, str]) -> Answer: ...
    def post(self, url: str, /, *, json: Any, headers: Mapping[str, str]) -> Answer: ...


def create(client: Client, period: Mapping[str, str]) -> None:
    """A workspace, a source, one person in one team, and a plan that the team carries."""
    standing = client.get("/v1/workspace").headers["etag"]
    _put(client, "/v1/workspace", WORKSPACE, {"If-Match": standing})
    _put(client, "/v1/sources/crm", {"provider": "events", "name": "CRM"})
    _put(client, "/v1/teams/east", {"name": AWKWARD})
    member = {
        "name": "佐藤",
        "memberships": [{"team": "east"}],
        "identities": [{"source": "crm", "kind": "id", "value": "7"}],
    }
    _put(client, "/v1/members/sato", member)
    plan = {
        "name": AWKWARD,
        "period": period,
        "funnel": FUNNEL,
        "assignments": [{"team": "east"}],
    }
    _put(client, f"/v1/plans/{PLAN}", plan)


def _put(client: Client, path: str, body: Any, headers: Mapping[str, str] | None = None) -> None:
    answer = client.put(path, json=body, headers=headers or {})
    assert answer.status_code in {200, 201}, answer.text


def report(client: Client, at: str, *, calls: int = 0, deals: int = 0) -> None:
    """Calls and won deals of the one person, all at one time."""
    made = {"direction": "outbound", "outcome": "connected", "started_at": at}
    won = {"status": "won", "amount": "380000", "currency": "JPY", "created_at": at, "won_at": at}
    events = [_event("call", f"call-{at}-{n}", at, made) for n in range(calls)]
    events += [_event("deal", f"deal-{at}-{n}", at, won) for n in range(deals)]
    kind = {"Content-Type": "application/cloudevents-batch+json"}
    answer = client.post("/v1/events", json=events, headers=kind)
    assert answer.status_code == 200, answer.text
    assert answer.json()["accepted"] == len(events), answer.text


def _event(kind: str, key: str, at: str, data: Mapping[str, str]) -> dict[str, Any]:
    envelope = {"specversion": "1.0", "source": "crm", "type": kind, "id": key, "time": at}
    return envelope | {"actor": "7", "data": data}
