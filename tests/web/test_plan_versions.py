"""A plan's versions through HTTP: compared, and taking over from each other in mid-period."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from tests.web.example import PLAN as STAGES
from tests.web.example import START, settle
from tests.web.service import Service, started
from tests.web.test_plans import PLAN, WHY, patch, post


@pytest.fixture
def service() -> Iterator[Service]:
    with started(START) as running:
        yield settle(running)


def compared(service: Service, query: str) -> Any:
    answer = service.get(f"{PLAN}/difference?{query}")
    assert answer.status_code == 200, answer.text
    return answer.json()


def test_two_versions_are_compared_for_every_goal_and_person_and_word(service: Service) -> None:
    service.clock.set("2026-12-14T10:00:00+09:00")
    change = {
        "name": "December, more",
        "alias": "new",
        "funnel": [{"metric": "deals_won", "target": "12"}, {"metric": "calls", "rate": "0.1"}],
        "assignments": [{"member": "sato"}],
    }
    assert patch(service, change | WHY).status_code == 200
    assert patch(service, {"name": "D"} | {"reason": "short"}, etag='"2"').status_code == 200
    found = compared(service, "from=1&to=2")
    told = [(v["version"], v["reason"], v["at"][:16]) for v in (found["from"], found["to"])]
    assert told == [
        (1, None, "2026-12-14T09:00"),
        (2, "we know better now", "2026-12-14T10:00"),
    ]
    [admin] = [key["id"] for key in service.get("/v1/keys").json()["items"]]
    assert {found[side]["author"] for side in ("from", "to")} == {admin}
    assert found["goals"] == [
        {"key": "deals_won", "before": "10", "after": "12", "change": "2"},
        {"key": "calls", "before": "200", "after": "120", "change": "-80"},
    ]
    assert found["split"] == {
        "sato": {
            "deals_won": {"before": "5", "after": "12", "change": "7"},
            "calls": {"before": "100", "after": "120", "change": "20"},
        },
        "suzuki": {"deals_won": {"before": "5"}, "calls": {"before": "100"}},
    }
    assert {edit.pop("pointer"): edit for edit in found["document"]} == {
        "/name": {"before": "December", "after": "December, more"},
        "/alias": {"after": "new"},
        "/funnel/0/target": {"before": "10", "after": "12"},
        "/funnel/1/rate": {"before": "0.05", "after": "0.1"},
        "/assignments/0/team": {"before": "east"},
        "/assignments/0/member": {"after": "sato"},
    }


def test_compared_with_what_stands_and_backwards_and_with_what_never_was(service: Service) -> None:
    assert patch(service, {"name": "D"} | WHY).status_code == 200
    there, back = compared(service, "from=1"), compared(service, "from=2&to=1")
    assert there["document"] == [{"pointer": "/name", "before": "December", "after": "D"}]
    assert back["document"] == [{"pointer": "/name", "before": "D", "after": "December"}]
    assert {goal["change"] for goal in there["goals"]} == {"0"}
    for query, status in (("from=3", 404), ("from=1&to=9", 404), ("to=1", 422), ("from=0", 422)):
        assert service.get(f"{PLAN}/difference?{query}").status_code == status, query
    service.client.delete(PLAN, headers={"if-match": '"2"'})
    assert compared(service, "from=1&to=2")["document"] == there["document"]


CALLS: dict[str, Any] = {"funnel": [{"metric": "calls", "target": "230"}]}


def line(service: Service, at: str, **query: str) -> str:
    """Twenty-three working days; on the evening of the 14th ten of them are over."""
    return str(
        service.progress("december", f"{at}T18:00:00+09:00", **query).goal("calls")["expected"]
    )


def test_a_revision_in_mid_period_bends_the_line_and_every_version_keeps_its_own(
    service: Service,
) -> None:
    assert patch(service, CALLS | WHY).status_code == 200
    service.clock.set("2026-12-15T08:00:00+09:00")
    more = {"funnel": [{"metric": "calls", "target": "490"}], "effective_from": "2026-12-15"}
    answer = patch(service, more | WHY, etag='"2"')
    assert (answer.status_code, answer.json()["effective_from"]) == (200, "2026-12-15")
    service.clock.set("2026-12-18T08:00:00+09:00")
    less = {"funnel": [{"metric": "calls", "target": "260"}], "effective_from": "2026-12-18"}
    assert patch(service, less | WHY, etag='"3"').status_code == 200
    service.clock.set("2026-12-22T08:00:00+09:00")
    # 390 in thirteen days from the 15th on, then 70 in ten: from 190 on the evening of the 17th.
    assert [line(service, f"2026-12-{day}") for day in (11, 14, 15, 17, 18, 21)] == [
        "90", "100", "130", "190", "197", "204",
    ]  # fmt: skip
    assert [line(service, "2026-12-21", version=n) for n in "23"] == ["150", "250"]
    known = {"known_at": "2026-12-16T08:00:00+09:00"}
    assert line(service, "2026-12-15", **known) == "130"
    assert service.progress("december", "2026-12-15", **known).body["plan"]["version"] == 3


def test_a_plan_that_is_new_revises_nothing_nor_does_its_copy(service: Service) -> None:
    body = STAGES | {"effective_from": "2026-12-15", "period": {"month": "2026-12"}}
    for asked in (service.put("/v1/plans/new", body), post(service, "/v1/plans/preview", body)):
        assert asked.status_code == 422
        assert [(fault["pointer"], fault["code"]) for fault in asked.json()["errors"]] == [
            ("/effective_from", "nothing_to_revise")
        ]
    outside = patch(service, {"effective_from": "2027-01-01"} | WHY)
    assert outside.json()["errors"][0]["code"] == "revision_outside_period"
    assert patch(service, {"effective_from": "2026-12-15"} | WHY).status_code == 200
    copied = post(service, f"{PLAN}/copy", {"period": {"month": "2027-01"}})
    assert copied.status_code == 201
    assert "effective_from" not in copied.json()


def test_what_is_usual_is_the_same_whether_it_is_said_or_not(service: Service) -> None:
    """So a plan of before there was a choice, sent again, is no change."""
    said = STAGES | {"assignments": [{"team": "east", "targets_follow": "stay"}], "recurs": False}
    answer = service.put(PLAN, said)
    assert (answer.status_code, answer.headers["etag"]) == (200, '"1"')
    moves = {"assignments": [{"team": "east", "targets_follow": "move"}]}
    assert patch(service, moves | WHY).json()["assignments"][0]["targets_follow"] == "move"
