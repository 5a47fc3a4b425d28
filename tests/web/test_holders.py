"""A deal handed over after the win, over HTTP: the number, what is behind it, and what moved."""

from __future__ import annotations

from typing import Any

from tests.engines import on_both
from tests.web.example import PLAN, START, settle
from tests.web.service import Service, started

pytestmark = on_both

METRIC: dict[str, Any] = {
    "names": {"en": "Revenue of who won it"},
    "kind": "deal",
    "aggregation": "sum",
    "value": "amount",
    "unit": "money",
    "time": "won_at",
    "roles": ["owner"],
    "where": [{"field": "status", "in": ["won"]}],
}
SATO, SUZUKI = "sato@example.co.jp", "suzuki@example.co.jp"
WON = "2026-12-04T10:00:00+09:00"
HANDED, LATE, NOW = (f"2026-12-{day}T10:07:00+09:00" for day in (15, 16, 17))


def deal(at: str, owner: str, **data: Any) -> dict[str, Any]:
    return {
        "specversion": "1.0",
        "id": "d-1",
        "source": "crm",
        "type": "deal",
        "time": at,
        "data": {"status": "won", "won_at": WON, "amount": "400000", "owner": owner, **data},
    }


def whose(service: Service, key: str, **query: str) -> dict[str | None, str]:
    asked = {"window": "mtd", "group_by": "member"} | query
    answer = service.client.get(f"/v1/metrics/{key}/series", params=asked).json()
    return {one["member"]: one["value"] for one in answer["items"]}


def test_the_win_stays_with_who_won_it_where_the_metric_says_so() -> None:
    with started(START) as service:
        settle(service)
        for key, holder in (("stays", "at_time"), ("moves", "current")):
            made = service.put(f"/v1/metrics/{key}", METRIC | {"holder": holder})
            assert (made.status_code, made.json()["holder"]) == (201, holder)
        plan = {name: value for name, value in PLAN.items() if name != "funnel"}
        plan |= {"root": {"metric": "stays", "target": "1000000"}}
        assert service.put("/v1/plans/closers", plan).status_code == 201
        service.clock.set(HANDED)
        service.post_events([deal(HANDED, SUZUKI, amount="390000")])
        assert whose(service, "stays") == whose(service, "moves") == {"suzuki": "390000"}
        # The news of the win itself comes last: it changes nothing of what stands.
        service.clock.set(LATE)
        assert service.counts([deal(WON, SATO)]) == {"stale": 1}
        service.clock.set(NOW)
        assert whose(service, "stays") == {"sato": "390000"}
        assert whose(service, "moves") == {"suzuki": "390000"}
        assert whose(service, "stays", known_at=HANDED) == {"suzuki": "390000"}
        assert_explained(service)
        assert service.mismatches() == []


def assert_explained(service: Service) -> None:
    progress = service.progress("closers", member="sato").goal("stays")
    assert progress["actual"] == "390000"
    for path in ("/v1/metrics/stays/activities", "/v1/plans/closers/goals/stays/activities"):
        for member, number in (("sato", 1), ("suzuki", 0)):
            query = {"member": member} | ({"window": "mtd"} if "metrics" in path else {})
            items = service.client.get(path, params=query).json()["items"]
            assert [(one["actor"], one["contribution"]["value"]) for one in items] == [
                (SATO, "390000")
            ][:number]
    counts = service.get("/v1/activities/crm/d-1").json()["counts"]
    actors = {
        one["metric"]: [cell["actor"] for cell in one["cells"]]
        for one in counts
        if one["metric"] in {"stays", "moves", "revenue"}
    }
    assert actors == {"stays": [SATO], "moves": [SUZUKI], "revenue": [SUZUKI]}
    moved = service.client.get("/v1/plans/closers/changes", params={"known_from": HANDED}).json()
    (change,) = (one["goals"] for one in moved["items"])
    assert [(one["goal"], one["difference"]) for one in change] == [("stays", "0")]
    assert [one["actor"] for side in ("before", "after") for one in change[0][side]] == [
        SUZUKI,
        SATO,
    ]
