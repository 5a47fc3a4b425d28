"""A database that goes back while the service runs: nothing that never was is told."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from sqlalchemy import text

from app.usecases.context import Context
from tests.engines import on_both, overheard
from tests.web.service import Service, started

pytestmark = on_both

NOW = "2026-12-10T12:00:00+09:00"


@pytest.fixture
def service() -> Iterator[Service]:
    with started(NOW) as service:
        assert service.put("/v1/teams/east", {"name": "East"}).status_code == 201
        source = {"provider": "events", "name": "Phone", "counts": ["call"]}
        assert service.put("/v1/sources/phone", source).status_code == 201
        plan = {
            "name": "December",
            "period": {"month": "2026-12"},
            "root": {"metric": "calls", "target": "90"},
        }
        assert service.put("/v1/plans/december", plan).status_code == 201
        yield service


def context_of(service: Service) -> Context:
    app: Any = service.client.app
    context: Context = app.state.context
    return context


def name_of(context: Context) -> str | None:
    with context.read() as reading:
        team = context.organisations.at(reading, "default").people.teams.get("east")
        return team.name if team else None


def call(key: str) -> dict[str, Any]:
    data = {"direction": "outbound", "started_at": "2026-12-02T10:00:00+09:00"}
    named = {"id": key, "source": "phone", "type": "call"}
    return {"specversion": "1.0", **named, "data": data}


def rewrite(context: Context, *statements: str) -> None:
    """Another history in the place of this one."""
    with context.store.transaction() as connection:
        for statement in statements:
            connection.execute(text(statement))


RENAMED = "UPDATE document_version SET body = replace(body, 'East', 'West')"
OTHER = "UPDATE workspace_commit SET at = at - 1"
OTHER_END = f"{OTHER} WHERE seq = (SELECT seq FROM workspace_head)"  # noqa: S608 - our own words


def test_a_configuration_of_equal_number_from_another_history_is_read(service: Service) -> None:
    context = context_of(service)
    assert name_of(context) == "East"
    rewrite(context, RENAMED)
    assert name_of(context) == "East"
    rewrite(context, OTHER)
    assert name_of(context) == "West"


def test_when_the_head_is_seen_to_go_back_all_that_was_learned_is_forgotten(
    service: Service,
) -> None:
    context = context_of(service)
    service.counts([call("a")])
    path = "/v1/plans/december/progress"
    assert service.get(path).json()["root"]["actual"] == "1"
    known = name_of(context)
    assert known == "East"
    # Back to a commit that both have: only that the head is behind tells of it.
    rewrite(
        context,
        RENAMED,
        "UPDATE tally_day SET number = 7",
        "DELETE FROM workspace_commit WHERE seq = (SELECT seq FROM workspace_head)",
        "UPDATE workspace_head SET seq = seq - 1",
    )
    context.watch.look()
    assert name_of(context) == "West"
    assert service.get(path).json()["root"]["actual"] == "7"
    # And what is there is kept again.
    with overheard(context.store) as heard:
        assert service.get(path).json()["root"]["actual"] == "7"
    assert not [said for said, _ in heard if "tally_day" in said]


def test_a_history_that_was_learned_of_another_past_is_read_anew(service: Service) -> None:
    path = "/v1/plans/december/progress"
    context = context_of(service)
    assert name_of(context) == "East"
    service.counts([call("a")])
    earlier = call("b")
    earlier["data"]["started_at"] = "2026-11-02T10:00:00+09:00"
    service.counts([earlier])
    before = service.get(path).json()
    # Of what the configuration was read at, both know.
    rewrite(context, OTHER_END, "UPDATE tally_day SET number = number * 9")
    service.counts([call("c")])
    after = service.get(path).json()
    assert (before["root"]["actual"], after["root"]["actual"]) == ("1", "10")
    context.organisations.forget("default")
    context.store.forget("default")
    assert service.get(path).json() == after
