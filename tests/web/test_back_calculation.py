"""The examples by which the field explains back-calculation, through the API."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from tests.web.service import Service, started

Stages = list[dict[str, Any]]


@pytest.fixture(scope="module")
def service() -> Iterator[Service]:
    with started("2026-12-01T09:00:00Z") as service:
        source = {"provider": "events", "name": "Everything"}
        assert service.put("/v1/sources/everything", source).status_code == 201
        yield service


def solved(service: Service, key: str, funnel: Stages) -> dict[str, str]:
    plan = {"name": key, "period": {"month": "2026-12"}, "funnel": funnel}
    answer = service.put(f"/v1/plans/{key}", plan)
    assert answer.status_code == 201, answer.text
    return {goal["key"]: goal["target"] for goal in answer.json()["goals"]}


@pytest.mark.parametrize(
    ("key", "funnel", "targets"),
    [
        (
            "ten-contracts-at-five-percent-need-two-hundred-calls",
            [{"metric": "deals_won", "target": "10"}, {"metric": "calls", "rate": "0.05"}],
            {"deals_won": "10", "calls": "200"},
        ),
        (
            "a-thousand-calls-at-twenty-percent-give-200-appointments",
            [{"metric": "appointments"}, {"metric": "calls", "rate": "0.2", "target": "1000"}],
            {"appointments": "200", "calls": "1000"},
        ),
        (
            "a-hundred-negotiations-at-five-percent-are-five-deals",
            [
                {"metric": "deals_won"},
                {"metric": "meetings_held", "rate": "0.05", "target": "100"},
            ],
            {"deals_won": "5", "meetings_held": "100"},
        ),
        (
            "five-deals-at-fifty-percent-need-ten-negotiations",
            [{"metric": "deals_won", "target": "5"}, {"metric": "meetings_held", "rate": "0.5"}],
            {"deals_won": "5", "meetings_held": "10"},
        ),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_the_words_of_the_field_come_out_exactly(
    service: Service, key: str, funnel: Stages, targets: dict[str, str]
) -> None:
    assert solved(service, key, funnel) == targets
    # The tree that is evaluated asks for the same as the plan that was answered.
    reading = service.progress(key)
    assert {goal: reading.goal(goal)["target"] for goal in targets} == targets
