"""A binary event over HTTP says each attribute once."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest

from tests.web.example import START, settle
from tests.web.service import Service, started


@pytest.fixture
def service() -> Iterator[Service]:
    with started(START) as running:
        yield settle(running)


def test_an_attribute_that_a_binary_event_has_twice_is_refused_whole(service: Service) -> None:
    event = [
        ("ce-specversion", "1.0"), ("ce-id", "c-1"), ("ce-source", "crm"), ("ce-type", "call"),
    ]  # fmt: skip
    data = {"direction": "outbound", "started_at": "2026-12-11T10:00:00+09:00"}
    before = service.dump()
    for again in (("ce-id", "c-2"), ("CE-Id", "c-1"), ("ce-traceparent", "a")):
        repeated = [*event, again, ("ce-traceparent", "b")]
        answer = service.client.post("/v1/events", json=data, headers=repeated)
        assert (answer.status_code, answer.json()["type"]) == (
            400,
            "urn:tassei:problem:repeated-header",
        )
    assert service.dump() == before
    plain = [*event, ("x-trace", "a"), ("x-trace", "b")]
    assert service.client.post("/v1/events", json=data, headers=plain).json()["accepted"] == 1
    structured = {"specversion": "1.0", "id": "c-2", "source": "crm", "type": "call", "data": data}
    headers = [("ce-id", "x"), ("ce-id", "y"), ("content-type", "application/cloudevents+json")]
    answer = service.client.post("/v1/events", content=json.dumps(structured), headers=headers)
    assert answer.json()["accepted"] == 1
