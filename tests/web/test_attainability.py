"""What was shown before a plan, through HTTP: on PUT, on GET and in a preview the same."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from tests.engines import on_both
from tests.web.example import PLAN, START, call, deal, settle
from tests.web.service import Service, started

pytestmark = on_both

# Working days without public holidays: October 22, November 21, December 23.
HISTORY = [
    *(call(n, at="2026-10-01T10:00:00+09:00") for n in range(66)),
    *(call(100 + n, at="2026-11-10T10:00:00+09:00") for n in range(42)),
    *(deal(n, won_at="2026-11-11T15:00:00+09:00") for n in range(9)),
]


@pytest.fixture
def service() -> Iterator[Service]:
    with started(START) as running:
        settle(running).counts(HISTORY)
        yield running


def asked(service: Service, key: str, deals: str) -> tuple[Any, Any, Any]:
    stages = [PLAN["funnel"][0] | {"target": deals}, PLAN["funnel"][1]]
    body = PLAN | {"funnel": stages}
    preview = service.client.post("/v1/plans/preview", json=body)
    made = service.put(f"/v1/plans/{key}", body)
    assert (preview.status_code, made.status_code) == (200, 201)
    return preview.json(), made.json(), service.get(f"/v1/plans/{key}").json()


def codes(answer: Any) -> dict[str, dict[str, str]]:
    return {one["code"]: one["params"] for one in answer["warnings"]}


def test_what_was_done_before_stands_beside_the_targets(service: Service) -> None:
    preview, made, read = asked(service, "ours", "5")
    told = ("attainability", "suggested_rates", "goals", "needed_for_80_percent")
    assert {n: made[n] for n in told} == {n: read[n] for n in told}
    assert {n: made[n] for n in told} == {n: preview[n] for n in told}
    basis = {"from": "2026-10-01", "to": "2026-12-01", "spans": 2}
    kgi, calls = made["goals"][0]["attainability"], made["goals"][1]["attainability"]
    assert made["attainability"] == kgi
    # 66 in 22 days are 69 in 23, and 42 in 21 are 46.
    assert (calls["shown_best"], calls["shown_median"], calls["basis"]) == ("69", "57.5", basis)
    assert (kgi["shown_best"], kgi["basis"]) == ("9.857143", basis)
    assert 0 <= float(kgi["probability"]) <= 1
    [rate] = made["suggested_rates"]
    assert (rate["goal"], rate["assumed"], rate["observed"], rate["sample"]) == (
        "deals_won", "0.05", "0.083333", 108,
    )  # fmt: skip
    # Nine in a hundred and eight are better than one in twenty, and not known for certain.
    success = made["goals"][1]["success"]
    assert success["sample"] == 108
    assert int(success["uncertain_rate"]) < int(success["known_rate"])
    assert made["needed_for_80_percent"] == {"calls": success["known_rate"]}


def test_a_target_above_all_that_was_shown_is_warned_of(service: Service) -> None:
    _, made, _ = asked(service, "much", "10")
    asked_for = codes(made)["above_shown_best"]
    assert asked_for in (
        {"goal": "deals_won", "target": "10", "best": "9.857143"},
        {"goal": "calls", "target": "200", "best": "69"},
    )
    _, less, _ = asked(service, "less", "3")
    assert "above_shown_best" not in codes(less)
    easy, hard = (float(plan["attainability"]["probability"]) for plan in (less, made))
    assert easy > hard


def test_where_nothing_was_counted_that_is_said(service: Service) -> None:
    body = PLAN | {"funnel": [{"metric": "meetings_held", "target": "5"}]}
    made = service.put("/v1/plans/meetings", body).json()
    assert made["attainability"] is None
    assert made["suggested_rates"] == []
    assert codes(made)["no_history"] == {"goals": "meetings_held"}


def test_of_two_drafts_neither_is_taken_for_the_other(service: Service) -> None:
    """Of drafts nothing is remembered: these have the same key, version and period."""
    nobody = PLAN | {"assignments": [{"member": "suzuki"}]}
    both, none = (
        service.client.post("/v1/plans/preview", json=body).json() for body in (PLAN, nobody)
    )
    assert both["goals"][1]["attainability"]["shown_best"] == "69"
    assert none["attainability"] is None
