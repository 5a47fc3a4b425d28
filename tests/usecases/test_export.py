"""What is exported can be taken in again, and a spreadsheet runs nothing of it."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator
from typing import Any

import pytest

from app.domain.errors import NotFound
from app.usecases.exporting import Format, export
from tests.web.service import Service, started

NOW = "2026-12-10T00:00:00Z"
EVENTS: list[dict[str, Any]] = [
    {"id": "1", "subject": "a", "revision": "5", "actor": "305",
     "data": {"started_at": "2026-12-09T00:00:00Z", "direction": "outbound", "note": "=1+1",
              "score": -5, "source": "web"}},
    {"id": "2", "subject": "a", "revision": "7", "merge": True, "data": {"outcome": "connected"}},
    {"id": "3", "subject": "b", "revision": "6", "retracted": True,
     "data": {"started_at": "2026-12-08T00:00:00Z"}},
    {"id": "4", "subject": "c", "type": "visit", "data": {"tags": ["x", 1], "at": "@home"}},
]  # fmt: skip


@pytest.fixture(scope="module")
def service() -> Iterator[Service]:
    with started(NOW) as running:
        prepare(running)
        common = {"specversion": "1.0", "source": "own", "type": "call"}
        assert running.counts([common | event for event in EVENTS]) == {"accepted": 3, "revised": 1}
        assert running.put("/v1/teams/east", {"name": "+East"}).status_code == 201
        member = {"name": "佐藤", "memberships": [{"team": "east"}]}
        assert running.put("/v1/members/sato", member).status_code == 201
        yield running


def prepare(service: Service) -> None:
    body = {"provider": "events", "name": "own"}
    assert service.put("/v1/sources/own", body).status_code == 201


def written(service: Service, what: str, form: Format, workspace: str = "default") -> str:
    out = io.StringIO(newline="")
    export(service.client.app.state.context, workspace, what, form, out)  # type: ignore[attr-defined] # Starlette's state
    return out.getvalue()


def lines(service: Service, what: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in written(service, what, Format.NDJSON).splitlines()]


def table(service: Service, what: str) -> list[dict[str, str]]:
    text = written(service, what, Format.CSV)
    return list(csv.DictReader(io.StringIO(text, newline="")))


def test_exported_events_bring_another_service_to_the_same_state(service: Service) -> None:
    events = lines(service, "call") + lines(service, "visit")
    with started(NOW) as other:
        prepare(other)
        assert other.counts(events) == {"accepted": 3}
        for kind in ("call", "visit"):
            assert lines(other, kind) == lines(service, kind)
    assert [(event["subject"], event.get("revision")) for event in events] == [
        ("a", "7"),
        ("b", "6"),
        ("c", None),
    ]


def test_people_are_exported_as_the_api_takes_them(service: Service) -> None:
    [member] = lines(service, "members")
    assert (member["key"], member["memberships"]) == ("sato", [{"team": "east"}])
    text = written(service, "members", Format.NDJSON).encode()
    kind = {"content-type": "application/x-ndjson"}
    answer = service.client.put("/v1/members", content=text, headers=kind)
    assert answer.is_success, answer.text


def test_a_cell_that_begins_like_a_formula_is_text_and_a_number_stays_one(
    service: Service,
) -> None:
    first, second = table(service, "call")
    assert (first["note"], first["score"], first["data.source"]) == ("'=1+1", "-5", "web")
    assert (first["source"], first["key"], first["agent"]) == ("own", "a", "305")
    assert (second["retracted"], second["note"]) == ("true", "")
    [visit] = table(service, "visit")
    assert (visit["at"], visit["tags"]) == ("'@home", '["x",1]')
    assert table(service, "teams")[0]["name"] == "'+East"


def test_an_unknown_workspace_is_refused(service: Service) -> None:
    with pytest.raises(NotFound, match="unknown_workspace"):
        written(service, "call", Format.CSV, "nowhere")


def test_a_kind_without_activities_is_an_empty_export(service: Service) -> None:
    assert written(service, "lead", Format.NDJSON) == ""
