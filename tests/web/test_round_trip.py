"""What GET answers may be sent back by PUT, and PUT answers what GET will."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from tests.web.example import PLAN, SETTINGS, START, settle
from tests.web.service import Service, started

SIZE = {
    "names": {"en": "Size"},
    "kind": "deal",
    "aggregation": "sum",
    "value": "amount",
    "unit": "money",
    "time": "won_at",
    "where": [{"field": "status", "in": ["won"]}],
}
QUARTER = PLAN | {"name": "Fiscal", "period": {"quarter": "2026-Q3", "fiscal": True}}
# Every resource with a PUT of its own, by its path in the document.
RESOURCES: dict[str, list[tuple[str, Any]]] = {
    "/v1/workspace": [("/v1/workspace", None)],
    "/v1/teams/{key}": [("/v1/teams/east", None), ("/v1/teams/west", {"name": "西"})],
    "/v1/members/{key}": [
        ("/v1/members/sato", None),
        (
            "/v1/members/abe",
            {"name": "阿部", "memberships": [{"to": "2026-12-05", "team": "east"}]},
        ),
    ],
    "/v1/members/{key}/absences": [
        ("/v1/members/sato/absences", {"absences": [{"to": "2026-12-25", "from": "2026-12-24"}]})
    ],
    "/v1/sources/{key}": [
        ("/v1/sources/crm", None),
        ("/v1/sources/app", {"provider": "standard_webhooks", "name": "a", "counts": ["deal"]}),
        ("/v1/sources/b", {"provider": "events", "name": "b", "expect": {"every": "PT2H"}}),
    ],
    "/v1/metrics/{key}": [("/v1/metrics/size", SIZE)],
    "/v1/plans/{plan}": [
        ("/v1/plans/december", None),
        ("/v1/plans/q3", QUARTER | {"alias": "quarter", "allow_unmeasured": True}),
        ("/v1/plans/own", PLAN | {"alias": "own", "assignments": []}),
    ],
}
CASES = [case for cases in RESOURCES.values() for case in cases]


@pytest.fixture
def service() -> Iterator[Service]:
    with started(START) as running:
        settle(running).replace("/v1/workspace", SETTINGS | {"fiscal_year_start_month": 4})
        yield running


def test_every_resource_with_a_put_is_walked_over(service: Service) -> None:
    described = service.get("/openapi.json").json()["paths"]
    puts = {path for path, operations in described.items() if "put" in operations}
    assert puts - {"/v1/members"} == RESOURCES.keys(), "/v1/members takes many at once"


@pytest.mark.parametrize(("path", "body"), CASES, ids=[path for path, _ in CASES])
def test_what_get_answers_is_taken_back_as_no_change(
    service: Service, path: str, body: Any
) -> None:
    if body is not None:
        made = service.put(path, body)
        assert made.status_code == 201, made.text
        shown = service.get(path)
        assert list(made.json()) == list(shown.json()), "fields stand in one order"
        assert made.headers["etag"] == shown.headers["etag"]
        secret = {"secret": None} if "secret" in made.json() else {}
        assert made.json() | secret == shown.json()
    before = service.get(path)
    for headers in ({}, {"if_match": before.headers["etag"]}):
        again = service.put(path, before.json(), **headers)
        assert (again.status_code, again.text) == (200, before.text)
        assert again.headers["etag"] == before.headers["etag"]
    assert service.get(path).text == before.text


def test_a_changed_answer_changes_the_resource_and_nothing_else(service: Service) -> None:
    team = service.get("/v1/teams/east")
    changed = team.json() | {"name": "Nord", "version": 99}
    answer = service.put("/v1/teams/east", changed, if_match=team.headers["etag"])
    assert (answer.status_code, answer.json()["version"]) == (200, 2)
    plan = service.get("/v1/plans/december")
    body = plan.json() | {"period": {"month": "2026-11"}, "alias": "monthly", "reason": "earlier"}
    answer = service.put("/v1/plans/december", body, if_match=plan.headers["etag"])
    assert answer.status_code == 200, answer.text
    assert answer.json()["period"]["start"] == "2026-11-01"
    assert answer.json()["alias"] == "monthly"
    assert service.put("/v1/teams/east", {"name": "x", "wholly": "unknown"}).status_code == 422
